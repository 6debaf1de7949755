// sonolux/sdk/command_line/sound_speed.hpp
//
// Maps of the speed of sound on the command line: `reconstruct METHOD RECORDING OUTPUT`, with the name of a
// classical method, or a model of that kind.
#pragma once

#include <memory>

#include <sonolux/sdk/command_line/command.hpp>
#include <sonolux/sdk/files/channel_data_file.hpp>
#include <sonolux/sdk/runtime/model.hpp>

namespace sonolux::command_line {

struct SoundSpeedArguments {
    std::string method, input, output;
    std::shared_ptr<const Model> model;  ///< in the place of a classical method
    std::string pairs;                   ///< "1-2,3-4"; empty: chosen by distance
    std::string map;                     ///< "rows,columns,spacing"; empty: the default
    double speed = 0;                    ///< m/s that images are formed with; 0: found in the data
    int rounds = 0;                      ///< of finding it, at most; 0: the default
    double lambda = 0;                   ///< of the inversion; 0: its default
    int refine = -1;      ///< times that images are formed again with the map; -1: 2, or 0 of models
    std::string delays;   ///< picture of the delays, or empty
    Index repeat = 0;     ///< times that the frame is run again for its times
    std::string truth;    ///< file of a map to compare with, or empty
    std::string uniform;  ///< speed in m/s of a uniform medium to test with, "unknown", or empty: no test
    ChannelDataReadOptions reading;  ///< how the recording is read; one frame of it
};

/// --pairs and what else belongs to recordings.
void add_sound_speed_options(CLI::App& command, SoundSpeedArguments& arguments);

/// Whether this is the name of a method for recordings.
[[nodiscard]] bool is_sound_speed_method(const std::string& name) noexcept;

/// Reads the recording, makes the map, writes it and says how it was done.
void reconstruct_sound_speed(const SoundSpeedArguments& arguments, const CommonOptions& common);

}  // namespace sonolux::command_line
