// bench/acoustics_peer.cpp
//
// Our side of compare_eikonal.py and compare_kwave.py, and the cost of the echo domain. Processor time of the
// calling thread, so that what else the machine does weighs little.
//
//     sonolux_acoustics_peer eikonal NODES REPETITIONS
//         milliseconds (median) and mean relative error, on the medium of the tests: speed 1000 + 12000 z m/s
//         over 50 mm x 50 mm, source in the middle of the top; order 1, then order 2
//     sonolux_acoustics_peer echo SCATTERERS TRANSMISSIONS SAMPLES ATTENUATION
//         seconds of set-up and simulation: 128 elements of 0.3 mm, plane waves, 40 MHz, a map of 0.3 mm
//     sonolux_acoustics_peer kspace-input SIZE STEPS KIND FILE
//         writes an input file of k-Wave: SIZE x SIZE points, speed varying; KIND "uniform" (density
//         constant), "lossless" (density varying), "lossy" (power-law absorption too)
//     sonolux_acoustics_peer fft SIZE
//         ns per point of FFTW's r2c and c2r of a plane, both together (MEASURE, single precision)
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#ifdef SLX_WITH_FFTW
#include <fftw3.h>
#endif

#include <sonolux/core/random.hpp>
#include <sonolux/sdk/files/kwave_input.hpp>
#include <sonolux/simulation/acoustics/echo.hpp>

#include "bench_timing.hpp"

namespace sonolux::bench {
namespace {

Array<float> linear_gradient(const ImageGrid& grid) {
    Array<float> speed(grid.shape());
    for (Index i = 0; i < grid.rows; ++i)
        for (Index j = 0; j < grid.columns; ++j)
            speed(i, j) = static_cast<float>(1000 + 12000 * grid.z(static_cast<double>(i)));
    return speed;
}

double mean_error(const TravelTimes& times, Point source) {
    double sum = 0, count = 0;
    for (Index i = 0; i < times.grid().rows; ++i)
        for (Index j = 0; j < times.grid().columns; ++j) {
            const Point p = times.grid().point(static_cast<double>(i), static_cast<double>(j));
            const double r = length(p - source), b = 12000;
            if (r == 0) continue;
            const double t =
                std::acosh(1 + b * b * r * r / (2 * (1000 + b * p.z) * (1000 + b * source.z))) / b;
            sum += std::abs(times.at(i, j) / t - 1);
            ++count;
        }
    return sum / count;
}

void eikonal(Index nodes, int repetitions) {
    const ImageGrid grid = centred_grid(nodes, nodes, 50e-3 / static_cast<double>(nodes - 1));
    const auto speed = linear_gradient(grid);
    // on a node, as the peers need it
    const EikonalSource source = EikonalSource::point(grid.point(0, static_cast<double>(nodes / 2)));
    const SlownessMap map(grid, speed);
    for (const int order : {1, 2}) {
        EikonalSolver solver(map, order);
        TravelTimes times = solver.solve(source);
        Measurements seconds;
        for (int n = 0; n < repetitions; ++n)
            seconds.add(processor_seconds_of([&] { times = solver.solve(source); }));
        std::printf("order %d ms %.3f error %.3e\n", order, 1e3 * seconds.median(),
                    mean_error(times, source.origin));
    }
}

void echo(int count, int events, Index samples, double attenuation) {
    const TransducerArray array = make_linear_array(128, 0.3e-3, 0.27e-3);
    const ImageGrid grid = centred_grid(161, 135, 0.3e-3);  // 40 mm x 48 mm
    Array<float> speed(grid.shape());
    for (Index i = 0; i < grid.rows; ++i)
        for (Index j = 0; j < grid.columns; ++j) {
            const Point p = grid.point(static_cast<double>(i), static_cast<double>(j)) - Point{0, 20e-3};
            speed(i, j) = static_cast<float>(1500 + 40 * std::exp(-dot(p, p) / 30e-6));
        }
    Philox random(1);
    Scatterers scatterers;
    for (int s = 0; s < count; ++s) {
        scatterers.positions.push_back({random.uniform(-19e-3, 19e-3), random.uniform(2e-3, 45e-3)});
        scatterers.reflectivity.push_back(random.normal());
    }
    std::vector<Transmission> sequence;
    for (int k = 0; k < events; ++k)
        sequence.push_back(plane_wave(array, 0.03 * (k - 0.5 * (events - 1)), 1500));
    Context context(make_serial_runner());
    EchoOptions options;
    options.samples = samples;
    const EchoMedium medium{grid, speed, {}, attenuation};
    const Pulse pulse({5e6, 4, 0.7});
    Array<float> rf({events, 128, samples});
    std::unique_ptr<EchoSimulator> simulator;
    const double set_up = processor_seconds_of(
        [&] { simulator = std::make_unique<EchoSimulator>(array, medium, pulse, options, context); });
    const double seconds =
        processor_seconds_of([&] { simulator->simulate(sequence, scatterers, rf, context); });
    const double echoes = static_cast<double>(count) * 128 * events;
    std::printf("set-up %.2f s simulation %.2f s echoes %.3g per second %.3g\n", set_up, seconds, echoes,
                echoes / seconds);
}

void kspace_input(Index size, Index steps, const char* kind, const char* path) {
    KwaveInput input;
    KspaceSetup& setup = input.setup;
    setup.grid = {{1, size, size}, {1e-4, 1e-4, 0}, 2e-8, steps};
    for (int field = 0; field < 3; ++field) {
        Array<float> values({size, size});
        fill_normal(values, Philox(static_cast<std::uint64_t>(field)));
        const float mean = field == 0 ? 1500.0f : field == 1 ? 1000.0f : 0.5f;
        for (float& v : values) v = mean * (1 + 0.03f * std::tanh(v));
        input.fields.push_back(std::move(values));
    }
    setup.medium.sound_speed = input.fields[0].view();
    setup.medium.reference_speed = setup.medium.sound_speed.largest(size * size);
    if (std::strcmp(kind, "uniform") != 0) setup.medium.density = input.fields[1].view();
    if (std::strcmp(kind, "lossy") == 0) {
        setup.medium.absorption = KspaceAbsorption::power_law;
        setup.medium.attenuation = input.fields[2].view();
        setup.medium.attenuation_power = 1.5;
    }
    PointSource& source = setup.sources.pressure;
    source.mode = SourceMode::no_correction;
    source.points = {size * (size / 2) + size / 2};
    source.samples = std::min<Index>(steps, 50);
    for (Index i = 0; i < source.samples; ++i)
        source.signal.push_back(static_cast<float>(1e-3 * std::sin(0.4 * static_cast<double>(i))));
    input.sensor_points = {0};
    write_kwave_input(path, input);
}

void fft([[maybe_unused]] int size) {
#ifdef SLX_WITH_FFTW
    Array<float> plane({size, size});
    Array<std::complex<float>> spectrum({size, size / 2 + 1});
    auto* bins = reinterpret_cast<fftwf_complex*>(spectrum.data());
    const fftwf_plan forward = fftwf_plan_dft_r2c_2d(size, size, plane.data(), bins, FFTW_MEASURE);
    const fftwf_plan back = fftwf_plan_dft_c2r_2d(size, size, bins, plane.data(), FFTW_MEASURE);
    fill_normal(plane, Philox(1));
    const int rounds = 1 + 20'000'000 / (size * size);
    Measurements seconds;
    for (int turn = 0; turn < 5; ++turn)
        seconds.add(processor_seconds_of([&] {
            for (int round = 0; round < rounds; ++round) {
                fftwf_execute(forward);
                fftwf_execute(back);
                const float scale = 1 / static_cast<float>(size * size);  // or numbers run away
                for (float& v : plane) v *= scale;
            }
        }));
    std::printf("%.3f\n", 1e9 * seconds.median() / rounds / (static_cast<double>(size) * size));
    fftwf_destroy_plan(forward);
    fftwf_destroy_plan(back);
#else
    std::printf("nan\n");
#endif
}

}  // namespace
}  // namespace sonolux::bench

int main(int count, char** arguments) {
    using namespace sonolux::bench;
    try {
        if (count == 4 && std::strcmp(arguments[1], "eikonal") == 0)
            return eikonal(std::atoi(arguments[2]), std::atoi(arguments[3])), 0;
        if (count == 6 && std::strcmp(arguments[1], "echo") == 0)
            return echo(std::atoi(arguments[2]), std::atoi(arguments[3]), std::atoi(arguments[4]),
                        std::atof(arguments[5])),
                   0;
        if (count == 6 && std::strcmp(arguments[1], "kspace-input") == 0)
            return kspace_input(std::atol(arguments[2]), std::atol(arguments[3]), arguments[4], arguments[5]),
                   0;
        if (count == 3 && std::strcmp(arguments[1], "fft") == 0) return fft(std::atoi(arguments[2])), 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    std::fprintf(stderr,
                 "usage: sonolux_acoustics_peer eikonal NODES REPETITIONS | echo SCATTERERS TRANSMISSIONS "
                 "SAMPLES ATTENUATION | kspace-input SIZE STEPS KIND FILE | fft SIZE\n");
    return 2;
}
