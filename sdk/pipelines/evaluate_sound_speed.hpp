// sonolux/sdk/pipelines/evaluate_sound_speed.hpp
//
// How well maps of the speed of sound are, on a set whose truth is known: a network, the classical inversions
// (L-BFGS with total variation, Tikhonov) and the best uniform speed, all from the same delays.
//
// The protocol: of each sample a stated fraction of every map of delays is taken away in patches, and noise
// of a deviation between 0 and the stated one is added, both a function of seed and sample. Errors are those
// of the whole map: root mean square and mean absolute, in m/s, and what else speed_methods.hpp measures; and
// their medians over samples.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include <sonolux/core/context.hpp>
#include <sonolux/sdk/pipelines/speed_methods.hpp>
#include <sonolux/sdk/runtime/model.hpp>

namespace sonolux {

struct EvaluateSoundSpeedOptions {
    std::string set;     ///< of sonolux simulate, with delays
    Index samples = 32;  ///< the first so many
    double missing = 0.5;
    double noise = 1e-8;  ///< s
    std::uint64_t seed = 0;
    std::vector<double>
        lambdas;  ///< of L-BFGS: the one with the least median error counts; empty: its default
    int threads = 0;
    std::function<bool(const Progress&)> progress;
};

/// One method's maps, sample by sample, and what a frame takes.
struct SoundSpeedResult {
    std::string method;  ///< "network", "lbfgs 0.015", "tikhonov 0.003", "uniform"
    std::vector<SpeedQuality> quality;
    SpeedQuality median;      ///< of each figure, over the samples that have it
    double milliseconds = 0;  ///< median, on the clock
};

/// The weights, 0.0003 to 0.03, that Tikhonov is tried with; the one with the least median error counts.
inline constexpr std::array tikhonov_lambdas{3e-4, 3e-3, 3e-2};

/// Throws Error{unsupported} for a model of another problem, and as training does of sets.
[[nodiscard]] std::vector<SoundSpeedResult> evaluate_sound_speed(const Model& model,
                                                                 const EvaluateSoundSpeedOptions& options);

}  // namespace sonolux
