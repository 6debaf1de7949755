// tests/sdk/map_delays_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include <sonolux/core/acoustics/echo_image.hpp>
#include <sonolux/core/acoustics/trace_filter.hpp>
#include <sonolux/core/operators/delay_and_sum.hpp>
#include <sonolux/sdk/pipelines/map_delays.hpp>
#include <sonolux/simulation/acoustics/echo.hpp>

#include "tests/support/beamforming.hpp"

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

ImageGrid map_grid() { return {61, 61, 4e-4, 4e-4, 0, -12e-3}; }

Array<float> uniform(float speed) {
    Array<float> map(map_grid().shape());
    std::fill(map.begin(), map.end(), speed);
    return map;
}

TransducerArray probe() { return make_linear_array(32, 3e-4, 2.5e-4); }

TEST(MapDelays, OfAUniformMapAreTheClosedForms) {
    const TransducerArray array = probe();
    Acquisition a = recording_of(array,
                                 {plane_wave(array, 0.1, 1500), diverging_wave(array, {0, -8e-3}, 1500),
                                  focused_beam(array, {0, 12e-3}, 1500), single_element(array, 3)},
                                 500);
    const ImageGrid image{30, 11, 5e-4, 2e-4, 4e-3, -1e-3};
    Context context;
    const FocusingDelays closed(a, image, 1500),
        bent = map_delays(a, image, map_grid(), uniform(1500), context);
    for (Index i = 0; i < image.rows; ++i)
        for (Index j = 0; j < image.columns; ++j) {
            for (Index e = 0; e < 32; ++e) ASSERT_NEAR(bent.receive(e, i, j), closed.receive(e, i, j), 2e-11);
            // First arrivals between elements are parabolas: (0.15 mm)^4 / (8 z^3 c) = 1e-12 s at 4 mm.
            for (Index k = 0; k < 4; ++k)
                ASSERT_NEAR(bent.transmit(k, i, j), closed.transmit(k, i, j), 1e-10)
                    << k << " " << i << " " << j;
        }
}

TEST(MapDelays, BringAnAberratedPointBackIntoFocus) {
    // A lens of 1650 m/s in 1500 m/s before the point.
    const TransducerArray array = probe();
    const ImageGrid grid = map_grid();
    Array<float> speed(grid.shape());
    for (Index i = 0; i < grid.rows; ++i)
        for (Index j = 0; j < grid.columns; ++j) {
            const Point p = grid.point(static_cast<double>(i), static_cast<double>(j)) - Point{1.5e-3, 6e-3};
            speed(i, j) = static_cast<float>(1500 + 150 * std::exp(-dot(p, p) / 8e-6));
        }
    const Point target{0.5e-3, 16e-3};
    Acquisition a =
        recording_of(array,
                     {plane_wave(array, -0.1, 1500), plane_wave(array, 0, 1500),
                      diverging_wave(array, {0, -8e-3}, 1500), focused_beam(array, {0.5e-3, 12e-3}, 1500)},
                     1200);
    a.sampling_frequency = 40e6;
    a.start_times.assign(4, 4e-6);
    const Pulse pulse({5e6, 3, 0.6});
    a.peak_time = pulse.peak_time();
    a.lens_delay = 0;
    Context context;
    EchoOptions options{.sampling_frequency = 40e6, .start_time = 4e-6, .samples = 1200};
    const ImageGrid image{81, 41, 2.5e-5, 5e-5, target.z - 40 * 2.5e-5, target.x - 20 * 5e-5};
    const Array<float> even = uniform(1500);
    ChannelData rf{a, Array<float>({1, 4, 32, 1200})};
    const auto recorded = [&](const Array<float>& medium) {
        const EchoSimulator simulator(array, {grid, medium, {}}, pulse, options, context);
        simulator.simulate(a.transmissions, {{target}, {1}}, rf.values.view()[0], context);
        return demodulate(rf, {}, context);
    };
    const ChannelData aberrated = recorded(speed), clean = recorded(even);

    struct Peak {
        double depth, across, height;
    };
    const auto peak_of = [&](const ChannelData& iq, Index k, const Array<float>& assumed) {
        Acquisition one = iq.acquisition;
        one.transmissions = {a.transmissions[static_cast<std::size_t>(k)]};
        one.start_times.resize(1);
        DelayAndSumOptions apertures;
        apertures.f_number = 0.5;
        const DelayAndSum op(one, map_delays(one, image, grid, assumed, context), apertures, context);
        context.workspace().reserve(op.workspace_bytes(context));
        Array<float> complex(op.range()), pixels(image.shape());
        op.apply(iq.values.view()[0][k], complex, context);
        envelope(complex, pixels);
        const Index best = std::max_element(pixels.begin(), pixels.end()) - pixels.begin();
        return Peak{image.z(static_cast<double>(best / image.columns)),
                    image.x(static_cast<double>(best % image.columns)), double{pixels.data()[best]}};
    };
    for (Index k = 0; k < 4; ++k) {
        const char* const name = to_string(a.transmissions[static_cast<std::size_t>(k)].wavefront);
        const Peak right = peak_of(aberrated, k, speed), wrong = peak_of(aberrated, k, even),
                   reference = peak_of(clean, k, even);
        EXPECT_NEAR(reference.depth, target.z, 1e-4) << name;  // beyond its focus a beam's pulse is stretched
        // A sixth of a wavelength; of a beam, which the lens has already spread on its way, a third.
        const bool beam = a.transmissions[static_cast<std::size_t>(k)].wavefront == Wavefront::focused;
        EXPECT_NEAR(right.depth, reference.depth, beam ? 1.01e-4 : 5e-5) << name;
        EXPECT_NEAR(right.across, target.x, 5e-5) << name;
        EXPECT_GT(right.height, 1.2 * wrong.height) << name;
        // The lens bends sound around the point too, so not all of the brightness can come back; and half of
        // the beam went through it, one and a half periods early, which nothing undoes.
        EXPECT_GT(right.height, (beam ? 0.4 : 0.75) * reference.height) << name;
    }
}

TEST(MapDelays, RefusesAMapThatDoesNotCoverImageAndArrayOrIsNotOfSpeeds) {
    const TransducerArray array = probe();
    const Acquisition a = recording_of(array, {plane_wave(array, 0, 1500)}, 500);
    const ImageGrid image{30, 11, 5e-4, 2e-4, 4e-3, -1e-3};
    Context context;
    ImageGrid deep = image;
    deep.rows = 60;
    EXPECT_THAT([&] { (void)map_delays(a, deep, map_grid(), uniform(1500), context); },
                ThrowsMessage<Error>(
                    HasSubstr("z 0 to 24 mm) does not cover the image (x -1 to 1 mm, z 4 to 33.5 mm)")));
    ImageGrid below = map_grid();
    below.first_z = 1e-3;
    EXPECT_THAT(
        [&] { (void)map_delays(a, image, below, uniform(1500), context); },
        ThrowsMessage<Error>(HasSubstr("does not cover element 1 of the array, at x -4.65 mm, z 0 mm")));
    Array<float> hole = uniform(1500);
    hole(7, 9) = std::nanf("");
    EXPECT_THAT([&] { (void)map_delays(a, image, map_grid(), hole, context); },
                ThrowsMessage<Error>(HasSubstr("nan")));
    EXPECT_THAT(
        [&] {
            (void)map_delays(a, image, map_grid(), Array<float>({3, 3}), context);
        },
        ThrowsMessage<Error>(HasSubstr("3 x 3")));
}

}  // namespace
}  // namespace sonolux
