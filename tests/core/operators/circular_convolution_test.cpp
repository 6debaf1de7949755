// tests/core/operators/circular_convolution_test.cpp
#include <gtest/gtest.h>

#include <cmath>

#include <sonolux/core/check/dot_test.hpp>
#include <sonolux/core/operators/circular_convolution.hpp>
#include <sonolux/core/random.hpp>

#include "tests/support/normal_images.hpp"

namespace sonolux {
namespace {

constexpr std::pair<int, int> image_sizes[] = {{1, 1}, {7, 1}, {5, 3}, {16, 17}, {31, 24}};
constexpr std::pair<int, int> kernel_sizes[] = {{1, 1}, {3, 3}, {4, 2}, {9, 5}};

TEST(CircularConvolution, AdjointIsExact) {
    for (auto [rows, columns] : image_sizes)
        for (auto [kernel_rows, kernel_columns] : kernel_sizes) {
            CircularConvolution blur(rows, columns);
            blur.set_kernel(normal({kernel_rows, kernel_columns}, 3));
            EXPECT_LT(dot_test(blur), 1e-6) << rows << " x " << columns;
        }
}

TEST(CircularConvolution, IsTheSpatialConvolutionWithACircularBorder) {
    for (auto [rows, columns] : image_sizes)
        for (auto [kernel_rows, kernel_columns] : kernel_sizes) {
            const Array<float> kernel = normal({kernel_rows, kernel_columns}, 2),
                               x = normal({rows, columns}, 1);
            const Convolution direct(x.shape(), kernel, BoundaryRule::circular);
            CircularConvolution blur(rows, columns);
            blur.set_kernel(kernel);
            Context context;
            context.workspace().reserve(
                std::max(direct.workspace_bytes(context), blur.workspace_bytes(context)));
            Array<float> expected(x.shape()), y(x.shape());
            direct.apply(x, expected, context);
            blur.apply(x, y, context);
            // Float transforms: a few roundings of the sum of |k|.
            const double tolerance = 1e-6 * static_cast<double>(kernel.elements() + 10);
            for (Index i = 0; i < y.elements(); ++i) EXPECT_NEAR(y.data()[i], expected.data()[i], tolerance);
        }
}

TEST(CircularConvolution, BeginsAsTheIdentityAndReturnsToIt) {
    CircularConvolution blur(6, 5);
    Context context;
    context.workspace().reserve(blur.workspace_bytes(context));
    const Array<float> x = normal({6, 5}, 1);
    Array<float> y(x.shape());
    for (int round = 0; round < 2; ++round) {
        blur.apply(x, y, context);
        for (Index i = 0; i < y.elements(); ++i) EXPECT_EQ(y.data()[i], x.data()[i]);
        blur.set_kernel(normal({3, 3}, 2));
        EXPECT_FALSE(blur.is_identity());
        blur.set_identity();
    }
}

TEST(CircularConvolution, RefusesKernelsThatAreNone) {
    CircularConvolution blur(8, 8);
    EXPECT_THROW(blur.set_kernel(Array<float>({0, 3})), Error);
    EXPECT_THROW(blur.set_kernel(Array<float>({2, 3, 3})), Error);
    EXPECT_THROW(blur.set_kernel(Array<float>({3, 3}), KernelCentre{3, 0}), Error);
}

}  // namespace
}  // namespace sonolux
