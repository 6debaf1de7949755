// tests/core/acoustics/transmit_field_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <complex>
#include <numbers>

#include <sonolux/core/acoustics/transmit_field.hpp>

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr double c = 1540, f0 = 5e6;

TransducerArray linear() { return make_linear_array(64, 3e-4, 2.5e-4); }

TEST(TransmitField, IsTheIdealWavefrontInTheMediumThatDelaysWereMadeFor) {
    const TransducerArray array = linear();
    for (const Transmission& sent :
         {plane_wave(array, -0.2, c), diverging_wave(array, {2e-3, -9e-3}, c), single_element(array, 7)}) {
        const TransmitField field(sent, array, c, f0);
        for (const Point p : {Point{0, 1e-3}, {-8e-3, 20e-3}, {5e-3, 40e-3}})
            EXPECT_NEAR(field.time(p), wavefront_time(sent, array, p, c), 1e-15);
    }
}

TEST(TransmitField, IsTheFirstArrivalFromTheElementsInAMediumOfAnotherSpeed) {
    // Huygens: the elements fire when they fire. Spacing 0.3 mm: between elements the first arrival is late
    // by (spacing / 2)^2 / (2 distance c) = 0.5 ns at 15 mm; the rest is the diverging wave's front, which is
    // no longer a circle (0.5 % of speed, 2 mm off the axis).
    const TransducerArray array = linear();
    for (const Transmission& sent : {plane_wave(array, 0.2, c), diverging_wave(array, {0, -20e-3}, c)}) {
        const double speed = 1.005 * c;
        const TransmitField field(sent, array, speed, f0);
        for (const Point p : {Point{0, 15e-3}, {2e-3, 25e-3}, {-1e-3, 20e-3}}) {
            double first = 1;
            for (Index e = 0; e < array.size(); ++e)
                first = std::min(
                    first, sent.delays[static_cast<std::size_t>(e)] + length(p - array[e].position) / speed);
            EXPECT_NEAR(field.time(p), first, 2e-9) << to_string(sent.wavefront) << " " << p.x << " " << p.z;
        }
    }
}

TEST(TransmitField, OfABeamIsSmoothThroughTheFocus) {
    const TransducerArray array = linear();
    const Point focus{1e-3, 20e-3};
    const Transmission sent = focused_beam(array, focus, c);
    const TransmitField field(sent, array, c, f0);
    EXPECT_NEAR(field.time(focus), sent.focus_time, 1e-15);
    const Point axis = (1 / length(focus)) * focus, across{axis.z, -axis.x};
    for (const double part : {0.0, 0.5, 1.0}) {  // of the way from the axis to the edge of the beam
        Point last;
        for (double a = -10e-3; a < 20e-3; a += 1e-5) {
            const Point on_axis = focus + a * axis;
            const double width = 1e-4 / field.ray(on_axis + 1e-4 * across).across;
            const Point p = on_axis + part * width * across;
            // From step to step time never jumps by more than sound takes for the way. (The front of a
            // Gaussian beam is a little slow where it turns, up to 20 % here.)
            if (a > -10e-3) {
                ASSERT_LE(std::abs(field.time(p) - field.time(last)), 1.2 * length(p - last) / c)
                    << part << a;
            }
            last = p;
        }
    }
}

TEST(TransmitField, OfABeamIsThePhaseOfTheSumOfItsElements) {
    // Within the beam, to an eighth of a period: what the focus adds in a plane world (Gouy) is left out.
    const TransducerArray array = linear();
    const Point focus{0, 20e-3};
    const Transmission sent =
        focused_beam(array, focus, c, aperture_weights(64, 12, 40, ApertureWindow::hann));
    const TransmitField field(sent, array, c, f0);
    double largest = 0;
    for (const double z : {8e-3, 14e-3, 18e-3, 19.5e-3, 20e-3, 20.5e-3, 22e-3, 30e-3, 40e-3})
        for (const double x : {-1.0, -0.5, 0.0, 0.4, 0.9}) {
            const double half_width = std::hypot(std::abs(z - 20e-3) / (20e-3 / 6e-3), 0.2e-3);
            const Point p{0.5 * x * half_width, z};
            std::complex<double> sum;
            for (std::size_t e = 0; e < 64; ++e) {
                const double way = length(p - array.elements()[e].position);
                sum +=
                    sent.apodization[e] / std::sqrt(way) *
                    std::polar(1.0, -2 * std::numbers::pi * f0 * (sent.delays[e] + way / c - field.time(p)));
            }
            largest = std::max(largest, std::abs(std::arg(sum)) / (2 * std::numbers::pi));
        }
    EXPECT_LT(largest, 0.145);  // 1/8, and what the pixels' amplitudes add
}

TEST(TransmitField, KnowsWhereItsWavesGo) {
    const TransducerArray array = linear();  // from -9.45 mm to 9.45 mm
    const TransmitField plane(plane_wave(array, 0.2, c), array, c, f0);
    EXPECT_TRUE(plane.ray({0, 10e-3}).inside);
    EXPECT_FALSE(plane.ray({-9e-3, 10e-3}).inside);  // to the left of the left edge's ray
    EXPECT_NEAR(plane.ray({0, 10e-3}).steepness, std::tan(0.2), 1e-12);

    const auto weights = aperture_weights(64, 20, 24);
    const TransmitField diverging(diverging_wave(array, {0, -9e-3}, c, weights), array, c, f0);
    EXPECT_TRUE(diverging.ray({3.5e-3, 0.1e-3}).inside);
    EXPECT_FALSE(diverging.ray({4.5e-3, 0.1e-3}).inside);
    EXPECT_TRUE(diverging.ray({7e-3, 9e-3}).inside);
    EXPECT_NEAR(diverging.ray({4.5e-3, 9e-3}).steepness, 0.25, 1e-12);

    const TransducerArray arc = make_convex_array(64, 3e-4, 2.5e-4, 30e-3);
    const TransmitField element(single_element(arc, 63), arc, c, f0);
    const Point ahead = arc[63].position + 20e-3 * arc[63].normal();
    EXPECT_TRUE(element.ray(ahead).inside);
    EXPECT_NEAR(element.ray(ahead).steepness, 0, 1e-12);

    const TransmitField beam(focused_beam(array, {0, 19.15e-3}, c), array, c, f0);
    EXPECT_NEAR(beam.ray({5e-3, 38.3e-3}).across, 5e-3 / 9.575e-3, 2e-3);  // F is 1: half of the way beyond
    EXPECT_LT(beam.ray({0.1e-3, 19.15e-3}).across, 1);                     // the waist is not a point
    EXPECT_GT(beam.ray({1e-3, 19.15e-3}).across, 1);
}

TEST(TransmitField, RefusesASpeedThatIsNoneAndWavesThatCannotEnter) {
    const TransducerArray array = linear();
    EXPECT_THAT([&] { TransmitField(plane_wave(array, 1.0, 1000), array, 1300, f0); },
                ThrowsMessage<Error>(HasSubstr("does not enter a medium of 1300 m/s")));
    EXPECT_THAT([&] { TransmitField(plane_wave(array, 0, c), array, 0, f0); },
                ThrowsMessage<Error>(HasSubstr("sound speed must be between 100 and 10000 m/s, got 0")));
    EXPECT_THAT([&] { TransmitField(plane_wave(array, 0, c), array, c, 5); },
                ThrowsMessage<Error>(HasSubstr("centre frequency must be between 1e4 and 1e9 Hz, got 5")));
}

}  // namespace
}  // namespace sonolux
