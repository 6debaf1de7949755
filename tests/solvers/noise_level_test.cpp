// tests/solvers/noise_level_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include <sonolux/sdk/files/image.hpp>
#include <sonolux/simulation/degradation/noise.hpp>
#include <sonolux/simulation/phantoms/dead_leaves.hpp>
#include <sonolux/solvers/noise_level.hpp>

#include "tests/support/data.hpp"

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

/// A smooth image with steps: no texture.
Array<float> smooth_image(Index rows, Index columns) {
    Array<float> image({rows, columns});
    for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < columns; ++j) {
            const double y = static_cast<double>(i), x = static_cast<double>(j);
            image(i, j) =
                static_cast<float>(100 + 60 * std::sin(x / 40) * std::cos(y / 31) + (x > y ? 30 : 0));
        }
    return image;
}

Array<float> noisy(const Array<float>& clean, float sigma, std::uint64_t sample = 0) {
    Array<float> image(clean.shape());
    add_gaussian_noise(clean, sigma, Philox(77, streams::noise, sample), image);
    return image;
}

TEST(NoiseLevel, IsFoundInSmoothImages) {
    const Array<float> clean = smooth_image(200, 300);
    Context context;
    for (float sigma : {0.2f, 1.0f, 10.0f, 60.0f}) {
        const Array<float> image = noisy(clean, sigma);
        EXPECT_NEAR(noise_level_from_median(image), sigma, 0.02 * sigma + 0.02);
        EXPECT_NEAR(noise_level_from_patches(image, context), sigma, 0.02 * sigma);
    }
}

TEST(NoiseLevel, FromPatchesHasNoBiasInPureNoise) {
    // 20 images of 128 x 128: the mean over them has a standard error below 0.5 %, so that a bias of 1 % from
    // choosing flat patches, or from taking the smallest of 15 eigenvalues, would show.
    Context context;
    const Array<float> grey = smooth_image(128, 128);
    Array<float> flat(grey.shape());
    double sum = 0, squares = 0;
    constexpr int count = 20;
    for (std::uint64_t sample = 0; sample < count; ++sample) {
        const double level = noise_level_from_patches(noisy(flat, 1, sample), context);
        sum += level;
        squares += level * level;
    }
    const double mean = sum / count, deviation = std::sqrt(squares / count - mean * mean);
    EXPECT_LT(deviation, 0.03);
    EXPECT_NEAR(mean, 1, 0.01);
}

TEST(NoiseLevel, FromPatchesLooksPastTexture) {
    // Most of a textured image misleads the median; a few flat places are enough for patches.
    Context context;
    const Array<float> leaves = [&] {
        Array<float> image({256, 256});
        DeadLeavesOptions options;
        options.smallest_radius_from = options.smallest_radius_to = 2;
        options.noise_fraction = options.sinusoid_fraction = 0;
        const DeadLeaves leaves_of(options, 3);
        context.workspace().reserve(leaves_of.workspace_bytes(256, 256, context));
        leaves_of.render(1, image, context);
        return image;
    }();
    const Array<float> image = noisy(leaves, 5);
    EXPECT_GT(noise_level_from_median(image), 5.5);
    EXPECT_NEAR(noise_level_from_patches(image, context), 5, 0.3);
}

TEST(NoiseLevel, ScalesWithTheImageAndIgnoresItsMean) {
    Context context;
    const Array<float> image = noisy(smooth_image(100, 90), 8);
    Array<float> other(image.shape());
    std::transform(image.begin(), image.end(), other.begin(), [](float v) { return v / 256 + 2; });
    EXPECT_NEAR(noise_level_from_median(other) * 256, noise_level_from_median(image), 1e-3);
    EXPECT_NEAR(noise_level_from_patches(other, context) * 256, noise_level_from_patches(image, context),
                1e-3);
}

TEST(NoiseLevel, IsNotDeceivedBySaturation) {
    // A fifth of the image is overexposed.
    Context context;
    Array<float> clean = smooth_image(200, 200);
    for (Index i = 0; i < 40; ++i) std::fill_n(&clean(i, 0), 200, 400.0f);
    Array<float> image = noisy(clean, 6);
    clip(image, 0, 255);
    EXPECT_NEAR(noise_level_from_patches(image, context), 6, 0.6);
}

TEST(NoiseLevel, OfAConstantImageIsZeroAndOfAnUntouchedOneNearlySo) {
    Context context;
    Array<float> constant({50, 60});
    std::fill(constant.begin(), constant.end(), 128.0f);
    EXPECT_EQ(noise_level_from_median(constant), 0);
    EXPECT_EQ(noise_level_from_patches(constant, context), 0);
    EXPECT_LT(noise_level_from_patches(smooth_image(200, 300), context), 0.02);
}

TEST(NoiseLevel, IsTheSameOnAnyNumberOfThreads) {
    Context one(make_serial_runner()), three(make_openmp_runner(3));
    const Array<float> image = noisy(smooth_image(150, 140), 8);
    EXPECT_EQ(noise_level_from_patches(image, one), noise_level_from_patches(image, three));
}

TEST(NoiseLevel, OfLargeImagesIsSampled) {
    Context context;
    EXPECT_NEAR(noise_level_from_patches(noisy(smooth_image(1500, 1700), 4), context), 4, 0.06);
}

TEST(NoiseLevel, IsEstimatedForEachChannelAndTogether) {
    Context context;
    Array<float> image({3, 120, 130});
    const float sigmas[] = {3, 5, 9};
    for (Index c = 0; c < 3; ++c) {
        const Array<float> plane = noisy(smooth_image(120, 130), sigmas[c], static_cast<std::uint64_t>(c));
        std::copy(plane.begin(), plane.end(), image.view()[c].data());
    }
    const NoiseLevel level = estimate_noise_level(image, context);
    ASSERT_EQ(level.channels.size(), 3u);
    for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(level.channels[c], sigmas[c], 0.1 * sigmas[c]);
    EXPECT_NEAR(level.combined * level.combined,
                (level.channels[0] * level.channels[0] + level.channels[1] * level.channels[1] +
                 level.channels[2] * level.channels[2]) /
                    3,
                1e-9);
    EXPECT_STREQ(level.method, "patches");

    const NoiseLevel small = estimate_noise_level(noisy(smooth_image(31, 40), 5), context);
    EXPECT_STREQ(small.method, "median");
    EXPECT_EQ(small.channels.size(), 1u);
    EXPECT_NEAR(small.combined, 5, 0.8);
}

TEST(NoiseLevel, RefusesImagesThatCannotTell) {
    Context context;
    auto error = [](const char* text) { return ThrowsMessage<Error>(HasSubstr(text)); };
    EXPECT_THAT(
        [] {
            (void)noise_level_from_median(Array<float>({2, 9}));
        },
        error("at least 3 x 3, got 2 x 9"));
    EXPECT_THAT(
        [&] {
            (void)noise_level_from_patches(Array<float>({31, 90}), context);
        },
        error("at least 32 x 32, got 31 x 90"));
    EXPECT_THAT([&] { (void)estimate_noise_level(Array<float>({9}), context); }, error("got 9"));
    EXPECT_THAT([&] { (void)estimate_noise_level(Array<float>({0, 40, 40}), context); }, error("got 0"));
    Array<float> image({40, 40});
    image(3, 7) = std::numeric_limits<float>::quiet_NaN();
    EXPECT_THAT([&] { (void)noise_level_from_patches(image, context); },
                error("pixel [3, 7] of the image whose noise level is wanted must be finite, got nan"));
    EXPECT_THAT([&] { (void)noise_level_from_median(image); }, error("must be finite, got nan"));
}

/// Prints the rows of docs/results.md. The photographs have noise of their own, which counts as error here.
TEST(NoiseLevelOnPhotographs, IsCloseToWhatWasAddedToBsd68) {
    SLX_NEEDS(data_folder() / "restoration/bsd68_gray");
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(data_folder() / "restoration/bsd68_gray"))
        files.push_back(entry.path().string());
    std::sort(files.begin(), files.end());
    ASSERT_EQ(files.size(), 68u);
    std::vector<Array<float>> images;
    for (const std::string& file : files) {
        const Image image = read_image(file);
        Array<float> plane({image.rows(), image.columns()});
        std::transform(image.pixels.begin(), image.pixels.end(), plane.begin(),
                       [](float v) { return 255 * v; });
        images.push_back(std::move(plane));
    }
    Context context;
    struct Errors {
        double sum = 0, squares = 0, largest = 0;
        void add(double error) {
            sum += error / 68;
            squares += error * error / 68;
            largest = std::max(largest, std::abs(error));
        }
        [[nodiscard]] double spread() const { return std::sqrt(squares - sum * sum); }
    };
    std::printf("sigma   median: bias spread largest    patches: bias spread largest\n");
    for (float sigma : {5.0f, 10.0f, 15.0f, 25.0f, 50.0f}) {
        Errors median, patches;
        for (std::size_t n = 0; n < images.size(); ++n) {
            const Array<float> image = noisy(images[n], sigma, n);
            median.add(noise_level_from_median(image) - static_cast<double>(sigma));
            patches.add(noise_level_from_patches(image, context) - static_cast<double>(sigma));
        }
        std::printf("%5.0f   %+12.2f %6.2f %7.2f   %+13.2f %6.2f %7.2f\n", static_cast<double>(sigma),
                    median.sum, median.spread(), median.largest, patches.sum, patches.spread(),
                    patches.largest);
        EXPECT_LT(std::abs(patches.sum), 0.35) << sigma;
        EXPECT_LT(patches.spread(), 0.6) << sigma;
        EXPECT_LT(std::abs(patches.sum), std::abs(median.sum)) << sigma;
    }
}

}  // namespace
}  // namespace sonolux
