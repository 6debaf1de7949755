// sonolux/solvers/tracking/peak_interpolation.hpp
//
// Where, and how high, the peak of a sampled correlation is. Private to solvers/tracking.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

namespace sonolux {

/// A peak near lag 0: its lag in samples, and its value.
struct CorrelationPeak {
    double lag = 0, value = 0;
};

/// From rho(-1), rho(0), rho(1), of which rho(0) is the largest; rho is the parabola through them.
[[nodiscard]] inline CorrelationPeak parabola_peak(double before, double at, double after) noexcept {
    const double bend = before - 2 * at + after;
    if (!(bend < 0)) return {0, at};  // a plateau
    const double lag = 0.5 * (before - after) / bend;
    return {lag, at - 0.25 * (before - after) * lag};
}

/// The same for rho(l) = A cos(w (l - lag)):
///
///     cos w = (rho(-1) + rho(1)) / (2 rho(0))        tan(w lag) = (rho(1) - rho(-1)) / (2 rho(0) sin w)
[[nodiscard]] inline CorrelationPeak cosine_peak(double before, double at, double after) noexcept {
    const double c = 0.5 * (before + after) / at;
    // Beyond these, three lags are not part of a cosine: a plateau, or less than two samples a period.
    if (!(at > 0) || !(c > -1) || !(c < 1 - 1e-9)) return parabola_peak(before, at, after);
    const double sine = std::sqrt(1 - c * c), slope = (after - before) / (2 * at * sine);
    return {std::atan(slope) / std::acos(c), at * std::sqrt(1 + slope * slope)};
}

/// From rho(-3) ... rho(3), by the polynomial of degree six through them. The search for its maximum begins
/// at that of the parabola and stays within one sample of lag 0.
[[nodiscard]] inline CorrelationPeak polynomial_peak(const std::array<double, 7>& rho) noexcept {
    const double at = rho[3];
    const double even1 = 0.5 * (rho[4] + rho[2]) - at, odd1 = 0.5 * (rho[4] - rho[2]);
    const double even2 = 0.5 * (rho[5] + rho[1]) - at, odd2 = 0.5 * (rho[5] - rho[1]);
    const double even3 = 0.5 * (rho[6] + rho[0]) - at, odd3 = 0.5 * (rho[6] - rho[0]);
    // Newton's form in x^2 through 1, 4, 9: even part = e1 x^2 + e2 x^2 (x^2 - 1) + e3 x^2 (x^2 - 1)(x^2 - 4)
    // and odd part / x alike.
    const double e1 = even1, e2 = (even2 / 4 - even1) / 3, e3 = ((even3 / 9 - even2 / 4) / 5 - e2) / 8;
    const double o1 = odd1, o2 = (odd2 / 2 - odd1) / 3, o3 = ((odd3 / 3 - odd2 / 2) / 5 - o2) / 8;
    // Powers 1 to 6.
    const double p1 = o1 - o2 + 4 * o3, p2 = e1 - e2 + 4 * e3, p3 = o2 - 5 * o3, p4 = e2 - 5 * e3, p5 = o3,
                 p6 = e3;
    double x = std::clamp(parabola_peak(rho[2], at, rho[4]).lag, -1.0, 1.0);
    for (int step = 0; step < 8; ++step) {
        const double slope = p1 + x * (2 * p2 + x * (3 * p3 + x * (4 * p4 + x * (5 * p5 + x * 6 * p6))));
        const double bend = 2 * p2 + x * (6 * p3 + x * (12 * p4 + x * (20 * p5 + x * 30 * p6)));
        if (!(bend < 0)) break;
        const double next = std::clamp(x - slope / bend, -1.0, 1.0);
        const bool settled = std::abs(next - x) < 1e-9;
        x = next;
        if (settled) break;
    }
    return {x, at + x * (p1 + x * (p2 + x * (p3 + x * (p4 + x * (p5 + x * p6)))))};
}

}  // namespace sonolux
