// tests/core/acoustics/trace_filter_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numbers>

#include <sonolux/core/acoustics/trace_filter.hpp>
#include <sonolux/core/random.hpp>

#include "tests/support/python_peer.hpp"

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr double turn = 2 * std::numbers::pi;

/// A Gaussian pulse of 1.2 us around 7 us, as an analytic signal.
std::complex<double> pulse(double t, double frequency) {
    const double s = (t - 7e-6) / 0.5e-6;
    return std::exp(-s * s / 2) * std::polar(1.0, turn * frequency * (t - 7e-6));
}

Acquisition two_waves(double sampling_frequency, Index samples) {
    const TransducerArray array = make_linear_array(3, 3e-4, 2.5e-4);
    Acquisition a{.array = array,
                  .transmissions = {plane_wave(array, 0, 1540), plane_wave(array, 0.1, 1540)},
                  .start_times = {0.7e-6, -0.2e-6}};
    a.sampling_frequency = sampling_frequency;
    a.centre_frequency = 5e6;
    a.samples = samples;
    return a;
}

TEST(Butterworth, HasHalfOfTheEnergyTwiceFilteredAtItsEdges) {
    for (const int order : {1, 5, 9}) {
        EXPECT_NEAR(butterworth_low_pass(3e6, 3e6, 40e6, order), 0.5, 1e-12);
        EXPECT_NEAR(butterworth_band_pass(2e6, 2e6, 8e6, 40e6, order), 0.5, 1e-12);
        EXPECT_NEAR(butterworth_band_pass(8e6, 2e6, 8e6, 40e6, order), 0.5, 1e-12);
        EXPECT_EQ(butterworth_band_pass(0, 2e6, 8e6, 40e6, order), 0);
    }
    EXPECT_GT(butterworth_band_pass(5e6, 2e6, 8e6, 40e6, 9), 1 - 1e-6);
    EXPECT_LT(butterworth_band_pass(1e6, 2e6, 8e6, 40e6, 9), 1e-6);
}

TEST(BandPass, KeepsItsBandWithoutDelayAndNothingElse) {
    Array<float> x({2, 600}), y({2, 600});
    for (Index n = 0; n < 600; ++n) {
        const double t = static_cast<double>(n) / 40e6;
        const double kept = pulse(t, 5e6).real();
        x(0, n) = static_cast<float>(kept + 100 + 1e6 * t);  // on a slope, which is all continuation leaves
        x(1, n) = static_cast<float>(kept);
    }
    Context context;
    const BandPass filter(600, 40e6, 1e6, 9e6, 3, 2);
    filter.apply(x, y, context);
    // The pulse has 3e-4 of its spectrum outside of 1 to 9 MHz; near the ends the slope rings.
    for (Index n = 120; n < 480; ++n) {
        EXPECT_NEAR(y(1, n), x(1, n), 2e-3);
        EXPECT_NEAR(y(0, n), x(1, n), 5e-2);
    }
    filter.apply(x, x, context);  // in place
    EXPECT_TRUE(std::equal(x.begin(), x.end(), y.begin()));
}

TEST(BandPass, IsTheFilterThatSciPyRunsForwardAndBack) {
    // Butterworth of order 9 over fc (1 +- 0.6), on noise; away from the ends, where both continue the trace.
    SLX_NEEDS_PYTHON("numpy, scipy");
    Array<float> x({1, 2000}), y({1, 2000});
    fill_normal(x, Philox(5));
    const PythonPeer peer;
    peer.write("x", x);
    ASSERT_TRUE(peer.run(R"(
import scipy.signal as s
sos = s.butter(9, [2e6, 8e6], "bandpass", fs=40e6, output="sos")
write("y", s.sosfiltfilt(sos, read("x", 2000)))
)"));
    Context context;
    BandPass(2000, 40e6, 2e6, 8e6, 9).apply(x, y, context);
    const Array<float> expected = peer.read("y", {1, 2000});
    double worst = 0;
    for (Index n = 500; n < 1500; ++n)
        worst = std::max(worst, std::abs(double{y(0, n)} - double{expected(0, n)}));
    EXPECT_LT(worst, 2e-5);  // float transforms; values are about 1
}

TEST(AnalyticSignal, IsTheComplexPulseOfARealOne) {
    Array<float> x({1, 600}), y({1, 1200});
    for (Index n = 0; n < 600; ++n)
        x(0, n) = static_cast<float>(pulse(static_cast<double>(n) / 40e6, 5e6).real());
    Context context;
    AnalyticSignal(600).apply(x, y, context);
    for (Index n = 0; n < 600; ++n) {
        const std::complex<double> expected = pulse(static_cast<double>(n) / 40e6, 5e6);
        EXPECT_NEAR(y(0, 2 * n), expected.real(), 2e-6);  // float transforms of 1800 samples
        EXPECT_NEAR(y(0, 2 * n + 1), expected.imag(), 2e-6);
    }
}

TEST(Demodulator, GivesTheAnalyticSignalTurnedBackOnTheClockOfTheTransmission) {
    // Well sampled; and at 4/3 of the centre frequency, where the mirror image lies half the sampling
    // frequency away and a pulse of 1.2 us fits beside it.
    for (const double sampling : {40e6, 20e6 / 3}) {
        const auto samples = static_cast<Index>(14e-6 * sampling);
        const Acquisition rf = two_waves(sampling, samples);
        Array<float> x({2, 3, samples}), y({2, 3, 2 * samples});
        const auto time = [&](Index k, Index n) {
            return rf.start_times[static_cast<std::size_t>(k)] + static_cast<double>(n) / sampling;
        };
        for (Index k = 0; k < 2; ++k)
            for (Index e = 0; e < 3; ++e)
                for (Index n = 0; n < samples; ++n)
                    x(k, e, n) = static_cast<float>(pulse(time(k, n), 5e6).real());
        Context context;
        const Demodulator demodulator(rf, {.frequency = 5e6, .bandwidth = 2.6e6, .order = 9});
        EXPECT_EQ(demodulator.acquisition().demodulation_frequency, 5e6);
        demodulator.apply(x, y, context);
        // exp(-(2 pi 1.3 MHz 0.5 us)^2 / 2) = 2e-4 of the pulse's spectrum is cut off at the edges.
        for (Index k = 0; k < 2; ++k)
            for (Index n = 0; n < samples; ++n) {
                const std::complex<double> expected =
                    pulse(time(k, n), 5e6) * std::polar(1.0, -turn * 5e6 * time(k, n));
                EXPECT_NEAR(y(k, 1, 2 * n), expected.real(), 2e-3) << sampling << " " << n;
                EXPECT_NEAR(y(k, 1, 2 * n + 1), expected.imag(), 2e-3) << sampling << " " << n;
            }
    }
}

TEST(Demodulator, KeepsEverySoManiethSampleAndTheSameBitsOnAnyNumberOfThreads) {
    ChannelData rf{two_waves(40e6, 301), Array<float>({2, 2, 3, 301})};
    fill_normal(rf.values, Philox(3));
    Context one(make_serial_runner()), three(make_openmp_runner(3));
    const ChannelData whole = demodulate(rf, {}, one);
    const ChannelData same = demodulate(rf, {}, three);
    EXPECT_TRUE(std::equal(whole.values.begin(), whole.values.end(), same.values.begin()));
    const ChannelData thinned = demodulate(rf, {.decimation = 4}, one);
    EXPECT_EQ(thinned.acquisition.samples, 76);
    EXPECT_EQ(thinned.acquisition.sampling_frequency, 10e6);
    validate(thinned);
    EXPECT_EQ(thinned.values(1, 1, 2, 2 * 75 + 1), whole.values(1, 1, 2, 2 * 300 + 1));
}

TEST(Demodulator, LetsANanStayInItsTrace) {
    ChannelData rf{two_waves(40e6, 100), Array<float>({1, 2, 3, 100})};
    fill_normal(rf.values, Philox(3));
    rf.values(0, 0, 1, 50) = std::numeric_limits<float>::quiet_NaN();
    Context context;
    const ChannelData iq = demodulate(rf, {}, context);
    EXPECT_TRUE(std::isnan(iq.values(0, 0, 1, 3)));
    EXPECT_FALSE(std::isnan(iq.values(0, 0, 0, 3)));
    EXPECT_FALSE(std::isnan(iq.values(0, 0, 2, 3)));
}

TEST(TraceFilter, SaysWhatCannotBe) {
    const Acquisition rf = two_waves(20e6 / 3, 100);
    EXPECT_THAT([&] { Demodulator(rf, {.bandwidth = 4e6}); },
                ThrowsMessage<Error>(HasSubstr("bandwidth must be above 0 and at most 3333333.33 Hz")));
    EXPECT_THAT([&] { Demodulator(rf, {.bandwidth = -1}); }, ThrowsMessage<Error>(HasSubstr("bandwidth")));
    EXPECT_THAT([&] { Demodulator(rf, {.frequency = 5}); }, ThrowsMessage<Error>(HasSubstr("frequency")));
    EXPECT_THAT([&] { Demodulator(rf, {.order = 0}); },
                ThrowsMessage<Error>(HasSubstr("order must be between 1 and 32, got 0")));
    EXPECT_THAT([&] { Demodulator(rf, {.decimation = 0}); }, ThrowsMessage<Error>(HasSubstr("decimation")));
    Acquisition iq = rf;
    iq.demodulation_frequency = 5e6;
    EXPECT_THAT([&] { Demodulator{iq}; }, ThrowsMessage<Error>(HasSubstr("demodulated already, at 5000000")));
    EXPECT_THAT(
        [] { BandPass(100, 40e6, 5e6, 25e6, 3); },
        ThrowsMessage<Error>(HasSubstr("0 < low < high < sampling_frequency / 2, got 5000000, 25000000")));
    for (const int order : {-5, 0, 33})
        EXPECT_THAT([order] { BandPass(100, 40e6, 5e6, 10e6, order); },
                    ThrowsMessage<Error>(HasSubstr("band-pass: order must be between 1 and 32, got")));
    EXPECT_THAT([] { AnalyticSignal(1); }, ThrowsMessage<Error>(HasSubstr("samples must be between 2 and")));
}

}  // namespace
}  // namespace sonolux
