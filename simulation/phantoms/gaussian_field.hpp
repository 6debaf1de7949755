// sonolux/simulation/phantoms/gaussian_field.hpp
//
// Stationary Gaussian random fields in the plane, as functions that can be asked at any point: so the same
// field can be had on any grid.
#pragma once

#include <string_view>
#include <vector>

#include <sonolux/core/acoustics/image_grid.hpp>
#include <sonolux/core/random.hpp>

namespace sonolux {

/// Covariance over a distance of r correlation lengths, from smooth to rough, and the spectral density in the
/// plane that belongs to it:
enum class FieldCovariance {
    gaussian,     ///< exp(-r^2 / 2)                        ~ exp(-k^2 / 2)
    matern,       ///< (1 + sqrt(3) r) exp(-sqrt(3) r)      ~ (1 + k^2 / 3)^(-5/2), Matern's of smoothness 3/2
    exponential,  ///< exp(-r)                              ~ (1 + k^2)^(-3/2)
};

[[nodiscard]] const char* to_string(FieldCovariance covariance) noexcept;
/// Throws Error{invalid_argument} for another name.
[[nodiscard]] FieldCovariance field_covariance_from_string(std::string_view name);

/// A field of mean 0 and variance 1,
///
///     f(p) = N^(-1/2) sum over n of a_n cos(k_n . p) + b_n sin(k_n . p),    a_n, b_n standard normal,
///
/// whose N wave vectors are drawn from the spectral density (M. Shinozuka, J. Acoust. Soc. Am. 49, 1971,
/// 357): given the wave vectors it is Gaussian, and averaged over them its covariance is the stated one. One
/// realisation has 2 N degrees of freedom, so its own statistics differ from the mean by a part of N^(-1/2).
class GaussianField {
public:
    static constexpr int waves = 128;

    /// `correlation_length` is in m, downwards; to the right it is `aspect` times that. Throws
    /// Error{invalid_argument} unless the length is from 1e-6 to 10 m and the aspect from 0.01 to 100.
    GaussianField(FieldCovariance covariance, double correlation_length, double aspect, Philox random);

    [[nodiscard]] double operator()(Point p) const noexcept;

    /// Values at the points (x + n spacing, z), n = 0, ..., count - 1.
    void row(double z, double x, double spacing, Index count, double* values) const noexcept;

private:
    std::vector<double> right_, down_;   // components of k_n
    std::vector<double> cosine_, sine_;  // a_n / sqrt(N), b_n / sqrt(N)
};

}  // namespace sonolux
