// tests/solvers/tracking/tracking_accuracy_test.cpp
//
// How close trackers come to the Cramer-Rao bound. bench/tracking_accuracy.cpp has the whole table.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sonolux/solvers/tracking/block_matching.hpp>
#include <sonolux/solvers/tracking/delay_bound.hpp>
#include <sonolux/solvers/tracking/phase_tracking.hpp>

#include "tests/support/tracking.hpp"

namespace sonolux {
namespace {

using ::testing::HasSubstr;

TEST(DelayBound, IsTheIntegralOverTheSpectrumThatItComesFrom) {
    // Knapp and Carter 1976: var >= 1 / (2 T int (2 pi f)^2 C / (1 - C) df) with the coherence C = gamma^2,
    // gamma = rho / (1 + 1 / snr^2)
    const DelayBoundTerms terms{5e6, 0.7, 8e-6, 0.9, 3};
    const double gamma = terms.correlation / (1 + 1 / (terms.snr * terms.snr)), c = gamma * gamma;
    double integral = 0;
    constexpr int steps = 20000;
    const double df = terms.bandwidth * terms.centre_frequency / steps;
    for (int n = 0; n < steps; ++n) {
        const double f = terms.centre_frequency * (1 - terms.bandwidth / 2) + (n + 0.5) * df;
        integral += std::pow(2 * 3.141592653589793 * f, 2) * c / (1 - c) * df;
    }
    EXPECT_NEAR(delay_bound(terms) / std::sqrt(1 / (2 * terms.duration * integral)), 1, 1e-6);
}

TEST(DelayBound, RefusesAbsurdTermsByName) {
    const auto message = [](const DelayBoundTerms& terms) {
        try {
            (void)delay_bound(terms);
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string("accepted");
    };
    EXPECT_THAT(message({-5e6, 0.7, 8e-6, 1, 3}), HasSubstr("centre_frequency must be above 0"));
    EXPECT_THAT(message({5e6, 70, 8e-6, 1, 3}), HasSubstr("bandwidth must be above 0 and at most 2, got 70"));
    EXPECT_THAT(message({5e6, 0.7, 8e-6, 1.1, 3}), HasSubstr("correlation must be above 0 and at most 1"));
    EXPECT_THAT(message({5e6, 0.7, 8e-6, 1, std::nan("")}), HasSubstr("snr must be above 0"));
}

TEST(TrackingAccuracy, ComesCloseToTheCramerRaoBoundWithoutBias) {
    constexpr Index height = 161, width = 9, blocks = 40, margin = 6, rows = height + 2 * margin,
                    columns = width * blocks;
    constexpr double period = 8, shift = 0.3 * period;
    const ShiftedPair pair = shifted_speckle(rows, columns, 1 / period, 0.6, shift);
    const ShiftedPair noise = shifted_speckle(rows, columns, 1 / period, 0.6, 0, 21),
                      other = shifted_speckle(rows, columns, 1 / period, 0.6, 0, 22);
    Context context;
    for (double snr : {3.162, 10.0}) {  // 10 and 20 dB
        Array<std::complex<float>> a = pair.analytic.clone(), b = pair.moved_analytic.clone();
        Array<float> x({rows, columns}), y({rows, columns});
        for (Index k = 0; k < a.elements(); ++k) {
            a.data()[k] += static_cast<float>(1 / snr) * noise.analytic.data()[k];
            b.data()[k] += static_cast<float>(1 / snr) * other.analytic.data()[k];
            x.data()[k] = a.data()[k].real();
            y.data()[k] = b.data()[k].real();
        }
        const double bound = delay_bound({1 / period, 0.6, static_cast<double>(height * width), 1, snr});
        const auto check = [&](const Tracks& tracks, Index row, double least, double most, const char* who) {
            double sum = 0, squares = 0;
            for (Index c = 0; c < blocks; ++c) {
                ASSERT_EQ(tracks.valid(row, c), 1.0f);
                const double error = static_cast<double>(tracks.displacement(row, c)) - shift;
                sum += error / blocks;
                squares += error * error / blocks;
            }
            const double deviation = std::sqrt(squares - sum * sum);
            EXPECT_GT(deviation, least * bound) << who << ", snr " << snr;
            EXPECT_LT(deviation, most * bound) << who << ", snr " << snr;
            // 4 standard errors of the mean, and the bias of the interpolation (5e-5 periods)
            EXPECT_LT(std::abs(sum), 4 * deviation / std::sqrt(static_cast<double>(blocks)) + 1e-3) << who;
        };
        // A deviation from 40 blocks is known to 11 %. Blocks have a gate (samples enter and leave it as
        // echoes move), which costs up to a half. Hann windows use 2/3 of a block each way: another factor
        // of 1.5.
        check(match_blocks(x, y, {.search = 3, .column_step = width, .peak = PeakInterpolation::polynomial},
                           context),
              0, 0.7, 1.6, "block matching");
        check(track_phase(a, b, {.window_rows = height, .window_columns = width, .column_step = width},
                          context),
              margin, 0.7, 2.4, "phase");
    }
}

}  // namespace
}  // namespace sonolux
