// sonolux/core/fft.hpp
//
// Fourier transforms of real images of any size, behind one interface.
//
// Workstations use FFTW (GPL), closed firmware KissFFT (BSD). Which of them a build has is chosen by CMake
// and told by available_fft_backends(). Neither allocates once a transform is made. Sizes that are not
// products of 2, 3 and 5 (and 7, 11, 13 with FFTW) cost about four times as much. FFTW ends the process where
// it gets no memory for the tables of a transform; firmware never sees it.
#pragma once

#include <complex>
#include <memory>
#include <string>
#include <vector>

#include <sonolux/core/array.hpp>

namespace sonolux {

enum class FftBackend { fftw, kiss };

/// How FFTW looks for a plan; KissFFT has only one. Estimated plans are the same in every run, and so are
/// their bits on one kind of processor. Measured ones are faster, and other ones each time, unless their
/// wisdom is kept.
enum class FftPlanning { estimate, measure };

/// The two-dimensional discrete Fourier transform of one size, real to half-complex and back:
///
///     forward   X[k, l] = sum over i, j of x[i, j] exp(-2 pi i (i k / rows + j l / columns))
///     inverse   x[i, j] = 1 / (rows columns) * sum over all k, l of X[k, l] exp(+2 pi i (...))
///
/// for l in [0, columns / 2]; the other half is the conjugate, X[-k, -l] = X[k, l]*. inverse(forward(x)) = x.
/// What breaks that symmetry in columns l = 0 and columns / 2 of a spectrum is dropped by the inverse.
///
/// Image [rows, columns], spectrum [rows, columns / 2 + 1]; rows of both may be further apart than their
/// lengths. Inputs are not changed; input and output must not overlap. Scratch is in the plan, so a plan
/// serves one caller at a time; it runs on the calling thread.
class RealFft2 {
public:
    using Complex = std::complex<float>;

    RealFft2(Index rows, Index columns) : rows_(rows), columns_(columns) {}
    virtual ~RealFft2() = default;
    RealFft2(const RealFft2&) = delete;
    RealFft2& operator=(const RealFft2&) = delete;

    [[nodiscard]] Index rows() const noexcept { return rows_; }
    [[nodiscard]] Index columns() const noexcept { return columns_; }
    [[nodiscard]] Shape image_shape() const noexcept { return {rows_, columns_}; }
    [[nodiscard]] Shape spectrum_shape() const noexcept { return {rows_, columns_ / 2 + 1}; }

    virtual void forward(View<const float> image, View<Complex> spectrum) noexcept = 0;
    virtual void inverse(View<const Complex> spectrum, View<float> image) noexcept = 0;

    /// "FFTW 3.3.10, ESTIMATE" or "KissFFT".
    [[nodiscard]] virtual std::string description() const = 0;

    /// What the scratch in the plan takes: a spectrum and little else. Tables of the backend come on top, of
    /// a few rows and columns.
    [[nodiscard]] virtual std::size_t memory_bytes() const noexcept = 0;

private:
    Index rows_, columns_;
};

/// The backends of this build, the default first. Never empty.
[[nodiscard]] std::vector<FftBackend> available_fft_backends();
[[nodiscard]] FftBackend default_fft_backend() noexcept;
[[nodiscard]] const char* to_string(FftBackend backend) noexcept;

/// What make_real_fft2 gives by default: "FFTW 3.3.10, ESTIMATE" or "KissFFT".
[[nodiscard]] std::string fft_description();

/// Throws Error{invalid_argument} unless both sizes are in [1, 2^28], Error{unsupported} for a backend that
/// this build has not, Error{out_of_memory}. May be called from several threads.
[[nodiscard]] std::unique_ptr<RealFft2> make_real_fft2(Index rows, Index columns,
                                                       FftBackend backend = default_fft_backend(),
                                                       FftPlanning planning = FftPlanning::estimate);

/// What FFTW has measured so far in this process, as text, and that text read back: plans made afterwards are
/// the plans measured then. Empty, and ignored, in a build without FFTW. Throws Error{corrupt_data} for a
/// text that is not the wisdom of this version of FFTW.
[[nodiscard]] std::string export_fft_wisdom();
void import_fft_wisdom(const std::string& wisdom);

}  // namespace sonolux
