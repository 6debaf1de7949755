// sonolux/solvers/variational_stage.hpp
//
// One step of a variational network: x' = x - v', v' = beta v + a [ R'(x) + lambda A^T (A x - y) ].
#pragma once

#include <sonolux/priors/fields_of_experts.hpp>
#include <sonolux/solvers/stage.hpp>
#include <sonolux/solvers/variational_network.hpp>

namespace sonolux {

/// Parameters, in order:
///
///     filters           [(filter_sigma_degree + 1) * filters, coefficients]
///     activation        [sigma_degree + 1, filters * nodes]
///     log_data_weight   [sigma_degree + 1]          log lambda
///     momentum          [1]                         beta, if the options ask for it
class VariationalStage final : public Stage {
public:
    /// Throws Error{invalid_argument} naming the field.
    explicit VariationalStage(const VariationalNetworkOptions& options);

    [[nodiscard]] Index channels() const noexcept override { return prior_.channels(); }
    [[nodiscard]] Index planes() const noexcept override { return (options_.momentum ? 2 : 1) * channels(); }
    [[nodiscard]] std::vector<Parameter> parameters() const override;
    void update(std::span<const float> parameters, float sigma) override;
    [[nodiscard]] std::size_t workspace_bytes(Index rows, Index columns, const Observation&,
                                              const Context&) const noexcept override;
    [[nodiscard]] Index kept_floats(Index rows, Index columns) const noexcept override {
        return prior_.kept_floats(rows, columns);
    }
    void forward(View<const float> state, const Observation&, View<float> next,
                 Context&) const noexcept override;
    void backward(View<const float> state, const Observation&, View<const float> next,
                  View<const float> next_bar, View<float> state_bar, std::span<float> parameter_bar,
                  View<float> data_bar, Context&) const noexcept override;

    /// For those who compute `backward` elsewhere: adds to `parameter_bar` what gradients of the prior's
    /// filters and tables (FieldsOfExperts::update_vjp) and two products mean, those of v' upstream with the
    /// misfit and with the step x - x'. Without momentum. Workspace: that of the stage.
    void add_gradient(const double* filters_bar, const double* tables_bar, double misfit_product,
                      double step_product, std::span<float> parameter_bar, Context&) const noexcept;

    [[nodiscard]] const FieldsOfExperts& prior() const noexcept { return prior_; }
    [[nodiscard]] float data_weight() const noexcept { return data_weight_; }
    [[nodiscard]] float momentum() const noexcept { return momentum_; }
    [[nodiscard]] float damping() const noexcept;  ///< a

private:
    [[nodiscard]] float damping_slope() const noexcept;  // da / dlambda

    VariationalNetworkOptions options_;
    FieldsOfExperts prior_;
    std::vector<float> prior_parameters_;
    float data_weight_ = 0, momentum_ = 0;
    double level_ = 0;  // log2(sigma / sigma_reference)
};

}  // namespace sonolux
