// sonolux/solvers/variational_network_cuda.cu
//
// Variational networks of images in the CUDA module.
#include <sonolux/core/cuda/device_launcher.cuh>
#include <sonolux/solvers/variational_network_cuda_program.hpp>

namespace sonolux::cuda {

namespace {

int processors_of(const OpenDevice& device) {
    int count = 0;
    require_cuda(cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device.index()),
                 "asking for the device's processors");
    return count;
}

class OnDevice final : public VariationalProgramOnDevice {
public:
    OnDevice(const OpenDevice& device, const VariationalShape& shape)
        : launcher_(device),
          program_(launcher_, shape, processors_of(device)),
          staging_(static_cast<std::size_t>(shape.image_floats())) {}

    Status update(const float* packed, Message* message) noexcept override {
        return guarded(message, [&] { program_.update(packed); });
    }
    float* staging() noexcept override { return staging_.data(); }
    Status run(Message* message) noexcept override {
        return guarded(message, [&] { program_.run(staging_.data(), staging_.data()); });
    }
    Status time(int times, double* seconds, Message* message) noexcept override {
        return guarded(message, [&] { *seconds = launcher_.seconds_of_replays(times); });
    }

private:
    DeviceLauncher launcher_;
    VariationalProgram<DeviceLauncher> program_;
    PinnedFloats staging_;
};

}  // namespace

}  // namespace sonolux::cuda

extern "C" __attribute__((visibility("default"))) sonolux::Status slx_cuda_variational_network(
    sonolux::CudaDevice* device, const sonolux::cuda::VariationalShape* shape,
    sonolux::cuda::VariationalProgramOnDevice** program, sonolux::cuda::Message* message) noexcept {
    return sonolux::cuda::guarded(message, [&] {
        *program = new sonolux::cuda::OnDevice(*static_cast<sonolux::cuda::OpenDevice*>(device), *shape);
    });
}
