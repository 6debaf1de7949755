// sonolux/sdk/pipelines/levin_protocol.hpp
//
// How well a method takes away real camera shake whose kernel is known, on the images of Levin et al. 2009.
//
// The protocol is that of their program comp_upto_shift (CVPR 2009), because the sharp images are not
// registered to the blurred ones. From the sharp image and from the estimate x the border of 15 pixels is
// left out; the estimate is shifted by (a, b), each from -5 to 5 pixels in steps of 1/4, with bilinear
// interpolation,
//
//     x_ab[i, j] = sum over p, q in {0, 1} of w_p(a) w_q(b) x[i + floor(a) + p, j + floor(b) + q]
//     w_0(a) = 1 - (a - floor(a)),   w_1(a) = a - floor(a)
//
// and the shift of least squared error counts: all 41 x 41 are tried. The figure of a method is the mean over
// the 32 images of the PSNR of each, for a peak of 1; nothing is clipped or rounded.
//
// Other protocols give other figures for the same images: a border of half the kernel, for instance, 0.3 dB
// less.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <sonolux/core/array.hpp>
#include <sonolux/core/context.hpp>
#include <sonolux/core/view.hpp>

namespace sonolux {

inline constexpr Index levin_border = 15;      ///< pixels that do not count, on each side
inline constexpr Index levin_max_shift = 5;    ///< pixels, to either side
inline constexpr Index levin_shift_steps = 4;  ///< per pixel

/// An estimate beside the truth, at the shift that suits it best.
struct AlignedPsnr {
    double psnr = 0;                         ///< dB
    double row_shift = 0, column_shift = 0;  ///< (a, b) above, in pixels
    [[nodiscard]] bool at_the_limit() const noexcept;
};

/// Planes [rows, columns] of one size, in [0, 1]. Equal figures give the smaller a, then the smaller b.
/// Throws Error{size_mismatch} where the sizes differ, Error{invalid_argument} for fewer than 31 rows or
/// columns or an estimate that is not finite.
[[nodiscard]] AlignedPsnr levin_psnr(View<const float> estimate, View<const float> sharp, Context& context);

/// Sharpens `blurred` [rows, columns] in [0, 1], which is a scene convolved with `kernel` (odd sizes, sum 1)
/// and noise of standard deviation `sigma` in units of 1/255. The estimate has the size of `blurred`.
using DeblurFunction =
    std::function<Array<float>(View<const float> blurred, View<const float> kernel, double sigma)>;

struct LevinOptions {
    double sigma = 1.5;  ///< what the method is told, in units of 1/255
    int threads = 0;     ///< for the alignment; 0: all processors
    std::function<bool(const Progress&)> progress;
};

struct LevinResult {
    Index image = 0, kernel = 0;  ///< from 1; 0 in a mean
    AlignedPsnr blurred;          ///< of the image as it was taken
    AlignedPsnr estimate;
    double seconds = 0;  ///< that the method took
};

struct LevinEvaluation {
    std::vector<LevinResult> results;  ///< 32: image by image, the kernel faster
    std::vector<LevinResult> kernels;  ///< 8: means over the images
    LevinResult mean;                  ///< of all 32
    Index at_the_limit = 0;  ///< estimates whose best shift is the largest that was tried; kernel 6 makes two
    double sigma = 0;
    std::string protocol;  ///< a sentence that can stand beside the numbers
};

/// Throws as read_levin_set does; Error{size_mismatch} naming the image where an estimate has another size;
/// Error{cancelled} once the progress callback has returned false; and whatever `deblur` throws, behind the
/// name of the image.
[[nodiscard]] LevinEvaluation evaluate_levin(const std::string& folder, const DeblurFunction& deblur,
                                             const LevinOptions& options = {});

/// One line per image and one for the mean, with a header.
[[nodiscard]] std::string to_csv(const LevinEvaluation& evaluation);

/// A table of PSNR: a row per image, a column per kernel, means beside and below, the first row is the
/// header.
[[nodiscard]] std::vector<std::vector<std::string>> levin_table(const LevinEvaluation& evaluation);

}  // namespace sonolux
