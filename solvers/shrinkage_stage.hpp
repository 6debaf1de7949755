// sonolux/solvers/shrinkage_stage.hpp
//
// One step of a shrinkage field; the formulas are in shrinkage_fields.hpp.
#pragma once

#include <sonolux/solvers/shrinkage_fields.hpp>

namespace sonolux {

/// Parameters, in order:
///
///     filters           [filters, coefficients]                of prior and denominator
///     activation        [sigma_degree + 1, filters * nodes]    with experts, or else
///     layerN.weights    [outputs, inputs * size^2]             of the convolutional network
///     layerN.biases     [outputs]
///     log_data_weight   [sigma_degree + 1]                     log lambda
class ShrinkageStage final : public Stage {
public:
    /// Throws Error{invalid_argument} naming the field.
    explicit ShrinkageStage(const ShrinkageFieldsOptions& options);

    [[nodiscard]] std::vector<Parameter> parameters() const override;
    void update(std::span<const float> parameters, float sigma) override;
    [[nodiscard]] std::size_t workspace_bytes(Index rows, Index columns, const Observation&,
                                              const Context&) const noexcept override;
    [[nodiscard]] std::size_t forward_workspace_bytes(Index rows, Index columns, const Observation&,
                                                      const Context&) const noexcept override;
    [[nodiscard]] Index kept_floats(Index rows, Index columns) const noexcept override;
    void forward(View<const float> state, const Observation&, View<float> next,
                 Context&) const noexcept override;
    void backward(View<const float> state, const Observation&, View<const float> next,
                  View<const float> next_bar, View<float> state_bar, std::span<float> parameter_bar,
                  View<float> data_bar, Context&) const noexcept override;

    [[nodiscard]] float data_weight() const noexcept { return data_weight_; }

    /// Those of the denominator, [filters, size, size].
    [[nodiscard]] View<const float> filters() const noexcept { return filters_.view(); }

private:
    using Complex = std::complex<float>;

    [[nodiscard]] Index filter_parameters() const noexcept { return bank_.parameter_count(); }
    [[nodiscard]] bool has_experts() const noexcept { return experts_ != nullptr; }
    [[nodiscard]] const PriorGradient& prior() const noexcept;
    [[nodiscard]] Index margin() const noexcept;

    // The numerator's learned part, without its mean where that is zero but for rounding. `kept`, where not
    // null, goes from the one to the other.
    void prior_gradient(View<const float> u, View<float> out, float* kept, Context&) const noexcept;
    void prior_vjp(View<const float> u, float* kept, View<const float> v, View<float> u_bar,
                   std::span<float> bar, Context&) const noexcept;
    // Y: the spectrum of the data, its border completed by what u says. May be written over that of u;
    // `spare` is written over too.
    void data_spectrum(const Observation&, View<const Complex> u_spectrum, View<Complex> out,
                       View<float> spare, Context&) const noexcept;

    ShrinkageFieldsOptions options_;
    FilterBank bank_;
    std::unique_ptr<FieldsOfExperts> experts_;  // one of the two
    std::unique_ptr<ConvolutionalNetwork> network_;
    std::vector<float> prior_parameters_, coefficients_;
    Array<float> filters_;
    float data_weight_ = 1;
    double level_ = 0;        // log2(sigma / sigma_reference)
    bool zero_mean_ = false;  // the prior's part has no mean
};

}  // namespace sonolux
