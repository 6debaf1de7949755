// sonolux/sdk/pipelines/evaluate_trust.hpp
//
// Whether maps of the speed of sound are as sure as they say: calibration of a model on a set whose truth is
// known, coverage of its stated deviations, and whether its score tells frames that are not from this probe
// and from tissue.
//
// Such frames are made up from the set's own delays (delay_trials.hpp):
//
//     another pitch   0.7, 0.8, 0.9 or 1.2 times that of the model's probe
//     swapped         two transmissions, each taken for the other
//     noise           what tracking of uncorrelated images finds: smooth noise of 30 to 150 ns in the place
//     of
//                     what tissue says, on a medium of 1500 m/s
//     no contact      the same for all pairs with a transmission from one side of the array
//     water           20 mm of water of 1482 m/s between probe and tissue: no echoes there, and other delays
//     below
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <sonolux/sdk/pipelines/calibrate_trust.hpp>
#include <sonolux/sdk/runtime/model.hpp>

namespace sonolux {

struct EvaluateTrustOptions {
    std::string set;     ///< of sonolux simulate, with delays
    Index samples = 32;  ///< the first so many
    std::uint64_t seed = 0;
    int threads = 0;
    std::function<bool(const Progress&)> progress;
};

/// One kind of frames, with the scores that a model gives them: 0 for those that it refuses.
struct FrameScores {
    std::string kind;
    std::vector<double> scores;
    std::vector<FrameFeatures> features;  ///< what they are made from; 0 for those that it refuses
    Index refused = 0;
    double flagged = 0;   ///< share of scores below 1/2
    double roc_area = 0;  ///< against the frames as they are; of those themselves 1/2
};

struct TrustEvaluation {
    Reliability reliability;                        ///< of the frames as they are
    std::vector<FrameScores> frames;                ///< as they are first, then each disturbance
    double median_deviation = 0, median_error = 0;  ///< m/s: medians over frames of root mean squares
};

/// Fits how far maps of `model` are to be trusted to the samples as they are, and again with 10 to 70 % of
/// the delays taken away in patches and up to 10 ns of noise; the score to the former alone. Throws as
/// fit_trust, and as evaluate_sound_speed.
[[nodiscard]] TrustFit calibrate_trust(const Model& model, const EvaluateTrustOptions& options);

/// Throws Error{unsupported} for a model that is not calibrated, and as evaluate_sound_speed.
[[nodiscard]] TrustEvaluation evaluate_trust(const Model& model, const EvaluateTrustOptions& options);

}  // namespace sonolux
