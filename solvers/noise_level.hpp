// sonolux/solvers/noise_level.hpp
//
// How noisy an image is, from the image alone.
//
// The noise is taken to be white and Gaussian, of one standard deviation in each channel; what is returned is
// in the units of the image. Noise that was smoothed before (JPEG, demosaicing, downscaling) looks weaker
// than it is, and texture of the scene that reaches the highest frequencies looks like noise: see
// docs/results.md for what that does on photographs.
//
// For set-up: allocates, and throws Error{invalid_argument} for images that are too small or hold NaN or
// infinity.
#pragma once

#include <vector>

#include <sonolux/core/context.hpp>

namespace sonolux {

/// From the median of the absolute values of a high-pass h (D. Donoho, IEEE Trans. Inform. Theory 41, 1995,
/// 613; the high-pass of J. Immerkaer, Comput. Vis. Image Underst. 64, 1996, 300, which is blind to planes):
///
///     h = image * [1 -2 1; -2 4 -2; 1 -2 1] / 6,    sigma = median |h| / 0.6745
///
/// where h lies inside the image. Quick and robust, and too large where more than half of an image is
/// textured. Image [rows, columns], at least 3 x 3.
[[nodiscard]] double noise_level_from_median(View<const float> image);

/// The smallest image for `noise_level_from_patches`.
inline constexpr Index noise_level_patch_image = 32;

/// From the principal components of flat patches (after X. Liu, M. Tanaka, M. Okutomi, IEEE Trans. Image
/// Process. 22, 2013, 5226: patches of weak texture, in which the smallest eigenvalue of the covariance is
/// the variance of the noise). Patches are 8 x 8, in the orthonormal basis of cosines c[u, v], and:
///
///  1. Flat are the tenth of all patches with the least energy in c[u, v], 0 < u + v < 10. White noise there
///  says
///     nothing about the noise at u + v >= 10, so the choice does not bias what follows.
///  2. The covariance of the 15 coefficients with u + v >= 10 over the flat patches of a checkerboard's white
///     squares has 4 directions of smallest variance: those with least of the scene in them. Their variance
///     is measured on the black squares, where it is not the smallest by chance. And the other way round.
///  3. sigma^2 is the mean of the two.
///
/// Patches of which more than a quarter is at the image's largest or smallest value are left out: saturated
/// pixels have no noise. Large images are sampled at about 250000 patches. The result does not depend on the
/// number of threads. Image [rows, columns], both at least noise_level_patch_image.
[[nodiscard]] double noise_level_from_patches(View<const float> image, Context& context);

struct NoiseLevel {
    std::vector<double> channels;  ///< standard deviation in each
    double combined = 0;           ///< the root of their mean square
    const char* method = "";       ///< "patches" or, for small images, "median"
};

/// Of an image [rows, columns] or [channels, rows, columns]; from patches where it is large enough, otherwise
/// from the median.
[[nodiscard]] NoiseLevel estimate_noise_level(View<const float> image, Context& context);

}  // namespace sonolux
