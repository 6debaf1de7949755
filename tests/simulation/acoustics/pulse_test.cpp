// tests/simulation/acoustics/pulse_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include <sonolux/simulation/acoustics/directivity.hpp>
#include <sonolux/simulation/acoustics/pulse.hpp>

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

const PulseOptions burst{5e6, 4, 0}, gaussian{5e6, 0, 0.6}, filtered{5e6, 4, 0.8};

TEST(Pulse, SpectrumIsTheFourierIntegralOfThePulse) {
    for (const PulseOptions& options : {burst, gaussian, filtered}) {
        const Pulse pulse(options);
        const double scale = std::abs(pulse.spectrum(5e6));
        for (double f : {0.0, 1e6, 4.3e6, 5e6, 7e6}) {
            const int steps = 4000;
            const double step = pulse.duration() / steps;
            std::complex<double> sum = 0;
            for (int n = 0; n <= steps; ++n)
                sum += (n == 0 || n == steps ? 0.5 : 1) * step * pulse(n * step) *
                       std::polar(1.0, -2 * std::numbers::pi * f * n * step);
            // the trapezoid's error, and the tails beyond 4.5 widths
            EXPECT_NEAR(std::abs(sum - pulse.spectrum(f)), 0, 2e-5 * scale) << f << " " << options.bandwidth;
        }
    }
}

TEST(Pulse, BandwidthIsMeasuredWhereTheBandIsOneHalf) {
    const Pulse pulse(gaussian);
    const double peak = std::abs(pulse.spectrum(5e6));
    EXPECT_NEAR(std::abs(pulse.spectrum(5e6 * 1.3)) / peak, 0.5, 1e-3);  // the mirrored band adds a little
    EXPECT_NEAR(std::abs(pulse.spectrum(5e6 * 0.7)) / peak, 0.5, 1e-3);
    EXPECT_NEAR(pulse(pulse.peak_time()), 1, 1e-12);
}

TEST(Pulse, LastsAsLongAsItSays) {
    const Pulse pulse(burst);
    EXPECT_DOUBLE_EQ(pulse.duration(), 0.4e-6);
    EXPECT_EQ(pulse(-1e-12), 0);
    EXPECT_EQ(pulse(0.4e-6 + 1e-12), 0);
    EXPECT_NEAR(pulse(0.05e-6), 1, 1e-12);
    for (const PulseOptions& options : {gaussian, filtered}) {
        const Pulse soft(options);
        EXPECT_LT(std::abs(soft(1e-12)), 1e-4);
        EXPECT_LT(std::abs(soft(soft.duration() - 1e-12)), 1e-4);
    }
}

TEST(Pulse, HighestFrequencyIsWhereTheBandEnds) {
    // exp(-(f / f0 - 1)^2 / (2 sigma^2)) = 0.01 with sigma = 0.6 / (2 sqrt(2 ln 2)): f = f0 (1 + 0.773)
    EXPECT_NEAR(Pulse(gaussian).highest_frequency(), 5e6 * 1.7733, 5e6 * 0.011);
    // a burst ends abruptly: its lobes fall as 4 / (pi n) (f0 / f)^2
    EXPECT_NEAR(Pulse(burst).highest_frequency(), 5e6 * 5.7, 5e6 * 0.5);
}

TEST(Pulse, RefusesBadInputByName) {
    EXPECT_THAT(
        [] {
            Pulse({5, 4, 0});
        },
        ThrowsMessage<Error>(
            HasSubstr("centre_frequency must be between 10000 and 1e+09 Hz, got 5 Hz; is it in MHz?")));
    EXPECT_THAT(
        [] {
            Pulse({5e6, 0, 0});
        },
        ThrowsMessage<Error>(HasSubstr("bandwidth must be above 0, got 0")));
    EXPECT_THAT(
        [] {
            Pulse({5e6, -1, 0});
        },
        ThrowsMessage<Error>(HasSubstr("half_cycles must be 0 to 1000, got -1")));
    EXPECT_THAT(
        [] {
            Pulse({5e6, 4, 60});
        },
        ThrowsMessage<Error>(HasSubstr("bandwidth must be between 0 and 2")));
    EXPECT_THROW(Pulse({5e6, 4, std::numeric_limits<double>::quiet_NaN()}), Error);
}

TEST(Directivity, IsTheFarFieldOfALineOfSources) {
    // The face cut into 1000 point sources, summed 1000 wavelengths away.
    const double width = 0.27e-3, wavelength = 0.308e-3;
    const ArrayElement element{{1e-3, 2e-3}, 0.3};
    const Point along{element.normal().z, -element.normal().x};
    for (double theta : {-1.2, -0.4, 0.0, 0.2, 0.9, 1.5}) {
        const Point p = element.position + 0.3 * Point{std::sin(0.3 + theta), std::cos(0.3 + theta)};
        std::complex<double> sum = 0;
        for (int n = 0; n < 1000; ++n) {
            const Point source = element.position + ((n + 0.5) / 1000 - 0.5) * width * along;
            sum += std::polar(1e-3, -2 * std::numbers::pi * (length(p - source) - 0.3) / wavelength);
        }
        EXPECT_NEAR(directivity(element, p, width, wavelength, Baffle::rigid), sum.real(), 1e-3) << theta;
        EXPECT_NEAR(directivity(element, p, width, wavelength, Baffle::soft), sum.real() * std::cos(theta),
                    1e-3);
    }
    EXPECT_EQ(directivity(element, element.position - element.normal(), width, wavelength, Baffle::rigid), 0);
}

}  // namespace
}  // namespace sonolux
