// sonolux/solvers/sigma_polynomial.hpp
//
// Parameters that follow the noise level:
//
//     theta(sigma) = sum over d of theta_d t^d,    t = log2(sigma / sigma_reference)
//
// Coefficients are [degree + 1, count]; degree 0 is a network for one noise level, whatever t.
#pragma once

#include <sonolux/core/shape.hpp>

namespace sonolux {

/// values [count].
inline void evaluate_sigma_polynomial(const float* coefficients, int degree, double t, Index count,
                                      float* values) noexcept {
    for (Index i = 0; i < count; ++i) {
        double sum = 0;
        for (int d = degree; d >= 0; --d) sum = sum * t + coefficients[d * count + i];
        values[i] = static_cast<float>(sum);
    }
}

/// The transpose: adds to coefficients_bar [degree + 1, count].
inline void add_sigma_polynomial_vjp(const float* values_bar, int degree, double t, Index count,
                                     float* coefficients_bar) noexcept {
    double power = 1;
    for (int d = 0; d <= degree; ++d, power *= t)
        for (Index i = 0; i < count; ++i)
            coefficients_bar[d * count + i] += static_cast<float>(power * values_bar[i]);
}

}  // namespace sonolux
