// bench/cuda_network.cpp
//
// A variational network on a CUDA device, beside the CPU and beside what the device can do at best, all
// measured in one run.
//
//     sonolux_cuda_network [NETWORK] [ROWS] [COLUMNS] [SECONDS]     7x7x48/narrow 512 512 2
//
// Prints the device's ceilings; one frame and batches of 4 and 16 on the device alone, with the share of its
// multiply-add peak that goes into the correlations; host memory to host memory, p50 and p99; and the CPU on
// all its processors. Useful work is two correlations with every filter, nothing that tiles compute twice.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <sonolux/core/cuda/ceilings.hpp>
#include <sonolux/solvers/variational_network_cuda.hpp>

#include "cases.hpp"
#include "run_times.hpp"

namespace sonolux::bench {

namespace {

void run(const std::string& name, Index rows, Index columns, double seconds) {
    const std::shared_ptr<CudaDevice> device = open_cuda_device();
    const DeviceCeilings ceilings = measure_ceilings(*device);
    std::printf("%s\ncopy %.0f GB/s, multiply-adds %.1f TFLOP/s, upload %.1f GB/s, launch %.2f us\n",
                device->name().c_str(), 1e-9 * ceilings.copy_bytes_per_second,
                1e-12 * ceilings.operations_per_second, 1e-9 * ceilings.upload_bytes_per_second,
                1e6 * ceilings.launch_seconds);

    const Denoiser cpu(name, rows, columns);
    const UnrolledNetwork& network = *cpu.network;
    Context context;
    context.workspace().reserve(cpu.workspace_bytes(context));
    const Array<float> data = noisy_image(rows, columns);
    Array<float> expected({rows, columns});
    require(cpu.run(data, expected, context) == Status::ok, Status::internal_error, "the CPU did not run");

    const FilterBankOptions& filters = cpu.prior.filters;
    const double operations = 4.0 * filters.count * filters.size * filters.size * static_cast<double>(rows) *
                              static_cast<double>(columns) * static_cast<double>(network.steps());
    std::printf("%s, %td x %td, %.2f GFLOP of correlations a frame\n", name.c_str(), rows, columns,
                1e-9 * operations);
    for (const int images : {1, 4, 16}) {
        VariationalNetworkCuda on_device(network, rows, columns, *device, images);
        for (Index i = 0; i < images; ++i)
            std::copy(data.begin(), data.end(), on_device.images() + i * data.elements());
        require(on_device.run() == Status::ok, Status::device_error, on_device.message());
        const double difference =
            largest_relative_difference(on_device.images() + (images - 1) * data.elements(), expected);
        (void)on_device.seconds(20);
        const double frame = on_device.seconds(100) / images;
        const Times host =
            time_runs(seconds, [&] { (void)on_device.run(); });  // of what the last run left: cost is alike
        std::printf(
            "%2d together: %.3f ms a frame on the device, %.1f TFLOP/s, %.0f %% of the peak; host to host "
            "p50 %.3f ms, p99 %.3f ms (%zu runs); differs from the CPU by %.1e\n",
            images, 1e3 * frame, 1e-12 * operations / frame,
            100 * operations / frame / ceilings.operations_per_second, 1e3 * host.p50, 1e3 * host.p99,
            host.runs, difference);
    }
    const Times times = time_runs(seconds, [&] { (void)cpu.run(data, expected, context); });
    std::printf("%s: p50 %.1f ms, p99 %.1f ms (%zu runs)\n", context.description().c_str(), 1e3 * times.p50,
                1e3 * times.p99, times.runs);
}

}  // namespace

}  // namespace sonolux::bench

int main(int count, char** arguments) {
    const auto number = [&](int i, double otherwise) {
        return count > i ? std::atof(arguments[i]) : otherwise;
    };
    try {
        sonolux::bench::run(count > 1 ? arguments[1] : "7x7x48/narrow",
                            static_cast<sonolux::Index>(number(2, 512)),
                            static_cast<sonolux::Index>(number(3, 512)), number(4, 2));
    } catch (const sonolux::Error& error) {
        std::fprintf(stderr, "sonolux_cuda_network: %s\n", error.what());
        return 1;
    }
    return 0;
}
