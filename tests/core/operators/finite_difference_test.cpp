// tests/core/operators/finite_difference_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include <sonolux/core/check/dot_test.hpp>
#include <sonolux/core/operators/finite_difference.hpp>

namespace sonolux {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(FiniteDifference, AdjointIsExactOnAwkwardSizes) {
    for (auto [rows, columns] : {std::pair{1, 1}, {1, 7}, {7, 1}, {5, 3}, {64, 65}, {300, 211}})
        EXPECT_LT(dot_test(FiniteDifference(rows, columns)), 1e-6) << rows << " x " << columns;
}

TEST(FiniteDifference, TakesDifferencesToTheRightAndBelow) {
    Array<float> x({2, 3}), gradient({2, 2, 3});
    std::ranges::copy(std::initializer_list<float>{1, 2, 4, 10, 30, 70}, x.begin());
    Context context;
    FiniteDifference(2, 3).apply(x, gradient, context);
    EXPECT_THAT(std::vector<float>(gradient.begin(), gradient.end()),
                ElementsAre(1, 2, 0, 20, 40, 0, 9, 28, 66, 0, 0, 0));
}

TEST(FiniteDifference, NormApproachesSqrt8) {  // the bound that primal-dual step sizes rely on
    EXPECT_NEAR(operator_norm(FiniteDifference(256, 256)), std::sqrt(8.0), 2e-3);
}

TEST(FiniteDifference, RefusesAnEmptyImageByName) {
    EXPECT_THAT([] { FiniteDifference(0, 4); },
                ThrowsMessage<Error>(HasSubstr("rows must be at least 1, got 0")));
    EXPECT_THAT([] { FiniteDifference(4, 0); },
                ThrowsMessage<Error>(HasSubstr("columns must be at least 1, got 0")));
}

}  // namespace
}  // namespace sonolux
