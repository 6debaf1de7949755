// sonolux/sdk/files/levin_set.hpp
//
// Photographs that were blurred by shaking a real camera, with the true blur and the sharp scene beside them:
// A. Levin, Y. Weiss, F. Durand and W. Freeman, Understanding and evaluating blind deconvolution algorithms,
// CVPR 2009.
#pragma once

#include <string>
#include <vector>

#include <sonolux/core/array.hpp>

namespace sonolux {

/// Four scenes, each blurred by the same eight kernels. Values in [0, 1].
///
/// The sharp images were taken on their own: they lie up to a few pixels beside the blurred ones, differently
/// for each kernel (sdk/pipelines/levin_protocol.hpp aligns them).
struct LevinSet {
    static constexpr Index images = 4, kernels = 8;

    std::vector<Array<float>> sharp;    ///< one per image
    std::vector<Array<float>> kernel;   ///< one per kernel: to be convolved with, odd sizes, sum 1
    std::vector<Array<float>> blurred;  ///< one per image and kernel, the kernel faster

    /// Counted from 0.
    [[nodiscard]] const Array<float>& blurred_image(Index image, Index by_kernel) const {
        return blurred.at(static_cast<std::size_t>(image * kernels + by_kernel));
    }
};

/// Reads a folder that holds
///
///     im1_kernel1_img.png ... im4_kernel8_img.png    blurred, grey
///     gt/im1.png ... gt/im4.png                      sharp, grey, of the size of the blurred ones
///     Levin09.mat                                    the cell array `kernels`, as they are correlated:
///     turned
///                                                    by 180 degrees against those to convolve with
///
/// Throws Error{file_error} naming the files that are missing, Error{corrupt_data} for images of other sizes,
/// colour, or another number of kernels or kernels that are not of odd size and sum 1.
[[nodiscard]] LevinSet read_levin_set(const std::string& folder);

}  // namespace sonolux
