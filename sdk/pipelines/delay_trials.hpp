// sonolux/sdk/pipelines/delay_trials.hpp
//
// Delays of a set as methods are tried on them: as they are, with some taken away, with noise, or as they
// would have been of other tissue or of another probe.
//
// Other tissue and other probes change what the operator says of the true map and leave to each sample what
// its own delays have beyond that, errors of tracking and gaps among them:
//
//     d' = M' (s') + (d - M(s)),      M(s) = k L 1 + E (s - k),   k the mean slowness
//
// with L, E those of travel_time_problem.hpp, M' of another geometry and s' another slowness.
#pragma once

#include <memory>
#include <vector>

#include <sonolux/sdk/pipelines/sound_speed_data.hpp>

namespace sonolux {

/// One sample for all methods.
struct DelayTrial {
    Array<float> delays;       ///< [measurement, rows, columns], s: what networks read
    Array<float> to_invert;    ///< s: the same as E of slowness itself, which classical inversions read
    Array<float> mask;         ///< 1 where there is a delay, else 0
    double uniform_speed = 0;  ///< m/s, the best one; not finite where nothing was measured
};

/// Makes trials. `setup` must outlive it.
class DelayTrialMaker {
public:
    DelayTrialMaker(const SoundSpeedSetup& setup, Context& context);

    /// Of delays in s: those that are trusted and not NaN count.
    [[nodiscard]] DelayTrial of(View<const float> delays) const;

    /// The same without a fraction in patches, as training leaves them out, and with noise of exactly this
    /// deviation (s); both by seed and number.
    [[nodiscard]] DelayTrial spoilt(View<const float> delays, double missing, double noise,
                                    std::uint64_t seed, std::uint64_t number) const;

    /// What a case of training holds.
    [[nodiscard]] DelayTrial of(const DelayCase& one) const;

private:
    [[nodiscard]] DelayTrial finished(DelayTrial trial) const;

    const SoundSpeedSetup& setup_;
    Array<float> of_uniform_;  // E 1, m
};

/// M of one geometry.
class DelayModel {
public:
    DelayModel(const TravelTimeProblem& problem, Context& context);

    /// Of a map in m/s, into [measurement, rows, columns], s; NaN where nothing can be measured.
    void delays_of(View<const float> speed, View<float> delays, Context& context) const;

private:
    OperatorPointer lengths_, echoes_;
    Array<float> of_uniform_, seen_;
};

/// The problem of a probe whose pitch is `ratio` times that of this one. Plane waves of the same delays leave
/// at another angle.
[[nodiscard]] TravelTimeProblem with_pitch(TravelTimeProblem problem, double ratio);

/// The problem of a scanner that sends each of two transmissions in the place of the other: sources are
/// numbered as they first appear in the measurements.
[[nodiscard]] TravelTimeProblem with_swapped_sources(TravelTimeProblem problem, Index a, Index b);

/// How many different sources the measurements have.
[[nodiscard]] Index sources_of(const TravelTimeProblem& problem);

}  // namespace sonolux
