// sonolux/solvers/shrinkage_fields.hpp
//
// Cascades of shrinkage fields: unrolled half-quadratic steps, each a pointwise function of filter responses
// and one exact solve in the Fourier domain.
//
//     x' = F^-1[ (lambda K^H y + sum F_i^H phi_i(F_i u)) / (lambda |K|^2 + sum |F_i|^2) ]
//
// (Schmidt and Roth 2014, eq. 10), where u is x with its border renewed (PaddedBlur) and K the blur; K = 1
// denoises. Two forms of the numerator:
//
//     direct    sum F_i^H phi_i(F_i u): phi_i is the shrinkage function itself
//     residual  sum F_i^H (F_i u - psi_i(F_i u)) = D u - R'(u), with D = sum |F_i|^2 and R' the gradient of a
//               field of experts: phi(v) = v - psi(v) with psi bounded, so that a response beyond the table
//               is shrunk by as much as one at its end instead of being cut off. Then
//
//                   x' = F^-1[ U + (lambda K^H (y - K u) - R'(u)) / (lambda |K|^2 + D) ]
//
//               a gradient step preconditioned by the Hessian of its quadratic part.
//
// The Fourier deconvolution network (Kruse, Rother and Schmidt 2017, eq. 8) is the same step with a
// convolutional network in the place of the sum in the numerator, filters of the denominator of its own, and
// the border treatment `valid`.
#pragma once

#include <memory>

#include <sonolux/priors/convolutional_network.hpp>
#include <sonolux/priors/fields_of_experts.hpp>
#include <sonolux/solvers/unrolled_network.hpp>

namespace sonolux {

enum class ShrinkageForm { direct, residual };
enum class ShrinkagePrior { fields_of_experts, convolutional_network };

/// The architecture of a cascade of shrinkage fields: all that a model file must say besides the parameters.
struct ShrinkageFieldsOptions {
    int stages = 5;                  ///< 1 to 100
    bool shared_parameters = false;  ///< all stages use the parameters of the first
    ShrinkagePrior prior = ShrinkagePrior::fields_of_experts;

    /// Filters (also those of the denominator), activation, border rule on the domain. With a convolutional
    /// network only its filters are looked at: those of the denominator.
    FieldsOfExpertsOptions experts = {
        .filters = {}, .activation = {}, .boundary = BoundaryRule::circular, .border = BorderGradient::exact};
    ConvolutionalNetworkOptions network;  ///< in the place of the experts; sees replicated borders
    ShrinkageForm form = ShrinkageForm::residual;

    /// What is done about the border, and how wide it is where the problem does not say (denoising).
    BorderTreatment border = BorderTreatment::valid;
    int border_width = 8;  ///< 0 to 64; 0 for circular images

    float value_scale = 255;  ///< images in [0, 1] are multiplied by it on entry and divided on exit

    /// As in VariationalNetworkOptions; log lambda and activations are polynomials in log2(sigma /
    /// sigma_reference), and images are multiplied by sigma_reference / sigma on entry if asked for. The
    /// parameters of a convolutional network do not depend on sigma.
    int sigma_degree = 0;  ///< 0 to 4
    float sigma_reference = 25;
    bool scale_by_sigma = false;

    friend bool operator==(const ShrinkageFieldsOptions&, const ShrinkageFieldsOptions&) = default;
};

/// Throws Error{invalid_argument} naming the field. The network's observations must have a blur.
[[nodiscard]] std::unique_ptr<UnrolledNetwork> make_shrinkage_fields(const ShrinkageFieldsOptions& options);

/// Parameters to start training from: DCT atoms as filters, soft shrinkage at a twentieth of the table,
/// data weights that balance the filters, convolutional networks at random from `seed`. Deterministic.
void initialise(UnrolledNetwork& network, const ShrinkageFieldsOptions& options, std::uint64_t seed = 1);

/// What a network made with `options` needs of a [rows, columns] image: its domain. `kernel_radius` 0: no
/// blur.
[[nodiscard]] std::unique_ptr<PaddedBlur> make_padded_blur(const ShrinkageFieldsOptions& options, Index rows,
                                                           Index columns, Index kernel_radius_rows,
                                                           Index kernel_radius_columns,
                                                           DomainSize size = DomainSize::fast);

}  // namespace sonolux
