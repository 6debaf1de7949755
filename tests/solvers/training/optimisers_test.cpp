#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include <sonolux/core/error.hpp>
#include <sonolux/solvers/training/adam.hpp>
#include <sonolux/solvers/training/lbfgs.hpp>
#include <sonolux/solvers/training/learning_rate.hpp>
#include <sonolux/solvers/training/projection.hpp>

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

const std::vector<unsigned char> both{1, 1};

TEST(Adam, TakesTheStepsOfAlgorithm1) {
    // By hand, for gradients 2 and then -1 with beta1 = 1/2, beta2 = 3/4:
    //   m = 1, v = 1;       m^ = 1 / (1/2) = 2, v^ = 1 / (1/4) = 4;     change 2 / 2 = 1
    //   m = 0, v = 3/4 + 1/4 = 1;               m^ = 0;                 change 0
    AdamOptions options;
    options.beta1 = 0.5;
    options.beta2 = 0.75;
    options.epsilon = 1e-30;
    Adam adam(options, {1.0f, 10.0f});
    std::vector<float> parameters{0, 0};
    adam.step(parameters, std::vector<double>{2, 2}, both, 0.125);
    EXPECT_FLOAT_EQ(parameters[0], -0.125f);
    EXPECT_FLOAT_EQ(parameters[1], -1.25f) << "the typical change multiplies the step";
    adam.step(parameters, std::vector<double>{-1, -1}, both, 0.125);
    EXPECT_FLOAT_EQ(parameters[0], -0.125f);
}

TEST(Adam, LeavesParametersThatDoNotLearnAndTheirMoments) {
    Adam adam({}, {1.0f, 1.0f});
    std::vector<float> parameters{3, 4};
    adam.step(parameters, std::vector<double>{1, 1}, std::vector<unsigned char>{0, 1}, 0.1);
    EXPECT_EQ(parameters[0], 3.0f);
    EXPECT_NE(parameters[1], 4.0f);
    EXPECT_EQ(adam.state().first[0], 0.0f);
}

TEST(Adam, FindsTheMinimumOfAnIllConditionedQuadratic) {
    Adam adam({}, {1.0f, 1.0f});
    std::vector<float> x{5, -3};
    const LearningRate rate{LearningRateCurve::cosine, 0.1, 1e-5, 0, 0};
    for (Index step = 0; step < 2000; ++step)
        adam.step(x, std::vector<double>{2.0 * (x[0] - 1), 2000.0 * (x[1] - 2)}, both, rate.at(step, 2000));
    EXPECT_NEAR(x[0], 1, 1e-3);  // within the size of the last steps' rate times a few
    EXPECT_NEAR(x[1], 2, 1e-3);
}

TEST(Adam, ContinuesFromASavedStateToTheSameBits) {
    const auto gradient = [](const std::vector<float>& x) {
        return std::vector<double>{std::sin(3.0 * x[0]) + x[1], x[0] * 0.3 + x[1]};
    };
    AdamOptions options;
    options.clip_norm = 1.5;
    Adam whole(options, {1.0f, 0.5f}), first(options, {1.0f, 0.5f}), second(options, {1.0f, 0.5f});
    std::vector<float> x{1, 2}, y{1, 2};
    for (int step = 0; step < 20; ++step) whole.step(x, gradient(x), both, 0.1);
    for (int step = 0; step < 7; ++step) first.step(y, gradient(y), both, 0.1);
    second.restore(first.state());
    for (int step = 7; step < 20; ++step) second.step(y, gradient(y), both, 0.1);
    EXPECT_EQ(x, y);
}

TEST(Adam, ShortensAGradientThatIsMuchLongerThanUsual) {
    AdamOptions options;
    options.clip_norm = 2;
    Adam clipped(options, {1.0f, 1.0f}), free({}, {1.0f, 1.0f});
    std::vector<float> x{0, 0}, y{0, 0};
    for (double size : {1.0, 1.0, 1000.0}) {
        clipped.step(x, std::vector<double>{size, 0}, both, 0.1);
        free.step(y, std::vector<double>{size, 0}, both, 0.1);
    }
    EXPECT_LT(clipped.state().second[0], 0.01f);  // 1 - beta2 times a few squares of at most 2
    EXPECT_GT(free.state().second[0], 900.0f);
}

TEST(Adam, RefusesBadOptionsAndForeignStatesByName) {
    AdamOptions options;
    options.beta2 = 1;
    EXPECT_THAT([&] { Adam(options, {1.0f}); }, ThrowsMessage<Error>(HasSubstr("beta2")));
    Adam adam({}, {1.0f});
    EXPECT_THAT(
        [&] {
            adam.restore(AdamState{{1, 2}, {1, 2}, 3, 0});
        },
        ThrowsMessage<Error>(HasSubstr("2 parameters does not fit 1")));
}

TEST(LearningRate, WarmsUpAndThenFallsAsACosine) {
    const LearningRate rate{LearningRateCurve::cosine, 1.0, 0.1, 4, 0};
    EXPECT_DOUBLE_EQ(rate.at(0, 105), 0.2);
    EXPECT_DOUBLE_EQ(rate.at(3, 105), 0.8);
    EXPECT_DOUBLE_EQ(rate.at(4, 105), 1.0);
    EXPECT_DOUBLE_EQ(rate.at(54, 105), 0.55);  // half way
    EXPECT_DOUBLE_EQ(rate.at(104, 105), 0.1);
}

TEST(LearningRate, HalvesEveryPeriodDownToTheLast) {
    const LearningRate rate{LearningRateCurve::halving, 1.0, 0.2, 0, 10};
    EXPECT_DOUBLE_EQ(rate.at(9, 100), 1.0);
    EXPECT_DOUBLE_EQ(rate.at(10, 100), 0.5);
    EXPECT_DOUBLE_EQ(rate.at(25, 100), 0.25);
    EXPECT_DOUBLE_EQ(rate.at(95, 100), 0.2);
}

// Rosenbrock 1960: minimum 0 at (1, 1), at the end of a curved valley.
double rosenbrock(std::span<const double> x, std::span<double> gradient) {
    const double a = 1 - x[0], b = x[1] - x[0] * x[0];
    gradient[0] = -2 * a - 400 * x[0] * b;
    gradient[1] = 200 * b;
    return a * a + 100 * b * b;
}

TEST(Lbfgs, FindsTheEndOfRosenbrocksValley) {
    std::vector<double> x{-1.2, 1};
    LbfgsOptions options;
    options.iterations = 100;
    const LbfgsResult result = minimise_lbfgs(rosenbrock, x, options);
    EXPECT_TRUE(result.converged);
    EXPECT_NEAR(x[0], 1, 1e-6);
    EXPECT_NEAR(x[1], 1, 1e-6);
    EXPECT_LT(result.evaluations, 100);  // gradient descent needs thousands
}

TEST(Lbfgs, InRoundsIsAFunctionOfTheVariablesAlone) {
    LbfgsOptions options;
    options.iterations = 12;  // enough for the memory to learn the valley again each time
    std::vector<double> x{-1.2, 1}, saved;
    double last = 1e9;
    for (int round = 0; round < 8; ++round) {
        if (round == 3) saved = x;
        const LbfgsResult result = minimise_lbfgs(rosenbrock, x, options);
        EXPECT_LE(result.value, last) << "round " << round;
        last = result.value;
    }
    for (int round = 3; round < 8; ++round) minimise_lbfgs(rosenbrock, saved, options);
    EXPECT_EQ(x, saved);
    EXPECT_LT(last, 1e-3);
}

TEST(Lbfgs, StopsAtTheBestPointWhenTheLineSearchFindsNothingBetter) {
    // A gradient that points the wrong way: no step along it goes downhill.
    const ValueGradient uphill = [](std::span<const double> x, std::span<double> gradient) {
        gradient[0] = -2 * x[0];
        return x[0] * x[0];
    };
    std::vector<double> x{3};
    const LbfgsResult result = minimise_lbfgs(uphill, x, {});
    EXPECT_EQ(x[0], 3);
    EXPECT_EQ(result.value, 9);
}

TEST(Lbfgs, RefusesBadOptionsByName) {
    std::vector<double> x{1, 1};
    LbfgsOptions options;
    options.memory = 0;
    EXPECT_THAT([&] { minimise_lbfgs(rosenbrock, x, options); },
                ThrowsMessage<Error>(HasSubstr("memory must be at least 1, got 0")));
}

TEST(Projection, MakesRowsZeroMeanWithinTheUnitBall) {
    Parameter filters{"stage1.filters", {2, 4}, 1, Constraint::zero_mean_unit_ball, 1};
    std::vector<float> parameters{9, 10, 0, 0, 0, 0.1f, -0.1f, 0.2f, -0.2f, 9};
    project(parameters, {filters});
    // (10, 0, 0, 0) - 2.5 has norm sqrt(75)
    EXPECT_FLOAT_EQ(parameters[1], static_cast<float>(7.5 / std::sqrt(75.0)));
    EXPECT_FLOAT_EQ(parameters[2], static_cast<float>(-2.5 / std::sqrt(75.0)));
    EXPECT_FLOAT_EQ(parameters[5], 0.1f) << "a row inside the ball stays";
    EXPECT_EQ(parameters[0], 9.0f);
    EXPECT_EQ(parameters[9], 9.0f) << "neighbours stay";
}

TEST(Projection, KeepsPositiveParametersPositive) {
    std::vector<float> parameters{-1, 2};
    project(parameters, {Parameter{"stage1.weight", {2}, 0, Constraint::positive, 1}});
    EXPECT_EQ(parameters[0], smallest_positive_parameter);
    EXPECT_EQ(parameters[1], 2.0f);
}

}  // namespace
}  // namespace sonolux
