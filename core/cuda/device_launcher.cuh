// sonolux/core/cuda/device_launcher.cuh
//
// Runs kernels on a CUDA device. Only sources of the module include this.
#pragma once

#include <cuda_runtime_api.h>

#include <functional>
#include <vector>

#include <sonolux/core/cuda/device.hpp>
#include <sonolux/core/cuda/kernel.hpp>
#include <sonolux/core/cuda/module.hpp>
#include <sonolux/core/shape.hpp>

namespace sonolux::cuda {

/// Throws Error{device_error} (or out_of_memory) naming the call that failed and what the driver says.
void require_cuda(cudaError_t error, const char* call);

/// A device with its stream: what slx_cuda_open makes, so that a CudaDevice can be cast to it within the
/// module.
class OpenDevice final : public CudaDevice {
public:
    explicit OpenDevice(int index);
    ~OpenDevice() override;
    OpenDevice(const OpenDevice&) = delete;
    OpenDevice& operator=(const OpenDevice&) = delete;

    [[nodiscard]] std::string name() const override { return name_; }
    [[nodiscard]] std::size_t free_bytes() const override;
    [[nodiscard]] std::size_t total_bytes() const override;
    [[nodiscard]] Status status() const noexcept override;

    [[nodiscard]] cudaStream_t stream() const noexcept { return stream_; }
    [[nodiscard]] int index() const noexcept { return index_; }

    /// What the calling thread does next is for this device: threads begin with the first one.
    void use() const { require_cuda(cudaSetDevice(index_), "choosing the device"); }

private:
    int index_;
    std::string name_;
    cudaStream_t stream_ = nullptr;
};

namespace device {

template <class Kernel>
__global__ void run(const __grid_constant__ Kernel kernel) {
    extern __shared__ __align__(16) unsigned char shared_bytes[];
    const Thread thread{{threadIdx.x, threadIdx.y, threadIdx.z},
                        {blockIdx.x, blockIdx.y, blockIdx.z},
                        {blockDim.x, blockDim.y, blockDim.z},
                        {gridDim.x, gridDim.y, gridDim.z}};
    typename Kernel::Registers own;
    auto& shared = *reinterpret_cast<typename Kernel::Shared*>(shared_bytes);
    const int steps = kernel.steps();
    for (int step = 0; step < steps; ++step) {
        if (step > 0) __syncthreads();
        kernel.run(step, thread, shared, own);
    }
}

}  // namespace device

/// The launcher of programs on a device; see HostLauncher for what each member does.
class DeviceLauncher {
public:
    explicit DeviceLauncher(const OpenDevice& device) : device_(&device) {}
    ~DeviceLauncher();
    DeviceLauncher(const DeviceLauncher&) = delete;
    DeviceLauncher& operator=(const DeviceLauncher&) = delete;

    /// Throws Error{out_of_memory}, naming what is needed and what is free.
    template <class T>
    [[nodiscard]] T* allocate(Index count) {
        return static_cast<T*>(allocate_bytes(static_cast<std::size_t>(count) * sizeof(T)));
    }

    /// From and to host memory, in the order of the stream; the host memory may be used again after wait().
    template <class T>
    void upload(T* target, const T* host, Index count) {
        require_cuda(cudaMemcpyAsync(target, host, static_cast<std::size_t>(count) * sizeof(T),
                                     cudaMemcpyHostToDevice, stream()),
                     "copying to the device");
    }
    template <class T>
    void download(T* host, const T* source, Index count) {
        require_cuda(cudaMemcpyAsync(host, source, static_cast<std::size_t>(count) * sizeof(T),
                                     cudaMemcpyDeviceToHost, stream()),
                     "copying from the device");
    }
    template <class T>
    void fill_zero(T* target, Index count) {
        require_cuda(cudaMemsetAsync(target, 0, static_cast<std::size_t>(count) * sizeof(T), stream()),
                     "clearing memory");
    }

    template <class Kernel>
    void launch(const Kernel& kernel, Extent grid, Extent block) {
        device_->use();
        constexpr std::size_t shared = sizeof(typename Kernel::Shared);
        if constexpr (shared > 48 * 1024)
            require_cuda(
                cudaFuncSetAttribute(device::run<Kernel>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                     static_cast<int>(shared)),
                "asking for shared memory");
        device::run<Kernel>
            <<<dim3(grid.x, grid.y, grid.z), dim3(block.x, block.y, block.z), shared, stream()>>>(kernel);
        require_cuda(cudaGetLastError(), __PRETTY_FUNCTION__);
    }

    void record(const std::function<void()>& work);
    void replay();
    void wait() { require_cuda(cudaStreamSynchronize(stream()), "waiting for the device"); }

    /// How long `times` replays take by the device's clock, one after the other.
    [[nodiscard]] double seconds_of_replays(int times);

    [[nodiscard]] cudaStream_t stream() const noexcept { return device_->stream(); }

private:
    [[nodiscard]] void* allocate_bytes(std::size_t bytes);

    const OpenDevice* device_;
    std::vector<void*> blocks_;
    cudaGraphExec_t graph_ = nullptr;
};

/// Host memory that the device copies from and to by itself, without a detour through the driver's.
class PinnedFloats {
public:
    /// Throws Error{out_of_memory}.
    explicit PinnedFloats(std::size_t count) {
        void* memory = nullptr;
        require_cuda(cudaMallocHost(&memory, count * sizeof(float)), "allocating host memory");
        data_ = static_cast<float*>(memory);
    }
    ~PinnedFloats() { cudaFreeHost(data_); }
    PinnedFloats(const PinnedFloats&) = delete;
    PinnedFloats& operator=(const PinnedFloats&) = delete;

    [[nodiscard]] float* data() const noexcept { return data_; }

private:
    float* data_ = nullptr;
};

}  // namespace sonolux::cuda
