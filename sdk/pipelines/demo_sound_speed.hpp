// sonolux/sdk/pipelines/demo_sound_speed.hpp
//
// The part of the demonstration that is about sound: recordings of full waves through simulated tissue, and
// the maps of the speed of sound that L-BFGS and the shipped network make of them.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <sonolux/core/context.hpp>
#include <sonolux/sdk/files/canvas.hpp>

namespace sonolux {

/// One recording. Errors are root mean squares in m/s over the pixels that rays come through.
struct SoundSpeedDemoResult {
    struct Method {
        double error = 0;
        double seconds = 0;   ///< of the inversion of one frame
        Canvas figure{1, 1};  ///< B-mode, true map, map
        std::string stem;     ///< of the file that holds the figure
    };

    std::string name;
    double valid_share = 0;    ///< of the delays that pairs could measure
    double uniform_speed = 0;  ///< m/s, that explains the delays best
    double uniform_error = 0;
    double delay_seconds = 0;  ///< images and tracking of one frame
    Method network, lbfgs;
};

struct SoundSpeedDemoOptions {
    std::filesystem::path model;   ///< of a network for the probe of the recordings
    std::filesystem::path output;  ///< folder, which is there
    int threads = 0;
    std::function<bool(const Progress&)> progress;
};

/// Simulates the recordings (two, some twenty seconds of one processor each; recordings that are there from
/// an earlier run are used again), maps them, and writes
///
///     speed.toml, speed/            the recipe, and the recordings as zea files
///     speed_1_network.png, ...      B-mode, true map, map
///     speed_1_lbfgs.png, ...
///
/// Throws as simulate and SoundSpeedPipeline do; Error{cancelled} once `progress` has returned false.
[[nodiscard]] std::vector<SoundSpeedDemoResult> run_sound_speed_demo(const SoundSpeedDemoOptions& options);

/// A header, and a line for each recording.
[[nodiscard]] std::vector<std::vector<std::string>> sound_speed_table(
    const std::vector<SoundSpeedDemoResult>& results);

}  // namespace sonolux
