// sonolux/simulation/optics/bessel_table.hpp
//
// J_1 many times over: Taylor polynomials about equally spaced points.
#pragma once

#include <cmath>

#include <sonolux/core/array.hpp>

namespace sonolux::detail {

/// J_1 on [0, largest] with an error below 1e-10: a polynomial of degree 5 about each multiple of 1/8. The
/// derivatives are those of Bessel functions, 2 J_n' = J_(n-1) - J_(n+1).
class BesselTable {
public:
    explicit BesselTable(double largest) : coefficients_({static_cast<Index>(largest * 8) + 2, degree + 1}) {
        for (Index i = 0; i < coefficients_.shape()[0]; ++i) {
            const double x = static_cast<double>(i) / 8;
            // J_-4 .. J_6, of which the k-th derivative takes every second.
            double j[11];
            for (int n = 0; n <= 6; ++n) j[4 + n] = ::jn(n, x);
            for (int n = 1; n <= 4; ++n) j[4 - n] = (n % 2 ? -1 : 1) * j[4 + n];
            double factorial = 1, half = 1;
            for (int k = 0; k <= degree; ++k) {
                if (k > 0) factorial *= k, half /= 2;
                double derivative = 0, binomial = 1;
                for (int m = 0; m <= k; ++m) {
                    derivative += (m % 2 ? -1 : 1) * binomial * j[4 + 1 - k + 2 * m];
                    binomial = binomial * (k - m) / (m + 1);
                }
                coefficients_(i, k) = half * derivative / factorial;
            }
        }
    }

    [[nodiscard]] double operator()(double x) const noexcept {
        const auto i = static_cast<Index>(x * 8 + 0.5);
        const double d = x - static_cast<double>(i) / 8;
        const double* c = coefficients_.data() + i * (degree + 1);
        return c[0] + d * (c[1] + d * (c[2] + d * (c[3] + d * (c[4] + d * c[5]))));
    }

private:
    static constexpr int degree = 5;
    Array<double> coefficients_;
};

}  // namespace sonolux::detail
