// tests/solvers/classical/travel_time_inversion_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sonolux/core/check/dot_test.hpp>
#include <sonolux/core/operators/mask.hpp>
#include <sonolux/solvers/classical/tikhonov.hpp>
#include <sonolux/solvers/classical/travel_time_lbfgs.hpp>

#include "tests/solvers/classical/travel_time_cases.hpp"

namespace sonolux {
namespace {

using namespace travel_time_cases;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

InversionProblem problem(const PathGeometry& geometry) {
    return {.forward = make_path_integral(geometry), .possible = measurement_mask(geometry)};
}
std::unique_ptr<TravelTimeInverter> lbfgs(const PathGeometry& geometry) {
    return make_travel_time_lbfgs(problem(geometry), {});
}
std::unique_ptr<TravelTimeInverter> tikhonov(const PathGeometry& geometry) {
    // All modes: half of those of such large pixels are too few for a disc.
    return make_tikhonov(
        problem(geometry),
        {.lambda = 1e-4, .modes_down = geometry.map.rows, .modes_across = geometry.map.columns});
}
std::vector<std::unique_ptr<TravelTimeInverter>> both(const PathGeometry& geometry) {
    std::vector<std::unique_ptr<TravelTimeInverter>> inverters;
    inverters.push_back(lbfgs(geometry));
    inverters.push_back(tikhonov(geometry));
    return inverters;
}

struct Result {
    Status status = Status::internal_error;
    Array<float> slowness;
    InversionRecord record;
};
Result invert(const TravelTimeInverter& inverter, View<const float> delays, View<const float> mask = {},
              int threads = 1) {
    Context context(threads == 1 ? make_serial_runner() : make_openmp_runner(threads));
    context.workspace().reserve(inverter.workspace_bytes(context));
    Result result{.slowness = Array<float>(inverter.domain()), .record = InversionRecord(2000)};
    result.status = inverter.run(delays, mask, result.slowness, context, &result.record);
    return result;
}

/// A wide disc, so that a few coarse pixels see it.
Disc wide_disc() { return {.background = 1520, .contrast = 40, .centre = {2e-3, 22e-3}, .radius = 9e-3}; }

TEST(TravelTimeInversion, UniformMediaComeOutAbsolute) {
    const PathGeometry geometry = small_geometry();
    const Case c = make_disc(geometry, {.background = 1487, .contrast = 0}, 0, 1);
    for (const auto& inverter : both(geometry)) {
        const Result result = invert(*inverter, c.delays);
        ASSERT_EQ(result.status, Status::ok);
        EXPECT_NEAR(1 / result.record.uniform_slowness, 1487, 0.05);
        EXPECT_LT(rmse(result.slowness, c.speed), 0.5) << inverter->name();  // float delays
    }
}

TEST(TravelTimeInversion, FindsADiscThatNoOperatorMade) {
    const PathGeometry geometry = small_geometry();
    const Case c = make_disc(geometry, wide_disc(), 2e-9, 2);
    for (const auto& inverter : both(geometry)) {
        const Result result = invert(*inverter, c.delays);
        ASSERT_EQ(result.status, Status::ok);
        EXPECT_EQ(result.record.log.reason(), StopReason::converged);
        EXPECT_EQ(result.record.fraction, 1);
        EXPECT_LT(result.record.misfit_after, 0.4 * result.record.misfit_before);
        EXPECT_NEAR(contrast_of(result.slowness, geometry.map, wide_disc()), 40, 10) << inverter->name();
        // The best uniform map has 12.9 m/s; squares do not like the disc's sharp edge.
        EXPECT_LT(rmse(result.slowness, c.speed), inverter->name() == "lbfgs" ? 7 : 10) << inverter->name();
    }
}

TEST(TravelTimeInversion, DelaysRelativeToAReferenceGiveTheSameMap) {
    const PathGeometry geometry = small_geometry();
    const Case c = make_disc(geometry, wide_disc(), 2e-9, 3),
               flat = make_disc(geometry, {.background = 1540, .contrast = 0}, 0, 3);
    Array<float> relative = c.delays.clone();
    for (Index n = 0; n < relative.elements(); ++n) relative.data()[n] -= flat.delays.data()[n];
    InversionProblem beyond = problem(geometry);
    beyond.reference_slowness = 1 / 1540.0;
    const auto inverter =
        make_tikhonov(std::move(beyond), {.lambda = 1e-4, .modes_down = 28, .modes_across = 22});
    const Result a = invert(*tikhonov(geometry), c.delays), b = invert(*inverter, relative);
    ASSERT_EQ(b.status, Status::ok);
    for (Index n = 0; n < a.slowness.elements(); ++n)
        EXPECT_NEAR(1 / a.slowness.data()[n], 1 / b.slowness.data()[n], 0.3);  // m/s, rounding of delays
}

TEST(TravelTimeInversion, MissingMeasurementsAreNanOrMaskedAndGiveTheSameMap) {
    const PathGeometry geometry = small_geometry();
    const Case c = make_disc(geometry, wide_disc(), 2e-9, 4);
    Array<float> holes = c.delays.clone(), mask(c.delays.shape());
    Philox random(9);
    for (Index n = 0; n < holes.elements(); ++n) {
        mask.data()[n] = random.uniform() < 0.6 ? 1.0f : 0.0f;
        if (mask.data()[n] == 0) holes.data()[n] = nan;
    }
    for (const auto& inverter : both(geometry)) {
        const Result by_nan = invert(*inverter, holes), by_mask = invert(*inverter, c.delays, mask);
        ASSERT_EQ(by_nan.status, Status::ok);
        EXPECT_TRUE(std::ranges::equal(by_nan.slowness, by_mask.slowness));
        EXPECT_NEAR(by_nan.record.fraction, 0.6, 0.05);
        EXPECT_LT(rmse(by_nan.slowness, c.speed), inverter->name() == "lbfgs" ? 8 : 11) << inverter->name();
    }
}

TEST(TravelTimeInversion, CorrectionForMissingDataSolvesTheReducedEquations) {
    // The same as a set-up that never counted on them.
    const PathGeometry geometry = small_geometry();
    const Case c = make_disc(geometry, wide_disc(), 2e-9, 5);
    InversionProblem fewer = problem(geometry);
    Array<float> holes = c.delays.clone();
    Philox random(10);
    for (Index n = 0; n < holes.elements(); ++n)
        if (random.uniform() < 0.5) {
            fewer.possible.data()[n] = 0;
            holes.data()[n] = nan;
        }
    // In units of another norm of L the same penalty is another lambda.
    InversionProblem all = problem(geometry);
    all.least_fraction = 0.01;
    const auto norm_of = [](const InversionProblem& p) {
        Array<float> weights = p.possible.clone();
        return operator_norm(Chain(std::make_shared<Mask>(std::move(weights)), p.forward), 1e-5);
    };
    const double ratio = norm_of(fewer) / norm_of(all);
    const auto corrected =
        make_tikhonov(std::move(all), {.lambda = 1e-2, .iterations = 300, .tolerance = 1e-5});
    const auto direct = make_tikhonov(std::move(fewer), {.lambda = 1e-2 / (ratio * ratio)});
    const Result a = invert(*corrected, holes), b = invert(*direct, holes);
    ASSERT_EQ(a.record.log.reason(), StopReason::converged);
    double largest = 0;
    for (Index n = 0; n < a.slowness.elements(); ++n)
        largest = std::max(largest, std::abs(1.0 / a.slowness.data()[n] - 1.0 / b.slowness.data()[n]));
    EXPECT_LT(largest, 0.3);  // m/s, of a map that varies by 40
    EXPECT_GT(a.record.log.entries().size(), 3u);
    // The objective of the log is the function itself: it never rises.
    for (std::size_t n = 1; n < a.record.log.entries().size(); ++n)
        EXPECT_LE(a.record.log.entries()[n].objective, a.record.log.entries()[n - 1].objective + 1e-5);
}

TEST(TravelTimeInversion, ObjectiveOfLbfgsFallsFromStepToStep) {
    const PathGeometry geometry = small_geometry();
    const Case c = make_disc(geometry, wide_disc(), 5e-9, 6);
    const Result result = invert(*lbfgs(geometry), c.delays);
    const auto& entries = result.record.log.entries();
    ASSERT_GT(entries.size(), 20u);
    for (std::size_t n = 1; n < entries.size(); ++n)
        EXPECT_LE(entries[n].objective, entries[n - 1].objective);
    EXPECT_LE(entries.back().residual, TravelTimeLbfgsOptions{}.tolerance);
}

TEST(TravelTimeInversion, ALineSearchThatFailsIsNotSaidToConverge) {
    // So little smoothing that single precision sees corners: no step is lower, and no tolerance was met.
    const PathGeometry geometry = small_geometry();
    const Case c = make_disc(geometry, wide_disc(), 5e-9, 6);
    const auto inverter = make_travel_time_lbfgs(
        problem(geometry),
        {.data_smoothing = 1e-6, .image_smoothing = 1e-6, .iterations = 100000, .tolerance = 0});
    const Result result = invert(*inverter, c.delays);
    EXPECT_EQ(result.status, Status::ok);
    EXPECT_EQ(result.record.log.reason(), StopReason::no_descent)
        << to_string(result.record.log.reason()) << " after " << result.record.log.entries().size();
}

TEST(TravelTimeInversion, HasTheSameBitsOnAnyNumberOfThreads) {
    const PathGeometry geometry = small_geometry();
    const Case c = make_disc(geometry, wide_disc(), 5e-9, 7);
    Array<float> holes = c.delays.clone();
    for (Index n = 0; n < holes.elements(); n += 3) holes.data()[n] = nan;  // iterations of both
    std::vector<std::unique_ptr<TravelTimeInverter>> inverters;
    inverters.push_back(make_travel_time_lbfgs(problem(geometry), {.iterations = 20}));
    inverters.push_back(tikhonov(geometry));
    for (const auto& inverter : inverters)
        EXPECT_TRUE(std::ranges::equal(invert(*inverter, holes, {}, 1).slowness,
                                       invert(*inverter, holes, {}, 3).slowness))
            << inverter->name();
}

TEST(TravelTimeInversion, StopsWhereItIsAskedTo) {
    const PathGeometry geometry = small_geometry();
    const Case c = make_disc(geometry, wide_disc(), 5e-9, 8);
    const auto inverter = lbfgs(geometry);
    Context context(make_serial_runner());
    context.workspace().reserve(inverter->workspace_bytes(context));
    int reports = 0;
    context.set_progress([&](const Progress&) { return ++reports < 5; });
    Array<float> map(inverter->domain());
    InversionRecord record;
    EXPECT_EQ(inverter->run(c.delays, {}, map, context, &record), Status::cancelled);
    EXPECT_EQ(record.log.entries().size(), 5u);
    EXPECT_EQ(record.log.reason(), StopReason::stopped_by_caller);
    EXPECT_LT(rmse(map, c.speed), 30);  // the map of the fifth iteration
}

TEST(TravelTimeInversion, LCurveHasItsCornerBetweenNoiseAndBlur) {
    const PathGeometry geometry = small_geometry();
    const Case c = make_disc(geometry, wide_disc(), 10e-9, 9);
    const auto inverter = make_tikhonov(problem(geometry), {});
    std::vector<double> lambdas;
    for (double lambda = 1e-6; lambda < 20; lambda *= 2) lambdas.push_back(lambda);
    Context context(make_serial_runner());
    const auto curve = inverter->l_curve(c.delays, lambdas, context);
    for (std::size_t n = 1; n < curve.size(); ++n) {
        EXPECT_GE(curve[n].residual, curve[n - 1].residual);
        EXPECT_LE(curve[n].seminorm, curve[n - 1].seminorm);
    }
    const auto error = [&](double lambda) {
        return rmse(invert(*make_tikhonov(problem(geometry), {.lambda = lambda}), c.delays).slowness,
                    c.speed);
    };
    const double corner = l_curve_corner(curve).lambda;
    double best = 1e9;
    for (std::size_t n = 0; n < lambdas.size(); n += 2) best = std::min(best, error(lambdas[n]));
    EXPECT_LT(error(corner), 2 * best) << "lambda " << corner;
    Array<float> holes = c.delays.clone();
    for (Index n = 0; n < holes.elements(); n += 2) holes.data()[n] = nan;
    EXPECT_THAT([&] { (void)inverter->l_curve(holes, lambdas, context); },
                ThrowsMessage<Error>(HasSubstr("% of the possible measurements are missing")));
}

TEST(TravelTimeInversion, RefusesMeasurementsInWords) {
    const PathGeometry geometry = small_geometry();
    const Case c = make_disc(geometry, wide_disc(), 5e-9, 10);
    const auto inverter = tikhonov(geometry);
    const auto refuses = [&](const Array<float>& delays, View<const float> mask, const auto& message) {
        EXPECT_THAT([&] { inverter->check(delays, mask); }, ThrowsMessage<Error>(message));
        EXPECT_NE(invert(*inverter, delays, mask).status, Status::ok);
    };
    EXPECT_NO_THROW(inverter->check(c.delays));

    Array<float> delays = c.delays.clone(), mask(c.delays.shape());
    for (Index n = 0; n < delays.elements(); ++n)
        if (n % 50 != 0) delays.data()[n] = nan;
    refuses(delays, {},
            AllOf(HasSubstr("% of the possible measurements are valid"), HasSubstr("at least 5 %")));
    refuses(c.delays, mask, HasSubstr("only 0 % of the possible measurements are valid (0 of"));

    delays = c.delays.clone();
    std::ranges::fill(mask, 1.0f);
    delays(2, 14, 10) = nan;
    refuses(delays, mask,
            HasSubstr("the delay of measurement 2, row 14, column 10 is nan although the mask says"));
    delays(2, 14, 10) = std::numeric_limits<float>::infinity();
    refuses(delays, {}, HasSubstr("is inf; missing ones are NaN"));
    mask(2, 14, 10) = nan;
    refuses(c.delays, mask, HasSubstr("the mask at measurement 2, row 14, column 10 is nan"));

    for (const float unit : {1e3f, 1e6f, 1e9f, 1e-3f}) {  // milli-, micro-, nanoseconds
        delays = c.delays.clone();
        for (float& d : delays) d *= unit;
        refuses(delays, {}, HasSubstr("are they in seconds, and of this geometry?"));
    }
    std::ranges::fill(delays, 0.0f);
    refuses(delays, {}, HasSubstr("valid delays are 0"));

    EXPECT_THAT(
        [&] {
            inverter->check(Array<float>({6, 28, 21}));
        },
        ThrowsMessage<Error>(HasSubstr("delays are 6 x 28 x 21, the operator makes 6 x 28 x 22")));
    EXPECT_THAT(
        [&] {
            inverter->check(c.delays, Array<float>({5, 28, 22}));
        },
        ThrowsMessage<Error>(HasSubstr("the mask is 5 x 28 x 22")));
}

TEST(TravelTimeInversion, RelativeDelaysInTheWrongUnitAreRefused) {
    const PathGeometry geometry = small_geometry();
    const Case c = make_disc(geometry, wide_disc(), 5e-9, 11),
               flat = make_disc(geometry, {.background = 1520, .contrast = 0}, 0, 3);
    InversionProblem beyond = problem(geometry);
    beyond.reference_slowness = 1 / 1520.0;
    const auto inverter = make_tikhonov(std::move(beyond), {});
    for (const float unit : {1e3f, 1e6f}) {
        Array<float> delays = c.delays.clone();
        for (Index n = 0; n < delays.elements(); ++n)
            delays.data()[n] = unit * (delays.data()[n] - flat.delays.data()[n]);
        EXPECT_THAT([&] { inverter->check(delays); }, ThrowsMessage<Error>(HasSubstr("are they in seconds")));
    }
}

TEST(TravelTimeInversion, RefusesSettingsByName) {
    const PathGeometry geometry = small_geometry();
    const auto lbfgs_with = [&](TravelTimeLbfgsOptions options, const char* message) {
        EXPECT_THAT(([&] { (void)make_travel_time_lbfgs(problem(geometry), std::move(options)); }),
                    ThrowsMessage<Error>(HasSubstr(message)));
    };
    lbfgs_with({.lambda = 0}, "lambda must be above 0, got 0");
    lbfgs_with({.lambda = -1}, "lambda must be above 0, got -1");
    lbfgs_with({.weights = Array<float>({2, 3, 3})}, "weights are 2 x 3 x 3, the map needs 2 x 28 x 22");
    lbfgs_with({.iterations = 0}, "iterations must be in 1 to 100000, got 0");
    const auto tikhonov_with = [&](TikhonovOptions options, const char* message) {
        EXPECT_THAT([&] { (void)make_tikhonov(problem(geometry), options); },
                    ThrowsMessage<Error>(HasSubstr(message)));
    };
    tikhonov_with({.lambda = 0}, "lambda must be above 0, got 0");
    tikhonov_with({.order = 3}, "order must be 0, 1 or 2, got 3");
    tikhonov_with({.modes_down = 29}, "modes_down must be in 1 to 28, got 29");
    const auto problem_with = [&](auto change, const char* message) {
        InversionProblem changed = problem(geometry);
        change(changed);
        EXPECT_THAT([&] { (void)make_tikhonov(std::move(changed), {}); },
                    ThrowsMessage<Error>(HasSubstr(message)));
    };
    problem_with([](InversionProblem& p) { p.forward = nullptr; }, "forward must not be null");
    problem_with(
        [](InversionProblem& p) {
            p.possible = Array<float>({6, 28, 23});
        },
        "possible is 6 x 28 x 23");
    problem_with(
        [](InversionProblem& p) {
            p.possible = Array<float>({6, 28, 22});
        },
        "possible is 0 everywhere");
    problem_with([](InversionProblem& p) { p.reference_slowness = 1540; }, "(is it a speed in m/s?)");
    problem_with([](InversionProblem& p) { p.least_fraction = 0; }, "least_fraction must be above 0");
}

TEST(TravelTimeInversion, DensityWeightsHoldWhatFewRaysCross) {
    const PathGeometry geometry = small_geometry();
    const Array<float> density = ray_density(geometry, measurement_mask(geometry));
    const Array<float> weights = density_weights(density, 0.5);
    double mean = 0;
    for (const float w : weights) mean += double{w} / static_cast<double>(weights.elements());
    EXPECT_NEAR(mean, 1, 1e-5);
    EXPECT_GT(weights(1, 27, 0), weights(1, 5, 11));  // a bottom corner against the middle
    EXPECT_THAT(
        [] {
            (void)density_weights(Array<float>({2, 3, 3}));
        },
        ThrowsMessage<Error>(HasSubstr("the density is 0 everywhere")));
}

// The contrast test (40 discs of 3.81 mm, +-5 to +-50 m/s), with ideal delays and noise of 5 ns. Weights were
// chosen on 9 other phantoms (make_tissue: inclusions, ellipses and random fields).
TEST(TravelTimeContrastSlow, RecoversFortyDiscsFromIdealDelays) {
    const PathGeometry geometry = bernhardt_geometry();
    for (const double noise : {0.0, 5e-9}) {
        std::vector<Case> cases;
        for (const Disc& disc : contrast_discs())
            cases.push_back(make_disc(geometry, disc, noise, 100 + cases.size()));
        std::vector<std::unique_ptr<TravelTimeInverter>> inverters;
        inverters.push_back(lbfgs(geometry));
        inverters.push_back(make_tikhonov(problem(geometry), {}));
        for (const auto& inverter : inverters) {
            std::vector<double> errors, recovered;
            for (std::size_t n = 0; n < cases.size(); ++n) {
                const Result result = invert(*inverter, cases[n].delays);
                ASSERT_EQ(result.status, Status::ok);
                errors.push_back(rmse(result.slowness, cases[n].speed));
                const Disc disc = contrast_discs()[n];
                recovered.push_back(contrast_of(result.slowness, geometry.map, disc) / disc.contrast);
            }
            std::cout << "  " << inverter->name() << ", noise " << 1e9 * noise << " ns: median RMSE "
                      << median(errors) << " m/s, contrast recovered " << median(recovered) << '\n';
            const bool l1 = inverter->name() == "lbfgs";
            EXPECT_LT(median(errors), l1 ? 2.0 : 4.5);
            EXPECT_NEAR(median(recovered), 1, l1 ? 0.1 : 0.35);
        }
    }
}

}  // namespace
}  // namespace sonolux
