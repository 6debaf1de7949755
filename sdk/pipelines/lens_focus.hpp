// sonolux/sdk/pipelines/lens_focus.hpp
//
// Where the sensor stands behind a lens, told from one capture.
//
// A diffractive lens has its focus at a distance of its own for each wavelength. A sensor that stands 2 % too
// far away sees other wavelengths sharp, and kernels of the distance that was meant take away a blur that is
// not there: fringes of colour are left along edges. So the capture is recovered with the kernels of several
// distances, and the one is taken whose channels have their edges in the same places (channel_edge_mismatch).
//
// It is a guess: periodic captures of 512 x 512 pixels through a Fresnel lens were told to within 0.6 %,
// smaller ones whose surroundings are unknown, and photographs through a harmonic lens, not to within 2 %
// (docs/results.md).
#pragma once

#include <functional>
#include <span>
#include <utility>
#include <vector>

#include <sonolux/core/context.hpp>
#include <sonolux/sdk/runtime/model.hpp>

namespace sonolux {

/// Kernels [channels, size, size] of a sensor at so many times the distance that was meant; of one size.
using KernelsAtDistance = std::function<Array<float>(double relative)>;

struct FocusOptions {
    double nearest = 0.95, farthest = 1.05;  ///< of the distance that was meant
    Index coarse = 11;                       ///< distances that are tried first, equally far apart
    double resolution = 1e-3;                ///< how closely the best one is then looked for
    Index window = 512;                      ///< pixels a side of the middle of the capture that is looked at
};

struct FocusEstimate {
    double relative = 1;                           ///< the best distance, of the one that was meant
    std::vector<std::pair<double, double>> tried;  ///< distances that rise, and the mismatch of edges there
    Array<float> kernels;                          ///< at the best one

    /// Whether the best distance is the nearest or farthest one that was tried: it may lie further off.
    [[nodiscard]] bool at_the_end() const noexcept;
};

/// Recovers the middle of a capture [channels, rows, columns] by the model's network, `noise` being the
/// variance of each channel, at equal steps of distance and then by golden section about the best of them.
/// `context` lends its threads and hears about progress. Throws Error{invalid_argument} for
/// options out of order and for a capture that has no edges, Error{cancelled}, and as LensRecovery does.
[[nodiscard]] FocusEstimate find_focus(const Model& model, View<const float> capture,
                                       std::span<const double> noise, const KernelsAtDistance& kernels,
                                       const FocusOptions& options, Context& context);

/// The kernels of a model's lens, from the recipe that its file keeps, as large as those of the file.
/// `context` must outlive them. Throws Error{unsupported} naming the model where the recipe is missing, and
/// as read_lens_system does.
[[nodiscard]] KernelsAtDistance kernels_at_distance(const Model& model, Context& context);

}  // namespace sonolux
