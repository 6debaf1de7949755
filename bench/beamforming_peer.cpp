// bench/beamforming_peer.cpp
//
// Our side of compare_beamforming.py.
//
//     sonolux_beamforming_peer FOLDER INTERPOLATION REPETITIONS
//
// Reads FOLDER/iq.f32, [frames, 128 elements, 334 samples, 2]: a plane wave, 5 MHz, sampled at 20/3 MHz
// from 9.95 us on, pitch 0.298 mm; writes FOLDER/images.f32, [frames, 251, 251, 2]: 25 mm x 25 mm, f-number
// 1, no normalisation. Prints processor time of one thread (medians) for all frames side by side and for one
// frame after the other, and what bounds them:
//
//     frames side by side   multiply-adds: 4 for the two samples of a linear interpolation, 4 for the phase
//     frame after frame     reading the tables, 8 bytes a point
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>

#include <sonolux/core/operators/delay_and_sum.hpp>

#include "bench_timing.hpp"
#include "fma_peak.hpp"
#include "plane_wave_case.hpp"

namespace sonolux::bench {
namespace {

/// Bytes a second that one thread reads of an array of this many.
double read_bandwidth(std::size_t bytes) {
    Array<std::int32_t> array({static_cast<Index>(bytes / sizeof(std::int32_t))});
    for (Index i = 0; i < array.elements(); ++i) array.data()[i] = static_cast<std::int32_t>(i);
    Measurements seconds;
    volatile std::int32_t kept = 0;
    for (int n = 0; n < 5; ++n)
        seconds.add(processor_seconds_of([&] {
            std::uint32_t sum[16] = {};
            for (Index i = 0; i + 16 <= array.elements(); i += 16)
                for (int lane = 0; lane < 16; ++lane)
                    sum[lane] += static_cast<std::uint32_t>(array.data()[i + lane]);
            for (const std::uint32_t s : sum) kept = kept + static_cast<std::int32_t>(s % 1024);
        }));
    return static_cast<double>(bytes) / seconds.median();
}

int run(const std::string& folder, const std::string& interpolation, int repetitions) {
    PlaneWaveCase wave;
    wave.options.interpolation = interpolation == "nearest" ? SampleInterpolation::nearest
                                 : interpolation == "cubic" ? SampleInterpolation::cubic
                                                            : SampleInterpolation::linear;

    std::ifstream file(folder + "/iq.f32", std::ios::binary | std::ios::ate);
    require(file.good(), Status::file_error, folder, "/iq.f32: cannot be read");
    const Index frames =
        static_cast<Index>(file.tellg()) / (128 * 334 * 2 * static_cast<Index>(sizeof(float)));
    Array<float> iq({frames, 1, 128, 668}), images({frames, 251 * 251 * 2});
    file.seekg(0);
    file.read(reinterpret_cast<char*>(iq.data()),
              static_cast<std::streamsize>(iq.elements() * static_cast<Index>(sizeof(float))));

    Context context(make_serial_runner());
    std::unique_ptr<DelayAndSum> op;
    const double set_up =
        processor_seconds_of([&] { op = std::make_unique<DelayAndSum>(wave.beamformer(context)); });
    context.workspace().reserve(op->frames_workspace_bytes(context));
    Measurements together, apart, peaks, bandwidths;
    for (int n = 0; n < repetitions; ++n) {
        peaks.add(fma_peak_of_this_thread(context.isa()));
        together.add(processor_seconds_of([&] { op->apply_frames(iq, images, context); }));
        peaks.add(fma_peak_of_this_thread(context.isa()));
        apart.add(processor_seconds_of([&] {
            for (Index f = 0; f < frames; ++f)
                op->apply(iq.view()[f], View<float>(images.data() + f * images.shape()[1], op->range()),
                          context);
        }));
        bandwidths.add(read_bandwidth(op->memory_bytes()));
    }
    const double points = static_cast<double>(op->points() * frames);
    const double multiply_adds = interpolation == "nearest" ? 4 : interpolation == "cubic" ? 12 : 8;
    const double by_arithmetic = peaks.median() / 2 / multiply_adds;
    const double by_tables =
        bandwidths.median() / (static_cast<double>(op->memory_bytes()) / static_cast<double>(op->points()));
    std::printf("%s, set-up %.3f s, tables %.1f MB, %.4g points\n", context.description().c_str(), set_up,
                1e-6 * static_cast<double>(op->memory_bytes()), points);
    std::printf("together seconds %.6g points/s %.4g bound %.4g fraction %.2f\n", together.median(),
                points / together.median(), by_arithmetic, points / together.median() / by_arithmetic);
    std::printf("apart seconds %.6g points/s %.4g bound %.4g fraction %.2f\n", apart.median(),
                points / apart.median(), by_tables, points / apart.median() / by_tables);
    std::ofstream(folder + "/images.f32", std::ios::binary)
        .write(reinterpret_cast<const char*>(images.data()),
               static_cast<std::streamsize>(images.elements() * static_cast<Index>(sizeof(float))));
    return 0;
}

}  // namespace
}  // namespace sonolux::bench

int main(int count, char** arguments) {
    if (count != 4) {
        std::fputs("usage: sonolux_beamforming_peer FOLDER nearest|linear|cubic REPETITIONS\n", stderr);
        return 2;
    }
    try {
        return sonolux::bench::run(arguments[1], arguments[2], std::atoi(arguments[3]));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "sonolux_beamforming_peer: %s\n", error.what());
        return 1;
    }
}
