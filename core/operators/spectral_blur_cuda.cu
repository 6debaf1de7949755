// sonolux/core/operators/spectral_blur_cuda.cu
//
// Blur from channels into channels in the CUDA module.
#include <algorithm>

#include <sonolux/core/cuda/device_fft.cuh>
#include <sonolux/core/operators/spectral_blur_cuda_program.hpp>

namespace sonolux::cuda {

namespace {

class OnDevice final : public SpectralBlurOnDevice {
public:
    OnDevice(const OpenDevice& device, const SpectralBlurLayout& layout)
        : launcher_(device),
          program_(launcher_, layout),
          staging_(static_cast<std::size_t>(std::max(program_.input_floats(), program_.output_floats()))) {}

    float* staging() noexcept override { return staging_.data(); }
    Status apply(Message* message) noexcept override {
        return guarded(message, [&] { program_.apply(staging_.data(), staging_.data()); });
    }
    Status adjoint(Message* message) noexcept override {
        return guarded(message, [&] { program_.adjoint(staging_.data(), staging_.data()); });
    }

private:
    DeviceLauncher launcher_;
    SpectralBlurProgram<DeviceLauncher> program_;
    PinnedFloats staging_;
};

}  // namespace

}  // namespace sonolux::cuda

extern "C" __attribute__((visibility("default"))) sonolux::Status slx_cuda_spectral_blur(
    sonolux::CudaDevice* device, const sonolux::cuda::SpectralBlurLayout* layout,
    sonolux::cuda::SpectralBlurOnDevice** program, sonolux::cuda::Message* message) noexcept {
    return sonolux::cuda::guarded(message, [&] {
        *program = new sonolux::cuda::OnDevice(*static_cast<sonolux::cuda::OpenDevice*>(device), *layout);
    });
}
