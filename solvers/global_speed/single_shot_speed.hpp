// sonolux/solvers/global_speed/single_shot_speed.hpp
//
// The speed of sound of a whole medium from one transmission: where channels agree best.
//
// For each candidate speed c, the channels are read where the echo of each pixel should arrive. With the
// right speed the echo of a bright scatterer lies on a line across the channels, with a wrong one on a curve,
// on which it soon leaves the pulse. What measures it is the normalised spatial autocorrelation over
// channels,
//
//     A(l) = sum over e of conj(s(e)) s(e + l)
//     coherence = mean over pixels of  sum over l |A(l)| / A(0)
//
// which, other than the sum over channels, does not mind neighbours: off the pixel's axis, echoes have a
// phase that is linear in e, and |A| does not see that (P. De la Torre, D. Xiao, A. Yu, Ultrasonics 2025,
// 107612). Of fully developed speckle one plane wave says nothing about the speed: migrated with any, it is
// speckle. The method lives on scatterers that stand out.
//
// Here every candidate sees the same echoes: a pixel is a place across and a time at which its echo reaches
// the array there, so that its depth follows the candidate, and it keeps its elements. The maximum is that of
// a parabola through the candidates within `fit_width`.
//
// How well it does grows with the aperture: of a wrong speed, the delay across it goes as 1 / f_number^2, and
// what noise and clutter add, a coherence that rises slowly with the candidate, pulls the maximum of a blunt
// peak upwards. So apertures are as wide as elements hear (f_number 0). docs/results.md has the figures.
#pragma once

#include <memory>
#include <vector>

#include <sonolux/core/acoustics/acquisition.hpp>
#include <sonolux/core/context.hpp>

namespace sonolux {

struct SingleShotSpeedOptions {
    double lowest = 1400, highest = 1760;  ///< m/s, candidates
    double step = 20;                      ///< m/s between them
    double fit_width = 50;                 ///< m/s on either side of the best candidate

    double first_depth = 12e-3, last_depth = 36e-3;  ///< m, for the middle speed
    Index rows = 128, columns = 128;                 ///< of pixels

    /// Of receiving apertures. 0: up to where elements hear half of what they hear straight ahead,
    /// sinc(width sin(angle) / wavelength) cos(angle) = 1/2 at the middle speed (a soft baffle); at least
    /// 0.5.
    double f_number = 0;
    double brightest = 1;          ///< part of the pixels that counts: the brighter ones
    double low = 0.8, high = 1.4;  ///< band, in units of the centre frequency
};

struct SingleShotSpeed {
    double sound_speed = 0;     ///< m/s; NaN where not found
    double standard_error = 0;  ///< m/s, from leaving out each of 16 parts of the image in turn (jackknife)
    bool found = false;         ///< false: the coherence has no maximum among the candidates
    std::vector<double> candidates, coherence;
    Index pixels = 0;  ///< that counted
};

/// Estimates from one transmission of a recording after another. Set-up allocates; `run` does not.
class SingleShotSpeedEstimator {
public:
    /// Throws Error naming what is wrong: Error{unsupported} for demodulated data; Error{invalid_argument}
    /// for a transmission that is not there, options out of range, fewer than 5 candidates, or where fewer
    /// than 100 pixels are reached by the transmission and recorded.
    SingleShotSpeedEstimator(const Acquisition& acquisition, Index transmission,
                             const SingleShotSpeedOptions& options, Context& context);
    ~SingleShotSpeedEstimator();
    SingleShotSpeedEstimator(SingleShotSpeedEstimator&&) noexcept;
    SingleShotSpeedEstimator& operator=(SingleShotSpeedEstimator&&) noexcept;

    [[nodiscard]] std::size_t workspace_bytes(const Context& context) const noexcept;

    /// A result with room for the candidates, for `run`.
    [[nodiscard]] SingleShotSpeed make_result() const;

    /// `channels` is [element, sample] of the transmission. Dead channels are left out. Returns
    /// Status::size_mismatch for another size of channels or result, Status::invalid_argument for a context
    /// of more threads than that of set-up, and where fewer than half of the channels are alive or fewer than
    /// 100 pixels hold echoes; then `result.found` is false and the speed NaN.
    [[nodiscard]] Status run(View<const float> channels, SingleShotSpeed& result, Context& context) noexcept;

private:
    struct Plan;
    std::unique_ptr<Plan> plan_;
};

/// Plans and runs once: frame `frame` of `data`. Throws as the estimator, and where nothing is found.
[[nodiscard]] SingleShotSpeed single_shot_speed(const ChannelData& data, Index frame, Index transmission,
                                                const SingleShotSpeedOptions& options, Context& context);

}  // namespace sonolux
