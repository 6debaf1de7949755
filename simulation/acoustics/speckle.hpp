// sonolux/simulation/acoustics/speckle.hpp
//
// Band-limited speckle that is known between samples too: with it trackers are measured.
#pragma once

#include <complex>
#include <vector>

#include <sonolux/core/random.hpp>

namespace sonolux {

/// Columns of Gaussian noise with a flat spectrum, independent of each other, at any depth t (in rows):
///
///     s_j(t) = sum over m of a_jm exp(2 pi i f_m t),    f_m = f0 (1 - B/2) + (m + 1/2) / period
///
/// with complex normal a_jm, for the M = round(B f0 period) frequencies in the band; mean |s|^2 is 2, so that
/// the echo signal Re s has variance 1. Repeats itself, but for a phase, after `period` rows.
class Speckle {
public:
    /// `frequency` f0 in periods per row, `bandwidth` B a fraction of it. Throws Error{invalid_argument}
    /// unless the band lies within (0, 1/2) periods per row and holds at least 2 frequencies, and there are
    /// at least 1 column and a period of at least 1 row.
    Speckle(Index columns, double frequency, double bandwidth, Index period, Philox random);

    [[nodiscard]] Index columns() const noexcept { return columns_; }

    /// The analytic signal of column j at depth t; its real part is the echo signal.
    [[nodiscard]] std::complex<double> operator()(double t, Index j) const noexcept;

private:
    Index columns_, count_;
    double first_, step_;                          // periods per row
    std::vector<std::complex<double>> amplitude_;  // [column, frequency]
};

}  // namespace sonolux
