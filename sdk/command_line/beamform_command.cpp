// sonolux/sdk/command_line/beamform_command.cpp
#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <numbers>

#include <fmt/format.h>

#include <sonolux/core/acoustics/echo_image.hpp>
#include <sonolux/sdk/command_line/channel_data_arguments.hpp>
#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/files/numpy_file.hpp>
#include <sonolux/sdk/pipelines/beamform.hpp>

namespace sonolux::command_line {
namespace {

namespace fs = std::filesystem;

struct Options {
    std::string file, picture, data, frames = "0";
    ChannelDataReadOptions read;
    std::optional<double> speed;
    std::string map;
    std::vector<double> map_extent_mm;
    std::optional<double> left_mm, right_mm, top_mm, bottom_mm, pixel_z_mm, pixel_x_mm;
    double f_number = 1, taper = 0.5, transmit_f_number = 0;
    std::string window = "rectangular", interpolation = "linear", normalise = "weights";
    std::vector<double> weights;
    bool insonified = false;
    double bandwidth_mhz = 0, dynamic_range = 60;
};

/// "3" or "3-9"
void read_frames(Options& options) {
    const char* end = options.frames.data() + options.frames.size();
    Index first = 0, last = 0;
    const auto begin = std::from_chars(options.frames.data(), end, first);
    const bool range = begin.ec == std::errc() && begin.ptr < end && *begin.ptr == '-';
    const auto rest = range ? std::from_chars(begin.ptr + 1, end, last) : begin;
    if (!range) last = first;
    if (rest.ec != std::errc() || rest.ptr != end || first < 0 || last < first)
        throw UsageError(
            fmt::format("--frames must be one number or a range, as 3 or 0-9, got \"{}\"", options.frames));
    options.read.first_frame = first;
    options.read.frames = last - first + 1;
}

template <class Value>
Value one_of(const std::string& name, std::initializer_list<std::pair<const char*, Value>> values) {
    for (const auto& [known, value] : values)
        if (name == known) return value;
    fail(Status::internal_error, "no value called ", name);
}

std::optional<double> metres(const std::optional<double>& mm) {
    return mm ? std::optional(1e-3 * *mm) : std::nullopt;
}

BeamformOptions beamform_options(const Options& options) {
    BeamformOptions b;
    b.sound_speed = options.speed;
    b.extent = {metres(options.left_mm),   metres(options.right_mm),   metres(options.top_mm),
                metres(options.bottom_mm), metres(options.pixel_z_mm), metres(options.pixel_x_mm)};
    b.demodulation.bandwidth = 1e6 * options.bandwidth_mhz;
    DelayAndSumOptions& d = b.delay_and_sum;
    d.f_number = options.f_number > 0 ? std::optional(options.f_number) : std::nullopt;
    d.window = one_of<ApertureWindow>(options.window, {{"rectangular", ApertureWindow::rectangular},
                                                       {"hann", ApertureWindow::hann},
                                                       {"tukey", ApertureWindow::tukey}});
    d.taper = options.taper;
    if (options.transmit_f_number > 0) d.transmit_f_number = options.transmit_f_number;
    d.insonified_only = options.insonified;
    d.interpolation =
        one_of<SampleInterpolation>(options.interpolation, {{"nearest", SampleInterpolation::nearest},
                                                            {"linear", SampleInterpolation::linear},
                                                            {"cubic", SampleInterpolation::cubic}});
    d.normalisation =
        one_of<ApertureNormalisation>(options.normalise, {{"none", ApertureNormalisation::none},
                                                          {"weights", ApertureNormalisation::weights},
                                                          {"energy", ApertureNormalisation::energy}});
    d.compounding_weights = options.weights;
    return b;
}

/// IMAGE.png, or IMAGE_0012.png for one of several frames.
std::string picture_name(const std::string& picture, Index frame, Index frames) {
    if (frames == 1) return picture;
    const fs::path path(picture);
    return (path.parent_path() /
            fmt::format("{}_{:04}{}", path.stem().string(), frame, path.extension().string()))
        .string();
}

void write_data(const Options& options, const Array<float>& pixels, const Array<float>& decibels) {
    if (options.data.ends_with(".npy")) {
        std::vector<Index> sizes;
        for (int d = 0; d < pixels.shape().rank(); ++d) sizes.push_back(pixels.shape()[d]);
        write_file_atomically(
            options.data, encode_numpy({pixels.data(), static_cast<std::size_t>(pixels.elements())}, sizes));
    } else {
        Array<float> known = Array<float>({decibels.shape()[1], decibels.shape()[2]});
        std::transform(decibels.begin(), decibels.begin() + known.elements(), known.begin(), [&](float v) {
            return std::isnan(v) ? static_cast<float>(-options.dynamic_range) : v;
        });
        write_image(options.data, known, 32);
    }
    fmt::print("{}\n", options.data);
}

void run(Options& options, const CommonOptions& common) {
    read_frames(options);
    require_folder_of(options.picture);
    if (fs::path(options.picture).extension() != ".png")
        throw UsageError("IMAGE must end in .png, got \"" + options.picture + "\"");
    if (!options.data.empty() && !options.data.ends_with(".npy") && !options.data.ends_with(".tif") &&
        !options.data.ends_with(".tiff"))
        throw UsageError("--data must end in .npy, .tif or .tiff, got \"" + options.data + "\"");
    if (!options.data.empty()) require_folder_of(options.data);

    const ChannelDataFile file = read_channel_data_file(options.file, options.read);
    for (const std::string& remark : file.remarks) warn(options.file + ": " + remark);
    BeamformOptions how = beamform_options(options);
    std::optional<SpeedMap> map;
    if (!options.map.empty()) {
        std::optional<MapExtent> extent;
        if (const auto& e = options.map_extent_mm; !e.empty())
            extent = MapExtent{1e-3 * e[0], 1e-3 * e[1], 1e-3 * e[2], 1e-3 * e[3]};
        map = read_speed_map(options.map, extent);
        how.map = &*map;
    }

    Context context(make_openmp_runner(common.threads));
    Beamformer beamformer(file.data, how, context);
    if (!beamformer.remark().empty()) warn(options.file + ": " + beamformer.remark());
    const ImageGrid& grid = beamformer.grid();
    const View<const float> coverage = beamformer.delay_and_sum().coverage();
    const Index frames = file.data.frames();
    ProgressLine progress;
    Array<float> pixels({frames, grid.rows, grid.columns, 2}), magnitude(grid.shape());
    double brightest = 0;
    for (Index f = 0; f < frames; ++f) {
        beamformer.run(file.data.values.view()[f], pixels.view()[f], context);
        envelope(pixels.view()[f], magnitude);
        brightest = std::max(brightest, largest_magnitude(magnitude));
        require(progress({"beamforming", f + 1, frames, -1}), Status::cancelled, "stopped");
    }
    progress.clear();
    require(brightest > 0, Status::invalid_argument, options.file,
            ": all samples that the image is made of are 0");

    Array<float> decibels({frames, grid.rows, grid.columns});
    const std::string delays = map ? "delays by " + fs::path(options.map).filename().string()
                                   : fmt::format("sound speed {:g} m/s", beamformer.sound_speed());
    for (Index f = 0; f < frames; ++f) {
        const Array<float> image = b_mode(pixels.view()[f], coverage, brightest, options.dynamic_range);
        std::copy(image.begin(), image.end(), decibels.view()[f].data());
        const std::string name = picture_name(options.picture, options.read.first_frame + f, frames);
        write_image(name, draw_b_mode(image, grid, options.dynamic_range,
                                      fmt::format("{}, frame {}", fs::path(options.file).filename().string(),
                                                  options.read.first_frame + f),
                                      delays)
                              .planes());
        fmt::print("{}\n", name);
    }
    if (!options.data.empty()) write_data(options, pixels, decibels);
    const auto known = std::count_if(coverage.begin(), coverage.end(), [](float c) { return c > 0; });
    fmt::print(
        "{} x {} pixels of {:.4g} x {:.4g} mm, z {:.4g} to {:.4g} mm, x {:.4g} to {:.4g} mm, {:.1f} % in the "
        "record; 0 dB is {:.4g}\n",
        grid.rows, grid.columns, 1e3 * grid.row_spacing, 1e3 * grid.column_spacing, 1e3 * grid.first_z,
        1e3 * grid.z(static_cast<double>(grid.rows - 1)), 1e3 * grid.first_x,
        1e3 * grid.x(static_cast<double>(grid.columns - 1)),
        100.0 * static_cast<double>(known) / static_cast<double>(coverage.elements()), brightest);
}

void add_image_options(CLI::App& command, Options& o) {
    const auto mm = [&](const char* name, std::optional<double>& value, const char* says) {
        command.add_option(name, value, says)->type_name("MM")->group("Image");
    };
    mm("--top", o.top_mm, "first depth; default: the first echo under the middle of the array");
    mm("--bottom", o.bottom_mm, "last depth; default: the last echo there");
    mm("--left", o.left_mm, "first x; default: the first element");
    mm("--right", o.right_mm, "last x; default: the last element");
    mm("--pixel-z", o.pixel_z_mm, "distance of rows; default: a quarter of the wavelength");
    mm("--pixel-x", o.pixel_x_mm, "distance of columns; default: half of the pitch or of the wavelength");
    command.add_option("--dynamic-range", o.dynamic_range, "dB from black to white; default: 60")
        ->check(number_from(1, 200))
        ->type_name("DB")
        ->group("Image");
    command
        .add_option("--frames", o.frames,
                    "one frame or a range, counted from 0; a range gives IMAGE_0003.png, ...; default: 0")
        ->type_name("N|N-M")
        ->group("Image");
    command
        .add_option("--data", o.data,
                    "also write complex pixels [frame, row, column, 2] (.npy), or the decibels of the first "
                    "frame (.tif)")
        ->type_name("FILE")
        ->group("Image");
}

void add_beam_options(CLI::App& command, Options& o) {
    const char* const group = "Delay and sum";
    command.add_option("--speed", o.speed, "sound speed; default: what the file says")
        ->check(number_from(100, 10000))
        ->type_name("M/S")
        ->group(group);
    command
        .add_option(
            "--speed-map", o.map,
            "delays along bent rays through this map: .npy or .tif of m/s with --map-extent, or data/sos_map "
            "of an .h5")
        ->type_name("FILE")
        ->group(group);
    command
        .add_option("--map-extent", o.map_extent_mm,
                    "middles of the map's outermost pixels: left right top bottom")
        ->expected(4)
        ->type_name("MM")
        ->group(group);
    command.add_option("--f-number", o.f_number, "of the receiving aperture; 0: all elements; default: 1")
        ->check(number_from(0, 1000))
        ->type_name("F")
        ->group(group);
    command.add_option("--window", o.window, "over the receiving aperture: rectangular, hann or tukey")
        ->check(CLI::IsMember({"rectangular", "hann", "tukey"}))
        ->type_name("NAME")
        ->group(group);
    command.add_option("--taper", o.taper, "of Tukey's window: the part that falls off; default: 0.5")
        ->check(number_from(0.001, 1))
        ->type_name("PART")
        ->group(group);
    command
        .add_option("--transmit-f-number", o.transmit_f_number,
                    "how far to the side transmissions count; 0: everywhere (default)")
        ->check(number_from(0, 1000))
        ->type_name("F")
        ->group(group);
    command.add_flag("--insonified", o.insonified, "only pixels that a transmission goes straight to")
        ->group(group);
    command.add_option("--interpolation", o.interpolation, "between samples: nearest, linear or cubic")
        ->check(CLI::IsMember({"nearest", "linear", "cubic"}))
        ->type_name("NAME")
        ->group(group);
    command
        .add_option(
            "--normalise", o.normalise,
            "what sums are divided by: weights (default; even brightness), energy (even noise) or none")
        ->check(CLI::IsMember({"none", "weights", "energy"}))
        ->type_name("NAME")
        ->group(group);
    command.add_option("--weights", o.weights, "of the transmissions that are compounded; default: all 1")
        ->delimiter(',')
        ->type_name("W,W,...")
        ->group(group);
    command
        .add_option("--bandwidth", o.bandwidth_mhz,
                    "of RF that is kept around the centre frequency; default: as wide as that, or as fits")
        ->check(number_from(0, 1000))
        ->type_name("MHZ")
        ->group(group);
}

}  // namespace

void add_beamform(CLI::App& program, CommonOptions& common) {
    auto options = std::make_shared<Options>();
    CLI::App* command = add_command(
        program, common, "beamform", "Make a B-mode image of a recording of an ultrasound probe.",
        "Delay and sum over all elements and transmissions, with the delays of one sound speed or of a map. "
        "Pixels\n"
        "without any sample in the record are magenta. Dead and saturated channels are found, reported and "
        "left "
        "out.\n\n"
        "Example:\n  sonolux beamform PWI_disk.mat out/disk.png --dynamic-range 40\n"
        "  sonolux beamform scan.hdf5 out/scan.png --speed-map map.npy --map-extent -20 20 0 40",
        [options, &common] { run(*options, common); });
    command->add_option("FILE", options->file, "recording: zea or UFF (HDF5), MATLAB")->required();
    command->add_option("IMAGE", options->picture, "picture (.png)")->required();
    add_image_options(*command, *options);
    add_beam_options(*command, *options);
    add_channel_data_options(*command, options->read);
}

}  // namespace sonolux::command_line
