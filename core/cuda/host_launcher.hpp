// sonolux/core/cuda/host_launcher.hpp
//
// Runs kernels on the CPU, one thread after another: what tests compare the device's programs with, and how
// these are tested where there is no device. Slow by design.
#pragma once

#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include <sonolux/core/cuda/kernel.hpp>
#include <sonolux/core/shape.hpp>

namespace sonolux::cuda {

/// In which order the threads of a block, and the blocks, take their turn. Results must not depend on it.
enum class HostOrder { forward, backward };

namespace host {

[[nodiscard]] inline Extent place(unsigned i, const Extent& size) {
    return {i % size.x, i / size.x % size.y, i / size.x / size.y};
}

/// NaN in every float: what is read before it is written shows.
template <class T>
void poison(T& value) {
    std::memset(static_cast<void*>(&value), 0xff, sizeof(T));
}

}  // namespace host

template <class Kernel>
void run_on_host(const Kernel& kernel, Extent grid, Extent block, HostOrder order = HostOrder::forward) {
    const auto shared = std::make_unique<typename Kernel::Shared>();
    std::vector<typename Kernel::Registers> registers(block.count());
    for (unsigned i = 0; i < grid.count(); ++i) {
        const unsigned rank = order == HostOrder::forward ? i : grid.count() - 1 - i;
        host::poison(*shared);
        for (auto& own : registers) host::poison(own);
        Thread thread{{0, 0, 0}, host::place(rank, grid), block, grid};
        const unsigned threads = block.count();
        for (int step = 0; step < kernel.steps(); ++step)
            for (unsigned j = 0; j < threads; ++j) {
                const unsigned own = order == HostOrder::forward ? j : threads - 1 - j;
                thread.index = host::place(own, block);
                kernel.run(step, thread, *shared, registers[own]);
            }
    }
}

/// The launcher of programs on the host. Programs are templates over their launcher: this one, or
/// DeviceLauncher of the module (core/cuda/device_launcher.cuh), which has the same members.
class HostLauncher {
public:
    explicit HostLauncher(HostOrder order = HostOrder::forward) : order_(order) {}

    /// `count` elements of device memory, which live as long as the launcher. At set-up time only.
    template <class T>
    [[nodiscard]] T* allocate(Index count) {
        blocks_.emplace_back(static_cast<std::size_t>(count) * sizeof(T));
        std::memset(blocks_.back().data(), 0xff, blocks_.back().size());
        return reinterpret_cast<T*>(blocks_.back().data());
    }

    template <class T>
    void upload(T* device, const T* host, Index count) {
        std::memcpy(device, host, static_cast<std::size_t>(count) * sizeof(T));
    }
    template <class T>
    void download(T* host, const T* device, Index count) {
        std::memcpy(host, device, static_cast<std::size_t>(count) * sizeof(T));
    }
    template <class T>
    void fill_zero(T* device, Index count) {
        std::memset(static_cast<void*>(device), 0, static_cast<std::size_t>(count) * sizeof(T));
    }

    template <class Kernel>
    void launch(const Kernel& kernel, Extent grid, Extent block) {
        run_on_host(kernel, grid, block, order_);
    }

    /// Keeps the launches of `work` to be replayed: a CUDA graph on a device.
    void record(std::function<void()> work) { recorded_ = std::move(work); }
    void replay() {
        if (recorded_) recorded_();
    }

    /// Returns when all that was launched has run.
    void wait() {}

private:
    HostOrder order_;
    std::vector<std::vector<unsigned char>> blocks_;  // of operator new, aligned for any of our types
    std::function<void()> recorded_;
};

}  // namespace sonolux::cuda
