// sonolux/core/operators/delay_and_sum_cuda.cu
//
// Delay and sum in the CUDA module.
#include <sonolux/core/cuda/device_launcher.cuh>
#include <sonolux/core/operators/delay_and_sum_cuda_program.hpp>

namespace sonolux::cuda {

namespace {

class OnDevice final : public DelayAndSumOnDevice {
public:
    OnDevice(const OpenDevice& device, const DelayAndSumLayout& layout)
        : launcher_(device),
          program_(launcher_, layout),
          frames_(static_cast<std::size_t>(program_.frames_floats())),
          images_(static_cast<std::size_t>(program_.images_floats())) {}

    float* frames() noexcept override { return frames_.data(); }
    const float* images() noexcept override { return images_.data(); }
    Status run(Message* message) noexcept override {
        return guarded(message, [&] { program_.run(frames_.data(), images_.data()); });
    }
    Status time(int times, double* seconds, Message* message) noexcept override {
        return guarded(message, [&] { *seconds = launcher_.seconds_of_replays(times); });
    }

private:
    DeviceLauncher launcher_;
    DelayAndSumProgram<DeviceLauncher> program_;
    PinnedFloats frames_, images_;
};

}  // namespace

}  // namespace sonolux::cuda

extern "C" __attribute__((visibility("default"))) sonolux::Status slx_cuda_delay_and_sum(
    sonolux::CudaDevice* device, const sonolux::cuda::DelayAndSumLayout* layout,
    sonolux::cuda::DelayAndSumOnDevice** program, sonolux::cuda::Message* message) noexcept {
    return sonolux::cuda::guarded(message, [&] {
        *program = new sonolux::cuda::OnDevice(*static_cast<sonolux::cuda::OpenDevice*>(device), *layout);
    });
}
