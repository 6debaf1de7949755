#include <gtest/gtest.h>

#include <sonolux/core/smooth_size.hpp>

namespace sonolux {
namespace {

TEST(SmoothSize, IsTheNextWithoutLargePrimeFactors) {
    EXPECT_EQ(smooth_size(1), 1);
    EXPECT_EQ(smooth_size(7), 8);
    EXPECT_EQ(smooth_size(7, 7), 7);
    EXPECT_EQ(smooth_size(97), 100);
    EXPECT_EQ(smooth_size(97, 7), 98);
    EXPECT_EQ(smooth_size(45), 45);
    EXPECT_EQ(smooth_size(45, 5, 2), 48);
}

}  // namespace
}  // namespace sonolux
