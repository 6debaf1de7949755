// sonolux/solvers/masked_variational_network.hpp
//
// Unrolled variational networks for measurements of which some are missing, with a learned data term:
// gradient steps with momentum on an energy that changes from step to step,
//
//     g_k = A^T (m p phi_k(p m (A x - y)))
//     s_k = mu_k s_{k-1} + u1_k(rho) g_k + u3_k(rho) S S g_k + u2_k(rho) sum_i D_i^T (w_i psi_{k,i}(D_i x))
//     x  <- x - s_k
//
// m says which readings there are and rho which fraction of them; phi_k weighs residuals, and p readings (all
// products elementwise). The last sum is the gradient of a field of experts whose filters lie inside the
// image, with weights w_i that depend on the place. Everything but A, S, m and rho is learned, for each step
// apart. Vishnevskiy et al. 2018 and 2019; Bernhardt et al. 2020.
//
// Theirs has no u3 and starts from x = A^T (m y). S smooths: what operators such as differences of travel
// times say little of, the smooth parts of an image, moves as fast as the rest by it, and is there from the
// beginning where the network starts from a few steps of a linear inversion (regularised_start.hpp).
#pragma once

#include <memory>

#include <sonolux/priors/fields_of_experts.hpp>
#include <sonolux/solvers/regularised_start.hpp>
#include <sonolux/solvers/unrolled_network.hpp>

namespace sonolux {

/// Knots on [-1, 1] times a range that is a parameter: two segments of the table between each pair of them,
/// which is where kernels look fastest.
[[nodiscard]] inline ActivationOptions unit_knots(int knots) {
    return {.kind = ActivationKind::linear_knots,
            .nodes = knots,
            .lower = -1,
            .upper = 1,
            .width = 1,
            .table_lower = -1,
            .table_upper = 1,
            .segments = 2 * (knots - 1)};
}

/// The architecture: all that a model file must say besides the parameters.
struct MaskedVariationalOptions {
    int stages = 20;                 ///< 1 to 100
    bool shared_parameters = false;  ///< all stages use the parameters of the first
    FilterBankOptions filters{FilterKind::unit_with_mean, 32, 8};
    int weight_nodes = 8;                ///< of the w_i along each side, 2 to 32; 0: no weights
    int knots = 35;                      ///< of each psi and phi, 2 to 256
    int step_knots = 35;                 ///< of u1 and u2 on [0, 1], 2 to 256
    Index preconditioner = 0;            ///< how many readings have a p of their own: all, or 0 for none
    bool smooth_step = false;            ///< whether there is a u3: observations need a smoothing then
    RegularisedStartOptions start = {};  ///< what callers are to start the network from

    static constexpr float value_scale = 1;  ///< networks work in the units of their data
    static constexpr int sigma_degree = 0;   ///< nor do they look at a noise level
    static constexpr float sigma_reference = 1;

    friend bool operator==(const MaskedVariationalOptions&, const MaskedVariationalOptions&) = default;
};

/// Throws Error{invalid_argument} naming the field.
[[nodiscard]] std::unique_ptr<UnrolledNetwork> make_masked_variational_network(
    const MaskedVariationalOptions& options);

/// Parameters to start training from: phi a line, so that the network begins as gradient descent with
/// momentum for operators of norm 1 and data of unit deviation; filters at random, psi near 0, weights 1/2.
void initialise(UnrolledNetwork& network, const MaskedVariationalOptions& options, std::uint64_t seed);

}  // namespace sonolux
