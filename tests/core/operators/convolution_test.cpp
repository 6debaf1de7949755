// tests/core/operators/convolution_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include <sonolux/core/check/dot_test.hpp>
#include <sonolux/core/operators/convolution.hpp>
#include <sonolux/core/random.hpp>

#include "tests/support/normal_images.hpp"

namespace sonolux {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr std::pair<int, int> image_sizes[] = {{1, 1}, {1, 7}, {5, 3}, {64, 65}};
constexpr std::pair<int, int> kernel_sizes[] = {{1, 1}, {3, 3}, {4, 2}, {1, 6}, {9, 5}};

TEST(Convolution, AdjointIsExactForEveryRuleOnAwkwardSizes) {
    for (BoundaryRule rule : boundary_rules)
        for (auto [rows, columns] : image_sizes)
            for (auto [kernel_rows, kernel_columns] : kernel_sizes)
                for (auto orientation : {KernelOrientation::convolution, KernelOrientation::correlation}) {
                    const Array<float> kernel = normal({kernel_rows, kernel_columns}, 3);
                    EXPECT_LT(dot_test(Convolution({rows, columns}, kernel, rule, orientation)), 1e-6)
                        << to_string(rule) << ", " << rows << " x " << columns << ", kernel " << kernel_rows
                        << " x " << kernel_columns;
                }
}

TEST(Convolution, IsTheSumOfItsDefinition) {  // written out here in double, from boundary_index alone
    for (BoundaryRule rule : boundary_rules)
        for (auto [rows, columns] : image_sizes)
            for (auto [kernel_rows, kernel_columns] : kernel_sizes)
                for (const KernelCentre& centre :
                     {KernelCentre{kernel_rows / 2, kernel_columns / 2}, KernelCentre{kernel_rows - 1, 0}})
                    for (int sign : {-1, 1}) {
                        const Array<float> x = normal({rows, columns}, 1),
                                           kernel = normal({kernel_rows, kernel_columns}, 2);
                        const Convolution convolution(
                            x.shape(), kernel, rule,
                            sign < 0 ? KernelOrientation::convolution : KernelOrientation::correlation,
                            centre);
                        Array<float> y(x.shape());
                        Context context;
                        context.workspace().reserve(convolution.workspace_bytes(context));
                        convolution.apply(x, y, context);
                        for (Index i = 0; i < rows; ++i)
                            for (Index j = 0; j < columns; ++j) {
                                double sum = 0, absolute = 0;
                                for (Index u = 0; u < kernel_rows; ++u)
                                    for (Index v = 0; v < kernel_columns; ++v) {
                                        const Index row =
                                            boundary_index(rule, i + sign * (u - centre.row), rows);
                                        const Index column =
                                            boundary_index(rule, j + sign * (v - centre.column), columns);
                                        if (row < 0 || column < 0) continue;
                                        sum += double{kernel(u, v)} * double{x(row, column)};
                                        absolute += std::abs(double{kernel(u, v)} * double{x(row, column)});
                                    }
                                // 45 float roundings at most, each half a unit of 2^-23, and of either sign.
                                ASSERT_NEAR(y(i, j), sum, 1e-6 * absolute)
                                    << to_string(rule) << ", " << rows << " x " << columns << ", kernel "
                                    << kernel_rows << " x " << kernel_columns << ", at " << i << ", " << j;
                            }
                    }
}

TEST(Convolution, ImpulseGivesTheKernelAndCorrelationGivesItTurned) {
    Array<float> impulse({5, 5}), kernel({3, 3}), y({5, 5});
    impulse(2, 2) = 1;
    for (Index i = 0; i < 9; ++i) kernel.data()[i] = static_cast<float>(i + 1);
    Context context;
    const Convolution convolution({5, 5}, kernel, BoundaryRule::zero);
    context.workspace().reserve(convolution.workspace_bytes(context));
    convolution.apply(impulse, y, context);
    EXPECT_EQ(y(1, 1), 1);
    EXPECT_EQ(y(1, 2), 2);
    EXPECT_EQ(y(2, 1), 4);
    EXPECT_EQ(y(3, 3), 9);
    EXPECT_EQ(y(0, 0), 0);
    const Convolution correlation({5, 5}, kernel, BoundaryRule::zero, KernelOrientation::correlation);
    correlation.apply(impulse, y, context);
    EXPECT_EQ(y(1, 1), 9);
    EXPECT_EQ(y(1, 2), 8);
    EXPECT_EQ(y(3, 3), 1);
}

TEST(Convolution, EvenKernelsAreCentredAfterTheMiddle) {
    Array<float> x({1, 4}), kernel({1, 2}), y({1, 4});
    std::ranges::copy(std::initializer_list<float>{1, 10, 100, 1000}, x.begin());
    std::ranges::copy(std::initializer_list<float>{1, 2}, kernel.begin());
    Context context;
    const Convolution convolution({1, 4}, kernel, BoundaryRule::zero);  // y[j] = k[0] x[j+1] + k[1] x[j]
    context.workspace().reserve(convolution.workspace_bytes(context));
    convolution.apply(x, y, context);
    EXPECT_THAT(std::vector<float>(y.begin(), y.end()), ElementsAre(12, 120, 1200, 2000));
}

struct Filtered {
    Array<float> forward, back;
};

Filtered filtered(const Convolution& convolution, const Array<float>& x, Isa isa, int threads) {
    Context context(make_openmp_runner(threads));
    context.set_isa(isa);
    context.workspace().reserve(convolution.workspace_bytes(context));
    Filtered result{Array<float>(x.shape()), Array<float>(x.shape())};
    convolution.apply(x, result.forward, context);
    convolution.adjoint(x, result.back, context);
    return result;
}

bool same_bits(const Array<float>& a, const Array<float>& b) {
    return std::equal(a.begin(), a.end(), b.begin());
}

TEST(Convolution, EveryInstructionSetAgreesWithTheReference) {
    for (auto [rows, columns] : {std::pair{1, 7}, {64, 65}, {33, 300}, {70, 531}})
        for (BoundaryRule rule : {BoundaryRule::zero, BoundaryRule::symmetric}) {
            const Array<float> x = normal({2, rows, columns}, 1), kernel = normal({7, 6}, 2);
            const Convolution convolution(x.shape(), kernel, rule);
            Array<float> forward(x.shape()), back(x.shape());
            convolution.apply_reference(x, forward);
            convolution.adjoint_reference(x, back);
            for (Isa isa : available_isas()) {
                const Filtered fast = filtered(convolution, x, isa, 1);
                for (Index i = 0; i < x.elements(); ++i) {
                    // Up to 42 terms of size 1 forward, of which borders fold dozens back: roundings of 1e-7
                    // each.
                    ASSERT_NEAR(fast.forward.data()[i], forward.data()[i], 2e-5) << to_string(isa);
                    ASSERT_NEAR(fast.back.data()[i], back.data()[i], 1e-4) << to_string(isa);
                }
            }
        }
}

TEST(Convolution, GivesTheSameBitsForAnyNumberOfThreadsAndWithEveryFusedMultiplyAdd) {
    const Array<float> x = normal({2, 70, 531}, 1), kernel = normal({7, 6}, 2);
    const Convolution convolution(x.shape(), kernel, BoundaryRule::reflect);
    for (Isa isa : available_isas()) {
        const Filtered one = filtered(convolution, x, isa, 1), two = filtered(convolution, x, isa, 2);
        EXPECT_TRUE(same_bits(one.forward, two.forward) && same_bits(one.back, two.back)) << to_string(isa);
        if (isa == Isa::baseline) continue;
        const Filtered fastest = filtered(convolution, x, available_isas().back(), 1);
        EXPECT_TRUE(same_bits(one.forward, fastest.forward) && same_bits(one.back, fastest.back))
            << to_string(isa);
    }
}

TEST(Convolution, NanReachesExactlyThePixelsItsKernelCovers) {
    Array<float> x = normal({20, 80}, 1), kernel = normal({3, 5}, 2), y({20, 80});
    x(10, 40) = std::numeric_limits<float>::quiet_NaN();
    const Convolution convolution(x.shape(), kernel, BoundaryRule::replicate);
    Context context;
    context.workspace().reserve(convolution.workspace_bytes(context));
    convolution.apply(x, y, context);
    for (Index i = 0; i < 20; ++i)
        for (Index j = 0; j < 80; ++j)
            EXPECT_EQ(std::isnan(y(i, j)), std::abs(i - 10) <= 1 && std::abs(j - 40) <= 2) << i << ", " << j;
}

TEST(Convolution, KeepsAConstantImageUnderAKernelOfSumOne) {
    Array<float> x({9, 11}), kernel({5, 5}), y({9, 11});
    std::fill(x.begin(), x.end(), 7.0f);
    std::fill(kernel.begin(), kernel.end(), 0.04f);
    for (BoundaryRule rule : boundary_rules) {
        if (rule == BoundaryRule::zero) continue;
        const Convolution convolution(x.shape(), kernel, rule);
        Context context;
        context.workspace().reserve(convolution.workspace_bytes(context));
        convolution.apply(x, y, context);
        for (float v : y) EXPECT_NEAR(v, 7, 7 * 25 * 6e-8) << to_string(rule);  // 25 float roundings
    }
}

TEST(Convolution, RefusesWhatItCannotFilter) {
    const Array<float> kernel({3, 3}), empty({0, 3}), line({3});
    EXPECT_THAT(
        [&] {
            Convolution({0, 4}, kernel, BoundaryRule::zero);
        },
        ThrowsMessage<Error>(HasSubstr("rows must be at least 1, got 0")));
    EXPECT_THAT(
        [&] {
            Convolution({4, 4}, empty, BoundaryRule::zero);
        },
        ThrowsMessage<Error>(HasSubstr("the kernel must have rows and columns, at least 1 x 1, got 0 x 3")));
    EXPECT_THAT(
        [&] {
            Convolution({4, 4}, line, BoundaryRule::zero);
        },
        ThrowsMessage<Error>(HasSubstr("the kernel must have rows and columns")));
    EXPECT_THAT(
        [&] {
            Convolution({4, 4}, kernel, BoundaryRule::zero, KernelOrientation::convolution,
                        KernelCentre{1, 3});
        },
        ThrowsMessage<Error>(HasSubstr("the centre must lie in the kernel of 3 x 3, got row 1, column 3")));
}

}  // namespace
}  // namespace sonolux
