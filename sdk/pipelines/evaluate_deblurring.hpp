// sonolux/sdk/pipelines/evaluate_deblurring.hpp
//
// How well a method deblurs images whose truth is known, by a stated protocol.
//
// Image i (in the order of file names) is convolved with its kernel in every channel; what the camera sees is
// the part of that which no border reaches, [rows - kernel rows + 1, columns - kernel columns + 1], with the
// noise of add_protocol_noise for that seed and i. The method is told the true kernel and sigma. Its estimate
// is measured against the same part of the image, over all of it. Kernel i is one that is given, the same for
// all, or draw_blur_kernel(blur_protocol_kernels(), seed, i): camera shake, defocus and Gaussians of at most
// blur_protocol_kernel_size pixels, as the shipped network learned from.
#pragma once

#include <sonolux/sdk/pipelines/deblur.hpp>
#include <sonolux/sdk/pipelines/evaluate.hpp>
#include <sonolux/simulation/degradation/blur_kernels.hpp>

namespace sonolux {

/// A photograph as a camera that shook, or was out of focus, would have taken it.
///
///     y = k * x + n
///
/// on the pixels of x whose y needs no pixel beyond the border of x, so nothing about a border is made up. n
/// is white Gaussian noise, neither clipped nor quantised (add_protocol_noise).
struct BlurredPhotograph {
    Array<float> truth, blurred;  ///< [rows - kernel rows + 1, columns - kernel columns + 1], channels before
};

/// `scene` [rows, columns] or [channels, rows, columns] blurred; `seed` and `index` choose the noise. Throws
/// Error{invalid_argument} if the kernel is larger than the scene, or has even sizes.
[[nodiscard]] BlurredPhotograph blur_photograph(View<const float> scene, View<const float> kernel,
                                                double sigma, std::uint64_t seed, std::uint64_t index);

inline constexpr int blur_protocol_kernel_size = 27;

[[nodiscard]] BlurKernelOptions blur_protocol_kernels();

struct EvaluateDeblurringOptions {
    std::string data;           ///< folder of PNG, TIFF or JPEG images
    double sigma = 2;           ///< of the noise, units of 1/255; above 0
    std::uint64_t seed = 0;     ///< of kernels and noise
    Array<float> kernel;        ///< of any size and sum (normalise_kernel); empty: drawn
    std::string kernel_source;  ///< the file it is from: starts the messages about it
    ChannelRule channels = ChannelRule::opponent;
    std::function<bool(const Progress&)> progress;
};

struct DeblurringEvaluation {
    Evaluation evaluation;       ///< its `noisy` is what was seen: blurred, with noise
    std::vector<Shape> kernels;  ///< of each image
    DeblurReport report;         ///< of the last run
};

/// Throws Error naming the folder or file, the value and what was expected; Error{cancelled} once the
/// progress callback has returned false.
[[nodiscard]] DeblurringEvaluation evaluate_deblurring(Deblurrer& deblurrer,
                                                       const EvaluateDeblurringOptions& options);

}  // namespace sonolux
