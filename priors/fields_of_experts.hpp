// sonolux/priors/fields_of_experts.hpp
//
// Fields of experts: filters, each followed by a learned function (Roth and Black 2009; Chen and Pock 2017).
//
//     gradient(x) = scale * sum_i K_i^T (w_i . phi_i(K_i x))
//
// w_i are weights of the responses, 1 unless there are some. K_i is correlation with the filter k_i. This is
// the hottest kernel of the library. Images of several channels [channels, rows, columns] have filters of as
// many, K_i x = sum_c K_{i,c} x_c, with one response.
//
// Three rules for the border:
//   exact    x is extended by the filter's radius by the boundary rule B; the gradient is
//            B^T K_i^T phi_i(K_i B x), the true gradient of the energy.
//   cropped  x is extended by twice the radius; responses are computed on the extended image and the result
//   is
//            cropped. The published denoisers (TNRD, variational networks) do this. Inside the image, away
//            from the border by twice the radius, both agree.
//   valid    there are responses only where a filter lies wholly inside the image, which is not extended: the
//            true gradient of the energy of those. Filters may have even sizes.
//
// Weights let a prior depend on the place, as where data are scarce. They are learned on a few nodes that are
// spread over the responses, corner on corner, and are between them bilinear:
//
//     w_i = bilinear(sigmoid(2.5 map_i)),    map_i [nodes, nodes]
//
// (Vishnevskiy et al. 2019). Such a prior knows where a pixel lies in its image: no part of an image can be
// computed from a part.
#pragma once

#include <sonolux/core/array.hpp>
#include <sonolux/core/boundary.hpp>
#include <sonolux/core/image_planes.hpp>
#include <sonolux/priors/activation.hpp>
#include <sonolux/priors/filter_bank.hpp>
#include <sonolux/priors/prior.hpp>

namespace sonolux {

enum class BorderGradient { exact, cropped, valid };

struct FieldsOfExpertsOptions {
    FilterBankOptions filters;
    ActivationOptions activation;
    BoundaryRule boundary = BoundaryRule::symmetric;
    BorderGradient border = BorderGradient::cropped;
    int weight_nodes = 0;  ///< along each side of the maps of weights, 2 to 32; 0: no weights
    float scale = 1;       ///< 1, or 1 / number of filters as in the variational networks

    friend bool operator==(const FieldsOfExpertsOptions&, const FieldsOfExpertsOptions&) = default;
};

namespace foe {
struct Table;
struct Rectangle;
struct Weights;
}  // namespace foe

/// Parameters: filter coefficients [filters, coefficients], then activation weights [filters, nodes], then
/// maps of weights [filters, weight_nodes^2].
class FieldsOfExperts final : public Prior {
public:
    /// Throws Error{invalid_argument} naming the field.
    explicit FieldsOfExperts(const FieldsOfExpertsOptions& options);

    [[nodiscard]] const FieldsOfExpertsOptions& options() const noexcept { return options_; }
    [[nodiscard]] const FilterBank& filter_bank() const noexcept { return bank_; }
    [[nodiscard]] const Activation& activation() const noexcept { return activation_; }

    [[nodiscard]] Index channels() const noexcept { return options_.filters.channels; }
    [[nodiscard]] Index filter_parameter_count() const noexcept { return bank_.parameter_count(); }
    [[nodiscard]] Index activation_parameter_count() const noexcept;
    [[nodiscard]] Index weight_parameter_count() const noexcept;
    [[nodiscard]] Index parameter_count() const noexcept override;

    void update(std::span<const float> parameters) override;

    /// From now on phi_i(z / range) stands for phi_i(z): `range` > 0 stretches the nodes. 1 to begin with.
    void set_range(float range) noexcept { range_ = range; }

    [[nodiscard]] std::size_t workspace_bytes(Index rows, Index columns,
                                              const Context&) const noexcept override;

    /// sum_i sum_p rho_i((K_i x)(p)), rho_i the antiderivative of the tabulated phi_i with rho_i(0) = 0.
    /// With weights w_i(p) rho_i. Defined by the exact border rule, unless the options say valid.
    [[nodiscard]] double value(View<const float> x, Context&) const noexcept override;

    /// Computed on tiles that stay in cache: convolution, activation and adjoint filter by filter.
    /// Each pixel's sum has one order, whatever the tile, the thread or the image it lies in.
    void gradient(View<const float> x, View<float> gradient, Context&) const noexcept override;

    /// The same, keeping the responses K_i x for `gradient_vjp` in `kept` [kept_floats] unless that is null.
    void gradient(View<const float> x, View<float> gradient, float* kept, Context&) const noexcept;

    /// How many floats can be kept: those of all responses to an image that is one tile, as a training patch
    /// is; 0 for larger images, whose responses are computed again.
    [[nodiscard]] Index kept_floats(Index rows, Index columns) const noexcept;

    /// The same from plain loops: the specification of `gradient`.
    void gradient_reference(View<const float> x, View<float> gradient) const;

    /// With the activations evaluated from their definition in double instead of the table.
    void gradient_exact(View<const float> x, View<double> gradient) const;

    /// The largest |K_i x| among the responses that `gradient` kept of an image of this size.
    [[nodiscard]] float largest_kept(const float* kept, Index rows, Index columns) const noexcept;

    /// Computes the filter responses again. `parameter_bar` has the layout of the parameters.
    void gradient_vjp(View<const float> x, View<const float> v, View<float> x_bar,
                      std::span<float> parameter_bar, Context&) const noexcept override;

    /// The same to the bit, from what `gradient` kept of this x, which is overwritten; null: nothing was
    /// kept. Leaves out `x_bar` if that is empty.
    void gradient_vjp(View<const float> x, float* kept, View<const float> v, View<float> x_bar,
                      std::span<float> parameter_bar, Context&) const noexcept;

    /// The transpose of `update` but for maps of weights: adds what gradients of the filters, of filters()'s
    /// shape, and of their tables [filters, 4, segments] mean for the parameters to `parameter_bar`.
    /// Workspace: that of gradient_vjp.
    void update_vjp(const double* filters_bar, const double* tables_bar, std::span<float> parameter_bar,
                    Context&) const noexcept;

    /// The realised filters, [filters, size, size] or [filters, channels, size, size].
    [[nodiscard]] View<const float> filters() const noexcept { return filters_.view(); }

    /// The table of phi_i, [segments, 4]: on segment k, with t in [0, 1], c0 + t (c1 + t (c2 + t c3)).
    [[nodiscard]] std::span<const float> table_by_segment(Index filter) const noexcept {
        return {&tables_(1, filter, 0), static_cast<std::size_t>(activation_.table_size())};
    }

    /// How far a pixel of the gradient sees: size - 1.
    [[nodiscard]] Index reach() const noexcept { return options_.filters.size - 1; }

private:
    // How far the image, the output and a tile reach: fields_of_experts_tile.hpp.
    struct Domain {
        Index span, lead, pad, output_pad, tile_columns;
    };
    [[nodiscard]] Domain domain() const noexcept;
    // Where there are responses to an image.
    [[nodiscard]] foe::Rectangle responses(Index rows, Index columns) const noexcept;
    [[nodiscard]] Index weight_table_floats(Index columns) const noexcept;
    // Tabulates the hats of the columns in `table`.
    [[nodiscard]] foe::Weights weight_table(const foe::Rectangle& responses, float* table) const noexcept;
    [[nodiscard]] foe::Weights weights_of(foe::Weights table, Index filter, const foe::Rectangle& responses,
                                          const foe::Rectangle& area) const noexcept;
    [[nodiscard]] foe::Table table(Index filter) const noexcept;

    FieldsOfExpertsOptions options_;
    FilterBank bank_;
    Activation activation_;
    std::vector<float> parameters_;
    Array<float> filters_;  // [filters, channels, size, size], without channels if there is one
    Array<float> tables_;   // [2, filters, 4 * segments]: each [4, segments], each [segments, 4]
    Array<float> maps_;     // [filters, weight_nodes, weight_nodes]: of w_i on the nodes
    float range_ = 1;
};

}  // namespace sonolux
