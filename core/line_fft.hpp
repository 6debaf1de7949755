// sonolux/core/line_fft.hpp
//
// Fourier transforms of single lines, of any length, by the backends of core/fft.hpp.
#pragma once

#include <sonolux/core/fft.hpp>

namespace sonolux {

/// Discrete Fourier transforms of complex lines of one length, not normalised:
///
///     X[k] = sum over j of x[j] exp(-+2 pi i j k / length)        (+ for the inverse)
///
/// the part of which images and volumes are made by code that does more with a line while it is at hand.
/// Lines are aligned to 64 bytes and must not overlap; what is in `in` may change. Scratch is in the plan, so
/// a plan serves one caller at a time.
class ComplexLineFft {
public:
    using Complex = std::complex<float>;

    explicit ComplexLineFft(Index length) : length_(length) {}
    virtual ~ComplexLineFft() = default;
    ComplexLineFft(const ComplexLineFft&) = delete;
    ComplexLineFft& operator=(const ComplexLineFft&) = delete;

    [[nodiscard]] Index length() const noexcept { return length_; }

    virtual void forward(Complex* in, Complex* out) noexcept = 0;
    virtual void inverse(Complex* in, Complex* out) noexcept = 0;

private:
    Index length_;
};

/// Throws Error{invalid_argument} unless the length is in [1, 2^28], Error{unsupported} for a backend that
/// this build has not, Error{out_of_memory}. May be called from several threads.
[[nodiscard]] std::unique_ptr<ComplexLineFft> make_complex_line_fft(
    Index length, FftBackend backend = default_fft_backend(), FftPlanning planning = FftPlanning::estimate);

}  // namespace sonolux
