// tests/solvers/training/knot_smoothness_test.cpp
#include <gtest/gtest.h>

#include <sonolux/core/check/taylor_test.hpp>
#include <sonolux/solvers/training/knot_smoothness.hpp>

namespace sonolux {
namespace {

// A parameter without knots, then two functions of five.
std::vector<Parameter> layout() {
    return {{.name = "other", .shape = {3}, .offset = 0},
            {.name = "activation", .shape = {2, 5}, .offset = 3, .knots = 5}};
}

TEST(KnotSmoothness, HasItsGradient) {
    std::vector<float> at(13);
    fill_normal(View<float>(at.data(), {13}), Philox(1));
    std::vector<double> x(at.begin(), at.end()), gradient(13);
    (void)add_knot_smoothness(at, layout(), 2, gradient);
    std::vector<float> bar(gradient.begin(), gradient.end());
    std::vector<double> unused(13);
    EXPECT_GT(taylor_test(
                  [&](View<const float> moved) {
                      return add_knot_smoothness({moved.data(), 13}, layout(), 2, unused);
                  },
                  View<const float>(at.data(), {13}), View<const float>(bar.data(), {13})),
              1.8);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(gradient[static_cast<std::size_t>(i)], 0);
}

TEST(KnotSmoothness, LooksAtTheLastKnotAndNotAcrossFunctions) {
    std::vector<float> at(13);
    std::vector<double> gradient(13);
    for (int k = 0; k < 5; ++k) {
        at[static_cast<std::size_t>(3 + k)] = static_cast<float>(k);
        at[static_cast<std::size_t>(8 + k)] = static_cast<float>(-100 * k);
    }
    EXPECT_EQ(add_knot_smoothness(at, layout(), 1, gradient), 0);  // lines
    at[7] += 1;
    EXPECT_NEAR(add_knot_smoothness(at, layout(), 1, gradient), 1, 1e-3);
}

}  // namespace
}  // namespace sonolux
