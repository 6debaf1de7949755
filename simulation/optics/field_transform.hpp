// sonolux/simulation/optics/field_transform.hpp
//
// Fourier transforms of fields of light, in double precision.
#pragma once

#include <complex>
#include <memory>

#include <sonolux/core/array.hpp>

namespace sonolux {

/// The two-dimensional transform of square complex fields, in place and not normalised:
///
///     forward   X[k, l] = sum over i, j of x[i, j] exp(-2 pi i (i k + j l) / size);   inverse: +
///
/// By FFTW in double precision, or by Eigen's KissFFT in builds without FFTW, several times slower. Set-up
/// code: may allocate. Made and run from several threads, each with its own.
class FieldTransform {
public:
    using Complex = std::complex<double>;

    /// Throws Error{invalid_argument} for a size below 1 or above 32768, Error{out_of_memory}.
    explicit FieldTransform(Index size);
    ~FieldTransform();
    FieldTransform(const FieldTransform&) = delete;
    FieldTransform& operator=(const FieldTransform&) = delete;

    [[nodiscard]] Index size() const noexcept { return size_; }

    /// The field [size, size], contiguous.
    void forward(View<Complex> field) const;
    void inverse(View<Complex> field) const;

private:
    struct Plans;
    Index size_;
    std::unique_ptr<Plans> plans_;
};

/// The same of one line, for who transforms fields that are zero for the most part, or looks at a part of the
/// result:
///
///     X[k] = sum over j of x[j] exp(-2 pi i j k / size)
///
/// Made and run from several threads, each with its own.
class LineTransform {
public:
    using Complex = std::complex<double>;

    /// Throws as FieldTransform does.
    explicit LineTransform(Index size);
    ~LineTransform();
    LineTransform(const LineTransform&) = delete;
    LineTransform& operator=(const LineTransform&) = delete;

    /// Where the line [size] goes: its samples before `forward`, its spectrum afterwards.
    [[nodiscard]] Complex* line() noexcept { return line_.data(); }
    void forward();

private:
    struct Plan;
    Array<Complex> line_;
    std::unique_ptr<Plan> plan_;
};

}  // namespace sonolux
