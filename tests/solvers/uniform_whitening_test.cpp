// tests/solvers/uniform_whitening_test.cpp
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include <sonolux/core/operators/finite_difference.hpp>
#include <sonolux/core/random.hpp>
#include <sonolux/solvers/uniform_whitening.hpp>

namespace sonolux {
namespace {

// Running sums along rows: a line integral to every pixel.
class RowSums final : public LinearOperator {
public:
    Shape domain() const noexcept override { return {5, 7}; }
    Shape range() const noexcept override { return {5, 7}; }
    void apply(View<const float> x, View<float> y, Context&) const noexcept override {
        for (Index i = 0; i < 5; ++i)
            for (Index j = 0; j < 7; ++j) y(i, j) = x(i, j) + (j > 0 ? y(i, j - 1) : 0);
    }
    void adjoint(View<const float> y, View<float> x, Context&) const noexcept override {
        for (Index i = 0; i < 5; ++i)
            for (Index j = 6; j >= 0; --j) x(i, j) = y(i, j) + (j < 6 ? x(i, j + 1) : 0);
    }
};

TEST(UniformWhitening, FindsTheLevelAndMakesTheRestOfUnitSizeWhereSomethingWasMeasured) {
    Context context(make_serial_runner());
    const RowSums sums;
    const UniformWhitening whitening(sums, context);
    EXPECT_FLOAT_EQ(whitening.response()(3, 4), 5);

    Array<float> x({5, 7}), d({5, 7}), mask({5, 7}), whitened({5, 7});
    fill_normal(x, Philox(1));
    for (float& value : x) value = 40 + 0.5f * value;
    sums.apply(x, d, context);
    std::fill(mask.begin(), mask.end(), 1.0f);
    for (Index i = 0; i < 35; i += 3) {
        mask.data()[i] = 0;
        d.data()[i] = std::numeric_limits<float>::quiet_NaN();
    }
    const Whitening found = whitening.whiten(d, mask, whitened);
    ASSERT_TRUE(found.found());
    EXPECT_EQ(found.measured, 35 - 12);
    EXPECT_NEAR(found.level, 40, 0.5);
    double squares = 0, along = 0;
    for (Index i = 0; i < 35; ++i) {
        squares += std::pow(double{whitened.data()[i]}, 2);
        along += double{whitened.data()[i]} * whitening.response().data()[i];
        if (mask.data()[i] == 0) {
            EXPECT_EQ(whitened.data()[i], 0);
        }
    }
    EXPECT_NEAR(squares / 23, 1, 1e-5);
    EXPECT_NEAR(along, 0, 1e-3);  // no uniform image explains more

    // What a network is to make of it explains the whitened data: A (x - k) / s = d^.
    Array<float> target({5, 7}), explained({5, 7});
    for (Index i = 0; i < 35; ++i)
        target.data()[i] = static_cast<float>((double{x.data()[i]} - found.level) / found.deviation);
    sums.apply(target, explained, context);
    for (Index i = 0; i < 35; ++i)
        if (mask.data()[i] != 0) {
            EXPECT_NEAR(explained.data()[i], whitened.data()[i], 1e-4);
        }
}

TEST(UniformWhitening, IsTheSameAtAnyLevelAndScale) {
    Context context(make_serial_runner());
    const RowSums sums;
    const UniformWhitening whitening(sums, context);
    Array<float> d({5, 7}), mask({5, 7}), first({5, 7}), second({5, 7});
    fill_normal(d, Philox(1));
    std::fill(mask.begin(), mask.end(), 1.0f);
    const Whitening before = whitening.whiten(d, mask, first);
    for (Index i = 0; i < 35; ++i) d.data()[i] = 1e-3f * (d.data()[i] + 3 * whitening.response().data()[i]);
    const Whitening after = whitening.whiten(d, mask, second);
    EXPECT_NEAR(after.level, 1e-3 * (before.level + 3), 1e-9);
    EXPECT_NEAR(after.deviation, 1e-3 * before.deviation, 1e-9);
    for (Index i = 0; i < 35; ++i) EXPECT_NEAR(second.data()[i], first.data()[i], 1e-5);
}

TEST(UniformWhitening, SaysWhereNothingCanBeTold) {
    Context context(make_serial_runner());
    const RowSums sums;
    const FiniteDifference differences(5, 7);  // of a uniform image: nothing
    Array<float> d({5, 7}), none({5, 7}), whitened({5, 7});
    fill_normal(d, Philox(1));
    EXPECT_FALSE(UniformWhitening(sums, context).whiten(d, none, whitened).found());
    for (float value : whitened) EXPECT_EQ(value, 0);
    Array<float> gradient({2, 5, 7}), all({2, 5, 7}), result({2, 5, 7});
    std::fill(all.begin(), all.end(), 1.0f);
    EXPECT_FALSE(UniformWhitening(differences, context).whiten(gradient, all, result).found());
}

}  // namespace
}  // namespace sonolux
