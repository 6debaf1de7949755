// sonolux/solvers/metrics.hpp
//
// How close an image comes to the truth: mean squared error, PSNR, SSIM.
//
// Planes [rows, columns] of equal size, summed in double in one fixed order. `peak` is the largest value an
// image may have: 1 for images in [0, 1], 255 for 8-bit ones.
#pragma once

#include <sonolux/core/view.hpp>

namespace sonolux {

/// The mean of (image - truth)^2. Throws Error{size_mismatch} where the sizes differ, Error{invalid_argument}
/// where they are zero; so do the others.
[[nodiscard]] double mean_squared_error(View<const float> image, View<const float> truth);

/// Root mean square of the difference between two maps, in their units, over the pixels in which both are
/// finite; NaN where there are none. Throws Error{size_mismatch} where the sizes differ.
[[nodiscard]] double finite_rms_difference(View<const float> map, View<const float> truth);

/// Peak signal-to-noise ratio in dB, 10 log10(peak^2 / mean squared error). Infinite for equal images.
[[nodiscard]] double psnr(View<const float> image, View<const float> truth, double peak = 1);

/// The same after clipping `image` to [0, peak], as a picture file would.
[[nodiscard]] double clipped_psnr(View<const float> image, View<const float> truth, double peak = 1);

/// The smallest image that `ssim` takes: 11 rows and columns.
inline constexpr Index ssim_window = 11;

/// Mean structural similarity (Wang, Bovik, Sheikh and Simoncelli 2004, IEEE Trans. Image Process. 13, eq.
/// 13):
///
///     (2 m_x m_y + C1) (2 s_xy + C2) / ((m_x^2 + m_y^2 + C1) (s_x^2 + s_y^2 + C2))
///
/// with means, variances and covariance under an 11 x 11 Gaussian window of standard deviation 1.5,
/// C1 = (0.01 peak)^2, C2 = (0.03 peak)^2, averaged over the pixels whose window lies inside the image.
/// Throws Error{invalid_argument} for an image smaller than the window.
[[nodiscard]] double ssim(View<const float> image, View<const float> truth, double peak = 1);

}  // namespace sonolux
