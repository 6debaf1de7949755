#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include <sonolux/core/array.hpp>
#include <sonolux/core/check/taylor_test.hpp>
#include <sonolux/core/error.hpp>
#include <sonolux/core/random.hpp>
#include <sonolux/solvers/training/losses.hpp>

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr Index rows = 9, columns = 12;

struct Pair {
    Array<float> image{{rows, columns}}, truth{{rows, columns}};
    Pair() {
        fill_normal(image.view(), Philox(7, 1));
        fill_normal(truth.view(), Philox(7, 2));
        for (float& value : image) value = 100 + 20 * value;
        for (float& value : truth) value = 100 + 20 * value;
    }
};

double observed_order(const Loss& loss) {
    const Pair pair;
    Array<float> bar({rows, columns}), unused({rows, columns});
    loss.value_gradient(pair.image.view(), pair.truth.view(), bar.view());
    return taylor_test(
        [&](View<const float> x) { return loss.value_gradient(x, pair.truth.view(), unused.view()); },
        pair.image.view(), View<const float>(bar.view()));
}

TEST(Losses, GradientsPassTheTaylorTest) {
    for (Index margin : {0, 2}) {
        EXPECT_GT(observed_order(SquaredLoss(margin)), 1.9) << "margin " << margin;
        EXPECT_GT(observed_order(SmoothedL1Loss(50.0, margin)), 1.9) << "margin " << margin;
        EXPECT_GT(observed_order(NegativePsnrLoss(255, margin)), 1.9) << "margin " << margin;
        EXPECT_GT(observed_order(ToneLoss(255, 0.3, margin)), 1.9) << "margin " << margin;
    }
}

TEST(Losses, HaveTheValuesOfTheirFormulas) {
    Array<float> image({4, 5}), truth({4, 5}), bar({4, 5});
    for (float& value : image) value = 13;
    for (float& value : truth) value = 10;
    EXPECT_DOUBLE_EQ(SquaredLoss().value_gradient(image.view(), truth.view(), bar.view()), 0.5 * 20 * 9);
    EXPECT_DOUBLE_EQ(SmoothedL1Loss(4).value_gradient(image.view(), truth.view(), bar.view()),
                     20 * (5.0 - 4.0));
    EXPECT_NEAR(NegativePsnrLoss(255).value_gradient(image.view(), truth.view(), bar.view()),
                -20 * std::log10(255.0 / 3.0), 1e-12);
}

TEST(Losses, LookAtTheInteriorOnly) {
    Pair pair;
    Array<float> bar({rows, columns});
    const SquaredLoss loss(3);
    const double before = loss.value_gradient(pair.image.view(), pair.truth.view(), bar.view());
    for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < columns; ++j)
            if (i < 3 || i >= rows - 3 || j < 3 || j >= columns - 3) {
                EXPECT_EQ(bar(i, j), 0.0f);
                pair.image(i, j) += 50;
            } else {
                EXPECT_NE(bar(i, j), 0.0f);
            }
    EXPECT_EQ(loss.value_gradient(pair.image.view(), pair.truth.view(), bar.view()), before);
}

TEST(Losses, PsnrOfAPerfectImageIsFiniteAndAtRest) {
    Pair pair;
    Array<float> bar({rows, columns});
    EXPECT_DOUBLE_EQ(NegativePsnrLoss(255).value_gradient(pair.truth.view(), pair.truth.view(), bar.view()),
                     -120);
    for (float value : bar) EXPECT_EQ(value, 0.0f);
}

TEST(Losses, RefuseBadOptionsByName) {
    EXPECT_THAT([] { SquaredLoss(-1); },
                ThrowsMessage<Error>(HasSubstr("margin must be at least 0, got -1")));
    EXPECT_THAT([] { SmoothedL1Loss(0.0); }, ThrowsMessage<Error>(HasSubstr("epsilon")));
    EXPECT_THAT([] { NegativePsnrLoss(0.0); }, ThrowsMessage<Error>(HasSubstr("peak")));
}

TEST(StepWeights, DecayExponentiallyTowardsTheFirstStep) {
    const std::vector<double> weights = exponential_step_weights(4, 0.5);
    ASSERT_EQ(weights.size(), 4u);
    EXPECT_DOUBLE_EQ(weights[3], 1);
    EXPECT_DOUBLE_EQ(weights[2], std::exp(-0.5));
    EXPECT_DOUBLE_EQ(weights[0], std::exp(-1.5));
}

TEST(StepWeights, OfInfiniteTauWeighTheLastStepAlone) {
    EXPECT_EQ(exponential_step_weights(3, std::numeric_limits<double>::infinity()),
              (std::vector<double>{0, 0, 1}));
    EXPECT_THAT([] { (void)exponential_step_weights(3, -1); }, ThrowsMessage<Error>(HasSubstr("tau")));
}

}  // namespace
}  // namespace sonolux
