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

/// The transform of single lines, in place and not normalised, in double, by the same libraries:
///
///     X[k] = sum over j of x[j] exp(-2 pi i j k / length)
///
/// the part of which the transform of a field is made where most of it is zero, or not wanted. May be made
/// and run from several threads, each with its own.
class FieldLineTransform {
public:
    using Complex = std::complex<double>;

    /// Throws Error{invalid_argument} for a length below 1 or above 2^20, Error{out_of_memory}.
    explicit FieldLineTransform(Index length);
    ~FieldLineTransform();
    FieldLineTransform(const FieldLineTransform&) = delete;
    FieldLineTransform& operator=(const FieldLineTransform&) = delete;

    [[nodiscard]] Index length() const noexcept { return length_; }

    /// The line is aligned to 64 bytes.
    void forward(Complex* line) const;

private:
    struct Plan;
    Index length_;
    std::unique_ptr<Plan> plan_;
};

}  // namespace sonolux
