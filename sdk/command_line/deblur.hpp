// sonolux/sdk/command_line/deblur.hpp
//
// Deblurring on the command line: `reconstruct --kernel`, and `evaluate --protocol levin` and `blur`.
#pragma once

#include <sonolux/sdk/command_line/command.hpp>
#include <sonolux/sdk/pipelines/deblur.hpp>

namespace sonolux::command_line {

/// --border and --set: how a classical method is set up.
struct MethodArguments {
    std::string border;
    std::vector<std::string> settings;  ///< NAME=VALUE

    void add_to(CLI::App& command);

    /// Throws UsageError for a setting that is not NAME=VALUE.
    [[nodiscard]] DeblurMethodOptions options(const CommonOptions& common) const;
};

/// `sonolux reconstruct METHOD INPUT OUTPUT --kernel FILE`.
struct DeblurArguments {
    std::string method, input, output;
    std::string kernel, variable;
    MethodArguments classical;
    double sigma = 0;  ///< 0: estimated
    ChannelRule channels = ChannelRule::separate;
    bool rotate_kernel = false;
    int bits = 0;
};

/// --kernel and what belongs to it.
void add_kernel_options(CLI::App& command, DeblurArguments& arguments);

/// Sharpens the image, and says how.
void reconstruct_blurred(const DeblurArguments& arguments, const CommonOptions& common);

/// `sonolux evaluate METHOD --protocol levin --data FOLDER`.
struct LevinArguments {
    std::string method, data, csv;
    MethodArguments classical;
    double sigma = 1.5;
};

/// Prints the table, and writes it to `csv` if that is not empty.
void evaluate_on_levin_set(const LevinArguments& arguments, const CommonOptions& common);

/// `sonolux evaluate METHOD --protocol blur --data FOLDER`.
struct BlurProtocolArguments {
    std::string method, data, csv;
    std::string kernel, variable;  ///< file; empty: drawn
    MethodArguments classical;
    double sigma = 2;
    std::uint64_t seed = 0;
    ChannelRule channels = ChannelRule::opponent;
};

/// Prints the table, and writes it to `csv` if that is not empty.
void evaluate_on_blurred_images(const BlurProtocolArguments& arguments, const CommonOptions& common);

}  // namespace sonolux::command_line
