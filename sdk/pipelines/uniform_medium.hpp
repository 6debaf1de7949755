// sonolux/sdk/pipelines/uniform_medium.hpp
//
// A self-test of probe, times and pipeline: a recording of a medium that has one speed everywhere (a phantom
// without inclusions, water with scatterers) must give delays of that speed, and a flat map. Wrong start
// times, a wrong pitch or lens, and elements that do not hear show up as errors whose size is known.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <sonolux/sdk/pipelines/sound_speed.hpp>

namespace sonolux {

/// What a recording of a uniform medium may differ by. Three times and more of what good recordings of
/// simulated speckle show (docs/channel_data.md): beyond, something is wrong.
struct UniformMediumLimits {
    double speed = 5;            ///< m/s: of the speed found from the one that is known
    double pair_bias = 2e-9;     ///< s: of the mean delay of a pair
    double pair_scatter = 6e-9;  ///< s: standard deviation of the delays of a pair
    double pair_measured = 0.7;  ///< at least this part of what the pair could see
    double map_bias = 5;         ///< m/s: of the mean of the map
    double map_scatter = 6;      ///< m/s: standard deviation of the map
    double elements_out = 0.05;  ///< at most this part of the elements left out throughout
};

/// Delays of one pair less those of the uniform medium.
struct UniformMediumPair {
    Index first = 0, second = 0;  ///< transmissions, from 0
    double bias = 0;              ///< s, mean; NaN where nothing was measured
    double scatter = 0;           ///< s, standard deviation; NaN where nothing was measured
    double measured = 0;          ///< part of what the pair could see
};

struct UniformMediumReport {
    bool known = false;          ///< whether the speed was given
    double reference_speed = 0;  ///< m/s: the one that was given, or else the one that was found
    double speed_found = 0;      ///< m/s: the uniform speed that fits all delays best
    std::vector<UniformMediumPair> pairs;
    double map_bias = 0, map_scatter = 0;  ///< m/s, over the pixels that have rays
    std::vector<Index> elements_out;       ///< elements of which no trace was used, from 0
    Index elements = 0;

    /// The same in words, transmissions and elements counted from 1, each against its limit.
    struct Check {
        std::string what, found, limit;
        bool passed = true;
    };
    std::vector<Check> checks;
    [[nodiscard]] bool passed() const noexcept;
};

/// Of a frame that the pipeline has run, of images formed with one speed. `known_speed` in m/s, or 0 where it
/// is not known: then delays and map are compared with the best uniform speed, and only their scatter, and
/// biases of pairs against each other, can fail.
///
/// Throws Error{invalid_argument} for a known speed outside [300, 10000] m/s and limits that are not above 0.
[[nodiscard]] UniformMediumReport check_uniform_medium(const SoundSpeedPipeline& pipeline,
                                                       const SoundSpeedFrame& frame, double known_speed,
                                                       const UniformMediumLimits& limits = {});

}  // namespace sonolux
