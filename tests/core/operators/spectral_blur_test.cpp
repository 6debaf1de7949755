// tests/core/operators/spectral_blur_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include <sonolux/core/boundary.hpp>
#include <sonolux/core/check/dot_test.hpp>
#include <sonolux/core/operators/spectral_blur.hpp>
#include <sonolux/core/random.hpp>

namespace sonolux {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Array<float> random_array(const Shape& shape, std::uint64_t stream) {
    Array<float> values(shape);
    fill_normal(values, Philox(3, stream));
    return values;
}

// The definition: what each source pixel scatters, in double.
Array<double> scatter(View<const float> x, const std::vector<Array<float>>& kernels,
                      const Array<float>& windows, Index outputs) {
    const Index rows = x.size(1), columns = x.size(2);
    Array<double> y({outputs, rows, columns});
    for (std::size_t p = 0; p < kernels.size(); ++p) {
        const View<const float> k = kernels[p];
        for (Index o = 0; o < outputs; ++o)
            for (Index c = 0; c < x.size(0); ++c)
                for (Index i = 0; i < rows; ++i)
                    for (Index j = 0; j < columns; ++j)
                        for (Index u = 0; u < k.rows(); ++u)
                            for (Index v = 0; v < k.columns(); ++v) {
                                const double w =
                                    windows.elements() ? windows(static_cast<Index>(p), i, j) : 1.0f;
                                y(o, boundary_index(BoundaryRule::circular, i + u - k.rows() / 2, rows),
                                  boundary_index(BoundaryRule::circular, j + v - k.columns() / 2, columns)) +=
                                    w * double{k(o, c, u, v)} * double{x(c, i, j)};
                            }
    }
    return y;
}

TEST(SpectralBlur, ScattersEveryChannelIntoEveryOther) {
    const Array<float> x = random_array({3, 9, 8}, 1);
    std::vector<Array<float>> kernels;
    kernels.push_back(random_array({2, 3, 5, 4}, 2));
    SpectralBlur blur(3, 2, 9, 8);
    blur.set_kernels(kernels[0]);
    Context context(make_openmp_runner(2));
    context.workspace().reserve(blur.workspace_bytes(context));
    Array<float> y({2, 9, 8});
    blur.apply(x, y, context);
    const Array<double> expected = scatter(x, kernels, {}, 2);
    for (Index n = 0; n < y.elements(); ++n) EXPECT_NEAR(y.data()[n], expected.data()[n], 1e-4) << n;
}

TEST(SpectralBlur, TakesTheKernelOfThePlaceThatLightComesFrom) {
    const Array<float> x = random_array({2, 12, 10}, 1);
    std::vector<Array<float>> kernels;
    for (std::uint64_t p = 0; p < 6; ++p) kernels.push_back(random_array({3, 2, 3, 5}, 10 + p));
    const Array<float> windows = bilinear_windows(3, 2, 12, 10);
    SpectralBlur blur(2, 3, 12, 10);
    blur.set_kernels({kernels.begin(), kernels.end()}, windows);
    Context context(make_serial_runner());
    context.workspace().reserve(blur.workspace_bytes(context));
    Array<float> y({3, 12, 10});
    blur.apply(x, y, context);
    const Array<double> expected = scatter(x, kernels, windows, 3);
    for (Index n = 0; n < y.elements(); ++n) EXPECT_NEAR(y.data()[n], expected.data()[n], 1e-4) << n;
}

TEST(SpectralBlur, AdjointIsExact) {
    for (const auto& [inputs, outputs, rows, columns] :
         {std::array<Index, 4>{1, 1, 1, 1}, {3, 3, 32, 33}, {5, 3, 31, 16}, {2, 7, 16, 16}}) {
        SpectralBlur blur(inputs, outputs, rows, columns);
        blur.set_kernels(random_array({outputs, inputs, (rows + 1) / 2, (columns + 1) / 2}, 5));
        EXPECT_LT(dot_test(blur), 1e-6) << inputs << " to " << outputs;
    }
    SpectralBlur varying(4, 3, 24, 20);
    std::vector<Array<float>> kernels;
    for (std::uint64_t p = 0; p < 9; ++p) kernels.push_back(random_array({3, 4, 7, 6}, 20 + p));
    varying.set_kernels({kernels.begin(), kernels.end()}, bilinear_windows(3, 3, 24, 20));
    EXPECT_LT(dot_test(varying), 1e-6);
}

TEST(SpectralBlur, KernelsByChannelDoNotMix) {
    const Array<float> k = random_array({3, 5, 5}, 1);
    SpectralBlur blur(3, 3, 16, 16);
    blur.set_kernels(k);
    EXPECT_TRUE(blur.spectrum(0, 0, 1).empty());
    EXPECT_FALSE(blur.spectrum(0, 2, 2).empty());
    EXPECT_LT(dot_test(blur), 1e-6);
}

TEST(SpectralBlur, WindowsAddUpToOne) {
    const Array<float> windows = bilinear_windows(5, 4, 23, 31);
    for (Index i = 0; i < 23; ++i)
        for (Index j = 0; j < 31; ++j) {
            float sum = 0;
            for (Index p = 0; p < 20; ++p) sum += windows(p, i, j);
            EXPECT_NEAR(sum, 1, 1e-6);
        }
}

TEST(SpectralBlur, RefusesWhatDoesNotFit) {
    SpectralBlur blur(2, 3, 8, 8);
    EXPECT_THAT(
        [&] {
            blur.set_kernels(random_array({3, 2, 9, 3}, 1));
        },
        ThrowsMessage<Error>(HasSubstr("a kernel of 9 x 3 does not fit an image of 8 x 8")));
    EXPECT_THAT(
        [&] {
            blur.set_kernels(random_array({2, 3, 3, 3}, 1));
        },
        ThrowsMessage<Error>(HasSubstr("kernels of 2 channels into 3 must be [outputs, inputs")));
    Array<float> bad = random_array({3, 2, 3, 3}, 1);
    bad(2, 1, 0, 1) = std::numeric_limits<float>::quiet_NaN();
    EXPECT_THAT(
        [&] { blur.set_kernels(bad); },
        ThrowsMessage<Error>(HasSubstr("tap (0, 1) of the kernel from channel 1 to 2 is not finite")));
    const Array<float> good = random_array({3, 2, 3, 3}, 1), windows({2, 8, 8});
    EXPECT_THAT([&] { blur.set_kernels({good.view()}, windows); },
                ThrowsMessage<Error>(HasSubstr("windows of 1 patches must be 1 x 8 x 8, got 2 x 8 x 8")));
    EXPECT_EQ(blur.patches(), 0);
    EXPECT_THAT([] { SpectralBlur(0, 1, 8, 8); }, ThrowsMessage<Error>(HasSubstr("0 channels into 1")));
}

TEST(SpectralBlur, KeepsItsKernelsWhereNewOnesAreRefused) {
    const Array<float> good = random_array({1, 1, 3, 3}, 1), large({1, 1, 9, 3});
    const Array<float> x = random_array({1, 8, 8}, 2);
    SpectralBlur blur(1, 1, 8, 8);
    blur.set_kernels({good.view(), good.view()}, bilinear_windows(2, 1, 8, 8));
    Context context(make_serial_runner());
    context.workspace().reserve(blur.workspace_bytes(context));
    Array<float> before({1, 8, 8}), after({1, 8, 8});
    blur.apply(x, before, context);
    EXPECT_THROW(
        blur.set_kernels({good.view(), good.view(), good.view(), large.view()}, bilinear_windows(2, 2, 8, 8)),
        Error);
    EXPECT_THROW(blur.set_kernels(large), Error);
    EXPECT_EQ(blur.patches(), 2);
    blur.apply(x, after, context);
    EXPECT_TRUE(std::equal(before.begin(), before.end(), after.begin()));
}

}  // namespace
}  // namespace sonolux
