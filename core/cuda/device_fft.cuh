// sonolux/core/cuda/device_fft.cuh
//
// The transforms of programs on a device, by cuFFT, which is loaded when the first of them is made: the
// module runs without it whatever needs no transform.
#pragma once

#include <cufft.h>

#include <memory>

#include <sonolux/core/cuda/device_launcher.cuh>
#include <sonolux/core/cuda/fft.hpp>

namespace sonolux::cuda {

template <>
class RealFft2Batch<DeviceLauncher> {
public:
    /// Throws Error{unsupported} saying what was looked for where there is no cuFFT of the toolkit's version,
    /// Error{out_of_memory}, Error{device_error}.
    RealFft2Batch(DeviceLauncher& launcher, Index rows, Index columns, Index batch);
    ~RealFft2Batch();
    RealFft2Batch(const RealFft2Batch&) = delete;
    RealFft2Batch& operator=(const RealFft2Batch&) = delete;

    void forward(const float* images, Complex* spectra);
    void inverse(Complex* spectra, float* images);

private:
    static constexpr cufftHandle none = -1;
    struct Library;  // the functions of cuFFT
    void destroy() noexcept;

    std::unique_ptr<const Library> library_;
    cufftHandle forward_ = none, inverse_ = none;
};

}  // namespace sonolux::cuda
