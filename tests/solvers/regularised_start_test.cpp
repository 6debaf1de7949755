// tests/solvers/regularised_start_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/Dense>

#include <sonolux/core/operators/path_integral.hpp>
#include <sonolux/core/random.hpp>
#include <sonolux/solvers/regularised_start.hpp>

namespace sonolux {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

struct Case {
    OperatorPointer forward = std::make_shared<Scaled>(
        1e2f, make_path_integral(element_pairs(centred_grid(9, 8, 2e-3), make_linear_array(16, 1e-3, 0.9e-3),
                                               {{2, 6}, {6, 12}})));
    std::shared_ptr<const ExponentialSmoothing> smoothing = std::make_shared<ExponentialSmoothing>(9, 8, 2.0);
    Array<float> data{forward->range()}, mask{forward->range()};
    Context context{make_serial_runner()};

    Case() {
        Philox random(3, 7);
        for (Index i = 0; i < data.elements(); ++i) {
            mask.data()[i] = random.uniform() < 0.6 ? 1.0f : 0.0f;
            data.data()[i] = mask.data()[i] * random.normal();
        }
    }
    Array<float> run(const RegularisedStartOptions& options, bool smooth = true) {
        const RegularisedStart start(forward, smooth ? smoothing : nullptr, options);
        context.workspace().reserve(start.workspace_bytes(context));
        Array<float> x(forward->domain());
        start.run(data, mask, x, context);
        return x;
    }
    // Column by column.
    Eigen::MatrixXd matrix(const LinearOperator& op) {
        Eigen::MatrixXd dense(op.range().elements(), op.domain().elements());
        Array<float> x(op.domain()), y(op.range());
        context.workspace().reserve(op.workspace_bytes(context));
        for (Index j = 0; j < x.elements(); ++j) {
            std::fill(x.begin(), x.end(), 0.0f);
            x.data()[j] = 1;
            op.apply(x, y, context);
            for (Index i = 0; i < y.elements(); ++i) dense(i, j) = y.data()[i];
        }
        return dense;
    }
};

TEST(RegularisedStart, EndsAtTheSolutionOfTheNormalEquations) {
    Case one;
    constexpr double weight = 1e-2;
    const Eigen::MatrixXd s = one.matrix(*one.smoothing), a = one.matrix(*one.forward);
    const Eigen::Map<const Eigen::VectorXf> mask(one.mask.data(), one.mask.elements());
    const Eigen::Map<const Eigen::VectorXf> data(one.data.data(), one.data.elements());
    const Eigen::MatrixXd m = mask.cast<double>().asDiagonal() * a * s;
    const Eigen::MatrixXd normal = m.transpose() * m + weight * Eigen::MatrixXd::Identity(s.rows(), s.cols());
    const Eigen::VectorXd exact = s * normal.ldlt().solve(m.transpose() * data.cast<double>());
    const Array<float> x = one.run({.steps = 100, .weight = weight});
    for (Index i = 0; i < x.elements(); ++i)
        EXPECT_NEAR(x.data()[i], exact(i), 1e-4 * exact.norm()) << i;  // single precision in every step
}

TEST(RegularisedStart, WithoutStepsIsTheAdjoint) {
    Case one;
    Array<float> adjoint(one.forward->domain());
    const Array<float> x = one.run({});
    one.forward->adjoint(one.data, adjoint, one.context);
    EXPECT_TRUE(std::equal(x.begin(), x.end(), adjoint.begin()));
}

TEST(RegularisedStart, IsZeroAndNotNanWhereNothingWasMeasured) {
    Case one;
    std::fill(one.data.begin(), one.data.end(), 0.0f);
    std::fill(one.mask.begin(), one.mask.end(), 0.0f);
    for (const float x : one.run({.steps = 10})) EXPECT_EQ(x, 0);
}

TEST(RegularisedStart, TakesEveryStepDownhill) {
    Case one;
    const Eigen::MatrixXd a = one.matrix(*one.forward);
    double before = 1e30;
    for (const int steps : {1, 2, 4, 8, 16}) {
        const Array<float> x = one.run({.steps = steps}, false);
        double squares = 0;
        for (Index i = 0; i < one.data.elements(); ++i) {
            double made = 0;
            for (Index j = 0; j < x.elements(); ++j) made += a(i, j) * double{x.data()[j]};
            squares += one.mask.data()[i] * std::pow(made - double{one.data.data()[i]}, 2);
        }
        EXPECT_LT(squares, before) << steps;
        before = squares;
    }
}

TEST(RegularisedStart, RefusesOptionsByName) {
    const Case one;
    EXPECT_THAT([&] { RegularisedStart(one.forward, nullptr, {.steps = 101}); },
                ThrowsMessage<Error>(HasSubstr("steps must be 0 to 100, got 101")));
    EXPECT_THAT([&] { RegularisedStart(one.forward, nullptr, {.steps = 1, .weight = -1}); },
                ThrowsMessage<Error>(HasSubstr("weight must be at least 0, got -1")));
}

}  // namespace
}  // namespace sonolux
