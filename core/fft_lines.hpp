// sonolux/core/fft_lines.hpp
//
// A transform of real images made of complex transforms of lines, which is all that a backend brings. So
// backends whose lines allocate nothing while they run make images that allocate nothing (FFTW's own
// transforms of images take buffers from the heap), and every length is possible.
//
// A backend is a class
//
//     Smooth(Index length, bool inverse)               throws Error{out_of_memory}
//     static bool takes(Index length)                  at least all 2^a 3^b 5^c
//     void run(Complex* in, Complex* out) noexcept     not normalised; what is in `in` may change
//
// whose memory is aligned to Workspace::alignment. Other lengths go through Bluestein's convolution
// (L. Bluestein, IEEE Trans. Audio Electroacoust. 18, 1970).
#pragma once

#include <algorithm>
#include <numbers>
#include <optional>

#include <sonolux/core/fft_backends.hpp>

namespace sonolux::detail {

/// Complex transforms of one length, any, not normalised.
template <class Smooth>
class LineFft {
public:
    using Complex = std::complex<float>;

    explicit LineFft(Index length)
        : length_(length),
          direct_(Smooth::takes(length)),
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

    /// `in`, which may change, and `out` are aligned and must not overlap.
    void run(Complex* in, Complex* out, bool inverse) noexcept {
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
        const auto is_smooth = [](Index m) {
            for (Index p : {2, 3, 5})
                while (m % p == 0) m /= p;
            return m == 1;
        };
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
    Smooth forward_, inverse_;
    Array<Complex> chirp_, filter_, a_, b_;
};

template <class Smooth>
class SingleLineFft final : public ComplexLineFft {
public:
    explicit SingleLineFft(Index length) : ComplexLineFft(length), line_(length) {}

    void forward(Complex* in, Complex* out) noexcept override { line_.run(in, out, false); }
    void inverse(Complex* in, Complex* out) noexcept override { line_.run(in, out, true); }

private:
    LineFft<Smooth> line_;
};

template <class Smooth>
class LinesFft2 final : public RealFft2 {
public:
    LinesFft2(Index rows, Index columns, std::string description)
        : RealFft2(rows, columns),
          description_(std::move(description)),
          along_row_(columns),
          along_column_(rows),
          row_stride_(padded(columns)),
          column_stride_(padded(rows)),
          line_({2, row_stride_}),
          block_({2, columns_at_once, column_stride_}),
          half_(spectrum_shape()) {}

    void forward(View<const float> image, View<Complex> spectrum) noexcept override {
        // Two rows at a time, as real and imaginary part of one line: their spectra are its even and odd
        // part.
        Complex* in = line_.data();
        Complex* out = in + row_stride_;
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
        Complex* out = in + row_stride_;
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

    std::string description() const override { return description_; }

    std::size_t memory_bytes() const noexcept override {
        return static_cast<std::size_t>(line_.elements() + block_.elements() + half_.elements()) *
               sizeof(Complex);
    }

private:
    static constexpr Index columns_at_once = 8;  // one cache line of complex numbers

    /// So that all lines begin aligned.
    static Index padded(Index length) noexcept { return (length + 7) / 8 * 8; }

    void transform_columns(View<const Complex> from, View<Complex> to, bool inverse) noexcept {
        Complex* in = block_.data();
        Complex* out = in + columns_at_once * column_stride_;
        const Index width = columns() / 2 + 1;
        for (Index first = 0; first < width; first += columns_at_once) {
            const Index some = std::min(columns_at_once, width - first);
            for (Index i = 0; i < rows(); ++i)
                for (Index l = 0; l < some; ++l) in[l * column_stride_ + i] = from.row(i)[first + l];
            for (Index l = 0; l < some; ++l)
                along_column_.run(in + l * column_stride_, out + l * column_stride_, inverse);
            for (Index i = 0; i < rows(); ++i)
                for (Index l = 0; l < some; ++l) to.row(i)[first + l] = out[l * column_stride_ + i];
        }
    }

    std::string description_;
    LineFft<Smooth> along_row_, along_column_;
    Index row_stride_, column_stride_;
    Array<Complex> line_, block_, half_;
};

}  // namespace sonolux::detail
