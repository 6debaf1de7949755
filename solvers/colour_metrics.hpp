// sonolux/solvers/colour_metrics.hpp
//
// How close colours and spectra come to the truth.
//
// Images are [channels, rows, columns] of equal size, summed in double in one fixed order. All throw
// Error{size_mismatch} where shapes differ or are of the wrong rank, and Error{invalid_argument} where they
// are empty.
#pragma once

#include <array>

#include <sonolux/core/array.hpp>

namespace sonolux {

/// PSNR over all channels and pixels, 10 log10(peak^2 / mean squared error) in dB; `border` pixels are left
/// out on each side. Infinite for equal images.
[[nodiscard]] double channel_psnr(View<const float> image, View<const float> truth, double peak = 1,
                                  Index border = 0);

/// The same of sRGB codes: both are light in linear sRGB, clipped to [0, 1], encoded.
[[nodiscard]] double srgb_psnr(View<const float> image, View<const float> truth, Index border = 0);

/// Spectral angle mapper: the mean over pixels of acos(x . y / |x| |y|), in degrees (F. Kruse et al. 1993,
/// Remote Sens. Environ. 44, 145). Pixels whose truth is not brighter than `dark`, |y|, do not count; where
/// the image is zero the angle is 90 degrees. NaN if no pixel counts.
[[nodiscard]] double spectral_angle(View<const float> image, View<const float> truth, double dark = 1e-3,
                                    Index border = 0);

/// How far channels are from having their edges in the same places, without a truth: over pixels, differences
/// D to the right and below, and pairs of channels,
///
///     sum |D x_c x_d - D x_d x_c| / (mean of x  sum |D x|)
///
/// which is 0 where neighbours differ in brightness alone (the cross-channel prior of F. Heide et al. 2013,
/// ACM Trans. Graph. 32, 149). Images are light, at least 2 channels; NaN where the image is constant or
/// zero.
[[nodiscard]] double channel_edge_mismatch(View<const float> image, Index border = 0);

/// A colour in CIE 1976 L*, a*, b*.
struct Lab {
    double L = 0, a = 0, b = 0;
};

/// From XYZ relative to the white point D65, (0.95047, 1, 1.08883) by default (CIE 15).
[[nodiscard]] Lab lab_from_xyz(const std::array<double, 3>& xyz,
                               const std::array<double, 3>& white = {0.95047, 1, 1.08883}) noexcept;

/// From light in linear sRGB, clipped to [0, 1].
[[nodiscard]] Lab lab_from_srgb_light(double red, double green, double blue) noexcept;

/// The colour difference CIEDE2000 with all weights 1 (G. Sharma, W. Wu, E. Dalal 2005, Color Res. Appl. 30,
/// 21).
[[nodiscard]] double ciede2000(const Lab& x, const Lab& y) noexcept;

struct ColourDifference {
    double mean = 0, percentile95 = 0;
};

/// CIEDE2000 of each pixel of two pictures in linear sRGB, [3, rows, columns]. Both NaN where a pixel is.
[[nodiscard]] ColourDifference colour_difference(View<const float> image, View<const float> truth,
                                                 Index border = 0);
/// The same as a map [rows, columns].
[[nodiscard]] Array<float> colour_difference_map(View<const float> image, View<const float> truth);

/// The matrix [outputs, inputs] that takes camera channels to other ones with the least squared error over
/// patches: `from` [patches, inputs], `to` [patches, outputs]. Throws Error{size_mismatch} for different
/// numbers of patches, Error{invalid_argument} for fewer patches than inputs or such as do not determine it.
[[nodiscard]] Array<float> fit_colour_matrix(View<const float> from, View<const float> to);

/// matrix [outputs, inputs] on each pixel of [inputs, rows, columns].
[[nodiscard]] Array<float> apply_colour_matrix(View<const float> matrix, View<const float> image);

}  // namespace sonolux
