// sonolux/solvers/global_speed/angle_coherence_speed.hpp
//
// The speed of sound of a whole medium from several plane waves: where their images agree best.
//
// Images b_k(p) of each transmission are formed with each candidate speed, refraction at the array included
// (TransmitField). With the right speed an echo lies at the same place, with the same phase, in all of them.
// What measures it is the mean over pixels of the coefficient of variation,
//
//     variation = mean over p of  sqrt(sum over k of |b_k - mean b|^2 / (K - 1)) / mean over k of |b_k|
//
// (D. Xiao, P. De la Torre, A. Yu, IEEE Trans. Ultrason. 2024, "Real-time speed-of-sound estimation in vivo
// via steered plane wave ultrasound"). Pixels follow the candidate, z = z_0 c / c_0, so that all of them see
// the same echoes; only those count that every transmission reaches with every candidate. The minimum is that
// of a parabola through the candidates within `fit_width`.
#pragma once

#include <vector>

#include <sonolux/core/acoustics/acquisition.hpp>
#include <sonolux/core/context.hpp>

namespace sonolux {

struct AngleCoherenceOptions {
    double lowest = 1400, highest = 1740;  ///< m/s, candidates
    double step = 20;                      ///< m/s between them
    double fit_width = 50;                 ///< m/s on either side of the best candidate

    double first_depth = 10e-3, last_depth = 35e-3;  ///< m, for the middle speed
    Index rows = 128, columns = 64;                  ///< of pixels
    double f_number = 1.4;                           ///< of receiving apertures
    double low = 0.8, high = 1.4;                    ///< band, in units of the centre frequency
};

struct AngleCoherenceSpeed {
    double sound_speed = 0;  ///< m/s
    std::vector<double> candidates, variation;
    Index pixels = 0, transmissions = 0;  ///< that counted
};

/// From all plane waves of frame `frame`; other transmissions are left out. Allocates; same bits for any
/// number of threads. Throws Error{unsupported} for demodulated data, Error{invalid_argument} for options out
/// of range, fewer than two plane waves of different angles, fewer than 100 pixels that all of them reach, or
/// a variation that has no minimum among the candidates.
[[nodiscard]] AngleCoherenceSpeed angle_coherence_speed(const ChannelData& data, Index frame,
                                                        const AngleCoherenceOptions& options,
                                                        Context& context);

}  // namespace sonolux
