// sonolux/core/cuda/fft.hpp
//
// Transforms within programs: which they are depends on the launcher.
#pragma once

#include <sonolux/core/cuda/kernel.hpp>
#include <sonolux/core/shape.hpp>

namespace sonolux::cuda {

struct Complex {
    float re, im;
};

/// Two-dimensional real transforms of `batch` images [rows, columns] that lie one after the other, with
/// spectra [rows, columns / 2 + 1]. Made at set-up time with the launcher, and usable in what it records:
///
///     RealFft2Batch(Launcher&, Index rows, Index columns, Index batch)
///     void forward(const float* images, Complex* spectra)    as RealFft2::forward (core/fft.hpp)
///     void inverse(Complex* spectra, float* images)          rows columns times RealFft2::inverse: nobody
///     divides.
///                                                            The spectra are gone afterwards.
///
/// For HostLauncher in host_fft.hpp, for DeviceLauncher in device_fft.cuh.
template <class Launcher>
class RealFft2Batch;

}  // namespace sonolux::cuda
