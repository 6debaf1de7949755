// sonolux/solvers/global_speed/candidate_fit.hpp
//
// The maximum of a curve that was computed for a few candidates. Private to solvers/global_speed.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <sonolux/core/shape.hpp>

namespace sonolux {

/// Where the parabola through the candidates within `width` of the best one (least squares) is largest; NaN
/// where the best is the first or the last, or the parabola has no maximum within `width` of the best.
[[nodiscard]] inline double best_candidate(const std::vector<double>& candidates, const double* values,
                                           double width) noexcept {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    const Index n = static_cast<Index>(candidates.size());
    const Index best = std::max_element(values, values + n) - values;
    if (best == 0 || best == n - 1) return nan;
    const double middle = candidates[static_cast<std::size_t>(best)];
    // Normal equations of y = a + b u + d u^2 in u = (c - middle) / width.
    double s[5] = {}, t[3] = {};
    for (Index k = 0; k < n; ++k) {
        const double u = (candidates[static_cast<std::size_t>(k)] - middle) / width;
        if (std::abs(u) > 1 + 1e-9) continue;
        double power = 1;
        for (int p = 0; p < 5; ++p, power *= u) {
            s[p] += power;
            if (p < 3) t[p] += power * (values[k] - values[best]);
        }
    }
    // Cramer's rule for b and d.
    const double det = s[0] * (s[2] * s[4] - s[3] * s[3]) - s[1] * (s[1] * s[4] - s[2] * s[3]) +
                       s[2] * (s[1] * s[3] - s[2] * s[2]);
    const double b = s[0] * (t[1] * s[4] - t[2] * s[3]) - t[0] * (s[1] * s[4] - s[2] * s[3]) +
                     s[2] * (s[1] * t[2] - s[2] * t[1]);
    const double d = s[0] * (s[2] * t[2] - s[3] * t[1]) - s[1] * (s[1] * t[2] - s[2] * t[1]) +
                     t[0] * (s[1] * s[3] - s[2] * s[2]);
    if (!(det > 0) || !(d < 0)) return nan;
    const double u = -0.5 * b / d;
    return std::abs(u) <= 1 ? middle + u * width : nan;
}

}  // namespace sonolux
