// bench/acoustics_peer.cpp
//
// Our side of compare_eikonal.py, and the cost of the echo domain. Processor time of the calling thread, so
// that what else the machine does weighs little.
//
//     sonolux_acoustics_peer eikonal NODES REPETITIONS
//         milliseconds (median) and mean relative error, on the medium of the tests: speed 1000 + 12000 z m/s
//         over 50 mm x 50 mm, source in the middle of the top; order 1, then order 2
//     sonolux_acoustics_peer echo SCATTERERS TRANSMISSIONS SAMPLES ATTENUATION
//         seconds of set-up and simulation: 128 elements of 0.3 mm, plane waves, 40 MHz, a map of 0.3 mm
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <sonolux/core/random.hpp>
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
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    std::fprintf(stderr,
                 "usage: sonolux_acoustics_peer eikonal NODES REPETITIONS | echo SCATTERERS TRANSMISSIONS "
                 "SAMPLES ATTENUATION\n");
    return 2;
}
