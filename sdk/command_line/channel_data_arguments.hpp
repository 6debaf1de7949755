// sonolux/sdk/command_line/channel_data_arguments.hpp
//
// The options of commands that read recordings.
#pragma once

#include <string>

#include <sonolux/sdk/command_line/command.hpp>
#include <sonolux/sdk/files/channel_data_file.hpp>

namespace sonolux::command_line {

/// --part, --description, --transmissions (from 1), and what is known better than the file: --pitch,
/// --start-time, ... Values go into `options`, which must live as long as the command.
void add_channel_data_options(CLI::App& command, ChannelDataReadOptions& options);

/// --frame and --frames, of commands that take any number of them.
void add_frame_options(CLI::App& command, ChannelDataReadOptions& options);

/// `sonolux inspect` of a recording; pictures go into the folder, if one is given.
void inspect_channel_data(const std::string& path, const ChannelDataReadOptions& options,
                          const std::string& pictures);

}  // namespace sonolux::command_line
