// sonolux/solvers/variational_network.hpp
//
// Unrolled variational networks: T steps of a gradient scheme whose regulariser changes from step to step.
//
//     x_{t+1} = x_t - v_{t+1},   v_{t+1} = beta_t v_t + a_t [ R_t'(x_t) + lambda_t A^T (A x_t - y) ]
//
// with R_t a field of experts. Special cases:
//
//     TNRD (Chen and Pock 2017)            a = 1,                A = I, lambda = exp(p), symmetric border
//     denoising VN (Kobler et al. 2017)    a = 1 / (1 + lambda), A = I, scale = 1 / filters, reflect border
//     MRI VN (Hammernik et al. 2018)       a = 1,                A given, scale = 1 / filters
//
// Where A can be inverted, as a blur that mixes channels can at each frequency by itself, StepRule::split
// alternates between the regulariser and the data instead (split_stage.hpp).
#pragma once

#include <memory>

#include <sonolux/priors/fields_of_experts.hpp>
#include <sonolux/solvers/unrolled_network.hpp>

namespace sonolux {

enum class StepRule {
    plain,   ///< a = 1
    damped,  ///< a = 1 / (1 + lambda)
    split,   ///< half-quadratic splitting, over a blur of channels: split_stage.hpp
};

/// The architecture of a variational network: all that a model file must say besides the parameters.
struct VariationalNetworkOptions {
    int stages = 5;                  ///< 1 to 100
    bool shared_parameters = false;  ///< all stages use the parameters of the first
    FieldsOfExpertsOptions prior;
    StepRule step = StepRule::plain;
    bool momentum = false;
    float value_scale = 255;  ///< images in [0, 1] are multiplied by it on entry and divided on exit

    /// 0: trained for one noise level. d > 0: activation weights and log lambda are polynomials of degree d
    /// in log2(sigma / sigma_reference), and images are multiplied by sigma_reference / sigma on entry, so
    /// that one network serves all noise levels.
    int sigma_degree = 0;         ///< 0 to 4
    int filter_sigma_degree = 0;  ///< the same for the coefficients of "dct" filters: 0 to sigma_degree
    float sigma_reference = 25;   ///< in the units of the scaled image

    friend bool operator==(const VariationalNetworkOptions&, const VariationalNetworkOptions&) = default;
};

/// Throws Error{invalid_argument} naming the field.
[[nodiscard]] std::unique_ptr<UnrolledNetwork> make_variational_network(
    const VariationalNetworkOptions& options);

/// Parameters to start training from: DCT atoms as filters, shrinkage-like activations that together make a
/// small stable step, lambda = 0.1. Deterministic.
void initialise(UnrolledNetwork& network, const VariationalNetworkOptions& options);

}  // namespace sonolux
