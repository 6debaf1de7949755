// sonolux/simulation/optics/sinc_interpolation.hpp
//
// Fields between their samples: a sinc under a Kaiser window.
#pragma once

#include <cmath>
#include <numbers>
#include <vector>

#include <sonolux/core/shape.hpp>

namespace sonolux::detail {

/// For signals that are sampled `density` times as densely as they must be: what the taps leave out and
/// mirror is below 1e-6 of the signal (J. Kaiser 1974; beta = 14 = pi taps (1 - 1 / density) / 2), and their
/// table is linear over 1/4096.
template <Index taps_>
class WindowedSinc {
public:
    static constexpr Index taps = taps_, phases = 4096, before = taps / 2 - 1;
    static constexpr double beta = 14;

    WindowedSinc() {
        const double scale = std::cyl_bessel_i(0.0, beta);
        for (Index p = 0; p <= phases; ++p) {
            double* row = table_.data() + p * taps;
            double sum = 0;
            for (Index k = 0; k < taps; ++k) {
                const double x = static_cast<double>(p) / phases - static_cast<double>(k - before);
                const double u = x / (taps / 2), turn = std::numbers::pi * x;
                const double window =
                    std::abs(u) >= 1 ? 0 : std::cyl_bessel_i(0.0, beta * std::sqrt(1 - u * u)) / scale;
                row[k] = (x == 0 ? 1 : std::sin(turn) / turn) * window;
                sum += row[k];
            }
            for (Index k = 0; k < taps; ++k) row[k] /= sum;  // a constant stays what it is
        }
    }

    /// Writes the weights of the samples first, ..., first + taps - 1, which may be negative; returns first.
    Index weights(double position, double (&weights)[taps]) const noexcept {
        const double cell = std::floor(position), phase = (position - cell) * phases;
        const auto p = static_cast<Index>(phase);
        const double t = phase - static_cast<double>(p);
        const double* a = table_.data() + p * taps;
        for (Index k = 0; k < taps; ++k) weights[k] = a[k] + t * (a[k + taps] - a[k]);
        return static_cast<Index>(cell) - before;
    }

    /// [phases + 1, taps]: the weights at phase p / phases.
    [[nodiscard]] const double* table() const noexcept { return table_.data(); }

private:
    std::vector<double> table_ = std::vector<double>(static_cast<std::size_t>((phases + 2) * taps));
};

using SincInterpolation = WindowedSinc<14>;   ///< of density 3
using DenseInterpolation = WindowedSinc<16>;  ///< of density 9/4

}  // namespace sonolux::detail
