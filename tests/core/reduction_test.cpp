// tests/core/reduction_test.cpp
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include <sonolux/core/random.hpp>
#include <sonolux/core/reduction.hpp>

namespace sonolux {
namespace {

TEST(Reduction, AgreesWithALongDoubleSum) {
    for (Index count : {1, 2, 15, 16, 17, 4095, 4096, 4097, 100'000, 1'234'567}) {
        Array<float> a({count}), b({count});
        fill_normal(a, Philox(1));
        fill_normal(b, Philox(2));
        long double expected_sum = 0, expected_dot = 0, absolute = 0;
        for (Index i = 0; i < count; ++i) {
            expected_sum += static_cast<long double>(a(i));
            expected_dot += static_cast<long double>(a(i)) * static_cast<long double>(b(i));
            absolute += static_cast<long double>(std::abs(a(i)) * std::max(1.0f, std::abs(b(i))));
        }
        // The bound of the header.
        const double bound =
            (static_cast<double>(count) / 4096 + 20) * 0x1p-53 * static_cast<double>(absolute);
        EXPECT_NEAR(sum(a), static_cast<double>(expected_sum), bound) << count;
        EXPECT_NEAR(dot(a, b), static_cast<double>(expected_dot), bound) << count;
    }
}

TEST(Reduction, AddsWhatFloatSumsLose) {  // 2^25 ones: a float sum stops at 2^24
    Array<float> ones({1 << 13, 1 << 12});
    std::fill(ones.begin(), ones.end(), 1.0f);
    EXPECT_EQ(sum(ones), 0x1p25);
    EXPECT_EQ(squared_norm(ones), 0x1p25);
}

TEST(Reduction, GivesTheSameBitsForAnyNumberOfThreads) {
    Context one(make_serial_runner()), two(make_openmp_runner(2)), three(make_openmp_runner(3));
    for (Index count : {5, 4097, 70'001, 2'000'003}) {
        Array<float> a({count});
        fill_normal(a, Philox(3));
        const double expected = sum(a, one), expected_norm = squared_norm(a, one);
        EXPECT_EQ(sum(a), expected);
        for (Context* context : {&two, &three}) {
            EXPECT_EQ(sum(a, *context), expected) << count;
            EXPECT_EQ(squared_norm(a, *context), expected_norm) << count;
        }
    }
}

TEST(Reduction, OfNothingIsZero) {
    EXPECT_EQ(sum(View<const float>()), 0);
    Array<float> none({0, 5});
    EXPECT_EQ(dot(none, none), 0);
}

TEST(Reduction, PassesOnNanAndInfinity) {
    Array<float> a({5000});
    a(4999) = std::numeric_limits<float>::infinity();
    EXPECT_EQ(sum(a), std::numeric_limits<double>::infinity());
    a(17) = std::numeric_limits<float>::quiet_NaN();
    EXPECT_TRUE(std::isnan(sum(a)));
    EXPECT_TRUE(std::isnan(squared_norm(a)));
}

}  // namespace
}  // namespace sonolux
