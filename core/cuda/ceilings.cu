// sonolux/core/cuda/ceilings.cu
//
// Copies, and multiply-adds that wait for nothing.
#include <algorithm>

#include <sonolux/core/cuda/ceilings.hpp>
#include <sonolux/core/cuda/device_launcher.cuh>

namespace sonolux::cuda {

namespace {

constexpr int chains = 16, rounds = 4096, blocks = 132 * 16, threads = 256;

/// Sixteen chains a <- a m + c in registers.
struct MultiplyAdds {
    float* out;
    float m, c;

    using Shared = Nothing;
    using Registers = Nothing;

    [[nodiscard]] SLX_KERNEL int steps() const { return 1; }

    SLX_KERNEL void run(int, const Thread& thread, Shared&, Registers&) const {
        float a[chains];
        SLX_UNROLL
        for (int i = 0; i < chains; ++i) a[i] = static_cast<float>(thread.rank() + i);
        for (int round = 0; round < rounds; ++round) SLX_UNROLL
        for (int i = 0; i < chains; ++i) a[i] = multiply_add(a[i], m, c);
        float sum = 0;
        SLX_UNROLL
        for (int i = 0; i < chains; ++i) sum += a[i];
        out[thread.block_index.x * threads + thread.rank()] = sum;
    }
};

struct NoWork {
    using Shared = Nothing;
    using Registers = Nothing;

    [[nodiscard]] SLX_KERNEL int steps() const { return 0; }
    SLX_KERNEL void run(int, const Thread&, Shared&, Registers&) const {}
};

/// The best of five, after one to warm up.
template <class Work>
double best_seconds(DeviceLauncher& launcher, int times, Work work) {
    launcher.record(work);
    (void)launcher.seconds_of_replays(1);
    double best = launcher.seconds_of_replays(times);
    for (int i = 1; i < 5; ++i) best = std::min(best, launcher.seconds_of_replays(times));
    return best / times;
}

DeviceCeilings measure(const OpenDevice& device) {
    constexpr Index count = Index{64} << 20;  // floats: more than any cache holds
    DeviceLauncher launcher(device);
    float* from = launcher.allocate<float>(count);
    float* to = launcher.allocate<float>(count);
    launcher.fill_zero(from, count);
    const PinnedFloats host(count / 4);
    std::fill_n(host.data(), count / 4, 1.0f);
    DeviceCeilings ceilings;
    constexpr double bytes = sizeof(float) * static_cast<double>(count);
    ceilings.copy_bytes_per_second =
        2 * bytes / best_seconds(launcher, 4, [&] {
            require_cuda(
                cudaMemcpyAsync(to, from, count * sizeof(float), cudaMemcpyDeviceToDevice, launcher.stream()),
                "copying within the device");
        });
    ceilings.upload_bytes_per_second =
        bytes / 4 / best_seconds(launcher, 2, [&] { launcher.upload(to, host.data(), count / 4); });
    ceilings.operations_per_second =
        2.0 * chains * rounds * blocks * threads / best_seconds(launcher, 2, [&] {
            launcher.launch(MultiplyAdds{to, 0.999f, 0.001f}, {blocks}, {threads});
        });
    ceilings.launch_seconds = best_seconds(launcher, 4,
                                           [&] {
                                               for (int i = 0; i < 100; ++i)
                                                   launcher.launch(NoWork{}, {1}, {32});
                                           }) /
                              100;
    return ceilings;
}

}  // namespace

}  // namespace sonolux::cuda

extern "C" __attribute__((visibility("default"))) sonolux::Status slx_cuda_ceilings(
    sonolux::CudaDevice* device, sonolux::DeviceCeilings* ceilings,
    sonolux::cuda::Message* message) noexcept {
    return sonolux::cuda::guarded(message, [&] {
        *ceilings = sonolux::cuda::measure(*static_cast<sonolux::cuda::OpenDevice*>(device));
    });
}
