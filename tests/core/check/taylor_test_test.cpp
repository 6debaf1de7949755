// tests/core/check/taylor_test_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include <sonolux/core/check/taylor_test.hpp>

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr std::size_t n = 200;

/// f(x) = sum of log(1 + x_i^2) + x_i x_{i+1} / 2: the kind of thing that priors are made of.
template <class T>
T value(const T* x) {
    T f = 0;
    for (std::size_t i = 0; i < n; ++i) f += std::log1p(x[i] * x[i]) + (i + 1 < n ? x[i] * x[i + 1] / 2 : 0);
    return f;
}

template <class T>
std::vector<T> gradient(const T* x) {
    std::vector<T> g(n);
    for (std::size_t i = 0; i < n; ++i)
        g[i] = 2 * x[i] / (1 + x[i] * x[i]) + ((i > 0 ? x[i - 1] : 0) + (i + 1 < n ? x[i + 1] : 0)) / 2;
    return g;
}

template <class T>
std::vector<T> point(T scale) {
    std::vector<T> x(n);
    Philox random(5);
    for (T& v : x) v = scale * static_cast<T>(random.normal());
    return x;
}

double order_in_double(double scale, const std::function<void(std::vector<double>&)>& spoil) {
    const std::vector<double> x = point(scale);
    std::vector<double> g = gradient(x.data());
    spoil(g);
    return taylor_test([](std::span<const double> moved) { return value(moved.data()); }, x, g);
}

double order_in_float(float scale, const std::function<void(std::vector<float>&)>& spoil) {
    const std::vector<float> x = point(scale);
    std::vector<float> g = gradient(x.data());
    spoil(g);
    const Shape shape{static_cast<Index>(n)};
    return taylor_test([](View<const float> moved) { return static_cast<double>(value(moved.data())); },
                       View<const float>(x.data(), shape), View<const float>(g.data(), shape));
}

TEST(TaylorTest, SeesOrderTwoOfATrueGradient) {
    // h^3 over h^2 at the steps that are used (1e-7 in double, 1e-2 in float), and rounding.
    for (double scale : {1e-3, 1.0, 30.0})
        EXPECT_NEAR(order_in_double(scale, [](auto&) {}), 2, 0.02) << scale;
    for (float scale : {0.3f, 1.0f, 3.0f}) EXPECT_NEAR(order_in_float(scale, [](auto&) {}), 2, 0.2) << scale;
}

TEST(TaylorTest, SeesOrderOneOfAWrongSign) {
    auto flip = [](auto& g) {
        for (auto& v : g) v = -v;
    };
    EXPECT_NEAR(order_in_double(1, flip), 1, 0.02);
    EXPECT_NEAR(order_in_float(1, flip), 1, 0.2);
}

TEST(TaylorTest, FindsASingleWrongElement) {
    EXPECT_LT(order_in_double(1, [](auto& g) { g[17] += 0.1; }), 1.1);
}

TEST(TaylorTest, FindsAGradientThatIsSlightlyTooLarge) {
    auto enlarge = [](auto& g) {
        for (auto& v : g) v *= 1 + 1e-4;
    };
    EXPECT_LT(order_in_double(1, enlarge), 1.1);
    EXPECT_LT(order_in_float(1,
                             [](auto& g) {
                                 for (auto& v : g) v *= 1.1f;
                             }),
              1.5);
}

TEST(TaylorTest, IsInfiniteForALinearFunctionAndItsGradient) {
    std::vector<double> x = point(1.0), g = point(2.0);
    auto linear = [&](std::span<const double> moved) {
        double f = 0;
        for (std::size_t i = 0; i < n; ++i) f += moved[i] * point(2.0)[i];
        return f;
    };
    EXPECT_EQ(taylor_test(linear, x, g), std::numeric_limits<double>::infinity());
    g[3] += 0.5;
    EXPECT_NEAR(taylor_test(linear, x, g), 1, 0.02);
}

TEST(TaylorTest, TellsNothingAboutNan) {
    const std::vector<double> x = point(1.0), g = point(2.0);
    EXPECT_TRUE(std::isnan(taylor_test([](std::span<const double>) { return std::nan(""); }, x, g)));
}

TEST(TaylorTest, WorksAtZero) {
    const std::vector<double> x(n), g = gradient(x.data());
    // No third derivative at 0, so the quadratic is all there is.
    EXPECT_NEAR(taylor_test([](std::span<const double> moved) { return value(moved.data()); }, x, g), 2,
                0.02);
}

TEST(TaylorTest, RefusesAGradientOfAnotherSize) {
    const std::vector<double> x(3), g(4);
    auto zero = [](std::span<const double>) { return 0.0; };
    EXPECT_THAT([&] { (void)taylor_test(zero, x, g); },
                ThrowsMessage<Error>(HasSubstr("x has 3 elements and the gradient 4")));
}

}  // namespace
}  // namespace sonolux
