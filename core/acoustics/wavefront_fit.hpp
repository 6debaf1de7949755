// sonolux/core/acoustics/wavefront_fit.hpp
//
// Which wavefront delays make. Files give delays, or a direction or focus, or both; where both, they must
// agree.
#pragma once

#include <string>

#include <sonolux/core/acoustics/transmission.hpp>

namespace sonolux {

/// How delays t_i of the active elements lie about the ideal wavefront
///
///     t_i = focus_time + d_i / c        d_i = e_i . n (plane), |e_i - focus| (diverging, element),
///                                             -|e_i - focus| (focused)
struct WavefrontFit {
    double focus_time = 0;  ///< s: least squares, the mean over the active elements
    double misfit = 0;      ///< s: the largest distance of a delay from the wavefront
    double covariance = 0;  ///< s m: sum of (d_i - mean d) (t_i - mean t)
    double variance = 0;    ///< m^2: sum of (d_i - mean d)^2; the best slowness is covariance / variance
};

/// For the transmission's wavefront, angle or focus, delays and apodization; `sound_speed` in m/s.
[[nodiscard]] WavefrontFit fit_wavefront(const Transmission& transmission, const TransducerArray& array,
                                         double sound_speed);

/// Makes delays count from the first active element, 0 where the weight is 0. Returns what was subtracted, in
/// s: the clock of the file was that much early.
double start_at_first_element(Transmission& transmission);

/// Names of what a file says, for messages.
struct WavefrontNames {
    std::string delays = "delays", direction = "angles and foci", transmission = "transmission";
};

/// Completes transmissions whose wavefront, angle or focus, delays and apodization are known: focus_time and
/// sound_speed. One element alone becomes Wavefront::element.
///
/// The speed that delays were computed for is `sound_speed` if they agree with it to `tolerance` (s),
/// otherwise (and where it is 0) the one speed in [800, 2500] m/s that fits all transmissions best. Throws
/// Error{corrupt_data} where a delay lies further than `tolerance` from the wavefront for either, naming the
/// transmission, what was said and what the delays are those of; `who` starts the sentence.
void complete_wavefronts(std::vector<Transmission>& transmissions, const TransducerArray& array,
                         double sound_speed, double tolerance, const WavefrontNames& names,
                         const std::string& who);

/// The wavefront of delays alone, all of whose other fields are computed: one active element; a plane wave if
/// that fits to `tolerance` (s); otherwise a source behind or a focus before the array. With slowness s and
/// unknown focus f and time T, (t_i - T)^2 = s^2 |e_i - f|^2 is linear in f, T and T^2 - s^2 |f|^2, and
/// solved by least squares (for arrays on a line, the depth of f comes from the last). Throws
/// Error{unsupported} where none fits, `who` first.
[[nodiscard]] Transmission wavefront_of_delays(const TransducerArray& array, std::vector<double> delays,
                                               std::vector<double> apodization, double sound_speed,
                                               double tolerance, const std::string& who);

/// "a plane wave at 0.1 rad (5.73 degrees)", "a beam focused on x 0 mm, z 20 mm".
[[nodiscard]] std::string describe_wavefront(const Transmission& transmission, const TransducerArray& array);

}  // namespace sonolux
