// tests/core/check/dot_test_test.cpp
//
// The checks must fail what is broken: each of these operators has one mistake that people make.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include <sonolux/core/check/dot_test.hpp>

namespace sonolux {
namespace {

/// A square operator of two functions.
class Made final : public LinearOperator {
public:
    using Function = std::function<void(View<const float>, View<float>)>;

    Made(Shape shape, Function apply, Function adjoint)
        : shape_(shape), apply_(std::move(apply)), adjoint_(std::move(adjoint)) {}

    Shape domain() const noexcept override { return shape_; }
    Shape range() const noexcept override { return shape_; }
    void apply(View<const float> x, View<float> y, Context&) const noexcept override { apply_(x, y); }
    void adjoint(View<const float> y, View<float> x, Context&) const noexcept override { adjoint_(y, x); }

private:
    Shape shape_;
    Function apply_, adjoint_;
};

constexpr Index n = 50;

/// y[i] = 2 x[i] + x[i-1], zero outside.
void two_taps(View<const float> x, View<float> y) {
    for (Index i = 0; i < n; ++i) y(i) = 2 * x(i) + (i > 0 ? x(i - 1) : 0.0f);
}

/// y[i] = 2 x[i] + x[i+1], zero outside.
void two_taps_transposed(View<const float> y, View<float> x) {
    for (Index i = 0; i < n; ++i) x(i) = 2 * y(i) + (i + 1 < n ? y(i + 1) : 0.0f);
}

TEST(DotTest, AcceptsAnExactAdjoint) { EXPECT_LT(dot_test(Made({n}, two_taps, two_taps_transposed)), 1e-6); }

TEST(DotTest, FindsAForgottenFlip) { EXPECT_GT(dot_test(Made({n}, two_taps, two_taps)), 1e-3); }

TEST(DotTest, FindsASingleWrongBorderSample) {
    auto wrong = [](View<const float> y, View<float> x) {
        two_taps_transposed(y, x);
        x(n - 1) += y(0);  // wraps round where the operator is zero outside
    };
    EXPECT_GT(dot_test(Made({n}, two_taps, wrong)), 1e-4);  // one of 50 x 50 products
}

TEST(DotTest, FindsAWrongScale) {
    auto wrong = [](View<const float> y, View<float> x) {
        two_taps_transposed(y, x);
        for (Index i = 0; i < n; ++i) x(i) *= 1.001f;
    };
    EXPECT_GT(dot_test(Made({n}, two_taps, wrong)), 1e-5);
}

TEST(DotTest, FindsAnOperatorThatAddsToItsOutput) {
    auto adds = [](View<const float> x, View<float> y) {
        for (Index i = 0; i < n; ++i) y(i) += x(i);
    };
    EXPECT_FALSE(dot_test(Made({n}, adds, adds)) < 1e-6);
}

TEST(DotTest, FindsAnElementThatWasNotWritten) {
    auto skips = [](View<const float> x, View<float> y) {
        for (Index i = 0; i + 1 < n; ++i) y(i) = x(i);
    };
    EXPECT_FALSE(dot_test(Made({n}, skips, skips)) < 1e-6);
}

TEST(DotTest, FindsAnAdjointThatIsZero) {
    auto zero = [](View<const float>, View<float> x) {
        for (Index i = 0; i < n; ++i) x(i) = 0;
    };
    EXPECT_GT(dot_test(Made({n}, two_taps, zero)), 1e-3);
    EXPECT_GT(dot_test(Made({n}, zero, two_taps)), 1e-3);
    EXPECT_EQ(dot_test(Made({n}, zero, zero)), 0);
}

TEST(OperatorNorm, IsTheLargestSingularValueOfADiagonal) {
    auto scale = [](View<const float> x, View<float> y) {
        for (Index i = 0; i < n; ++i) y(i) = x(i) * static_cast<float>(i - n + 1) * 0.5f;
    };
    EXPECT_NEAR(operator_norm(Made({n}, scale, scale)), 24.5, 1e-4);  // 4 units of float rounding
}

TEST(OperatorNorm, IsTheLargestSingularValueOfAnUnsymmetricOperator) {
    // A^T A is tridiagonal (2, 5, 2) with last diagonal element 4: eigenvalues 5 + 4 cos(theta). The largest
    // tends to 9 as n grows; for n = 50 it is found by dense bisection of its characteristic polynomial
    // below.
    double low = 8, high = 9;
    for (int halving = 0; halving < 60; ++halving) {
        const double value = (low + high) / 2;
        bool above = false;
        double pivot = 1;
        for (Index i = 0; i < n; ++i) {
            pivot = (i + 1 < n ? 5 : 4) - value - (i > 0 ? 4 / pivot : 0);
            above = above || pivot > 0;
        }
        (above ? low : high) = value;
    }
    EXPECT_NEAR(operator_norm(Made({n}, two_taps, two_taps_transposed)), std::sqrt(high), 1e-5);
}

TEST(OperatorNorm, OfZeroIsZero) {
    auto zero = [](View<const float>, View<float> x) {
        for (Index i = 0; i < n; ++i) x(i) = 0;
    };
    EXPECT_EQ(operator_norm(Made({n}, zero, zero)), 0);
}

}  // namespace
}  // namespace sonolux
