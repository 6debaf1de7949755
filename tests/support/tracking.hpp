// tests/support/tracking.hpp
//
// Pairs of images of known displacement, for tests of trackers.
#pragma once

#include <complex>

#include <sonolux/simulation/acoustics/speckle.hpp>

namespace sonolux {

/// The same speckle in two images: reference(i, j) = s_j(i) and moved(i, j) = s_j(i - shift).
struct ShiftedPair {
    Array<float> reference, moved;                        ///< echo signals
    Array<std::complex<float>> analytic, moved_analytic;  ///< of which they are the real parts
};

inline ShiftedPair shifted_speckle(Index rows, Index columns, double frequency, double bandwidth,
                                   double shift, std::uint64_t seed = 1) {
    const Speckle speckle(columns, frequency, bandwidth, 4 * rows, Philox(seed));
    const Shape shape{rows, columns};
    ShiftedPair pair{Array<float>(shape), Array<float>(shape), Array<std::complex<float>>(shape),
                     Array<std::complex<float>>(shape)};
    for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < columns; ++j) {
            const double t = static_cast<double>(i);
            pair.analytic(i, j) = std::complex<float>(speckle(t, j));
            pair.moved_analytic(i, j) = std::complex<float>(speckle(t - shift, j));
            pair.reference(i, j) = pair.analytic(i, j).real();
            pair.moved(i, j) = pair.moved_analytic(i, j).real();
        }
    return pair;
}

}  // namespace sonolux
