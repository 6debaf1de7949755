// tests/simulation/acoustics/echo_test.cpp
//
// Channel data of point scatterers. Arrivals are measured on traces, by the phase of their cross-correlation
// with the pulse, and compared with times that are known otherwise: 1/20 of a period of 200 ns is 10 ns.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <limits>
#include <numbers>

#include <sonolux/core/random.hpp>
#include <sonolux/simulation/acoustics/echo.hpp>

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr double f0 = 5e6, rate = 40e6;
const Pulse pulse({f0, 2, 0.7});

Array<float> map_of(const ImageGrid& grid, auto&& value) {
    Array<float> map(grid.shape());
    for (Index i = 0; i < grid.rows; ++i)
        for (Index j = 0; j < grid.columns; ++j)
            map(i, j) = static_cast<float>(value(grid.point(static_cast<double>(i), static_cast<double>(j))));
    return map;
}

struct Arrival {
    double time, amplitude;
};

/// Of the only echo in a trace: shift and size of the pulse that fits best at f0, starting from `expected`.
Arrival measure(View<const float> trace, const EchoOptions& options, double expected) {
    // complex amplitude of trace and of the pulse around f0, in a window around the expected echo
    std::complex<double> found = 0, reference = 0;
    const double margin = 1 / f0;
    for (Index n = 0; n < trace.size(0); ++n) {
        const double t = options.start_time + static_cast<double>(n) / options.sampling_frequency - expected;
        if (t < -margin || t > pulse.duration() + margin) continue;
        const auto turn = std::polar(1.0, -2 * std::numbers::pi * f0 * t);
        found += static_cast<double>(trace(n)) * turn;
        reference += pulse(t) * turn;
    }
    return {expected - std::arg(found / reference) / (2 * std::numbers::pi * f0),
            std::abs(found / reference)};
}

struct Setting {
    TransducerArray array = make_linear_array(32, 0.3e-3, 0.27e-3);
    ImageGrid grid = centred_grid(161, 121, 0.2e-3);
    Array<float> speed;
    EchoOptions options{rate, 0, 2400};
    double attenuation = 0, power = 1.1;

    explicit Setting(auto&& of) : speed(map_of(grid, of)) {}

    Array<float> simulate(const std::vector<Transmission>& transmissions, const Scatterers& scatterers,
                          int threads = 2) {
        Context context(make_openmp_runner(threads));
        const EchoMedium medium{grid, speed, {}, attenuation, power};
        const EchoSimulator simulator(array, medium, pulse, options, context);
        Array<float> rf({static_cast<Index>(transmissions.size()), array.size(), options.samples});
        simulator.simulate(transmissions, scatterers, rf, context);
        return rf;
    }
};

Setting uniform() {
    return Setting([](Point) { return 1540.0; });
}

/// The least time from a to b through layers of speed c0 above z = edge and c1 below: Fermat, by ternary
/// search over where the path crosses.
double layered_time(Point a, Point b, double edge, double c0, double c1) {
    const auto time = [&](double x) {
        return std::hypot(x - a.x, edge - a.z) / c0 + std::hypot(b.x - x, b.z - edge) / c1;
    };
    double low = -0.05, high = 0.05;
    for (int n = 0; n < 200; ++n) {
        const double l = low + (high - low) / 3, h = high - (high - low) / 3;
        (time(l) < time(h) ? high : low) = time(l) < time(h) ? h : l;
    }
    return time(low);
}

TEST(Echo, ArrivesWhenItShouldInAUniformMedium) {
    Setting setting = uniform();
    const Point p{2.13e-3, 21.37e-3};
    const std::vector<Transmission> events{
        single_element(setting.array, 3), plane_wave(setting.array, 0.1, 1540),
        plane_wave(setting.array, -0.05, 1540), diverging_wave(setting.array, {0.4e-3, -6e-3}, 1540)};
    const auto rf = setting.simulate(events, {{p}, {1}});
    for (std::size_t k = 0; k < events.size(); ++k)
        for (Index e = 0; e < 32; ++e) {
            const double expected = wavefront_time(events[k], setting.array, p, 1540) +
                                    length(p - setting.array[e].position) / 1540;
            // 1/20 period is asked for; what is left here is the parabola between elements, below 1 ns
            EXPECT_NEAR(measure(rf.view()[static_cast<Index>(k)][e], setting.options, expected).time,
                        expected, 1e-9)
                << to_string(events[k].wavefront) << " " << e;
        }
}

TEST(Echo, ArrivesWhenFermatSaysInLayers) {
    const double edge = 10.1e-3, c0 = 1450, c1 = 1580;
    Setting setting([&](Point p) { return p.z < edge ? c0 : c1; });
    const Point p{-3.3e-3, 24e-3};
    const auto delays = plane_wave(setting.array, 0.08, 1540);
    const auto rf = setting.simulate({single_element(setting.array, 20), delays}, {{p}, {1}});
    const auto way = [&](Index e) { return layered_time(setting.array[e].position, p, edge, c0, c1); };
    double plane = 1;  // the first of all elements' waves
    for (Index e = 0; e < 32; ++e)
        plane = std::min(plane, delays.delays[static_cast<std::size_t>(e)] + way(e));
    for (Index e = 0; e < 32; ++e) {
        EXPECT_NEAR(measure(rf.view()[0][e], setting.options, way(20) + way(e)).time, way(20) + way(e),
                    10e-9);
        EXPECT_NEAR(measure(rf.view()[1][e], setting.options, plane + way(e)).time, plane + way(e), 10e-9);
    }
}

TEST(Echo, FallsOffWithDistanceAsTheSpreadingSays) {
    for (const Spreading spreading : {Spreading::cylindrical, Spreading::spherical}) {
        Setting setting = uniform();
        setting.options.spreading = spreading;
        const Point near{0.15e-3, 8e-3}, far{0.15e-3, 24e-3};  // straight below element 16
        const auto event = single_element(setting.array, 16);
        const auto rf = setting.simulate({event}, {{near, far}, {1, 1}});
        const double a = measure(rf.view()[0][16], setting.options, 16e-3 / 1540).amplitude;
        const double b = measure(rf.view()[0][16], setting.options, 48e-3 / 1540).amplitude;
        // sqrt(1 mm / 8 mm) each way, and a third of it (1 / 9) three times as far; interpolation: 2e-4
        EXPECT_NEAR(a, spreading == Spreading::cylindrical ? 1.0 / 8 : 1.0 / 64, 3e-4 * a);
        EXPECT_NEAR(b / a, spreading == Spreading::cylindrical ? 1.0 / 3 : 1.0 / 9, 3e-4);
    }
}

TEST(Echo, LosesAtEachFrequencyWhatThePowerLawSays) {
    // 0.5 dB/(MHz^1.1 cm) over 2 x 24 mm: the ratio of the spectra with and without, around f0.
    const Point p{0.15e-3, 24e-3};
    const auto spectrum = [](View<const float> trace, double f) {
        std::complex<double> sum = 0;
        for (Index n = 0; n < trace.size(0); ++n)
            sum += static_cast<double>(trace(n)) *
                   std::polar(1.0, -2 * std::numbers::pi * f * static_cast<double>(n) / rate);
        return sum;
    };
    for (const double power : {1.0, 1.1, 2.0}) {
        Setting lossless = uniform(), lossy = uniform();
        lossy.attenuation = 0.5;
        lossy.power = power;
        const auto event = single_element(lossy.array, 16);
        const auto without = lossless.simulate({event}, {{p}, {1}}),
                   with = lossy.simulate({event}, {{p}, {1}});
        for (double f : {3.5e6, 4.2e6, 5e6, 5.8e6, 6.5e6}) {
            const double lost =
                -20 *
                std::log10(std::abs(spectrum(with.view()[0][16], f) / spectrum(without.view()[0][16], f)));
            // classes are half a decibel apart: at the band's edges a quarter times (f / f0)^y - 1, and 0.02
            // dB more
            const double limit = 0.25 * std::abs(std::pow(f / f0, power) - 1) + 0.03;
            EXPECT_NEAR(lost, 0.5 * std::pow(f * 1e-6, power) * 4.8, limit) << power << " " << f;
        }
        const double late = -std::arg(spectrum(with.view()[0][16], f0) / spectrum(without.view()[0][16], f0));
        EXPECT_NEAR(late, 0, 0.01) << "the speed of the map is that at f0";
    }
}

TEST(Echo, SuperposedElementsMakeTheWavefront) {
    // The pulse of the wavefront model, at its time and about as strong, in the middle of the beam; and what
    // only the superposition has (edge waves) comes later than 1.5 us here.
    Setting setting = uniform();
    setting.array = make_linear_array(64, 0.3e-3, 0.27e-3);
    const Point p{0.7e-3, 12e-3};
    const std::vector<Transmission> events{
        plane_wave(setting.array, 0.05, 1540, aperture_weights(64, 0, 64, ApertureWindow::hann)),
        diverging_wave(setting.array, {0, -40e-3}, 1540, aperture_weights(64, 0, 64, ApertureWindow::hann))};
    const auto simple = setting.simulate(events, {{p}, {1}});
    setting.options.transmit = TransmitModel::superposition;
    const auto full = setting.simulate(events, {{p}, {1}});
    for (Index k = 0; k < 2; ++k)
        for (Index e = 0; e < 64; e += 7) {
            const double expected =
                wavefront_time(events[static_cast<std::size_t>(k)], setting.array, p, 1540) +
                length(p - setting.array[e].position) / 1540;
            const auto a = measure(simple.view()[k][e], setting.options, expected);
            const auto b = measure(full.view()[k][e], setting.options, expected);
            EXPECT_NEAR(a.time, b.time, 10e-9) << k << " " << e;  // 1/20 period
            EXPECT_NEAR(a.amplitude / b.amplitude, 1, 0.25) << k << " " << e;
        }
}

TEST(Echo, FocusedBeamsAreStrongestInTheirFocus) {
    Setting setting = uniform();
    const Point focus{0, 16e-3};
    const auto beam = focused_beam(setting.array, focus, 1540);
    const auto at = [&](Point p) {
        const auto rf = setting.simulate({beam}, {{p}, {1}});
        float largest = 0;
        for (float value : rf.view()[0][16]) largest = std::max(largest, std::abs(value));
        return largest;
    };
    const float middle = at(focus);
    // the beam is wavelength x depth / aperture = 0.5 mm wide
    EXPECT_LT(at(focus + Point{1e-3, 0}), 0.4F * middle);
    EXPECT_LT(at(focus + Point{-1e-3, 0}), 0.4F * middle);
    EXPECT_LT(at(focus + Point{0, -10e-3}), 0.9F * middle);
}

Scatterers speckle(std::uint64_t seed, int count, const ImageGrid& grid) {
    Philox random(seed);
    Scatterers scatterers;
    for (int s = 0; s < count; ++s) {
        scatterers.positions.push_back(
            {random.uniform(grid.first_x, -grid.first_x), random.uniform(1e-3, 30e-3)});
        scatterers.reflectivity.push_back(random.normal());
    }
    return scatterers;
}

TEST(Echo, HasTheSameBitsForAnyNumberOfThreadsInstructionSetAndCompany) {
    Setting setting([](Point p) { return 1500 + 40 * std::sin(p.x / 2e-3); });
    setting.attenuation = 0.3;
    const auto scatterers = speckle(1, 2500, setting.grid);  // three blocks
    const std::vector<Transmission> events{
        plane_wave(setting.array, 0.1, 1540), single_element(setting.array, 5),
        focused_beam(setting.array, {0, 20e-3}, 1540, aperture_weights(32, 8, 16))};
    const auto one = setting.simulate(events, scatterers, 1), three = setting.simulate(events, scatterers, 3);
    EXPECT_TRUE(std::equal(one.begin(), one.end(), three.begin()));
    const auto alone = setting.simulate({events[1]}, scatterers, 2);
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(), one.view()[1].data()));
    for (const Isa isa : available_isas()) {
        Context context(make_serial_runner());
        context.set_isa(isa);
        const EchoMedium medium{setting.grid, setting.speed, {}, setting.attenuation, setting.power};
        Array<float> rf(one.shape());
        EchoSimulator(setting.array, medium, pulse, setting.options, context)
            .simulate(events, scatterers, rf, context);
        EXPECT_TRUE(std::equal(one.begin(), one.end(), rf.begin())) << to_string(isa);
    }
}

TEST(Echo, IsLinearInReflectivity) {
    Setting setting = uniform();
    Scatterers a = speckle(1, 300, setting.grid), b = a, sum = a;
    for (std::size_t s = 0; s < 300; ++s) {
        b.reflectivity[s] = static_cast<float>(s % 7) - 3;
        sum.reflectivity[s] = a.reflectivity[s] + 2 * b.reflectivity[s];
    }
    const std::vector<Transmission> events{plane_wave(setting.array, 0, 1540)};
    const auto ra = setting.simulate(events, a), rb = setting.simulate(events, b),
               rsum = setting.simulate(events, sum);
    double error = 0, energy = 0;
    for (Index n = 0; n < ra.elements(); ++n) {
        const double expected = static_cast<double>(ra.data()[n]) + 2 * static_cast<double>(rb.data()[n]);
        error += std::pow(static_cast<double>(rsum.data()[n]) - expected, 2);
        energy += expected * expected;
    }
    EXPECT_LT(std::sqrt(error / energy), 1e-6);  // float sums of 300 echoes
}

TEST(Echo, IsReciprocal) {  // element 4 to 25 is as 25 to 4, but for the order of products
    Setting setting([](Point p) { return 1540 + 30 * std::sin(p.z / 3e-3 + p.x / 2e-3); });
    const auto rf = setting.simulate({single_element(setting.array, 4), single_element(setting.array, 25)},
                                     {{{1e-3, 15e-3}, {2e-3, 17e-3}}, {1, 2}});
    for (Index n = 0; n < rf.view().size(2); ++n) EXPECT_NEAR(rf(0, 25, n), rf(1, 4, n), 1e-7);
}

TEST(Echo, RefusesBadInputByName) {
    Setting setting = uniform();
    const Scatterers good{{{0, 10e-3}}, {1}};
    const std::vector<Transmission> events{single_element(setting.array, 4)};
    EXPECT_THAT(
        [&] {
            setting.simulate(events, {{{0, 10e-3}, {0, 60e-3}}, {1, 1}});
        },
        ThrowsMessage<Error>(
            HasSubstr("scatterer 1 at x 0 m, z 0.06 m is outside the map (x -12 to 12 mm, z 0 to 32 mm)")));
    EXPECT_THAT(
        [&] {
            setting.simulate(events, {{{0, 10e-3}}, {1, 1}});
        },
        ThrowsMessage<Error>(HasSubstr("2 reflectivities for 1 positions")));
    EXPECT_THAT([&] { setting.simulate({single_element(make_linear_array(8, 3e-4, 3e-4), 4)}, good); },
                ThrowsMessage<Error>(
                    HasSubstr("transmission 1: apodization has 8 weights, the array has 32 elements")));
    EXPECT_THAT(
        [&] {
            Setting wide = uniform();
            wide.array = make_linear_array(128, 0.3e-3, 0.27e-3);
            wide.simulate({single_element(wide.array, 4)}, good);
        },
        ThrowsMessage<Error>(HasSubstr("element 1 at x -0.01905 m, z 0 m is outside the map")));
    EXPECT_THAT(
        [&] {
            Setting slow = uniform();
            slow.options.sampling_frequency = 10e6;
            slow.simulate(events, good);
        },
        ThrowsMessage<Error>(HasSubstr("sampling_frequency must be at least ")));
    EXPECT_THAT(
        [&] {
            Setting holes = uniform();
            holes.speed(7, 8) = std::numeric_limits<float>::quiet_NaN();
            holes.simulate(events, good);
        },
        ThrowsMessage<Error>(HasSubstr("speed at row 7, column 8 must be between")));
    EXPECT_THAT(
        [&] {
            Setting deaf = uniform();
            deaf.options.start_time = 1e-3;
            deaf.simulate(events, good);
        },
        ThrowsMessage<Error>(HasSubstr("none of the 1 scatterers is heard between 0.001 and 0.00106 s")));
    EXPECT_THAT(
        [&] {
            Setting lossy = uniform();
            lossy.attenuation = -1;
            lossy.simulate(events, good);
        },
        ThrowsMessage<Error>(
            HasSubstr("attenuation at row 0, column 0 must be between 0 and 100 dB/(MHz^y cm), got -1")));
}

}  // namespace
}  // namespace sonolux
