// sonolux/core/operators/spectral_blur_cuda.hpp
//
// Blur from channels into channels on a CUDA device. Nothing here needs CUDA: the work is done by the module.
#pragma once

#include <memory>
#include <vector>

#include <sonolux/core/operators/spectral_blur.hpp>
#include <sonolux/core/operators/spectral_blur_cuda_program.hpp>

namespace sonolux {

namespace cuda {

/// The operator's spectra as a program takes them. Windows are the operator's, which must outlive this.
struct SpectralBlurLists {
    explicit SpectralBlurLists(const SpectralBlur& blur);

    SpectralBlurLayout layout{};
    std::vector<Complex> spectra;
    std::vector<std::uint8_t> light;
};

}  // namespace cuda

/// SpectralBlur bound to a device, with the kernels that it has now. Nothing allocates afterwards.
class SpectralBlurCuda {
public:
    /// Copies the kernels; the operator may go afterwards. Throws Error{unsupported} where there is no cuFFT,
    /// Error{out_of_memory} naming what is needed and what is free, Error{device_error}.
    SpectralBlurCuda(const SpectralBlur& blur, CudaDevice& device);

    /// Where the image to be blurred, or the data to be brought back, is found, and where the result is left.
    [[nodiscard]] float* staging() noexcept { return program_->staging(); }

    /// ok, or device_error, and then `message` says what the device said.
    [[nodiscard]] Status apply() noexcept { return program_->apply(&message_); }
    [[nodiscard]] Status adjoint() noexcept { return program_->adjoint(&message_); }
    [[nodiscard]] const char* message() const noexcept { return message_.text; }

private:
    std::unique_ptr<cuda::SpectralBlurOnDevice> program_;
    cuda::Message message_;
};

}  // namespace sonolux
