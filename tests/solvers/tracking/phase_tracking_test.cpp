// tests/solvers/tracking/phase_tracking_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <numbers>

#include <sonolux/solvers/tracking/phase_tracking.hpp>

#include "tests/support/tracking.hpp"

namespace sonolux {
namespace {

using ::testing::HasSubstr;
using Complex = std::complex<float>;

constexpr double pi = std::numbers::pi;
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

bool same_bits(const Array<float>& a, const Array<float>& b) {
    return a.shape() == b.shape() &&
           std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.elements()) * sizeof(float)) == 0;
}

/// exp(i (step row + phase)): one frequency.
Array<Complex> tone(Index rows, Index columns, double step, double phase = 0) {
    Array<Complex> image({rows, columns});
    for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < columns; ++j)
            image(i, j) = Complex(std::polar(1.0, step * static_cast<double>(i) + phase));
    return image;
}

TEST(PhaseTracking, IsExactForOneFrequencyUpToHalfAPeriod) {
    Context context;
    for (double step : {0.2, 1.5, 3.0})
        for (double part : {-0.99, -0.5, 0.0, 0.3, 0.99}) {  // of half a period
            const double shift = part * pi / step;
            const auto a = tone(60, 11, step), b = tone(60, 11, step, -step * shift);
            const Tracks tracks = track_phase(a, b, {.window_rows = 31, .window_columns = 5}, context);
            for (Index k = 0; k < tracks.valid.elements(); ++k) {
                EXPECT_EQ(tracks.valid.data()[k], 1.0f);
                // float sums of 155 products: 1e-6 rad each in R01 and k
                EXPECT_NEAR(tracks.displacement.data()[k], shift, 3e-6 * (1 + pi) / step);
                EXPECT_NEAR(tracks.correlation.data()[k], 1, 1e-5);
            }
        }
}

TEST(PhaseTracking, FollowsAGrowingShiftWithoutJumpsUpToHalfAPeriod) {
    // 4 rows a period: half a period is 2 rows. Speckle has all its frequencies, so near the end some windows
    // turn beyond pi; up to 0.9 of it none may.
    Context context;
    double before = -1.8;
    for (double shift = -1.8; shift <= 1.8; shift += 0.1) {
        const ShiftedPair pair = shifted_speckle(300, 12, 0.25, 0.5, shift);
        const Tracks tracks = track_phase(pair.analytic, pair.moved_analytic,
                                          {.window_rows = 161, .window_columns = 9, .row_step = 10}, context);
        double mean = 0;
        for (Index k = 0; k < tracks.valid.elements(); ++k) {
            ASSERT_EQ(tracks.valid.data()[k], 1.0f);
            EXPECT_NEAR(tracks.displacement.data()[k], shift, 0.1 + 0.05 * std::abs(shift));
            mean += static_cast<double>(tracks.displacement.data()[k]) /
                    static_cast<double>(tracks.valid.elements());
        }
        EXPECT_LT(std::abs(mean - before), 0.2) << shift;
        before = mean;
    }
}

TEST(PhaseTracking, MeasuresTheFrequencyWhereAGivenOneIsWrong) {
    // Echoes of 0.22 periods a row, as attenuation leaves them of 0.25: the given k errs by 14 %.
    const ShiftedPair pair = shifted_speckle(300, 12, 0.22, 0.5, 0.7);
    Context context;
    const auto mean = [&](const PhaseTrackingOptions& options) {
        const Tracks tracks = track_phase(pair.analytic, pair.moved_analytic, options, context);
        double sum = 0;
        for (float d : tracks.displacement) sum += static_cast<double>(d);
        return sum / static_cast<double>(tracks.displacement.elements());
    };
    PhaseTrackingOptions options{.window_rows = 161, .window_columns = 9, .row_step = 10};
    EXPECT_NEAR(mean(options), 0.7, 0.01);
    options.frequency = PhaseFrequency::given;
    options.phase_step = 2 * pi * 0.25;
    EXPECT_NEAR(mean(options), 0.7 * 0.22 / 0.25, 0.01);
    // ... and one that falls with depth as it should: 0.25 in the first row, 0.22 in the middle
    options.phase_step_slope = -2 * pi * 0.03 / 149.5;
    EXPECT_NEAR(mean(options), 0.7, 0.02);  // exact in the middle alone
}

TEST(PhaseTracking, DoesNotCareWhetherTheCarrierWasTakenOut) {
    const ShiftedPair pair = shifted_speckle(120, 11, 0.25, 0.5, 0.6);
    const double carrier = 2 * pi * 0.24;
    Array<Complex> a({120, 11}), b({120, 11});
    for (Index i = 0; i < 120; ++i)
        for (Index j = 0; j < 11; ++j) {
            const Complex turn(std::polar(1.0, -carrier * static_cast<double>(i)));
            a(i, j) = pair.analytic(i, j) * turn;
            b(i, j) = pair.moved_analytic(i, j) * turn;
        }
    Context context;
    PhaseTrackingOptions options{.window_rows = 41, .window_columns = 9};
    const Tracks with = track_phase(pair.analytic, pair.moved_analytic, options, context);
    options.carrier_step = carrier;
    const Tracks without = track_phase(a, b, options, context);
    for (Index k = 0; k < with.valid.elements(); ++k)
        EXPECT_NEAR(with.displacement.data()[k], without.displacement.data()[k], 2e-5);
}

TEST(PhaseTracking, AgreesWithTheDefinition) {
    const ShiftedPair pair = shifted_speckle(37, 9, 0.2, 0.8, 0.4, 7);
    const PhaseTrackingOptions options{
        .window_rows = 8, .window_columns = 4, .row_step = 3, .column_step = 2};
    Context context;
    const Tracks tracks = track_phase(pair.analytic, pair.moved_analytic, options, context);
    ASSERT_EQ(tracks.valid.shape(), (Shape{10, 3}));
    const auto weight = [](Index n, Index count) {
        const double s = std::sin(pi * (static_cast<double>(n) + 0.5) / static_cast<double>(count));
        return s * s;
    };
    for (Index r = 0; r < 10; ++r)
        for (Index c = 0; c < 3; ++c) {
            std::complex<double> cross, step;
            double aa = 0, bb = 0;
            for (Index u = 0; u < 8; ++u)
                for (Index v = 0; v < 4; ++v) {
                    const Index i = 3 * r + u, j = 2 * c + v;
                    const std::complex<double> a(pair.analytic(i, j)), b(pair.moved_analytic(i, j));
                    const double w = weight(u, 8) * weight(v, 4);
                    cross += w * std::conj(a) * b;
                    aa += w * std::norm(a);
                    bb += w * std::norm(b);
                    if (u == 7) continue;
                    const std::complex<double> below(pair.analytic(i + 1, j)),
                        there(pair.moved_analytic(i + 1, j));
                    step += weight(u, 7) * weight(v, 4) * (std::conj(a) * below + std::conj(b) * there);
                }
            EXPECT_NEAR(tracks.correlation(r, c), std::abs(cross) / std::sqrt(aa * bb), 1e-5);
            if (tracks.valid(r, c) > 0) {
                EXPECT_NEAR(tracks.displacement(r, c), -std::arg(cross) / std::arg(step), 2e-5);
            }
        }
}

TEST(PhaseTracking, HasTheSameBitsForAnyThreadsAndInstructionSet) {
    const ShiftedPair pair = shifted_speckle(160, 21, 0.22, 0.7, 0.4);
    const PhaseTrackingOptions options{.window_rows = 21, .window_columns = 7};
    Context serial(make_serial_runner());
    serial.set_isa(Isa::baseline);
    const Tracks expected = track_phase(pair.analytic, pair.moved_analytic, options, serial);
    for (Isa isa : available_isas())
        for (int threads : {1, 2, 5}) {
            Context context(make_openmp_runner(threads));
            context.set_isa(isa);
            const Tracks tracks = track_phase(pair.analytic, pair.moved_analytic, options, context);
            EXPECT_TRUE(same_bits(tracks.displacement, expected.displacement)) << to_string(isa) << threads;
            EXPECT_TRUE(same_bits(tracks.correlation, expected.correlation)) << to_string(isa) << threads;
        }
}

TEST(PhaseTracking, FindsNothingInSilenceConstantsAndNotNumbers) {
    Context context;
    const PhaseTrackingOptions options{.window_rows = 21, .window_columns = 5};
    PhaseTrackingOptions given = options;
    given.frequency = PhaseFrequency::given;
    given.phase_step = 1.5;
    for (Complex level : {Complex(0, 0), Complex(1, 0), Complex(-2, 3), Complex(nan, 0)}) {
        Array<Complex> flat({40, 9});
        std::fill(flat.begin(), flat.end(), level);
        for (const PhaseTrackingOptions& o : {options, given})
            for (float v : track_phase(flat, flat, o, context).valid) EXPECT_EQ(v, 0.0f) << level;
    }
    ShiftedPair pair = shifted_speckle(80, 15, 0.25, 0.6, 0.3);
    pair.moved_analytic(40, 7) = {0, nan};
    const Tracks tracks = track_phase(pair.analytic, pair.moved_analytic, options, context);
    for (Index r = 0; r < tracks.valid.shape()[0]; ++r)
        for (Index c = 0; c < tracks.valid.shape()[1]; ++c) {
            const bool sees = 40 >= r && 40 < r + 21 && 7 >= c && 7 < c + 5;
            EXPECT_EQ(tracks.valid(r, c), sees ? 0.0f : 1.0f);
            EXPECT_EQ(std::isnan(tracks.displacement(r, c)), sees);
        }
}

TEST(PhaseTracking, DropsEchoesOfAFrequencyThatIsNotTheGivenOne) {
    Context context;
    const auto a = tone(60, 9, 0.4);
    PhaseTrackingOptions options{.window_rows = 21, .window_columns = 5, .frequency = PhaseFrequency::given};
    options.phase_step = 1.5;  // more than twice as much
    for (float v : track_phase(a, a, options, context).valid) EXPECT_EQ(v, 0.0f);
    options.phase_step = 0.6;
    for (float v : track_phase(a, a, options, context).valid) EXPECT_EQ(v, 1.0f);
}

TEST(PhaseTracking, RefusesAbsurdFrequenciesAndSizesByName) {
    const auto message = [](const PhaseTrackingOptions& options, Index rows = 100) {
        try {
            const PhaseTracker tracker(rows, 20, options);
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string("accepted");
    };
    const auto given = [](double step, double slope = 0) {
        return PhaseTrackingOptions{
            .frequency = PhaseFrequency::given, .phase_step = step, .phase_step_slope = slope};
    };
    EXPECT_THAT(message(given(0)),
                HasSubstr("phase_step must be between 0 and pi rad per row, got 0 in the first row"));
    EXPECT_THAT(message(given(-1)), HasSubstr("got -1 in the first row"));
    EXPECT_THAT(message(given(5e6)), HasSubstr("got 5000000 in the first row"));
    EXPECT_THAT(message(given(1, 0.1)), HasSubstr("got 1 in the first row and 10.9 in the last"));
    EXPECT_THAT(message(given(std::nan(""))), HasSubstr("got nan in the first row"));
    EXPECT_THAT(message({.carrier_step = 7}), HasSubstr("carrier_step must be within pi rad per row, got 7"));
    EXPECT_THAT(message({.window_rows = 1}), HasSubstr("window_rows must be at least 2, got 1"));
    EXPECT_THAT(message({}, 30), HasSubstr("need images of at least 41 rows, got 30"));
    EXPECT_THAT(message({.minimum_correlation = 2}),
                HasSubstr("minimum_correlation must be between 0 and 1, got 2"));

    EXPECT_NEAR(phase_step_of(5e6, 37.5e-6, 1500), 2 * pi / 4, 1e-12);  // lambda / 8: 4 rows a period
    try {
        (void)phase_step_of(5e6, 0.15e-3, 1500);
        FAIL();
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("must be below pi"));
    }
    EXPECT_THROW((void)phase_step_of(-5e6, 1e-5, 1500), Error);
}

TEST(PhaseTracking, RefusesImagesOfDifferentSizes) {
    const Array<Complex> a({60, 20}), b({61, 20});
    Context context;
    try {
        (void)track_phase(a, b, {}, context);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.status(), Status::size_mismatch);
        EXPECT_THAT(error.what(), HasSubstr("the reference is 60 x 20, the moved image 61 x 20"));
    }
    const PhaseTracker tracker(60, 20);
    Tracks tracks(tracker.shape());
    EXPECT_EQ(tracker.run(a, b, tracks, context), Status::size_mismatch);
}

}  // namespace
}  // namespace sonolux
