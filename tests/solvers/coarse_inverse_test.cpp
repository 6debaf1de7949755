// tests/solvers/coarse_inverse_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/Dense>

#include <cmath>
#include <numbers>

#include <sonolux/core/check/dot_test.hpp>
#include <sonolux/core/operators/path_integral.hpp>
#include <sonolux/core/random.hpp>
#include <sonolux/solvers/coarse_inverse.hpp>

namespace sonolux {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr Index rows = 9, columns = 8, down = 4, across = 3;
constexpr double weight = 1e-2;

// A frame of a small probe, some of which is missing.
struct Frame {
    OperatorPointer forward = std::make_shared<Scaled>(
        1e2F, make_path_integral(element_pairs(centred_grid(rows, columns, 2e-3),
                                               make_linear_array(16, 1e-3, 0.9e-3), {{2, 6}, {6, 12}})));
    Array<float> data{forward->range()}, mask{forward->range()}, all{forward->range()};
    Context context{make_serial_runner()};

    Frame() {
        Philox random(3, 7);
        for (Index i = 0; i < data.elements(); ++i) {
            all.data()[i] = random.uniform() < 0.9 ? 1.0F : 0.0F;
            mask.data()[i] = all.data()[i] != 0 && random.uniform() < 0.6 ? 1.0F : 0.0F;
            data.data()[i] = mask.data()[i] * random.normal();
        }
    }
    [[nodiscard]] Eigen::MatrixXd dense() {  // column by column
        Eigen::MatrixXd a(forward->range().elements(), rows * columns);
        Array<float> x(forward->domain()), y(forward->range());
        context.workspace().reserve(forward->workspace_bytes(context));
        for (Index j = 0; j < x.elements(); ++j) {
            std::fill(x.begin(), x.end(), 0.0F);
            x.data()[j] = 1;
            forward->apply(x, y, context);
            for (Index i = 0; i < y.elements(); ++i) a(i, j) = double{y.data()[i]};
        }
        return a;
    }
};

double cosine(Index k, Index i, Index size) {
    return std::sqrt((k == 0 ? 1.0 : 2.0) / static_cast<double>(size)) *
           std::cos(std::numbers::pi * (static_cast<double>(i) + 0.5) * static_cast<double>(k) /
                    static_cast<double>(size));
}

Eigen::MatrixXd waves() {
    Eigen::MatrixXd s(rows * columns, down * across);
    for (Index p = 0; p < down; ++p)
        for (Index q = 0; q < across; ++q)
            for (Index i = 0; i < rows; ++i)
                for (Index j = 0; j < columns; ++j)
                    s(i * columns + j, p * across + q) = cosine(p, i, rows) * cosine(q, j, columns);
    return s;
}

Eigen::MatrixXd equations(const Eigen::MatrixXd& a, const Array<float>& mask) {
    const Eigen::Map<const Eigen::VectorXf> m(mask.data(), mask.elements());
    const Eigen::MatrixXd measured = m.cast<double>().asDiagonal() * a * waves();
    Eigen::MatrixXd normal = measured.transpose() * measured;
    const auto difference = [](Index k, Index size) {
        return std::pow(
            2 * std::sin(0.5 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(size)), 2);
    };
    for (Index p = 0; p < down; ++p)
        for (Index q = 0; q < across; ++q)
            normal(p * across + q, p * across + q) +=
                weight *
                (p + q == 0 ? 0.01 * difference(1, rows) : difference(p, rows) + difference(q, columns));
    return normal;
}

TEST(CoarseInverse, AppliesTheInverseOfTheNormalEquationsOnTheLowestFrequencies) {
    Frame frame;
    const CoarseInverse coarse(frame.forward, frame.all, {down, across, weight, 0});
    const Eigen::MatrixXd exact =
        waves() * equations(frame.dense(), frame.all).ldlt().solve(waves().transpose());
    frame.context.workspace().reserve(coarse.workspace_bytes(frame.context));
    Array<float> unit({rows, columns});
    for (const Index j : {0, 17, 71}) {
        std::fill(unit.begin(), unit.end(), 0.0F);
        unit.data()[j] = 1;
        coarse.apply(unit, unit, frame.context);
        for (Index i = 0; i < unit.elements(); ++i)
            EXPECT_NEAR(unit.data()[i], exact(i, j), 1e-4 * exact.col(j).norm()) << i << ", " << j;
    }
}

TEST(CoarseInverse, StartsFromTheSolutionOfWhatWasMeasured) {
    Frame frame;
    const CoarseInverse coarse(frame.forward, frame.all, {down, across, weight, 40});
    const Eigen::Map<const Eigen::VectorXf> data(frame.data.data(), frame.data.elements());
    const Eigen::VectorXd right = waves().transpose() * frame.dense().transpose() * data.cast<double>();
    const Eigen::VectorXd exact = waves() * equations(frame.dense(), frame.mask).ldlt().solve(right);
    frame.context.workspace().reserve(coarse.workspace_bytes(frame.context));
    Array<float> x0({rows, columns}), before(frame.data.shape());
    std::copy(frame.data.begin(), frame.data.end(), before.begin());
    Whitening whitening{.level = 100, .deviation = 2, .measured = 10};
    coarse.start(frame.data, frame.mask, x0, whitening, frame.context);
    const double unit = whitening.deviation / 2;  // in which x0 is 1, but for the floor of 0.3 %
    EXPECT_NEAR(unit, std::hypot(exact.norm() / std::sqrt(72.0), 0.003 * 100 / 2), 1e-3 * unit);
    for (Index i = 0; i < x0.elements(); ++i)
        EXPECT_NEAR(unit * double{x0.data()[i]}, exact(i), 2e-3 * exact.norm()) << i;
    for (Index i = 0; i < before.elements(); ++i)
        EXPECT_FLOAT_EQ(frame.data.data()[i], static_cast<float>(1 / unit) * before.data()[i]);
}

TEST(CoarseInverse, StartsAtZeroWhereNothingWasMeasured) {
    Frame frame;
    const CoarseInverse coarse(frame.forward, frame.all, {down, across, weight, 4});
    frame.context.workspace().reserve(coarse.workspace_bytes(frame.context));
    std::fill(frame.data.begin(), frame.data.end(), 0.0F);
    std::fill(frame.mask.begin(), frame.mask.end(), 0.0F);
    Array<float> x0({rows, columns});
    Whitening nothing;
    coarse.start(frame.data, frame.mask, x0, nothing, frame.context);
    for (const float x : x0) EXPECT_EQ(x, 0);
}

TEST(CoarseInverse, RefusesWhatItCannotInvertByName) {
    const Frame frame;
    const auto make = [&](const CoarseInverseOptions& options) {
        return [&frame, options] { CoarseInverse(frame.forward, frame.all, options); };
    };
    EXPECT_THAT(make({10, 3, 1e-2, 0}), ThrowsMessage<Error>(HasSubstr("9 x 8, got 10 x 3")));
    EXPECT_THAT(make({0, 3, 1e-2, 0}), ThrowsMessage<Error>(HasSubstr("both ways, or 0, got 0 x 3")));
    EXPECT_THAT(make({4, 3, 0, 0}), ThrowsMessage<Error>(HasSubstr("weight must be above 0, got 0")));
    EXPECT_THAT(make({4, 3, 1, 101}), ThrowsMessage<Error>(HasSubstr("steps must be 0 to 100, got 101")));
}

}  // namespace
}  // namespace sonolux
