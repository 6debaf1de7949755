// bench/cuda_beamforming.cpp
//
// Delay and sum on a CUDA device, beside the CPU and beside what the device can do at best, all measured in
// one run.
//
//     sonolux_cuda_beamforming [FRAMES] [SECONDS]     32 2
//
// The case of compare_beamforming.py: a plane wave of demodulated data, 128 elements, 251 x 251 pixels,
// linear interpolation, f-number 1. Prints points (pixels x elements that take part x frames) a second on the
// device alone, the bytes of the tables that each run has to read as a share of what a copy moves, host
// memory to host memory p50 and p99, and the CPU on all its processors. The data are noise: what they are
// costs nothing.
#include <cstdio>
#include <cstdlib>

#include <sonolux/core/cuda/ceilings.hpp>
#include <sonolux/core/operators/delay_and_sum_cuda.hpp>
#include <sonolux/core/random.hpp>

#include "plane_wave_case.hpp"
#include "run_times.hpp"

namespace sonolux::bench {

namespace {

void run(int frames, double seconds) {
    const std::shared_ptr<CudaDevice> device = open_cuda_device();
    const DeviceCeilings ceilings = measure_ceilings(*device);
    std::printf("%s\ncopy %.0f GB/s, multiply-adds %.1f TFLOP/s, upload %.1f GB/s\n", device->name().c_str(),
                1e-9 * ceilings.copy_bytes_per_second, 1e-12 * ceilings.operations_per_second,
                1e-9 * ceilings.upload_bytes_per_second);
    Context context;
    const DelayAndSum beamformer = PlaneWaveCase().beamformer(context);
    context.workspace().reserve(beamformer.frames_workspace_bytes(context));
    const Shape one = beamformer.domain();
    Array<float> x({frames, one[0], one[1], one[2]}), expected({frames, beamformer.range().elements()});
    fill_normal(x, Philox(1, 0));
    const Times cpu = time_runs(seconds, [&] { beamformer.apply_frames(x, expected, context); });

    DelayAndSumCuda on_device(beamformer, *device, frames);
    std::copy(x.begin(), x.end(), on_device.frames());
    require(on_device.run() == Status::ok, Status::device_error, on_device.message());
    const double difference = largest_relative_difference(on_device.images(), expected);
    (void)on_device.seconds(20);
    const double alone = on_device.seconds(100);
    const Times host = time_runs(seconds, [&] { (void)on_device.run(); });
    const double points = static_cast<double>(beamformer.points()) * frames;
    const double tables = static_cast<double>(beamformer.memory_bytes());
    std::printf(
        "%d frames: %.3f ms on the device, %.3g points/s; its tables once are %.0f %% of what a copy moves "
        "in that "
        "time; host to host p50 %.3f ms, p99 %.3f ms (%zu runs); differs from the CPU by %.1e\n",
        frames, 1e3 * alone, points / alone, 100 * tables / alone / ceilings.copy_bytes_per_second,
        1e3 * host.p50, 1e3 * host.p99, host.runs, difference);
    std::printf("%s: p50 %.2f ms, %.3g points/s (%zu runs)\n", context.description().c_str(), 1e3 * cpu.p50,
                points / cpu.p50, cpu.runs);
}

}  // namespace

}  // namespace sonolux::bench

int main(int count, char** arguments) {
    try {
        sonolux::bench::run(count > 1 ? std::atoi(arguments[1]) : 32,
                            count > 2 ? std::atof(arguments[2]) : 2);
    } catch (const sonolux::Error& error) {
        std::fprintf(stderr, "sonolux_cuda_beamforming: %s\n", error.what());
        return 1;
    }
    return 0;
}
