// sonolux/solvers/masked_variational_stage.hpp
//
// One step of a variational network of masked measurements: masked_variational_network.hpp has the formula.
#pragma once

#include <sonolux/priors/pointwise_activation.hpp>
#include <sonolux/solvers/masked_variational_network.hpp>
#include <sonolux/solvers/stage.hpp>

namespace sonolux {

/// Parameters, in order:
///
///     filters           [filters, coefficients]
///     activation        [filters, knots]             psi_i
///     weights           [filters, weight_nodes^2]    of w_i, before the sigmoid; if there are nodes
///     data_activation   [1, knots]                   phi
///     data_step         [1, step_knots]              u1
///     prior_step        [1, step_knots]              u2
///     coarse_step       [1, step_knots]              u3, if there is one
///     momentum          [1]                          mu, in [0, 1]
///     preconditioner    [readings]                   p, if there is one
///     ranges            [2]                          R: phi has its knots on [-R_0, R_0], psi on [-R_1, R_1]
///
/// Observations need an operator whose domain is the image, and a coarse inverse if there is a coarse_step;
/// data, mask and preconditioner have the shape of the operator's range. The state is the image and the last
/// s.
class MaskedVariationalStage final : public Stage {
public:
    /// Throws Error{invalid_argument} naming the field.
    explicit MaskedVariationalStage(const MaskedVariationalOptions& options);

    [[nodiscard]] Index planes() const noexcept override { return 2; }
    [[nodiscard]] std::vector<Parameter> parameters() const override;
    void update(std::span<const float> parameters, float sigma) override;
    [[nodiscard]] std::size_t workspace_bytes(Index rows, Index columns, const Observation&,
                                              const Context&) const noexcept override;
    [[nodiscard]] Index kept_floats(Index rows, Index columns) const noexcept override;
    [[nodiscard]] Index ranges() const noexcept override { return 2; }
    void resample(std::span<float> parameters, std::span<const float> ranges) const override;
    void forward(View<const float> state, const Observation&, View<float> next,
                 Context&) const noexcept override;
    void backward(View<const float> state, const Observation&, View<const float> next,
                  View<const float> next_bar, View<float> state_bar, std::span<float> parameter_bar,
                  View<float> data_bar, Context&) const noexcept override;

    [[nodiscard]] const FieldsOfExperts& prior() const noexcept { return prior_; }

private:
    enum Part {
        filter_part,
        activation_part,
        weight_part,
        data_activation_part,
        data_step_part,
        prior_step_part,
        coarse_step_part,
        momentum_part,
        preconditioner_part,
        range_part,
        parts
    };
    template <class T>
    [[nodiscard]] std::span<T> part(std::span<T> parameters, Part which) const noexcept {
        return parameters.subspan(static_cast<std::size_t>(offsets_[which]),
                                  static_cast<std::size_t>(offsets_[which + 1] - offsets_[which]));
    }
    [[nodiscard]] Index gradients_kept() const noexcept { return options_.coarse.any() ? 3 : 2; }
    // z = p m z of `count` readings from `first` on.
    void weigh(View<const float> mask, Index first, Index count, float* z) const noexcept;
    [[nodiscard]] float step(Part which, const Observation& observation) const noexcept;
    // z = p m (A x - y)
    void residual(View<const float> x, const Observation&, float* z, Context&) const noexcept;

    MaskedVariationalOptions options_;
    FieldsOfExperts prior_;
    PointwiseActivation phi_;
    Activation steps_;
    Index offsets_[parts + 1];
    std::vector<float> parameters_;
    float momentum_ = 0;
};

}  // namespace sonolux
