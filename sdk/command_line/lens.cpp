// sonolux/sdk/command_line/lens.cpp
#include <sonolux/sdk/command_line/lens.hpp>

#include <charconv>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/pipelines/lens_capture.hpp>

namespace sonolux::command_line {

void add_lens_options(CLI::App& command, LensArguments& arguments) {
    const char* group = "Lenses";
    command
        .add_option("--light", arguments.light,
                    "what the codes of a capture through a lens are: linear (in light), srgb, or auto "
                    "(default): 8 bits are sRGB, more are linear")
        ->check(CLI::IsMember({"auto", "linear", "srgb"}))
        ->type_name("CODING")
        ->group(group);
    command
        .add_option("--electrons", arguments.electrons,
                    "of white in the most sensitive channel; by default in the middle of what the model was "
                    "trained for")
        ->check(number_from(1, 1e9))
        ->type_name("N")
        ->group(group);
    command
        .add_option("--lens", arguments.lens,
                    "the lens all over the capture, whose middle is on the axis: a recipe (.toml), from "
                    "which kernels of "
                    "fields are computed, or such kernels (.npy). Each tile is recovered with those of its "
                    "place; without "
                    "this the model's kernels hold everywhere")
        ->type_name("FILE")
        ->group(group);
    command
        .add_option("--save-kernels", arguments.kernels,
                    "where to keep the kernels that were computed from the recipe (.npy)")
        ->type_name("FILE")
        ->group(group);
    command
        .add_option("--fields", arguments.fields, "along each side of the capture, for --lens (default 5)")
        ->check(number_from(1, 64))
        ->type_name("N")
        ->group(group);
    add_mosaic_option(command, arguments.mosaic)->group(group);
    command
        .add_option("--focus", arguments.focus,
                    "where the sensor stands: so many times as far from the lens as the model's recipe says "
                    "(1.02: 2 % too "
                    "far), or auto: the distance from 0.95 to 1.05 that leaves the fewest fringes of colour, "
                    "a guess which "
                    "small captures and harmonic lenses mislead")
        ->type_name("DISTANCE")
        ->group(group);
}

CLI::Option* add_mosaic_option(CLI::App& command, std::string& pattern) {
    return command
        .add_option("--mosaic", pattern,
                    "of captures through a lens: the colour filters of the sensor's first two pixels in the "
                    "first two rows, "
                    "such as rggb. A raw capture has one channel; of one with three, the value that each "
                    "pixel has measured counts")
        ->type_name("PATTERN");
}

std::optional<BayerMosaic> mosaic_of(const std::string& pattern) {
    return pattern.empty() ? std::nullopt : std::optional(BayerMosaic(pattern));
}

namespace {

/// Beyond this the kernels of the axis have little in common with what the model was trained on.
constexpr double another_lens = 0.5;

std::shared_ptr<const LensField> read_field(const Model& model, const Image& capture,
                                            const LensArguments& arguments, const CommonOptions& common,
                                            ProgressLine& progress) {
    if (arguments.lens.empty()) return nullptr;
    Context context(make_openmp_runner(common.threads));
    context.set_progress([&](const Progress& p) { return progress(p); });
    const bool computed = std::filesystem::path(arguments.lens).extension() != ".npy";
    if (!computed && !arguments.kernels.empty())
        throw UsageError("--save-kernels is for recipes: these kernels are in a file already");
    require_folder_of(arguments.kernels);
    // Before anything takes long.
    auto field = std::make_shared<LensField>(computed ? lens_axis_from_recipe(arguments.lens, context)
                                                      : read_lens_field(arguments.lens));
    const double difference = difference_from_model(*field, model);
    require(difference <= another_lens, Status::unsupported, arguments.lens,
            ": its kernels on the axis differ from those that ", model.name, " was trained with by ",
            std::lround(100 * difference), " % (at most ", std::lround(100 * another_lens),
            "): another lens, sensor or light needs a model of its own");
    if (computed) {
        *field = lens_field_from_recipe(arguments.lens, capture.rows(), capture.columns(), arguments.fields,
                                        arguments.fields, context);
        progress.clear();
        if (!arguments.kernels.empty()) write_lens_field(arguments.kernels, *field);
    }
    return field;
}

/// 1 where nothing is said, or "auto".
double distance_of(const std::string& focus) {
    if (focus.empty() || focus == "auto") return 1;
    double distance = 0;
    const auto [end, error] = std::from_chars(focus.data(), focus.data() + focus.size(), distance);
    if (error != std::errc() || end != focus.data() + focus.size() || !(distance >= 0.5 && distance <= 2))
        throw UsageError(fmt::format(
            "--focus must be auto or a distance from 0.5 to 2 of the model's, got \"{}\"", focus));
    return distance;
}

}  // namespace

void reconstruct_lens(const Model& model, const LensArguments& arguments, const CommonOptions& common) {
    const Image capture = read_image(arguments.input);
    const int bits = bits_of_output(arguments.output, arguments.bits, arguments.input, capture);
    require_folder_of(arguments.output);
    if (!arguments.lens.empty() && !arguments.focus.empty())
        throw UsageError("--focus is for the model's own lens: kernels of --lens are those of one distance");
    const double distance = distance_of(arguments.focus);
    const bool find = arguments.focus == "auto";
    ProgressLine progress;
    RecoverySummary summary;
    const std::shared_ptr<const LensField> field = read_field(model, capture, arguments, common, progress);
    const Array<float> result =
        recover_capture(model, capture, arguments.input,
                        {.coding = light_coding_from_string(arguments.light),
                         .full_well = arguments.electrons,
                         .mosaic = mosaic_of(arguments.mosaic),
                         .threads = common.threads,
                         .tile = arguments.tile,
                         .field = field,
                         .distance = distance,
                         .find_focus = find ? std::optional(FocusOptions{}) : std::nullopt,
                         .progress = [&](const Progress& p) { return progress(p); }},
                        &summary);
    progress.clear();
    write_image(arguments.output, result, bits);
    if (!arguments.focus.empty())
        fmt::print("{}: kernels of a sensor at {:.4g} times the distance of {}\n", arguments.input,
                   summary.distance, model.name);
    if (summary.distance_at_end)
        warn("that is where the search ends: the sensor may stand further off, or the lens may be another");
    fmt::print(
        "{}: read as {}\n{}: {} x {} x {}, {} bits, {}; noise for {:.0f} electrons at white, {} {}, {:.1f} "
        "MiB of workspace, {:.3f} s ({})\n",
        arguments.input, summary.reading, arguments.output, result.shape()[0], result.shape()[1],
        result.shape()[2], bits, summary.writing, summary.full_well, summary.tiles,
        summary.tiles == 1 ? "tile" : "tiles", static_cast<double>(summary.workspace_bytes) / (1 << 20),
        summary.seconds, summary.device);
}

void evaluate_lens_model(const Model& model, EvaluateLensOptions options, const std::string& csv,
                         const CommonOptions& common) {
    require_folder_of(csv);
    require_folder_of(options.picture);
    options.threads = common.threads;
    ProgressLine progress;
    options.progress = [&](const Progress& p) { return progress(p); };
    const std::vector<LensResult> results = evaluate_lens(model, options);
    progress.clear();
    std::vector<std::vector<std::string>> rows;
    std::string text = "method,psnr,srgb_psnr,angle,ciede2000,psnr_r,psnr_g,psnr_b\n";
    for (const LensResult& r : results) {
        rows.push_back({r.method, fixed(r.psnr, 2), fixed(r.srgb_psnr, 2), fixed(r.angle, 2),
                        fixed(r.difference, 2), fixed(r.channel_psnr[0], 2), fixed(r.channel_psnr[1], 2),
                        fixed(r.channel_psnr[2], 2)});
        text += fmt::format("{},{:.4f},{:.4f},{:.4f},{:.4f},{:.4f},{:.4f},{:.4f}\n", r.method, r.psnr,
                            r.srgb_psnr, r.angle, r.difference, r.channel_psnr[0], r.channel_psnr[1],
                            r.channel_psnr[2]);
    }
    fmt::print("{}\n{}: {} periodic pieces of {} x {} pixels, lifted to spectra{}\n\n{}", model.name,
               options.data, options.samples, options.size, options.size,
               options.mosaic ? ", behind a mosaic " + options.mosaic->pattern() : "",
               aligned({"method", "linear PSNR", "sRGB PSNR", "angle", "CIEDE2000", "R", "G", "B"}, rows));
    if (!csv.empty()) write_file_atomically(csv, text);
}

}  // namespace sonolux::command_line
