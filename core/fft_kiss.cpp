// sonolux/core/fft_kiss.cpp
//
// KissFFT (M. Borgerding, BSD) in single precision, led to two dimensions, real data and any length.
//
// Lengths with prime factors beyond 5 go through Bluestein's convolution (L. Bluestein, IEEE Trans. Audio
// Electroacoust. 18, 1970): KissFFT itself would take O(p^2) there, and allocate while it runs.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

#include <kiss_fft.h>

#include <sonolux/core/fft_backends.hpp>

namespace sonolux::detail {

namespace {

using Complex = std::complex<float>;
static_assert(sizeof(Complex) == sizeof(kiss_fft_cpx));

/// KissFFT's own plan: lengths 2^a 3^b 5^c only.
class SmoothFft {
public:
    SmoothFft(Index length, bool inverse) {
        std::size_t bytes = 0;
        kiss_fft_alloc(static_cast<int>(length), inverse, nullptr, &bytes);
        memory_ = Array<std::byte>({static_cast<Index>(bytes)});
        plan_ = kiss_fft_alloc(static_cast<int>(length), inverse, memory_.data(), &bytes);
        require(plan_ != nullptr, Status::out_of_memory, "FFT: KissFFT makes no plan of length ", length);
    }

    void run(const Complex* in, Complex* out) const noexcept {
        kiss_fft(plan_, reinterpret_cast<const kiss_fft_cpx*>(in), reinterpret_cast<kiss_fft_cpx*>(out));
    }

private:
    Array<std::byte> memory_;
    kiss_fft_cfg plan_ = nullptr;
};

bool is_smooth(Index n) {
    for (Index p : {2, 3, 5})
        while (n % p == 0) n /= p;
    return n == 1;
}

/// Complex transforms of any length, not normalised.
class LineFft {
public:
    explicit LineFft(Index length)
        : length_(length),
          direct_(is_smooth(length)),
          work_length_(direct_ ? length : smooth_from(2 * length - 1)),
          forward_(work_length_, false),
          inverse_(work_length_, true) {
        if (direct_) return;
        chirp_ = Array<Complex>({length});
        filter_ = Array<Complex>({work_length_});
        a_ = Array<Complex>({work_length_});
        b_ = Array<Complex>({work_length_});
        for (Index k = 0; k < length; ++k) {
            // exp(-pi i k^2 / n), with the square reduced before it loses digits.
            const double turn = static_cast<double>(k * k % (2 * length)) / static_cast<double>(length);
            chirp_(k) = Complex(std::polar(1.0, -std::numbers::pi * turn));
            // 1 / work_length: what the two transforms of the convolution leave.
            const Complex tap = std::conj(chirp_(k)) / static_cast<float>(work_length_);
            a_(k) = tap;
            if (k > 0) a_(work_length_ - k) = tap;
        }
        forward_.run(a_.data(), filter_.data());
    }

    /// `in` and `out` must not overlap.
    void run(const Complex* in, Complex* out, bool inverse) noexcept {
        if (length_ == 1) {
            out[0] = in[0];
        } else if (direct_) {
            (inverse ? inverse_ : forward_).run(in, out);
        } else {
            bluestein(in, out, inverse);
        }
    }

private:
    static Index smooth_from(Index n) {
        while (!is_smooth(n)) ++n;
        return n;
    }

    /// As std::complex multiplies, without its search for infinities.
    static Complex times(Complex a, Complex b) noexcept {
        return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
    }

    /// n k = (n^2 + k^2 - (k - n)^2) / 2 makes the transform a convolution with a chirp. The inverse is the
    /// conjugate of the transform of the conjugate.
    void bluestein(const Complex* in, Complex* out, bool inverse) noexcept {
        auto turned = [inverse](Complex z) { return inverse ? std::conj(z) : z; };
        Complex* a = a_.data();
        Complex* b = b_.data();
        for (Index k = 0; k < length_; ++k) a[k] = times(turned(in[k]), chirp_.data()[k]);
        std::fill(a + length_, a + work_length_, Complex());
        forward_.run(a, b);
        for (Index k = 0; k < work_length_; ++k) b[k] = times(b[k], filter_.data()[k]);
        inverse_.run(b, a);
        for (Index k = 0; k < length_; ++k) out[k] = turned(times(a[k], chirp_.data()[k]));
    }

    Index length_;
    bool direct_;
    Index work_length_;
    SmoothFft forward_, inverse_;
    Array<Complex> chirp_, filter_, a_, b_;
};

class KissFft2 final : public RealFft2 {
public:
    KissFft2(Index rows, Index columns)
        : RealFft2(rows, columns),
          along_row_(columns),
          along_column_(rows),
          line_({2, columns}),
          block_({2, columns_at_once, rows}),
          half_(spectrum_shape()) {}

    void forward(View<const float> image, View<Complex> spectrum) noexcept override {
        // Two rows at a time, as real and imaginary part of one line: their spectra are its even and odd
        // part.
        Complex* in = line_.data();
        Complex* out = in + columns();
        for (Index i = 0; i < rows(); i += 2) {
            const bool pair = i + 1 < rows();
            const float* a = image.row(i);
            const float* b = pair ? image.row(i + 1) : nullptr;
            for (Index j = 0; j < columns(); ++j) in[j] = Complex(a[j], pair ? b[j] : 0.0f);
            along_row_.run(in, out, false);
            Complex* spectrum_a = spectrum.row(i);
            Complex* spectrum_b = pair ? spectrum.row(i + 1) : nullptr;
            for (Index l = 0; l <= columns() / 2; ++l) {
                const Complex z = out[l], mirrored = std::conj(out[l == 0 ? 0 : columns() - l]);
                spectrum_a[l] = 0.5f * (z + mirrored);
                const Complex odd = 0.5f * (z - mirrored);
                if (pair) spectrum_b[l] = Complex(odd.imag(), -odd.real());
            }
        }
        transform_columns(spectrum, spectrum, false);
    }

    void inverse(View<const Complex> spectrum, View<float> image) noexcept override {
        View<Complex> half = half_.view();
        transform_columns(spectrum, half, true);
        const float scale = static_cast<float>(1.0 / static_cast<double>(rows() * columns()));
        Complex* in = line_.data();
        Complex* out = in + columns();
        for (Index i = 0; i < rows(); i += 2) {
            const bool pair = i + 1 < rows();
            const Complex* a = half.row(i);
            const Complex* b = pair ? half.row(i + 1) : nullptr;
            for (Index l = 0; l <= columns() / 2; ++l) {
                const bool real_bin = l == 0 || 2 * l == columns();
                const Complex za = real_bin ? Complex(a[l].real()) : a[l];
                const Complex zb = !pair ? Complex() : real_bin ? Complex(b[l].real()) : b[l];
                in[l] = Complex(za.real() - zb.imag(), za.imag() + zb.real());
                if (!real_bin) in[columns() - l] = Complex(za.real() + zb.imag(), zb.real() - za.imag());
            }
            along_row_.run(in, out, true);
            float* row_a = image.row(i);
            float* row_b = pair ? image.row(i + 1) : nullptr;
            for (Index j = 0; j < columns(); ++j) {
                row_a[j] = out[j].real() * scale;
                if (pair) row_b[j] = out[j].imag() * scale;
            }
        }
    }

    std::string description() const override { return to_string(FftBackend::kiss); }

private:
    static constexpr Index columns_at_once = 8;  // one cache line of complex numbers

    void transform_columns(View<const Complex> from, View<Complex> to, bool inverse) noexcept {
        Complex* in = block_.data();
        Complex* out = in + columns_at_once * rows();
        const Index width = columns() / 2 + 1;
        for (Index first = 0; first < width; first += columns_at_once) {
            const Index some = std::min(columns_at_once, width - first);
            for (Index i = 0; i < rows(); ++i)
                for (Index l = 0; l < some; ++l) in[l * rows() + i] = from.row(i)[first + l];
            for (Index l = 0; l < some; ++l) along_column_.run(in + l * rows(), out + l * rows(), inverse);
            for (Index i = 0; i < rows(); ++i)
                for (Index l = 0; l < some; ++l) to.row(i)[first + l] = out[l * rows() + i];
        }
    }

    LineFft along_row_, along_column_;
    Array<Complex> line_, block_, half_;
};

}  // namespace

std::unique_ptr<RealFft2> make_kiss_fft2(Index rows, Index columns) {
    return std::make_unique<KissFft2>(rows, columns);
}

}  // namespace sonolux::detail
