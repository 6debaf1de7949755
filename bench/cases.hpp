// bench/cases.hpp
//
// What the benchmarks run: networks of the sizes in use, with parameters that are neither zero nor all alike,
// on images with the statistics of photographs. Everything is a function of fixed seeds.
#pragma once

#include <memory>
#include <string_view>

#include <sonolux/core/array.hpp>
#include <sonolux/solvers/shrinkage_fields.hpp>
#include <sonolux/solvers/variational_network.hpp>

namespace sonolux::bench {

/// Noise level of all images here, in units of 1/255 of the image range.
inline constexpr float sigma = 25;

/// Our own models: 31 Gaussians on [-150, 150], a table of 64 segments on [-160, 160].
[[nodiscard]] ActivationOptions narrow_activation();

/// TNRD (Chen and Pock 2017): 63 Gaussians on [-310, 310], a table of 128 segments on [-320, 320].
[[nodiscard]] ActivationOptions wide_activation();

/// Five stages of `filters` filters, size x size, as in TNRD: symmetric border, cropped gradient, own
/// parameters in every stage, A = I.
[[nodiscard]] VariationalNetworkOptions network_options(int size, int filters,
                                                        const ActivationOptions& activation);

/// The options of a network by name: "7x7x48" and "5x5x24" with TNRD's activations, "7x7x48/narrow" and
/// "5x5x24/narrow" with ours. Throws Error{invalid_argument} for any other.
[[nodiscard]] VariationalNetworkOptions network_options(std::string_view name);

/// "csf7x7x48" and "csf5x5x24": five stages of shrinkage fields as Schmidt and Roth 2014 denoise with: 53
/// Gaussians on [-260, 260], direct, 10 replicated pixels around. Throws Error{invalid_argument} for any
/// other.
[[nodiscard]] ShrinkageFieldsOptions shrinkage_options(std::string_view name);

/// Whether a name is one of shrinkage_options and not of network_options.
[[nodiscard]] bool names_shrinkage_fields(std::string_view name) noexcept;

/// A network as training starts it, every parameter then moved a little, updated to `sigma`.
[[nodiscard]] std::unique_ptr<UnrolledNetwork> make_network(const VariationalNetworkOptions& options);
[[nodiscard]] std::unique_ptr<UnrolledNetwork> make_network(const ShrinkageFieldsOptions& options);

/// A network by the name of its options, bound to a size.
struct Denoiser {
    Denoiser(std::string_view name, Index rows, Index columns);

    std::unique_ptr<UnrolledNetwork> network;
    FieldsOfExpertsOptions prior;
    float value_scale = 0;
    std::unique_ptr<PaddedBlur> border;  ///< of shrinkage fields; null for variational networks

    [[nodiscard]] std::size_t workspace_bytes(const Context& context) const;
    [[nodiscard]] Status run(View<const float> data, View<float> image, Context& context) const noexcept;

private:
    Index rows_, columns_;
};

/// [count, rows, columns], values 0 to 255: dead leaves.
[[nodiscard]] Array<float> clean_images(Index count, Index rows, Index columns);

/// [rows, columns], values about 0 to 1: the first clean image with noise of `sigma`.
[[nodiscard]] Array<float> noisy_image(Index rows, Index columns);

}  // namespace sonolux::bench
