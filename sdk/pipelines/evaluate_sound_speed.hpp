// sonolux/sdk/pipelines/evaluate_sound_speed.hpp
//
// How well maps of the speed of sound are, on a set whose truth is known: a network, the classical inversion
// (L-BFGS with total variation) and the best uniform speed, all from the same delays.
//
// The protocol: of each sample a stated fraction of every map of delays is taken away in patches, and noise
// of a deviation between 0 and the stated one is added, both a function of seed and sample. Errors are those
// of the whole map: root mean square and mean absolute, in m/s, and their medians over samples.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <sonolux/core/context.hpp>
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

/// One method's errors, sample by sample (m/s), and what a frame takes.
struct SoundSpeedResult {
    std::string method;  ///< "network", "lbfgs 0.015", "uniform"
    std::vector<double> rmse, mae;
    double median_rmse = 0, median_mae = 0;
    double milliseconds = 0;  ///< median, on the clock
};

/// Throws Error{unsupported} for a model of another problem, and as training does of sets.
[[nodiscard]] std::vector<SoundSpeedResult> evaluate_sound_speed(const Model& model,
                                                                 const EvaluateSoundSpeedOptions& options);

}  // namespace sonolux
