#include <gtest/gtest.h>

#include <tests/solvers/classical/deconvolution_cases.hpp>
#include <tests/support/python_peer.hpp>

namespace sonolux {
namespace {

RichardsonLucyOptions iterations(int count, double total_variation = 0) {
    return {.iterations = count, .total_variation = total_variation, .tolerance = 0, .discrepancy = 0};
}

double total(View<const float> image) {
    double sum = 0;
    for (Index n = 0; n < image.elements(); ++n) sum += double{image.data()[n]};
    return sum;
}

TEST(RichardsonLucy, KeepsTheLightOfACircularBlur) {
    for (auto [rows, columns] : {std::pair{17, 23}, {16, 20}, {9, 31}}) {
        const Array<float> k = random_kernel(4, 5, 2);
        Array<float> y = blur_circularly(drawn_image(rows, columns), k);
        for (int count : {1, 2, 10, 50}) {
            const Array<float> x = deconvolve({.rows = rows,
                                               .columns = columns,
                                               .kernel = k,
                                               .sigma = 1,
                                               .border = DeconvolutionBorder::circular},
                                              iterations(count), y);
            EXPECT_NEAR(total(x) / total(y), 1, 1e-5) << count;
            for (float value : x) EXPECT_GE(value, 0);
        }
    }
}

// With black around the light, the black border of scikit-image and a circular one are the same, and so are
// all constants to start from after one iteration.
TEST(RichardsonLucy, FollowsScikitImage) {
    SLX_NEEDS_PYTHON("numpy, skimage, scipy");
    const Index rows = 31, columns = 36;
    Array<float> scene({rows, columns});
    for (Index i = 12; i < 19; ++i)
        for (Index j = 13; j < 22; ++j) scene(i, j) = 0.2f + 0.1f * static_cast<float>((i * 7 + j * 3) % 6);
    const Array<float> k = random_kernel(5, 3, 2), y = blur_circularly(scene, k);
    const BlurProblem problem{
        .rows = rows, .columns = columns, .kernel = k, .sigma = 1, .border = DeconvolutionBorder::circular};
    const PythonPeer peer;
    peer.write("kernel", k);
    peer.write("blurred", y);
    ASSERT_TRUE(
        peer.run("from skimage.restoration import richardson_lucy\n"
                 "k = read(\"kernel\", 5, 3); y = read(\"blurred\", 31, 36)\n"
                 "write(\"few\", richardson_lucy(y, k, num_iter=3, clip=False))\n"
                 "write(\"many\", richardson_lucy(y, k, num_iter=400, clip=False))\n"));
    // Float here, double there: 400 products.
    EXPECT_LT(largest_difference(deconvolve(problem, iterations(3), y), peer.read("few", {rows, columns})),
              1e-5);
    const Array<float> many = deconvolve(problem, iterations(400), y);
    EXPECT_LT(largest_difference(many, peer.read("many", {rows, columns})), 1e-3);
    EXPECT_LT(largest_difference(many, scene), 0.05);
}

TEST(RichardsonLucy, RaisesTheLikelihoodInEveryIteration) {
    const Array<float> k = random_kernel(5, 6, 3);
    Array<float> y = blur_inside(drawn_image(44, 42), k);
    add_noise(y, 4, 2);
    ConvergenceLog log(60);
    (void)deconvolve({.rows = 40, .columns = 37, .kernel = k, .sigma = 4}, iterations(60), y, &log);
    ASSERT_EQ(log.entries().size(), 60u);
    for (std::size_t n = 1; n < 60; ++n)
        EXPECT_LE(log.entries()[n].objective, log.entries()[n - 1].objective + 1e-4) << n;
    EXPECT_LT(log.entries().back().objective, 0.5 * log.entries().front().objective);
}

TEST(RichardsonLucy, StopsWhereTheDataAreExplainedToWithinTheirNoise) {
    const Array<float> k = random_kernel(5, 5, 3), scene = drawn_image(45, 42);
    Array<float> y = blur_inside(scene, k), truth({41, 38});
    for (Index i = 0; i < 41; ++i)
        for (Index j = 0; j < 38; ++j) truth(i, j) = scene(i + 2, j + 2);
    add_noise(y, 6, 2);
    const BlurProblem problem{.rows = 41, .columns = 38, .kernel = k, .sigma = 6};
    ConvergenceLog log(1000);
    const Array<float> x = deconvolve(problem, RichardsonLucyOptions{.iterations = 1000}, y, &log);
    EXPECT_EQ(log.reason(), StopReason::discrepancy);
    // Going on would explain the noise.
    EXPECT_LT(root_mean_square(x, truth), root_mean_square(deconvolve(problem, iterations(1000), y), truth));
}

TEST(RichardsonLucy, CalmsNoiseByTotalVariation) {
    Array<float> y({29, 32}), flat({29, 32});
    for (float& value : flat) value = 0.5f;
    const Array<float> k = random_kernel(5, 5, 3);
    std::copy(flat.begin(), flat.end(), y.begin());
    add_noise(y, 10, 3);
    const BlurProblem problem{.rows = 29, .columns = 32, .kernel = k, .sigma = 10};
    const double plain = root_mean_square(deconvolve(problem, iterations(100), y), flat);
    const double calmed = root_mean_square(deconvolve(problem, iterations(100, 0.02), y), flat);
    EXPECT_LT(calmed, 0.3 * plain);
}

// Light that enters the image from beyond its border: with its place unknown, the edge must not glow.
TEST(RichardsonLucy, WeighsPixelsBeyondTheBorderByWhatTheImageSeesOfThem) {
    Array<float> scene({50, 51}), k({7, 7});
    for (float& value : scene) value = 0.2f;
    for (Index i = 0; i < 50; ++i)
        for (Index j = 0; j < 3; ++j) scene(i, j) = 1;  // beyond the image's left border
    for (float& tap : k) tap = 1.0f / 49;
    const Array<float> y = blur_inside(scene, k);  // 44 x 45
    auto worst = [&](DeconvolutionBorder border) {
        const Array<float> x = deconvolve(
            {.rows = 44, .columns = 45, .kernel = k, .sigma = 0.1, .border = border}, iterations(300), y);
        double largest = 0;
        for (Index i = 5; i < 39; ++i)
            for (Index j = 0; j < 45; ++j) largest = std::max(largest, std::abs(double{x(i, j)} - 0.2));
        return largest;
    };
    EXPECT_LT(worst(DeconvolutionBorder::valid), 0.1);
    EXPECT_GT(worst(DeconvolutionBorder::circular), 0.3);
}

TEST(RichardsonLucy, CountsNegativeDataAsNone) {
    Array<float> y = drawn_image(12, 11);
    y(3, 4) = -0.2f;
    const Array<float> k = random_kernel(3, 3, 3);
    const Array<float> x =
        deconvolve({.rows = 12, .columns = 11, .kernel = k, .sigma = 1}, iterations(20), y);
    for (float value : x) {
        EXPECT_GE(value, 0);
        EXPECT_LT(value, 3);
    }
}

}  // namespace
}  // namespace sonolux
