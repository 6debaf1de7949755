// tests/solvers/kernel_check_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/files/levin_set.hpp>
#include <sonolux/simulation/degradation/blur_kernels.hpp>
#include <sonolux/simulation/degradation/noise.hpp>
#include <sonolux/simulation/phantoms/dead_leaves.hpp>
#include <sonolux/solvers/kernel_check.hpp>
#include <sonolux/solvers/noise_level.hpp>

#include "tests/support/data.hpp"

namespace sonolux {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;

auto error(const char* text) { return ThrowsMessage<Error>(HasSubstr(text)); }

Array<float> kernel_of(Index rows, Index columns, const std::vector<float>& taps) {
    Array<float> kernel({rows, columns});
    std::copy(taps.begin(), taps.end(), kernel.begin());
    return kernel;
}

Array<float> rotated(const Array<float>& kernel) {
    Array<float> result(kernel.shape());
    std::reverse_copy(kernel.begin(), kernel.end(), result.begin());
    return result;
}

double sum(const Array<float>& kernel) {
    double total = 0;
    for (float tap : kernel) total += static_cast<double>(tap);
    return total;
}

/// The same blur, whatever the array around the taps: compared by what Convolution does with them.
void expect_same_blur(const Array<float>& kernel, const Array<float>& normalised, double factor,
                      std::optional<KernelCentre> centre = std::nullopt) {
    const Shape shape{23, 19};
    Array<float> image(shape), one(shape), other(shape);
    fill_normal(image, Philox(3));
    Convolution(shape, kernel, BoundaryRule::zero, KernelOrientation::convolution, centre)
        .apply_reference(image, one);
    Convolution(shape, normalised, BoundaryRule::zero).apply_reference(image, other);
    for (Index n = 0; n < image.elements(); ++n)
        ASSERT_NEAR(static_cast<double>(one.data()[n]) * factor, static_cast<double>(other.data()[n]), 2e-6);
}

TEST(NormaliseKernel, LeavesAGoodOneAlone) {
    const Array<float> kernel = draw_blur_kernel({}, 3, 1);
    const NormalisedKernel result = normalise_kernel(kernel, {100, 100});
    ASSERT_EQ(result.kernel.shape(), kernel.shape());
    for (Index n = 0; n < kernel.elements(); ++n)
        EXPECT_NEAR(result.kernel.data()[n], kernel.data()[n], 1e-7);
    EXPECT_THAT(result.notes, IsEmpty());
    EXPECT_NEAR(result.sum, 1, 1e-6);
    EXPECT_FALSE(result.identity);
}

TEST(NormaliseKernel, MakesEvenSizesOddWithoutMovingTheCentre) {
    for (const Shape& shape : {Shape{2, 2}, Shape{4, 5}, Shape{5, 6}, Shape{1, 2}, Shape{6, 4}}) {
        Array<float> kernel(shape);
        for (Index n = 0; n < kernel.elements(); ++n) kernel.data()[n] = static_cast<float>(n % 7 + 1);
        const NormalisedKernel result = normalise_kernel(kernel, {3, 23, 19});
        EXPECT_EQ(result.kernel.shape(), (Shape{shape[0] / 2 * 2 + 1, shape[1] / 2 * 2 + 1}));
        EXPECT_NEAR(sum(result.kernel), 1, 1e-7);
        if (shape[0] % 2 == 0) {
            for (Index v = 0; v < result.kernel.shape()[1]; ++v)
                EXPECT_EQ(result.kernel(shape[0], v), 0) << v;
        }
        expect_same_blur(kernel, result.kernel, 1 / sum(kernel));
        EXPECT_THAT(result.notes, Contains(HasSubstr(to_string(shape) + " taps became ")));
    }
}

TEST(NormaliseKernel, PutsAnyCentreInTheMiddle) {
    const Array<float> kernel = kernel_of(2, 3, {1, 2, 3, 4, 5, 6});
    const KernelCentre corner{0, 2};
    const NormalisedKernel result = normalise_kernel(kernel, {23, 19}, "kernel", 0, corner);
    EXPECT_EQ(result.kernel.shape(), (Shape{3, 5}));
    expect_same_blur(kernel, result.kernel, 1.0 / 21, corner);
}

TEST(NormaliseKernel, CutsZerosAndMeasuresTheCentreOfMass) {
    Array<float> kernel({41, 33});
    kernel(22, 14) = 3;
    kernel(20, 16) = 1;
    const NormalisedKernel result = normalise_kernel(kernel, {10, 10});
    EXPECT_EQ(result.kernel.shape(), (Shape{5, 5}));
    EXPECT_FLOAT_EQ(result.kernel(4, 0), 0.75f);
    EXPECT_FLOAT_EQ(result.kernel(2, 2), 0.25f);
    EXPECT_DOUBLE_EQ(result.sum, 4);
    EXPECT_DOUBLE_EQ(result.mass_row, 1.5);
    EXPECT_DOUBLE_EQ(result.mass_column, -1.5);
    EXPECT_THAT(result.notes, Contains(HasSubstr("its taps sum to 4")));
    EXPECT_THAT(result.notes, Contains(HasSubstr("centre of mass is 1.5 rows below and -1.5 columns")));
}

TEST(NormaliseKernel, RemovesSmallNegativeTapsAndSaysSo) {
    const NormalisedKernel result = normalise_kernel(kernel_of(1, 3, {0.3f, 0.702f, -0.002f}), {9, 9});
    EXPECT_EQ(result.kernel.shape(), (Shape{1, 3}));
    EXPECT_EQ(result.kernel(0, 2), 0);
    EXPECT_NEAR(sum(result.kernel), 1, 1e-7);
    EXPECT_NEAR(result.removed, -0.002, 1e-9);
    EXPECT_THAT(result.notes, Contains(HasSubstr("negative taps, -0.002")));
}

TEST(NormaliseKernel, SaysThatASingleTapBlursNothing) {
    const NormalisedKernel result = normalise_kernel(kernel_of(3, 3, {0, 0, 0, 0, 1, 0, 0, 0, 0}), {9, 9});
    EXPECT_TRUE(result.identity);
    EXPECT_EQ(result.kernel.shape(), (Shape{1, 1}));
    EXPECT_EQ(result.kernel(0, 0), 1);
    EXPECT_THAT(result.notes, Contains(HasSubstr("it blurs nothing")));
}

TEST(NormaliseKernel, RefusesWhatIsNoKernelByName) {
    auto normalising = [](Array<float> kernel, double tolerance = 0.01) {
        auto shared = std::make_shared<Array<float>>(std::move(kernel));
        return [shared, tolerance] { (void)normalise_kernel(*shared, {8, 9}, "shake.png", tolerance); };
    };
    const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
    EXPECT_THAT(normalising(Array<float>({3, 3})),
                error("shake.png: the blur kernel of 3 x 3 taps must have one above 0, all are 0"));
    EXPECT_THAT(normalising(kernel_of(1, 2, {1, nan})),
                error("shake.png: tap [0, 1] of the blur kernel must be finite, got nan"));
    EXPECT_THAT(normalising(kernel_of(1, 2, {inf, 1})),
                error("tap [0, 0] of the blur kernel must be finite, got inf"));
    EXPECT_THAT(normalising(kernel_of(1, 3, {1, 1, -0.5f})),
                error("tap [0, 2] of the blur kernel must be at least 0 (or -0.01 times the largest tap, 1), "
                      "got -0.5"));
    EXPECT_THAT(normalising(kernel_of(1, 2, {-1, -1})),
                error("tap [0, 0] of the blur kernel must be at least 0"));
    Array<float> large({9, 3});
    std::fill(large.begin(), large.end(), 1.0f);
    EXPECT_THAT(
        normalising(large.clone()),
        error("must not be larger than the image of 8 x 9 pixels; it has 9 x 3 taps about its centre"));
    EXPECT_THAT(normalising(Array<float>({0, 3})), error("at least 1 x 1, got 0 x 3"));
    EXPECT_THAT(normalising(Array<float>({3, 3, 3})),
                error("must be [rows, columns], at least 1 x 1, got 3 x 3 x 3"));
    EXPECT_THAT(normalising(kernel_of(1, 1, {1}), -1), error("tolerance must be between 0 and 1, got -1"));
    EXPECT_THAT(
        [] {
            (void)normalise_kernel(kernel_of(1, 1, {1}), {8, 9}, "k", 0, KernelCentre{0, 1});
        },
        error("k: the centre [0, 1] must be one of the 1 x 1 taps"));
}

/// A dead-leaves image in [0, 1], blurred where the kernel does not reach beyond it, with noise.
Array<float> blurred_leaves(const Array<float>& kernel, double sigma, std::uint64_t sample,
                            Index size = 200) {
    Context context;
    const Index rows = size + kernel.shape()[0] - 1, columns = size + kernel.shape()[1] - 1;
    DeadLeavesOptions options;
    options.value_scale = 1;
    const DeadLeaves leaves(options, 21);
    context.workspace().reserve(leaves.workspace_bytes(rows, columns, context));
    Array<float> scene({rows, columns}), blurred({rows, columns}), image({size, size});
    leaves.render(sample, scene, context);
    Convolution({rows, columns}, kernel, BoundaryRule::replicate).apply_reference(scene, blurred);
    add_gaussian_noise(blurred.view().block(kernel.shape()[0] / 2, kernel.shape()[1] / 2, size, size),
                       static_cast<float>(sigma), Philox(22, streams::noise, sample), image);
    return image;
}

Context& reserved(Context& context, const Shape& shape, const Array<float>& kernel) {
    context.workspace().reserve(Convolution(shape, kernel, BoundaryRule::replicate).workspace_bytes(context));
    return context;
}

TEST(CheckOrientation, FindsTheRightWayRound) {
    BlurKernelOptions options;
    options.defocus_weight = options.gaussian_weight = 0;
    options.camera_shake.smallest_size = options.camera_shake.largest_size = 21;
    Context context;
    for (std::uint64_t sample = 0; sample < 4; ++sample) {
        const Array<float> kernel = draw_blur_kernel(options, 2, sample);
        const Array<float> image = blurred_leaves(kernel, 0.005, sample);
        const OrientationReport right = check_orientation(image, kernel, 0.005, context);
        EXPECT_EQ(right.better, KernelOrientation::convolution) << sample;
        EXPECT_TRUE(right.decisive) << right.sentence();
        EXPECT_GT(right.residual_ratio, 1);
        EXPECT_GT(right.energy_ratio, 1.005);
        EXPECT_LT(right.symmetry, 0.95);
        EXPECT_THAT(right.sentence(), HasSubstr("stands the right way round"));

        const OrientationReport wrong = check_orientation(image, rotated(kernel), 0.005, context);
        EXPECT_EQ(wrong.better, KernelOrientation::correlation);
        EXPECT_TRUE(wrong.decisive);
        EXPECT_NEAR(wrong.significance, -right.significance, 1e-3);
        EXPECT_NEAR(wrong.energy_ratio * right.energy_ratio, 1, 1e-5);
        EXPECT_EQ(wrong.rotated.residual, right.given.residual);
        EXPECT_THAT(wrong.sentence(), HasSubstr("fits better rotated by 180 degrees"));
    }
}

TEST(CheckOrientation, SaysThatASymmetricKernelHasNone) {
    Context context;
    const Array<float> disc = defocus_kernel(4);
    const OrientationReport report = check_orientation(blurred_leaves(disc, 0.005, 7), disc, 0.005, context);
    EXPECT_FALSE(report.decisive);
    EXPECT_NEAR(report.symmetry, 1, 1e-6);
    EXPECT_NEAR(report.energy_ratio, 1, 1e-3);
    EXPECT_THAT(report.sentence(), HasSubstr("cannot be told"));
}

TEST(CheckOrientation, SaysThatAnImageWithoutStructureTellsNothing) {
    Context context;
    Array<float> noise({128, 128}), flat({128, 128});
    fill_normal(noise, Philox(4));
    std::transform(noise.begin(), noise.end(), noise.begin(), [](float n) { return 0.5f + 0.01f * n; });
    const Array<float> kernel = draw_blur_kernel({1, 0, 0, {}, {}, {}}, 2, 1);
    if (4 * kernel.shape()[0] > 128 || 4 * kernel.shape()[1] > 128) FAIL() << "choose a smaller kernel";
    EXPECT_FALSE(check_orientation(noise, kernel, 0.01, context).decisive);
    const OrientationReport report = check_orientation(flat, kernel, 0.01, context);
    EXPECT_FALSE(report.decisive);
    EXPECT_EQ(report.significance, 0);
}

TEST(CheckOrientation, LooksAtThePartOfALargeImageWhereSomethingIs) {
    // A grey wall of 1100 x 600 with a picture in one corner.
    Context context;
    const Array<float> kernel = draw_blur_kernel({1, 0, 0, {9, 9, 0.3, 0.3, 0, 0, 0, 0}, {}, {}}, 2, 5);
    const Array<float> picture = blurred_leaves(kernel, 0.002, 3);
    Array<float> wall({1100, 600});
    std::fill(wall.begin(), wall.end(), 0.4f);
    for (Index i = 0; i < 200; ++i) std::copy_n(picture.view().row(i), 200, &wall(880 + i, 390));
    EXPECT_GT(check_orientation(wall, kernel, 0.002, context).significance, 1.5);
}

TEST(CheckOrientation, RefusesWhatItCannotCompare) {
    Context context;
    Array<float> image({64, 64});
    const Array<float> kernel = gaussian_kernel(1, 1, 0);
    auto checking = [&](View<const float> y, View<const float> k, double sigma) {
        return [&context, y, k, sigma] { (void)check_orientation(y, k, sigma, context); };
    };
    EXPECT_THAT(checking(image, Array<float>({4, 3}), 0.01),
                error("must have odd rows and columns, got 4 x 3"));
    const Array<float> large = gaussian_kernel(3, 3, 0);
    EXPECT_THAT(checking(image, large, 0.01), error("kernel of 25 x 25 needs a blurred image"));
    EXPECT_THAT(checking(image, kernel, -1), error("sigma must be at least 0, got -1"));
    EXPECT_THAT(checking(image, kernel, std::nan("")), error("sigma must be at least 0, got nan"));
    image(5, 6) = std::numeric_limits<float>::infinity();
    EXPECT_THAT(checking(image, kernel, 0.01), error("must be finite, got inf at [5, 6]"));
}

/// Prints what docs/results.md says.
TEST(CheckOrientationOnPhotographsSlow, FindsTheRightWayRoundInNoiseAndWithEstimatedKernels) {
    SLX_NEEDS(data_folder() / "restoration/bsds_color/train");
    std::vector<std::string> files;
    for (const auto& entry :
         std::filesystem::directory_iterator(data_folder() / "restoration/bsds_color/train"))
        files.push_back(entry.path().string());
    std::sort(files.begin(), files.end());
    BlurKernelOptions options;
    options.defocus_weight = options.gaussian_weight = 0;
    options.camera_shake.largest_size = 31;
    Context context;
    constexpr std::uint64_t count = 30;
    std::printf("noise (in 1/255)  kernel     right  decisive  decisive and wrong, of %d\n",
                static_cast<int>(count));
    for (const bool estimated : {false, true})
        for (const double sigma : {1.0, 7.65, 12.75}) {
            int right = 0, decisive = 0, decisive_and_wrong = 0;
            for (std::uint64_t sample = 0; sample < count; ++sample) {
                const Image photograph = to_grey(read_image(files[(sample * 37 + 11) % files.size()]));
                const Array<float> kernel = draw_blur_kernel(options, 99, sample);
                const Shape shape{photograph.rows(), photograph.columns()};
                Array<float> blurred(shape), noisy({255, 255});
                Convolution(shape, kernel, BoundaryRule::replicate)
                    .apply(photograph.pixels.view()[0], blurred, reserved(context, shape, kernel));
                add_gaussian_noise(
                    blurred.view().block(kernel.shape()[0] / 2, kernel.shape()[1] / 2, 255, 255),
                    static_cast<float>(sigma / 255), Philox(5, streams::noise, sample), noisy);
                const OrientationReport report =
                    estimated ? check_orientation(noisy, perturb_kernel(kernel, {}, 98, sample), sigma / 255,
                                                  context)
                              : check_orientation(noisy, kernel, sigma / 255, context);
                const bool found = report.better == KernelOrientation::convolution;
                right += found;
                decisive += report.decisive && found;
                decisive_and_wrong += report.decisive && !found;
            }
            std::printf("%16.2f  %-9s %6d %9d %19d\n", sigma, estimated ? "estimated" : "true", right,
                        decisive, decisive_and_wrong);
            EXPECT_GE(right, static_cast<int>(count) - 3) << sigma;
            EXPECT_EQ(decisive_and_wrong, 0) << sigma;
        }
}

/// Prints what docs/results.md says.
TEST(CheckOrientationOracle, FindsTheOrientationOfTheKernelsOfLevin) {
    const auto folder = data_folder() / "restoration/levin";
    SLX_NEEDS(folder / "Levin09.mat");
    const LevinSet set = read_levin_set(folder.string());
    Context context;
    int right = 0, decisive = 0, decisive_and_wrong = 0, residuals = 0;
    double smallest = 1e9;
    std::printf(
        "image kernel symmetry  sigma   residuals (in 1/255)  ratio  energy ratio  standard errors\n");
    for (Index i = 0; i < LevinSet::images; ++i)
        for (Index k = 0; k < LevinSet::kernels; ++k) {
            const View<const float> y = set.blurred_image(i, k);
            const NormalisedKernel kernel =
                normalise_kernel(set.kernel[static_cast<std::size_t>(k)], y.shape());
            const double sigma = noise_level_from_patches(y, context);
            const OrientationReport report = check_orientation(y, kernel.kernel, sigma, context);
            std::printf("%5td %6td %8.3f %7.2f %9.3f %9.3f %9.3f %13.3f %16.2f\n", i + 1, k + 1,
                        report.symmetry, 255 * sigma, 255 * report.given.residual,
                        255 * report.rotated.residual, report.residual_ratio, report.energy_ratio,
                        report.significance);
            const bool found = report.better == KernelOrientation::convolution;
            right += found;
            decisive += report.decisive && found;
            decisive_and_wrong += report.decisive && !found;
            residuals += report.residual_ratio > 1;
            smallest = std::min(smallest, report.significance);
        }
    std::printf("right %d of 32, by the residual alone %d; decisive %d, decisive and wrong %d, least %.2f\n",
                right, residuals, decisive, decisive_and_wrong, smallest);
    EXPECT_EQ(right, 32);
    EXPECT_GE(decisive, 28);
    EXPECT_EQ(decisive_and_wrong, 0);
}

}  // namespace
}  // namespace sonolux
