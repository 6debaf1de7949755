// tests/support/published_images.hpp
//
// Images, noise and measures of the oracle tests.
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <random>
#include <vector>

#include <sonolux/sdk/files/image.hpp>

namespace sonolux {

/// Images in 0..255.
inline Array<float> grey_image(const std::filesystem::path& file) {
    const Image image = to_grey(read_image(file.string()));
    Array<float> grey({image.pixels.shape().last(1), image.pixels.shape().last(0)});
    for (Index i = 0; i < grey.elements(); ++i) grey.data()[i] = 255 * image.pixels.data()[i];
    return grey;
}

inline double psnr_255(View<const float> image, View<const float> truth) {
    double squares = 0;
    for (Index i = 0; i < image.rows(); ++i)
        for (Index j = 0; j < image.columns(); ++j) {
            const double error = double{image(i, j)} - truth(i, j);
            squares += error * error;
        }
    return 10 * std::log10(255.0 * 255.0 * static_cast<double>(image.elements()) / squares);
}

/// The noise with which the figures were reproduced, numpy's RandomState(seed).randn: Mersenne Twister,
/// 53-bit uniforms and Marsaglia's polar method.
inline void fill_numpy_normal(View<float> values, unsigned seed) {
    std::mt19937 generator(seed);
    auto uniform = [&generator] {
        const double high = generator() >> 5, low = generator() >> 6;
        return (high * 67108864 + low) / 9007199254740992;
    };
    for (Index i = 0; i < values.elements(); i += 2) {
        double x, y, squares;
        do {
            x = 2 * uniform() - 1;
            y = 2 * uniform() - 1;
            squares = x * x + y * y;
        } while (squares >= 1 || squares == 0);
        const double scale = std::sqrt(-2 * std::log(squares) / squares);
        values.data()[i] = static_cast<float>(scale * y);
        if (i + 1 < values.elements()) values.data()[i + 1] = static_cast<float>(scale * x);
    }
}

/// The mean PSNR on BSD68 with white Gaussian noise, neither clipped nor quantised, of a denoiser of images
/// in 0..255.
inline double bsd68_psnr(const std::filesystem::path& folder, float sigma,
                         const std::function<Array<float>(const Array<float>& noisy)>& denoise) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    require(files.size() == 68, Status::file_error, folder.string(), ": must hold 68 images, got ",
            files.size());
    double sum = 0;
    unsigned count = 0;
    for (const auto& file : files) {
        const Array<float> truth = grey_image(file);
        Array<float> noisy(truth.shape());
        fill_numpy_normal(noisy, count++);
        for (Index i = 0; i < truth.elements(); ++i)
            noisy.data()[i] = truth.data()[i] + sigma * noisy.data()[i];
        sum += psnr_255(denoise(noisy), truth);
    }
    return sum / 68;
}

/// The image of the deterministic pin with its noise: 12 uniforms of a 64-bit linear congruential generator
/// make one normal.
inline Array<float> pinned_noisy(const Array<float>& truth) {
    std::uint64_t state = 12345;
    auto uniform = [&state] {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return static_cast<double>(state >> 11) * 0x1p-53;
    };
    Array<float> noisy(truth.shape());
    for (Index i = 0; i < truth.elements(); ++i) {
        double sum = -6;
        for (int k = 0; k < 12; ++k) sum += uniform();
        noisy.data()[i] = static_cast<float>(truth.data()[i] + 25 * sum);
    }
    return noisy;
}

}  // namespace sonolux
