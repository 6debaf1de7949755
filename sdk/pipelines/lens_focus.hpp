// sonolux/sdk/pipelines/lens_focus.hpp
//
// Where the sensor stands behind a lens, told from one capture: the distance whose kernels explain it best.
//
// A diffractive lens has its focus at a distance of its own for each wavelength. A sensor that stands 2 % too
// far away sees other wavelengths sharp, and kernels of the distance that was meant take away a blur that is
// not there.
#pragma once

#include <functional>
#include <span>
#include <utility>
#include <vector>

#include <sonolux/core/context.hpp>
#include <sonolux/sdk/runtime/model.hpp>
#include <sonolux/solvers/channel_spectrum.hpp>

namespace sonolux {

/// Kernels [channels, size, size] of a sensor at so many times the distance that was meant.
using KernelsAtDistance = std::function<Array<float>(double relative)>;

struct FocusOptions {
    double nearest = 0.95, farthest = 1.05;  ///< of the distance that was meant
    Index coarse = 11;                       ///< distances that are tried first, equally far apart
    double resolution = 5e-4;                ///< how closely the best one is then looked for
    Index window = 512;                      ///< pixels a side of the middle of the capture that is looked at
};

struct FocusEstimate {
    double relative = 1;                           ///< the most likely distance, of the one that was meant
    std::vector<std::pair<double, double>> tried;  ///< distance and log-likelihood per frequency, by distance
    Array<float> kernels;                          ///< at that distance
    /// Whether the most likely distance is the nearest or farthest one that was tried: it may lie further
    /// off.
    [[nodiscard]] bool at_the_end() const noexcept;
};

/// `spectrum` is that of sharp images, `noise` the variance of each channel. The distance is looked for among
/// equal steps, and then by golden section about the best of them. `context` hears about progress. Throws
/// Error{invalid_argument} for options out of order, as BlurLikelihood does, and Error{cancelled}.
[[nodiscard]] FocusEstimate find_focus(View<const float> capture, const ChannelSpectrum& spectrum,
                                       std::span<const double> noise, const KernelsAtDistance& kernels,
                                       const FocusOptions& options, Context& context);

/// The kernels of a model's lens, from the recipe that its file keeps, as large as those of the file. Throws
/// Error{unsupported} naming the model where the recipe is missing, and as read_lens_system does.
[[nodiscard]] KernelsAtDistance kernels_at_distance(const Model& model, Context& context);

}  // namespace sonolux
