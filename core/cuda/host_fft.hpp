// sonolux/core/cuda/host_fft.hpp
//
// The transforms of programs that run on the host: those of core/fft.hpp.
#pragma once

#include <complex>
#include <cstring>
#include <memory>

#include <sonolux/core/cuda/fft.hpp>
#include <sonolux/core/cuda/host_launcher.hpp>
#include <sonolux/core/fft.hpp>

namespace sonolux::cuda {

template <>
class RealFft2Batch<HostLauncher> {
public:
    RealFft2Batch(HostLauncher&, Index rows, Index columns, Index batch)
        : fft_(make_real_fft2(rows, columns)), batch_(batch) {}

    void forward(const float* images, Complex* spectra) {
        for (Index b = 0; b < batch_; ++b)
            fft_->forward({images + b * pixels(), fft_->image_shape()},
                          {std_complex(spectra) + b * bins(), fft_->spectrum_shape()});
    }
    void inverse(Complex* spectra, float* images) {
        for (Index b = 0; b < batch_; ++b) {
            fft_->inverse({std_complex(spectra) + b * bins(), fft_->spectrum_shape()},
                          {images + b * pixels(), fft_->image_shape()});
            for (Index n = 0; n < pixels(); ++n) images[b * pixels() + n] *= static_cast<float>(pixels());
        }
        // Whoever reads them again finds NaN.
        std::memset(static_cast<void*>(spectra), 0xff,
                    sizeof(Complex) * static_cast<std::size_t>(batch_ * bins()));
    }

private:
    [[nodiscard]] Index pixels() const noexcept { return fft_->image_shape().elements(); }
    [[nodiscard]] Index bins() const noexcept { return fft_->spectrum_shape().elements(); }
    static std::complex<float>* std_complex(Complex* values) noexcept {
        return reinterpret_cast<std::complex<float>*>(values);
    }

    std::unique_ptr<RealFft2> fft_;
    Index batch_;
};

}  // namespace sonolux::cuda
