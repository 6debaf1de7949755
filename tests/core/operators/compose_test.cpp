// tests/core/operators/compose_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include <sonolux/core/check/dot_test.hpp>
#include <sonolux/core/operators/boundary_pad.hpp>
#include <sonolux/core/operators/compose.hpp>
#include <sonolux/core/operators/convolution.hpp>
#include <sonolux/core/operators/finite_difference.hpp>
#include <sonolux/core/operators/mask.hpp>
#include <sonolux/core/operators/resample.hpp>
#include <sonolux/core/random.hpp>

#include "tests/support/normal_images.hpp"

namespace sonolux {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

Array<float> applied(const LinearOperator& op, const Array<float>& x) {
    Context context;
    context.workspace().reserve(op.workspace_bytes(context));
    Array<float> y(op.range());
    op.apply(x, y, context);
    return y;
}

std::shared_ptr<Convolution> blur(const Shape& shape, std::uint64_t seed) {
    return std::make_shared<Convolution>(shape, normal({3, 5}, seed), BoundaryRule::symmetric);
}

TEST(Compose, EveryCompositionHasAnExactAdjoint) {
    for (auto [rows, columns] : {std::pair{2, 2}, {2, 8}, {6, 4}, {64, 66}}) {
        const Shape shape{rows, columns};
        const auto gradient = std::make_shared<FiniteDifference>(rows, columns);
        const auto chain = std::make_shared<Chain>(gradient, blur(shape, 1));
        const auto sum = std::make_shared<OperatorSum>(blur(shape, 2), std::make_shared<Identity>(shape));
        EXPECT_LT(dot_test(Identity(shape)), 1e-6);
        EXPECT_LT(dot_test(*chain), 1e-6);
        EXPECT_LT(dot_test(*sum), 1e-6);
        EXPECT_LT(dot_test(Scaled(-2.5f, sum)), 1e-6);
        EXPECT_LT(dot_test(Chain(chain, sum)), 1e-6);
        EXPECT_LT(dot_test(OperatorSum(chain, std::make_shared<Scaled>(0.5f, gradient))), 1e-6);
        EXPECT_LT(dot_test(Chain(std::make_shared<BoxDownsampling>(shape, 2), sum)), 1e-6);
    }
}

TEST(Chain, AppliesTheInnerOperatorFirst) {
    const Shape shape{4, 6};
    const auto pad = std::make_shared<BoundaryPad>(shape, Margins{1, 2, 3, 4}, BoundaryRule::circular);
    const auto gradient = std::make_shared<FiniteDifference>(7, 13);
    const Array<float> x = normal(shape, 4);
    const Array<float> expected = applied(*gradient, applied(*pad, x)),
                       got = applied(Chain(gradient, pad), x);
    EXPECT_EQ(got.shape(), (Shape{2, 7, 13}));
    EXPECT_TRUE(std::equal(got.begin(), got.end(), expected.begin()));
}

TEST(Chain, RefusesPartsThatDoNotFit) {
    EXPECT_THAT(
        [] {
            Chain(std::make_shared<Identity>(Shape{4, 4}), std::make_shared<Identity>(Shape{4, 5}));
        },
        ThrowsMessage<Error>(HasSubstr("the outer operator takes 4 x 4, but the inner one gives 4 x 5")));
    EXPECT_THAT(
        [] {
            Chain(nullptr, std::make_shared<Identity>(Shape{4, 5}));
        },
        ThrowsMessage<Error>(HasSubstr("an operator is missing")));
}

TEST(OperatorSum, AddsAndRefusesOtherShapes) {
    const auto one = std::make_shared<Identity>(Shape{2, 2});
    const Array<float> x = normal({2, 2}, 1),
                       y = applied(OperatorSum(one, std::make_shared<Scaled>(2.0f, one)), x);
    for (Index i = 0; i < 4; ++i) EXPECT_FLOAT_EQ(y.data()[i], 3 * x.data()[i]);
    EXPECT_THAT(
        [&] {
            OperatorSum(one, std::make_shared<Identity>(Shape{2, 3}));
        },
        ThrowsMessage<Error>(HasSubstr("one operator maps 2 x 2 to 2 x 2, the other 2 x 3")));
}

TEST(Scaled, RefusesAFactorThatIsNotANumber) {
    EXPECT_THAT(
        [] {
            Scaled(std::numeric_limits<float>::quiet_NaN(), std::make_shared<Identity>(Shape{2, 2}));
        },
        ThrowsMessage<Error>(HasSubstr("the factor must be finite, got nan")));
}

TEST(Mask, AdjointIsExactOnAwkwardSizes) {
    for (const Shape& shape :
         {Shape{1, 1}, Shape{1, 7}, Shape{5, 3}, Shape{64, 65}, Shape{2, 3, 4, 5}, Shape{9}})
        EXPECT_LT(dot_test(Mask(normal(shape, 5))), 1e-6) << to_string(shape);
}

TEST(Mask, HidesEvenNan) {
    Array<float> weights({3}), x({3});
    std::ranges::copy(std::initializer_list<float>{0, 2, 1}, weights.begin());
    std::ranges::copy(std::initializer_list<float>{std::numeric_limits<float>::quiet_NaN(), 3, -1},
                      x.begin());
    const Array<float> y = applied(Mask(std::move(weights)), x);
    EXPECT_THAT(std::vector<float>(y.begin(), y.end()), ElementsAre(0, 6, -1));
}

TEST(Mask, RefusesWeightsThatAreNotFinite) {
    Array<float> weights({3});
    weights(1) = std::numeric_limits<float>::infinity();
    EXPECT_THAT([&] { Mask(std::move(weights)); },
                ThrowsMessage<Error>(HasSubstr("weights must be finite, got inf at element 1")));
}

TEST(BoxDownsampling, AdjointIsExactOnAwkwardSizes) {
    for (auto [rows, columns] : {std::pair{1, 1}, {1, 7}, {5, 3}, {64, 65}})
        for (Index factor : {1, 2, 3, 5})
            EXPECT_LT(dot_test(BoxDownsampling({2, rows * factor, columns * factor}, factor)), 1e-6)
                << rows << " x " << columns << " / " << factor;
}

TEST(BoxDownsampling, TakesTheMeanOfEachBox) {
    Array<float> x({2, 4});
    std::ranges::copy(std::initializer_list<float>{1, 2, 10, 20, 3, 4, 30, 40}, x.begin());
    const Array<float> y = applied(BoxDownsampling({2, 4}, 2), x);
    EXPECT_THAT(std::vector<float>(y.begin(), y.end()), ElementsAre(2.5f, 25));
}

TEST(BoxDownsampling, HasNormOneOverTheFactor) {
    EXPECT_NEAR(operator_norm(BoxDownsampling({12, 15}, 3)), 1.0 / 3, 1e-6);
}

TEST(BoxDownsampling, RefusesAFactorThatLeavesARest) {
    EXPECT_THAT(
        [] {
            BoxDownsampling({4, 6}, 4);
        },
        ThrowsMessage<Error>(HasSubstr("the factor must divide rows and columns, got 4 for 4 x 6")));
    EXPECT_THAT(
        [] {
            BoxDownsampling({4, 6}, 0);
        },
        ThrowsMessage<Error>(HasSubstr("the factor must be at least 1, got 0")));
}

}  // namespace
}  // namespace sonolux
