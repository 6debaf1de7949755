// sonolux/sdk/pipelines/comparison.hpp
//
// Figures that show an image before and after.
//
// Images are [rows, columns] or [3, rows, columns] with values in [0, 1]; of each at most `most` rows and
// columns are shown, from its middle.
#pragma once

#include <string>

#include <sonolux/sdk/files/canvas.hpp>

namespace sonolux {

/// Truth, noisy and denoised with the PSNR of the whole images, and a map of the error (denoised - truth),
/// white being 255; of a colour image, the error of the mean of its channels.
[[nodiscard]] Canvas draw_comparison(View<const float> truth, View<const float> noisy,
                                     View<const float> denoised, const std::string& title, Index most);

/// The same where the truth is not known: a map of what was taken away (noisy - denoised) instead of the
/// error.
[[nodiscard]] Canvas draw_before_after(View<const float> noisy, View<const float> denoised,
                                       const std::string& title, Index most);

/// Of a grey image whose blur was known: truth, blurred, and estimates by total variation and by a network,
/// with the PSNR of the whole images. The kernel [rows, columns] is drawn into the corner of the blurred one.
[[nodiscard]] Canvas draw_deblurring(View<const float> truth, View<const float> blurred,
                                     View<const float> kernel, View<const float> total_variation,
                                     View<const float> deblurred, const std::string& title, Index most);

}  // namespace sonolux
