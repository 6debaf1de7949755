// sonolux/solvers/masked_variational_network.hpp
//
// Unrolled variational networks for measurements of which some are missing, with a learned data term:
// gradient steps with momentum on an energy that changes from step to step,
//
//     g_k = A^T (m p phi_k(p m (A x - y)))
//     s_k = mu_k s_{k-1} + u1_k(rho) g_k + u3_k(rho) G g_k + u2_k(rho) sum_i D_i^T (w_i psi_{k,i}(D_i x))
//     x  <- x - s_k
//
// m says which readings there are and rho which fraction of them; phi_k weighs residuals, and p readings (all
// products elementwise). The last sum is the gradient of a field of experts whose filters lie inside the
// image, with weights w_i that depend on the place. Everything but A, G, m and rho is learned, for each step
// apart. Vishnevskiy et al. 2018 and 2019; Bernhardt et al. 2020.
//
// Theirs has no u3 and starts from x = A^T (m y). G is the inverse of A on what is smooth
// (coarse_inverse.hpp): operators such as differences of travel times say little of that, and a few steps
// along A^T would not find it. With G the network starts from a linear inversion, and each step goes on with
// it.
#pragma once

#include <memory>

#include <sonolux/priors/fields_of_experts.hpp>
#include <sonolux/solvers/coarse_inverse.hpp>
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
    int weight_nodes = 8;              ///< of the w_i along each side, 2 to 32; 0: no weights
    int knots = 35;                    ///< of each psi and phi, 2 to 256
    int step_knots = 35;               ///< of u1 and u2 on [0, 1], 2 to 256
    Index preconditioner = 0;          ///< how many readings have a p of their own: all, or 0 for none
    CoarseInverseOptions coarse = {};  ///< with frequencies, there is a u3 and observations need a G

    static constexpr float value_scale = 1;  ///< networks work in the units of their data
    static constexpr int sigma_degree = 0;   ///< nor do they look at a noise level
    static constexpr float sigma_reference = 1;

    friend bool operator==(const MaskedVariationalOptions&, const MaskedVariationalOptions&) = default;
};

/// Throws Error{invalid_argument} naming the field.
[[nodiscard]] std::unique_ptr<UnrolledNetwork> make_masked_variational_network(
    const MaskedVariationalOptions& options);

/// Parameters to start training from: phi a line, so that the network begins as gradient descent with
/// momentum for operators of norm 1; filters the smoothest functions of the discrete cosine transform, psi
/// the derivative of a weak penalty on magnitudes, both with a little noise; weights 1/2.
void initialise(UnrolledNetwork& network, const MaskedVariationalOptions& options, std::uint64_t seed);

}  // namespace sonolux
