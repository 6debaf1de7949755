#include <sonolux/sdk/pipelines/convergence_figure.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace sonolux {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Index pixels_of(const Canvas& canvas, Colour colour) {
    Index count = 0;
    for (Index i = 0; i < canvas.rows(); ++i)
        for (Index j = 0; j < canvas.columns(); ++j) count += canvas.at(i, j) == colour;
    return count;
}

constexpr Colour first_curve{0, 114, 178}, second_curve{213, 94, 0};

TEST(ConvergenceFigure, DrawsEveryCurveInBothPlotsAndTheLegend) {
    ConvergenceLog fast(100), slow(100);
    for (Index n = 1; n <= 100; ++n) {
        const auto t = static_cast<double>(n);
        fast.record({n, 1 + std::exp(-0.1 * t), std::exp(-0.1 * t)});
        slow.record({n, 1 + std::exp(-0.03 * t), std::exp(-0.03 * t)});
    }
    fast.end(StopReason::converged);
    slow.end(StopReason::iteration_limit);
    const ConvergenceCurve curves[] = {{"fast", &fast, 1e-3}, {"slow", &slow}};
    const Canvas canvas = draw_convergence(curves, "Two runs");
    EXPECT_GT(pixels_of(canvas, first_curve), 1500);
    EXPECT_GT(pixels_of(canvas, second_curve), 1500);
    // Exponentials are straight on the logarithmic plot at the right: at half of the iterations the fast one
    // is half of its way down. Its columns are those of the second frame, found by the tolerance's dashes.
    const Canvas alone = draw_convergence(std::span(curves, 1), "One run");
    Index lowest = 0, dashes = 0;
    for (Index i = 0; i < alone.rows(); ++i) {
        Index row = 0;
        for (Index j = alone.columns() / 2; j < alone.columns(); ++j) row += alone.at(i, j) == first_curve;
        if (row > 100) lowest = i, dashes = row;
    }
    EXPECT_GT(lowest, 0);
    EXPECT_NEAR(static_cast<double>(dashes), 460 / 2, 20);
}

TEST(ConvergenceFigure, SurvivesValuesThatHaveNoPlaceOnALogarithm) {
    ConvergenceLog log(4);
    log.record({1, -2, 1});
    log.record({2, std::numeric_limits<double>::quiet_NaN(), 0});
    log.record({3, 5, std::numeric_limits<double>::infinity()});
    const ConvergenceCurve curve{"odd", &log};
    EXPECT_GT(draw_convergence({&curve, 1}, "").rows(), 300);
    ConvergenceLog zero(1);
    zero.record({1, 0, 0});
    const ConvergenceCurve flat{"flat", &zero};
    EXPECT_GT(draw_convergence({&flat, 1}, "").rows(), 300);
}

TEST(ConvergenceFigure, NamesTheCurveThatIsEmpty) {
    ConvergenceLog log(1);
    const ConvergenceCurve curve{"idle", &log};
    EXPECT_THAT(
        [&] {
            (void)draw_convergence({&curve, 1}, "");
        },
        ThrowsMessage<Error>(HasSubstr("the convergence curve \"idle\" has no iterations")));
    EXPECT_THAT([&] { (void)draw_convergence({}, ""); },
                ThrowsMessage<Error>(HasSubstr("has 1 to 6 curves, got 0")));
}

}  // namespace
}  // namespace sonolux
