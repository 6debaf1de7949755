// tests/core/acoustics/transmission_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numbers>

#include <sonolux/core/acoustics/transmission.hpp>

namespace sonolux {
namespace {

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr double speed = 1540;

TransducerArray probe() { return make_linear_array(128, 0.3e-3, 0.27e-3); }
TransducerArray curved_probe() { return make_convex_array(64, 0.5e-3, 0.4e-3, 50e-3); }

double smallest_active(const Transmission& t) {
    double smallest = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < t.delays.size(); ++i)
        if (t.apodization[i] != 0) smallest = std::min(smallest, t.delays[i]);
    return smallest;
}

TEST(Transmission, FirstActiveElementFiresAtTimeZero) {
    for (const TransducerArray& array : {probe(), curved_probe()}) {
        const auto weights = aperture_weights(array.size(), 10, 31);
        for (const auto& t :
             {plane_wave(array, 0.3, speed), plane_wave(array, -0.3, speed, weights),
              diverging_wave(array, {1e-3, -20e-3}, speed, weights),
              focused_beam(array, {-2e-3, 30e-3}, speed, weights), single_element(array, 7)}) {
            EXPECT_EQ(smallest_active(t), 0) << to_string(t.wavefront);
            EXPECT_THAT(t.delays, Each(testing::Ge(0))) << to_string(t.wavefront);
            EXPECT_NO_THROW(validate(t, array));
        }
    }
}

TEST(Transmission, EveryElementsWaveTouchesTheIdealWavefrontOnTheRayThroughIt) {
    // The wavefront is the envelope of the elements' waves: on the ray that starts at an element, both times
    // are the same; elsewhere the element's wave is later (before a focus: earlier is impossible, too).
    for (const TransducerArray& array : {probe(), curved_probe()})
        for (const auto& t : {plane_wave(array, 0.25, speed), diverging_wave(array, {1e-3, -60e-3}, speed),
                              focused_beam(array, {-2e-3, 40e-3}, speed)})
            for (Index i = 0; i < array.size(); i += 9) {
                const Point e = array[i].position;
                Point ray{std::sin(t.angle), std::cos(t.angle)};
                if (t.wavefront == Wavefront::diverging) ray = (1 / length(e - t.focus)) * (e - t.focus);
                if (t.wavefront == Wavefront::focused) ray = (1 / length(t.focus - e)) * (t.focus - e);
                const Point p = e + 20e-3 * ray;
                EXPECT_NEAR(wavefront_time(t, array, p, speed),
                            t.delays[static_cast<std::size_t>(i)] + 20e-3 / speed,
                            1e-18 + 1e-14 * 20e-3 / speed)
                    << to_string(t.wavefront) << " element " << i;
            }
}

TEST(Transmission, PositiveAnglesTravelToTheRight) {
    const auto t = plane_wave(probe(), 0.2, speed);
    EXPECT_LT(t.delays.front(), t.delays.back());
    EXPECT_GT(wavefront_time(t, probe(), {10e-3, 20e-3}, speed),
              wavefront_time(t, probe(), {-10e-3, 20e-3}, speed));
    // from one end to the other: 127 pitch sin(angle) / c
    EXPECT_NEAR(t.delays.back(), 127 * 0.3e-3 * std::sin(0.2) / speed, 1e-18);
}

TEST(Transmission, FocusedWavesMeetInTheFocusAndGoOnFromThere) {
    const Point focus{3e-3, 30e-3};
    const auto t = focused_beam(probe(), focus, speed);
    for (std::size_t i = 0; i < t.delays.size(); ++i)
        EXPECT_NEAR(t.delays[i] + length(probe().elements()[i].position - focus) / speed, t.focus_time,
                    1e-18);
    EXPECT_NEAR(wavefront_time(t, probe(), focus + Point{0.1e-3, 1e-3}, speed),
                t.focus_time + length({0.1e-3, 1e-3}) / speed, 1e-18);
}

TEST(Transmission, VirtualSourcesPassBeforeTimeZero) {
    const auto t = diverging_wave(probe(), {0, -9e-3}, speed, aperture_weights(128, 48, 32));
    EXPECT_NEAR(t.focus_time, -std::hypot(9e-3, 0.15e-3) / speed, 1e-18);
}

TEST(Transmission, SyntheticApertureFiresEachElementOnce) {
    const auto sequence = synthetic_aperture(probe());
    ASSERT_EQ(sequence.size(), 128u);
    for (std::size_t k = 0; k < 128; ++k) {
        EXPECT_EQ(sequence[k].apodization[k], 1);
        EXPECT_EQ(std::count(sequence[k].apodization.begin(), sequence[k].apodization.end(), 0.0), 127);
        EXPECT_EQ(sequence[k].focus, probe().elements()[k].position);
    }
}

TEST(ApertureWeights, WindowsAreSymmetricAndNowhereZeroInside) {
    for (auto window : {ApertureWindow::rectangular, ApertureWindow::hann, ApertureWindow::tukey})
        for (Index count : {1, 2, 7, 32}) {
            const auto w = aperture_weights(64, 5, count, window);
            double sum = 0;
            for (Index n = 0; n < 64; ++n) {
                const double weight = w[static_cast<std::size_t>(n)];
                sum += weight;
                if (n < 5 || n >= 5 + count)
                    EXPECT_EQ(weight, 0);
                else
                    EXPECT_TRUE(weight > 0 && weight <= 1);
            }
            for (Index n = 0; n < count; ++n)
                EXPECT_DOUBLE_EQ(w[static_cast<std::size_t>(5 + n)],
                                 w[static_cast<std::size_t>(4 + count - n)]);
            // the mean of the window: Hann 1/2, Tukey 1 - taper / 2 (midpoint sums of cosines are exact)
            if (count == 32) {
                const double mean = window == ApertureWindow::rectangular ? 1
                                    : window == ApertureWindow::hann      ? 0.5
                                                                          : 0.75;
                EXPECT_NEAR(sum / 32, mean, 1e-12);
            }
        }
}

TEST(Transmission, RefusesBadInputByName) {
    const auto array = probe();
    EXPECT_THAT(
        [&] { (void)plane_wave(array, 12, speed); },
        ThrowsMessage<Error>(HasSubstr("angle must be between -1.4 and 1.4 rad, got 12; is it in degrees?")));
    EXPECT_THAT([&] { (void)plane_wave(array, 0, 1.54); },
                ThrowsMessage<Error>(HasSubstr("sound_speed must be between 100 and 10000 m/s, got 1.54")));
    EXPECT_THAT([&] { (void)plane_wave(array, 0, speed, std::vector<double>(127, 1.0)); },
                ThrowsMessage<Error>(HasSubstr("apodization has 127 weights, the array has 128 elements")));
    EXPECT_THAT([&] { (void)plane_wave(array, 0, speed, std::vector<double>(128, 0.0)); },
                ThrowsMessage<Error>(HasSubstr("at least one must fire")));
    EXPECT_THAT(
        [&] {
            (void)diverging_wave(array, {0, 9e-3}, speed);
        },
        ThrowsMessage<Error>(HasSubstr("source must be behind every active element")));
    EXPECT_THAT(
        [&] {
            (void)focused_beam(array, {0, 30}, speed);
        },
        ThrowsMessage<Error>(AllOf(HasSubstr("focus must be within 1 m"), HasSubstr("millimetres?"))));
    EXPECT_THAT(
        [&] {
            (void)focused_beam(array, {0, -1e-3}, speed);
        },
        ThrowsMessage<Error>(HasSubstr("focus must be in front")));
    EXPECT_THAT([&] { (void)single_element(array, 128); },
                ThrowsMessage<Error>(HasSubstr("element must be 1 to 128, got 129, counted from 1")));
    EXPECT_THAT(
        [&] { (void)aperture_weights(128, 100, 29); },
        ThrowsMessage<Error>(HasSubstr("elements 101 to 129, counted from 1, must be among the 128")));
    auto t = plane_wave(array, 0, speed);
    t.delays[3] = -1e-9;
    EXPECT_THAT([&] { validate(t, array, "event 5"); },
                ThrowsMessage<Error>(
                    HasSubstr("event 5: delay of element 4 must be between 0 and 0.001 s, got -1e-09")));
    t.delays.pop_back();
    EXPECT_THROW(validate(t, array), Error);
}

}  // namespace
}  // namespace sonolux
