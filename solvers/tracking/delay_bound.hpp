// sonolux/solvers/tracking/delay_bound.hpp
//
// How well any unbiased estimator can measure a delay.
#pragma once

#include <cmath>
#include <numbers>

#include <sonolux/core/error.hpp>

namespace sonolux {

/// What limits the measurement of a delay between two partly decorrelated, noisy echo signals.
struct DelayBoundTerms {
    double centre_frequency = 0;  ///< f0, Hz
    double bandwidth = 0;  ///< B, as a fraction of f0: the spectrum is flat from f0 (1 - B/2) to f0 (1 + B/2)
    double duration = 0;   ///< T, s: of the block; independent columns add theirs
    double correlation = 1;  ///< rho, of the signals without noise
    double snr = 0;          ///< standard deviation of signal over that of noise, in each
};

/// The Cramer-Rao lower bound on the standard deviation of the delay, in s:
///
///     sigma^2 >= 3 / (2 f0^3 pi^2 T (B^3 + 12 B)) ((1 + 1 / snr^2)^2 / rho^2 - 1)
///
/// (W. Walker and G. Trahey, IEEE Trans. Ultrason. 42, 1995, 301). It holds while no wrong peak is taken:
/// for small errors. Throws Error{invalid_argument} naming the field: frequency, bandwidth (at most 2),
/// duration and snr must be above 0, correlation in (0, 1].
[[nodiscard]] inline double delay_bound(const DelayBoundTerms& terms) {
    const auto positive = [](const char* name, double value, double most) {
        require(value > 0 && value <= most, Status::invalid_argument, "delay bound: ", name,
                " must be above 0 and at most ", most, ", got ", value);
    };
    positive("centre_frequency", terms.centre_frequency, 1e12);
    positive("bandwidth", terms.bandwidth, 2);
    positive("duration", terms.duration, 1e12);
    positive("correlation", terms.correlation, 1);
    positive("snr", terms.snr, 1e12);
    const double f = terms.centre_frequency, b = terms.bandwidth, noise = 1 + 1 / (terms.snr * terms.snr);
    const double spread = noise * noise / (terms.correlation * terms.correlation) - 1;
    const double information =
        2 * f * f * f * std::numbers::pi * std::numbers::pi * terms.duration * (b * b * b + 12 * b) / 3;
    return std::sqrt(spread / information);
}

}  // namespace sonolux
