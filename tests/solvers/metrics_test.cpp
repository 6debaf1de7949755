#include <sonolux/solvers/metrics.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <sonolux/core/array.hpp>

namespace sonolux {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// Integers, so that another program makes the same images exactly.
struct Pair {
    Array<float> truth, image;

    Pair(Index rows, Index columns, float scale = 1) : truth({rows, columns}), image({rows, columns}) {
        for (Index i = 0; i < rows; ++i)
            for (Index j = 0; j < columns; ++j) {
                const Index value = (3 * i * i + 2 * j * j + i * j) % 256;
                truth(i, j) = static_cast<float>(value) * scale;
                image(i, j) = static_cast<float>(value + (37 * i + 91 * j + 13 * i * j) % 41 - 20) * scale;
            }
    }
};

TEST(Metrics, DifferenceOfMapsCountsWhereBothAreFinite) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    Array<float> map({1, 4}), truth({1, 4});
    const float maps[] = {1500, nan, 1520, 1540}, truths[] = {1503, 1500, 1516, nan};
    std::copy(std::begin(maps), std::end(maps), map.begin());
    std::copy(std::begin(truths), std::end(truths), truth.begin());
    EXPECT_DOUBLE_EQ(finite_rms_difference(map, truth), std::sqrt((9.0 + 16.0) / 2));
    std::fill(map.begin(), map.end(), nan);
    EXPECT_TRUE(std::isnan(finite_rms_difference(map, truth))) << "of no pixel there is no difference";
    EXPECT_THROW((void)finite_rms_difference(map, Array<float>({2, 2})), Error);
}

TEST(Metrics, ErrorOfAConstantShiftIsItsSquare) {
    Array<float> image({7, 5}), truth({7, 5});
    for (float& value : image) value = 3;
    EXPECT_EQ(mean_squared_error(image, truth), 9);
    EXPECT_DOUBLE_EQ(psnr(image, truth, 255), 20 * std::log10(255.0 / 3));
}

TEST(Metrics, PsnrOfEqualImagesIsInfinite) {
    const Pair pair(4, 4);
    EXPECT_TRUE(std::isinf(psnr(pair.truth, pair.truth)));
}

TEST(Metrics, ClippingForgivesWhatLeavesTheRange) {
    Array<float> image({1, 2}), truth({1, 2});
    image(0, 0) = -0.5F, image(0, 1) = 1.25F;
    truth(0, 0) = 0, truth(0, 1) = 0.5F;
    EXPECT_DOUBLE_EQ(psnr(image, truth), 10 * std::log10(2 / (0.25 + 0.5625)));
    EXPECT_DOUBLE_EQ(clipped_psnr(image, truth), 10 * std::log10(2 / 0.25));
}

// scikit-image 0.26: structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
// data_range=255) and peak_signal_noise_ratio on the same integers. Both are double: only the order of sums
// differs.
TEST(Metrics, AgreeWithScikitImage) {
    struct Reference {
        Index rows, columns;
        double ssim, psnr, clipped;
    };
    for (const auto& [rows, columns, similarity, ratio, clipped] : {
             Reference{23, 31, 0.9873026275777566, 26.60350422807911, 26.813456484820076},
             Reference{11, 11, 0.9781427320074793, 26.787767797051885, 27.01545685880938},
             Reference{11, 31, 0.9865146056683033, 26.636625773573257, 26.86650900379481},
         }) {
        const Pair pair(rows, columns);
        EXPECT_NEAR(ssim(pair.image, pair.truth, 255), similarity, 1e-12) << rows << " x " << columns;
        EXPECT_NEAR(psnr(pair.image, pair.truth, 255), ratio, 1e-12);
        EXPECT_NEAR(clipped_psnr(pair.image, pair.truth, 255), clipped, 1e-12);
    }
}

TEST(Metrics, DoNotDependOnTheUnit) {
    const Pair in_255(23, 31), in_1(23, 31, 1.0F / 256);  // a power of two: the same digits
    EXPECT_NEAR(ssim(in_255.image, in_255.truth, 256), ssim(in_1.image, in_1.truth, 1), 1e-13);
    EXPECT_NEAR(psnr(in_255.image, in_255.truth, 256), psnr(in_1.image, in_1.truth, 1), 1e-12);
}

TEST(Metrics, SsimOfEqualImagesIsOne) {
    const Pair pair(16, 12);
    EXPECT_DOUBLE_EQ(ssim(pair.truth, pair.truth, 255), 1);
}

TEST(Metrics, ReadTilesInsideALargerImage) {
    const Pair pair(30, 40);
    Array<float> image({12, 13}), truth({12, 13});
    for (Index i = 0; i < 12; ++i)
        for (Index j = 0; j < 13; ++j) {
            image(i, j) = pair.image(i + 5, j + 6);
            truth(i, j) = pair.truth(i + 5, j + 6);
        }
    EXPECT_EQ(ssim(pair.image.view().block(5, 6, 12, 13), pair.truth.view().block(5, 6, 12, 13)),
              ssim(image, truth));
}

TEST(Metrics, RefuseSizesThatDoNotBelongTogether) {
    EXPECT_THAT(
        [] {
            (void)psnr(Array<float>({4, 5}), Array<float>({5, 4}));
        },
        ThrowsMessage<Error>(HasSubstr("the image is 4 x 5 pixels, the truth 5 x 4")));
    EXPECT_THAT(
        [] {
            (void)psnr(Array<float>({0, 5}), Array<float>({0, 5}));
        },
        ThrowsMessage<Error>(HasSubstr("the image has no pixels (0 x 5)")));
    EXPECT_THAT(
        [] {
            (void)ssim(Array<float>({10, 50}), Array<float>({10, 50}));
        },
        ThrowsMessage<Error>(HasSubstr("SSIM needs at least 11 x 11 pixels, got 10 x 50")));
}

}  // namespace
}  // namespace sonolux
