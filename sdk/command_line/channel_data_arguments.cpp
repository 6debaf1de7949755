// sonolux/sdk/command_line/channel_data_arguments.cpp
#include <sonolux/sdk/command_line/channel_data_arguments.hpp>

#include <filesystem>

#include <fmt/format.h>

#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/pipelines/channel_data_report.hpp>

namespace sonolux::command_line {

namespace {

constexpr const char* group = "Recordings";

}  // namespace

void add_frame_options(CLI::App& command, ChannelDataReadOptions& options) {
    command.add_option("--frame", options.first_frame, "first frame to read, from 0; default: 0")
        ->check(number_from(0, 1e12))
        ->type_name("N")
        ->group(group);
    command.add_option("--frames", options.frames, "how many frames to read; default: all that follow")
        ->check(number_from(1, 1e12))
        ->type_name("N")
        ->group(group);
}

void add_channel_data_options(CLI::App& command, ChannelDataReadOptions& options) {
    command
        .add_option("--part", options.part,
                    "track (zea), recording (UFF) or matrix (MATLAB) to read; default: the first")
        ->type_name("NAME")
        ->group(group);
    command
        .add_option(
            "--description", options.description,
            "TOML file that says what the file does not; default for MATLAB: NAME.toml or acquisition.toml "
            "beside it")
        ->type_name("FILE")
        ->group(group);
    command
        .add_option_function<std::vector<Index>>(
            "--transmissions",
            [&options](const std::vector<Index>& numbers) {
                options.transmissions.clear();
                for (const Index number : numbers) options.transmissions.push_back(number - 1);
            },
            "which transmissions to read, from 1; default: all")
        ->delimiter(',')
        ->check(number_from(1, 1e9))
        ->type_name("N,...")
        ->group(group);
    const auto known = [&](const char* name, std::optional<double>& value, const char* unit,
                           const char* what) {
        command
            .add_option_function<double>(
                name, [&value](const double& number) { value = number; },
                fmt::format("{}, in {}: in place of the file's", what, unit))
            ->type_name("X")
            ->group(group);
    };
    AcquisitionKnowledge& k = options.known;
    known("--pitch", k.pitch, "m", "distance of elements on a line");
    known("--radius", k.radius, "m", "with --pitch: radius of a convex array");
    known("--element-width", k.element_width, "m", "width of an element");
    known("--sampling-frequency", k.sampling_frequency, "Hz", "sampling frequency");
    known("--centre-frequency", k.centre_frequency, "Hz", "centre frequency of the pulse");
    known("--demodulation-frequency", k.demodulation_frequency, "Hz", "demodulation frequency of IQ");
    known("--sound-speed", k.sound_speed, "m/s", "speed of sound");
    known("--start-time", k.start_time, "s", "first sample, from the first element's firing");
    known("--peak-time", k.peak_time, "s", "peak of the pulse, from its beginning");
    known("--lens-delay", k.lens_delay, "s", "what the lens costs, there and back");
    known("--frame-rate", k.frame_rate, "Hz", "frames in a second");
}

void inspect_channel_data(const std::string& path, const ChannelDataReadOptions& options,
                          const std::string& pictures) {
    const ChannelDataFile file = read_channel_data_file(path, options);
    const Acquisition& a = file.data.acquisition;
    for (const auto& [name, text] : describe_channel_data(file, channel_quality(file.data)))
        fmt::print("{:<20}{}\n", name, text);
    fmt::print("\n{}", aligned(transmission_columns(), describe_transmissions(a)));
    if (pictures.empty()) return;
    namespace fs = std::filesystem;
    fs::create_directories(pictures);
    const std::string stem = fs::path(path).stem().string();
    for (const auto& [kind, canvas] :
         {std::pair<const char*, Canvas>{"channels", draw_channels(file)}, {"geometry", draw_geometry(a)}}) {
        const std::string picture = (fs::path(pictures) / fmt::format("{}_{}.png", stem, kind)).string();
        write_image(picture, canvas.planes());
        fmt::print("{}\n", picture);
    }
}

}  // namespace sonolux::command_line
