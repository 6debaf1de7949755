// tests/simulation/acoustics/echo_wave_test.cpp
//
// The echo domain against the wave domain: when the echo of a small scatterer arrives.
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <cstdio>
#include <numbers>
#include <vector>

#include <sonolux/simulation/acoustics/echo.hpp>
#include <sonolux/simulation/acoustics/kspace_first_order.hpp>

namespace sonolux {
namespace {

constexpr double frequency = 2e6, time_step = 20e-9, spacing = 0.1e-3;
constexpr Index rows = 160, columns = 192, first_row = 20, first_column = 96, steps = 850;
constexpr Index scatterer_row = 110, scatterer_column = 111;

const ImageGrid map_grid{rows, columns, spacing, spacing, -spacing* first_row, -spacing* first_column};

/// Spectra at the centre frequency of what nine point-like elements hear when element 2 sends.
using Spectra = std::vector<std::complex<double>>;

std::complex<double> turn(Index step) {
    return std::polar(1.0, -2 * std::numbers::pi * frequency * time_step * static_cast<double>(step));
}

/// The full wave with the scatterer (a point of more density, at the same speed) less that without it.
Spectra wave(const TransducerArray& array, const Array<float>& speed, const Pulse& pulse) {
    const auto point = [](Point p) {
        return std::lround(map_grid.row(p.z)) * columns + std::lround(map_grid.column(p.x));
    };
    Context context;
    Spectra spectra(static_cast<std::size_t>(array.size()));
    for (const double sign : {1.0, -1.0}) {
        Array<float> density({rows, columns});
        for (float& value : density) value = 1000;
        if (sign > 0) density(scatterer_row, scatterer_column) = 1500;
        KspaceSetup setup;
        setup.grid.size = {1, rows, columns};
        setup.grid.spacing = {spacing, spacing, spacing};
        setup.grid.time_step = time_step;
        setup.medium.sound_speed = speed.view();
        setup.medium.density = density.view();
        setup.layer = {{16, 16, 0}, {2, 2, 0}};
        PointSource& source = setup.sources.pressure;
        source.points = {point(array[2].position)};
        source.samples = static_cast<Index>(pulse.duration() / time_step) + 1;
        for (Index i = 0; i < source.samples; ++i)
            source.signal.push_back(static_cast<float>(1e-3 * pulse(static_cast<double>(i) * time_step)));
        KspaceFirstOrder simulation(setup, context);
        for (Index i = 0; i < steps; ++i) {
            simulation.step(context);
            for (Index e = 0; e < array.size(); ++e)
                spectra[static_cast<std::size_t>(e)] +=
                    sign * static_cast<double>(simulation.pressure().data()[point(array[e].position)]) *
                    turn(i);
        }
    }
    return spectra;
}

Spectra echo(const TransducerArray& array, const Array<float>& speed, const Pulse& pulse) {
    Context context;
    EchoOptions options;
    options.sampling_frequency = 1 / time_step;
    options.samples = steps;
    options.baffle = Baffle::rigid;
    const EchoSimulator simulator(array, {map_grid, speed, {}}, pulse, options, context);
    Array<float> rf({1, array.size(), steps});
    simulator.simulate({single_element(array, 2)}, {{map_grid.point(scatterer_row, scatterer_column)}, {1}},
                       rf, context);
    Spectra spectra(static_cast<std::size_t>(array.size()));
    for (Index e = 0; e < array.size(); ++e)
        for (Index i = 0; i < steps; ++i)
            spectra[static_cast<std::size_t>(e)] += static_cast<double>(rf(0, e, i)) * turn(i);
    return spectra;
}

TEST(EchoAgainstWave, ArrivesWithinATwentiethOfAPeriodInUniformAndLayeredMedia) {
    // What source, scatterer and a plane world make of a pulse is the same for all paths: one phase, taken
    // from the mean over the elements in the uniform medium. What is left is the arrival's: 25 ns of 500 ns.
    const TransducerArray array = make_linear_array(9, 1.2e-3, 0.1e-3);
    const Pulse pulse({frequency, 2, 0.7});
    std::complex<double> common = 0;
    double largest = 0;
    for (const bool layered : {false, true}) {
        Array<float> speed({rows, columns});
        for (Index i = 0; i < rows; ++i)
            for (Index j = 0; j < columns; ++j)  // the layers meet at z = 4.95 mm
                speed(i, j) = !layered ? 1500.0F : i < first_row + 50 ? 1450.0F : 1550.0F;
        const Spectra full = wave(array, speed, pulse), simple = echo(array, speed, pulse);
        if (!layered)
            for (std::size_t e = 0; e < full.size(); ++e) {
                const auto ratio = full[e] / simple[e];
                common += ratio / std::abs(ratio);
            }
        for (std::size_t e = 0; e < full.size(); ++e) {
            const double late = std::arg(full[e] / simple[e] / common) / (2 * std::numbers::pi * frequency);
            EXPECT_NEAR(late, 0, 25e-9) << (layered ? "layered" : "uniform") << ", element " << e;
            largest = std::max(largest, std::abs(late));
        }
    }
    std::printf("largest difference of arrivals: %.2f ns of a period of 500 ns\n", 1e9 * largest);
}

}  // namespace
}  // namespace sonolux
