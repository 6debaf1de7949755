#include <sonolux/sdk/command_line/channel_data_arguments.hpp>
#include <sonolux/sdk/command_line/sound_speed.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/numpy_file.hpp>
#include <sonolux/sdk/files/speed_map_file.hpp>
#include <sonolux/sdk/pipelines/measured_traces.hpp>
#include <sonolux/sdk/pipelines/median.hpp>
#include <sonolux/sdk/pipelines/sound_speed.hpp>
#include <sonolux/sdk/pipelines/uniform_medium.hpp>
#include <sonolux/solvers/metrics.hpp>

namespace sonolux::command_line {

namespace {

/// "1-2,3-4" as numbers from 0.
std::vector<std::pair<Index, Index>> parse_pairs(const std::string& text) {
    std::vector<std::pair<Index, Index>> pairs;
    const char *at = text.data(), *const end = at + text.size();
    const auto number = [&] {
        Index value = 0;
        const auto [next, error] = std::from_chars(at, end, value);
        if (error != std::errc() || value < 1)
            throw UsageError(
                fmt::format("--pairs must be like 1-2,3-4, transmissions counted from 1, got \"{}\"", text));
        at = next;
        return value - 1;
    };
    const auto expect = [&](char c) {
        if (at == end || *at++ != c)
            throw UsageError(fmt::format("--pairs must be like 1-2,3-4, got \"{}\"", text));
    };
    while (at != end) {
        if (!pairs.empty()) expect(',');
        const Index first = number();
        expect('-');
        pairs.emplace_back(first, number());
    }
    return pairs;
}

/// "84,64,0.6e-3": rows, columns and spacing in m, centred below the array.
ImageGrid parse_map(const std::string& text, double top) {
    double numbers[3] = {};
    const char *at = text.data(), *const end = at + text.size();
    for (int n = 0; n < 3; ++n) {
        const auto [next, error] = std::from_chars(at, end, numbers[n]);
        const bool ends = n < 2 ? next != end && *next == ',' : next == end;
        if (error != std::errc() || !ends)
            throw UsageError(fmt::format(
                "--map must be rows, columns and spacing in m, like 84,64,0.6e-3, got \"{}\"", text));
        at = ends && n < 2 ? next + 1 : next;
    }
    const auto [rows, columns, spacing] = numbers;
    for (const auto& [name, number] : {std::pair{"rows", rows}, std::pair{"columns", columns}})
        if (!(number >= 4 && number <= 4096) || number != std::floor(number))
            throw UsageError(
                fmt::format("--map: {} must be a whole number between 4 and 4096, got {:g}", name, number));
    if (!(spacing >= 2e-5 && spacing <= 1e-2))
        throw UsageError(fmt::format("--map: the spacing must be between 2e-05 and 0.01 m, got {:g}{}",
                                     spacing,
                                     spacing > 1e-2 && spacing <= 10 ? "; is it in millimetres?" : ""));
    return centred_grid(static_cast<Index>(rows), static_cast<Index>(columns), spacing, top);
}

enum class OutputKind { picture, numbers, numpy };

OutputKind kind_of(const std::string& output) {
    const std::string extension = std::filesystem::path(output).extension().string();
    if (extension == ".png") return OutputKind::picture;
    if (extension == ".tif" || extension == ".tiff") return OutputKind::numbers;
    if (extension == ".npy") return OutputKind::numpy;
    throw UsageError(fmt::format(
        "{}: a map of sound speed is written as a figure (.png), or as numbers in m/s (.tif, .npy)", output));
}

/// To a micrometre: files may hold places in single precision.
bool same_pixels(const ImageGrid& a, const ImageGrid& b) {
    const auto near = [](double x, double y) { return std::abs(x - y) < 1e-6; };
    return a.rows == b.rows && a.columns == b.columns && near(a.first_x, b.first_x) &&
           near(a.first_z, b.first_z) &&
           near(a.x(static_cast<double>(a.columns - 1)), b.x(static_cast<double>(b.columns - 1))) &&
           near(a.z(static_cast<double>(a.rows - 1)), b.z(static_cast<double>(b.rows - 1)));
}

/// The map as a figure or as numbers, and the picture of delays.
void write_results(const SoundSpeedArguments& arguments, OutputKind kind, const SoundSpeedPipeline& pipeline,
                   const SoundSpeedFrame& frame, int refined, View<const float> truth, Context& context) {
    const View<const float> values = frame.sound_speed.view();
    const std::array<Index, 2> sizes{values.rows(), values.columns()};
    switch (kind) {
        case OutputKind::picture: {
            // Images that are formed again with the map are corrected by it already.
            Array<float> corrected;
            if (refined == 0) corrected = pipeline.corrected_images(frame, context);
            write_image(arguments.output,
                        draw_sound_speed(pipeline, frame, arguments.input, context, truth, corrected)
                            .planes()
                            .view());
            break;
        }
        case OutputKind::numpy:
            write_file_atomically(
                arguments.output,
                encode_numpy({values.data(), static_cast<std::size_t>(values.elements())}, sizes));
            break;
        case OutputKind::numbers:
            write_image(arguments.output, View<const float>(values.data(), {1, sizes[0], sizes[1]}), 32);
            break;
    }
    if (!arguments.delays.empty())
        write_image(arguments.delays, draw_pair_delays(pipeline, frame, arguments.input).planes().view());
}

/// m/s; 0 for "unknown".
double speed_of_uniform(const std::string& text) {
    if (text == "unknown") return 0;
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !(value >= 300 && value <= 10000))
        throw UsageError(
            fmt::format("--uniform must be a speed between 300 and 10000 m/s, or unknown, got \"{}\"", text));
    return value;
}

/// Prints the self-test; throws where it fails.
void test_uniform(double speed, const SoundSpeedPipeline& pipeline, const SoundSpeedFrame& frame) {
    const UniformMediumReport report = check_uniform_medium(pipeline, frame, speed);
    std::vector<std::vector<std::string>> rows;
    Index failures = 0;
    for (const auto& [what, found, limit, passed] : report.checks) {
        rows.push_back({what, found, limit, passed ? "ok" : "FAILS"});
        failures += !passed;
    }
    fmt::print("\n{}", aligned({"uniform medium", "found", "limit", ""}, rows));
    require(report.passed(), Status::corrupt_data, "the self-test failed in ", failures, " of ",
            report.checks.size(), " checks; are array, times and lens those of this recording?");
}

/// Pages that the process has in memory, in bytes; 0 where /proc does not say.
std::size_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    std::size_t all = 0, resident = 0;
    file >> all >> resident;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

void time_frames(Index count, SoundSpeedPipeline& pipeline, View<const float> rf, SoundSpeedFrame& frame,
                 Context& context) {
    std::vector<double> seconds;
    seconds.reserve(static_cast<std::size_t>(count));
    const std::size_t before = resident_bytes();
    for (Index n = 0; n < count; ++n) {
        const auto begin = Context::Clock::now();
        pipeline.explain(pipeline.run(rf, frame, context), frame);
        seconds.push_back(std::chrono::duration<double>(Context::Clock::now() - begin).count());
        if (interrupted()) fail(Status::cancelled, "cancelled");
    }
    const std::size_t after = resident_bytes();
    std::sort(seconds.begin(), seconds.end());
    const auto quantile = [&](double part) {
        return 1e3 * seconds[static_cast<std::size_t>(part * static_cast<double>(seconds.size() - 1))];
    };
    fmt::print("{:<28} p50 {:.1f} ms, p99 {:.1f} ms, longest {:.1f} ms; memory grew by {} KiB\n",
               fmt::format("{} frames more", count), quantile(0.5), quantile(0.99), quantile(1),
               after > before ? (after - before) / 1024 : 0);
}

}  // namespace

bool is_sound_speed_method(const std::string& name) noexcept { return name == "lbfgs" || name == "tikhonov"; }

void add_sound_speed_options(CLI::App& command, SoundSpeedArguments& arguments) {
    const char* group = "Recordings";
    command
        .add_option(
            "--pairs", arguments.pairs,
            "transmissions whose delays are compared, counted from 1 among those that are read: 1-2,3-4; by "
            "default neighbours about ten elements or five degrees apart")
        ->type_name("LIST")
        ->group(group);
    command
        .add_option("--speed", arguments.speed,
                    "m/s that images are formed with; by default found in the data")
        ->check(number_from(300, 10000))
        ->type_name("C")
        ->group(group);
    command
        .add_option(
            "--map", arguments.map,
            "rows, columns and spacing in m of the map's pixels, like 84,64,0.6e-3, centred below the "
            "array; by default two pitches, under the whole array, to 50 mm at most")
        ->type_name("R,C,D")
        ->group(group);
    command
        .add_option("--rounds", arguments.rounds,
                    "times that images are formed at most until the speed that their delays ask for stays "
                    "(default 4)")
        ->check(number_from(1, 20))
        ->type_name("N")
        ->group(group);
    command.add_option("--lambda", arguments.lambda, "weight of the inversion's regulariser")
        ->check(number_from(1e-9, 1e9))
        ->type_name("L")
        ->group(group);
    command.add_option("--frame", arguments.reading.first_frame, "of the recording, counted from 0")
        ->check(number_from(0, 1 << 24))
        ->type_name("N")
        ->group(group);
    command
        .add_option("--refine", arguments.refine,
                    "times that images are formed again, with the map of the time before (default 2; with a "
                    "model 0)")
        ->check(number_from(0, 20))
        ->type_name("N")
        ->group(group);
    command.add_option("--delays", arguments.delays, "picture (.png) of the delays of all pairs")
        ->type_name("FILE")
        ->group(group);
    command
        .add_option("--repeat", arguments.repeat,
                    "run the frame N times more, as a scanner would, and print how long frames took and what "
                    "memory they cost")
        ->check(number_from(0, 1000000))
        ->type_name("N")
        ->group(group);
    command
        .add_option(
            "--truth", arguments.truth,
            "zea file with the true map (data/sos_map), to lay out the map as it is and to compare with")
        ->type_name("FILE")
        ->group(group);
    command
        .add_option("--uniform", arguments.uniform,
                    "self-test: the recording is of a medium with this speed everywhere (m/s, or unknown); "
                    "prints biases and scatter of delays and map against their limits, and fails beyond")
        ->type_name("C")
        ->group(group);
    add_channel_data_options(command, arguments.reading);
}

void reconstruct_sound_speed(const SoundSpeedArguments& arguments, const CommonOptions& common) {
    const OutputKind kind = kind_of(arguments.output);
    SoundSpeedPipelineOptions options;
    if (arguments.model != nullptr) {
        if (!arguments.pairs.empty() || arguments.lambda > 0)
            throw UsageError(
                fmt::format("{}: --pairs and --lambda are of lbfgs and tikhonov; a model says itself "
                            "which transmissions it compares",
                            arguments.method));
        options.method = InversionMethod::network;
        options.model = arguments.model.get();
    } else {
        options.method = inversion_method_from_string(arguments.method);
    }
    const bool tests = !arguments.uniform.empty();
    const double uniform = tests ? speed_of_uniform(arguments.uniform) : 0;
    if (tests && arguments.refine > 0)
        throw UsageError("--uniform tests images that are formed with one speed: it goes without --refine");
    const int refine = arguments.refine >= 0 ? arguments.refine : tests || arguments.model != nullptr ? 0 : 2;
    options.delays.pairs.pairs = parse_pairs(arguments.pairs);
    options.delays.find_speed = arguments.speed == 0;
    options.delays.pairs.sound_speed = arguments.speed;
    if (arguments.rounds > 0) {
        if (arguments.speed > 0) throw UsageError("--rounds is of finding the speed, which --speed gives");
        options.delays.most_rounds = arguments.rounds;
    }
    if (arguments.lambda > 0) options.lbfgs.lambda = options.tikhonov.lambda = arguments.lambda;
    if (!arguments.map.empty()) {
        if (arguments.model != nullptr || !arguments.truth.empty())
            throw UsageError(fmt::format("--map names the map's pixels, and so does {}",
                                         arguments.model != nullptr ? "a model" : "--truth FILE"));
        (void)parse_map(arguments.map, 0);  // before anything is read
    }
    require_folder_of(arguments.output);
    require_folder_of(arguments.delays);

    ChannelDataReadOptions reading = arguments.reading;
    reading.frames = 1;
    const ChannelDataFile file = read_channel_data_file(arguments.input, reading);
    for (const std::string& remark : file.remarks) warn(fmt::format("{}: {}", arguments.input, remark));
    SpeedMap truth;
    if (!arguments.truth.empty()) {
        truth = read_speed_map(arguments.truth, {}, reading.first_frame);
        if (arguments.model == nullptr) options.map = truth.grid;
    }

    if (!arguments.map.empty())
        options.map = parse_map(arguments.map, highest_element(file.data.acquisition.array));

    Context context(make_openmp_runner(common.threads));
    try {
        MeasuredTraces traces = measured_traces(file.data, "sound speed");
        if (!traces.remark.empty()) warn(fmt::format("{}: {}", arguments.input, traces.remark));
        options.delays.pairs.beamforming.measured = std::move(traces.ranges);
        ProgressLine progress;
        context.set_progress([&progress](const Progress& p) { return progress(p); });
        const auto planned = Context::Clock::now();
        SoundSpeedPipeline pipeline(file.data.acquisition, file.data.frame(0), std::move(options), context);
        require(truth.grid.rows == 0 || same_pixels(truth.grid, pipeline.map()), Status::size_mismatch,
                arguments.truth, ": the true map is ", truth.grid.rows, " x ", truth.grid.columns,
                " pixels, ", extent_mm(truth.grid), "; the model's is ", pipeline.map().rows, " x ",
                pipeline.map().columns, " pixels, ", extent_mm(pipeline.map()));
        SoundSpeedFrame frame = pipeline.make_frame();
        if (!pipeline.settled())
            warn(
                fmt::format("{}: the speed that images are formed with had not settled after {} round{}; "
                            "--speed can give it, --rounds more time",
                            arguments.input, pipeline.rounds(), pipeline.rounds() == 1 ? "" : "s"));
        const double set_up = std::chrono::duration<double>(Context::Clock::now() - planned).count();
        const auto begin = Context::Clock::now();
        pipeline.explain(pipeline.run(file.data.frame(0), frame, context), frame);
        const double one_speed_misfit = frame.record.misfit_after;
        for (int round = 0; round < refine; ++round) {
            if (!progress({"forming images with the map", round, refine, -1}))
                fail(Status::cancelled, "cancelled");
            pipeline.refine(frame, context);
            pipeline.explain(pipeline.run(file.data.frame(0), frame, context), frame);
        }
        progress.clear();
        context.set_progress(nullptr);
        const double seconds = std::chrono::duration<double>(Context::Clock::now() - begin).count();
        write_results(arguments, kind, pipeline, frame, refine, truth.sound_speed.view(), context);

        const InversionRecord& record = frame.record;
        if (record.log.reason() == StopReason::no_descent ||
            record.log.reason() == StopReason::iteration_limit)
            warn(fmt::format("{}: the inversion did not converge: {} after {} iterations", arguments.input,
                             to_string(record.log.reason()), record.log.entries().size()));
        const ImageGrid& map = pipeline.map();
        std::string text =
            fmt::format("{}: {} x {} pixels, {}\n", arguments.output, map.rows, map.columns, extent_mm(map));
        const auto line = [&](const char* what, const std::string& value) {
            text += fmt::format("{:<28} {}\n", what, value);
        };
        line("pairs of transmissions", std::to_string(pipeline.measurement().options().pairs.size()));
        line("images formed with",
             fmt::format("{:.1f} m/s{}{}", pipeline.measurement().options().sound_speed,
                         pipeline.rounds() > 1 ? fmt::format(", found in {} rounds", pipeline.rounds()) : "",
                         refine > 0 ? fmt::format(", then {} times with the map", refine) : ""));
        line("delays measured",
             fmt::format("{:.1f} % of those that pairs could see", 100 * frame.delays.valid_share));
        line("best uniform speed", fmt::format("{:.1f} m/s", 1 / record.uniform_slowness));
        line("delays unexplained, rms",
             fmt::format("{:.2f} ns by that, {:.2f} ns by the map", 1e9 * record.misfit_before,
                         1e9 * record.misfit_after) +
                 (refine > 0
                      ? fmt::format(" ({:.2f} ns before images were formed with it)", 1e9 * one_speed_misfit)
                      : ""));
        if (!record.log.entries().empty())
            line("iterations",
                 fmt::format("{}: {}", record.log.entries().size(), to_string(record.log.reason())));
        if (std::isfinite(frame.score)) {
            std::vector<double> deviations;
            for (const float deviation : frame.deviation)
                if (std::isfinite(deviation)) deviations.push_back(deviation);
            line("standard deviation",
                 fmt::format("{:.1f} m/s, median where there are rays", median(deviations)));
            line("score of the frame",
                 fmt::format(
                     "{:.2f}{}", frame.score,
                     frame.score < 0.5 ? ": below 0.5, not as frames of this probe and of tissue are" : ""));
            if (frame.score < 0.5)
                warn(fmt::format(
                    "{}: not as frames of this probe and of tissue are (score {:.2f}): the map is not "
                    "to be trusted",
                    arguments.input, frame.score));
        }
        if (!truth.sound_speed.view().empty())
            line("difference from the truth",
                 fmt::format("{:.2f} m/s rms where there are rays",
                             finite_rms_difference(frame.sound_speed, truth.sound_speed)));
        line("time", fmt::format("set-up {:.2f} s, then {:.2f} s; of one frame {:.1f} ms: filter {:.1f}, "
                                 "images and tracking {:.1f}, "
                                 "{} {:.1f} ({})",
                                 set_up, seconds,
                                 1e3 * (frame.filter_seconds + frame.delay_seconds + frame.inversion_seconds),
                                 1e3 * frame.filter_seconds, 1e3 * frame.delay_seconds,
                                 arguments.model != nullptr ? "network" : "inversion",
                                 1e3 * frame.inversion_seconds, context.description()));
        fmt::print("{}", text);
        if (tests) test_uniform(uniform, pipeline, frame);
        if (arguments.repeat > 0) time_frames(arguments.repeat, pipeline, file.data.frame(0), frame, context);
    } catch (const Error& error) {
        throw Error(error.status(), arguments.input + ": " + error.what());
    }
}

}  // namespace sonolux::command_line
