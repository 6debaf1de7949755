#include <sonolux/sdk/command_line/disc_test.hpp>

#include <optional>

#include <fmt/format.h>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/pipelines/disc_test.hpp>
#include <sonolux/sdk/pipelines/shipped_models.hpp>

namespace sonolux::command_line {

void add_disc_test_options(CLI::App& command, DiscTestArguments& arguments) {
    const char* group = "Discs";
    command
        .add_option(
            "--refine", arguments.refine,
            "times that images are formed again, with the map of the time before (default 2; of a network 0)")
        ->check(number_from(0, 20))
        ->type_name("N")
        ->group(group);
    command.add_option("--maps", arguments.maps, "the first so many of the 40")
        ->check(number_from(1, 40))
        ->type_name("N")
        ->group(group);
    command
        .add_option(
            "--like", arguments.model,
            "lbfgs, tikhonov: record and map what this sound-speed model compares, to measure it beside "
            "the model")
        ->type_name("MODEL")
        ->group(group);
    command
        .add_option("--centre-frequency", arguments.centre_frequency,
                    "of the pulse (default 5e6; the shipped model is for 2.5e6)")
        ->check(number_from(0.5e6, 15e6))
        ->type_name("HZ")
        ->group(group);
    command.add_option("--chart", arguments.chart, "contrast found over true contrast (.svg)")
        ->type_name("FILE")
        ->group(group);
}

void evaluate_on_discs(const DiscTestArguments& arguments, const CommonOptions& common) {
    DiscTestOptions options;
    std::optional<Model> model;
    if (arguments.method == "lbfgs" || arguments.method == "tikhonov") {
        options.method = inversion_method_from_string(arguments.method);
        if (!arguments.model.empty()) model = open_model(find_model(arguments.model));
    } else {
        if (!arguments.model.empty()) throw UsageError("--like is for lbfgs and tikhonov");
        options.method = InversionMethod::network;
        model = open_model(find_model(arguments.method));
    }
    if (model) options.model = &*model;
    options.lambda = arguments.lambda;
    options.refine = arguments.refine >= 0                        ? arguments.refine
                     : options.method == InversionMethod::network ? 0
                                                                  : 2;
    options.centre_frequency = arguments.centre_frequency;
    options.count = arguments.maps;
    options.threads = common.threads;
    require_folder_of(arguments.csv);
    require_folder_of(arguments.chart);
    ProgressLine progress;
    options.progress = [&](const Progress& p) { return progress(p); };
    const std::vector<DiscResult> results = run_disc_test(options);
    progress.clear();

    std::vector<std::vector<std::string>> rows;
    std::string csv =
        "background,contrast,found_background,found_contrast,rmse,cnr,valid,simulation_s,delays_s,inversion_"
        "s,"
        "total_s\n";
    for (const DiscResult& r : results) {
        if (!r.error.empty()) {
            warn(fmt::format("disc of {:+g} m/s in {:g} m/s: {}", r.contrast, r.background, r.error));
            continue;
        }
        rows.push_back({fmt::format("{:g}", r.background), fmt::format("{:+g}", r.contrast),
                        fmt::format("{:.1f}", r.found_background), fmt::format("{:+.1f}", r.found_contrast),
                        fmt::format("{:.2f}", r.rmse), fmt::format("{:.1f}", r.contrast_to_noise),
                        fmt::format("{:.1f}", 100 * r.valid_share), fmt::format("{:.2f}", r.delay_seconds),
                        fmt::format("{:.2f}", r.inversion_seconds), fmt::format("{:.1f}", r.total_seconds)});
        csv += fmt::format("{},{},{:.3f},{:.3f},{:.4f},{:.3f},{:.4f},{:.3f},{:.3f},{:.3f},{:.3f}\n",
                           r.background, r.contrast, r.found_background, r.found_contrast, r.rmse,
                           r.contrast_to_noise, r.valid_share, r.simulation_seconds, r.delay_seconds,
                           r.inversion_seconds, r.total_seconds);
    }
    const DiscSummary summary = summary_of(results);
    require(summary.maps > 0, Status::corrupt_data, "none of the ", results.size(),
            " discs could be mapped; the warnings above say why");
    fmt::print("{}, {} maps, images formed again {} times\n\n{}\n", arguments.method, summary.maps,
               options.refine,
               aligned({"background", "contrast", "found background", "found contrast", "RMSE", "CNR",
                        "valid %", "delays s", "inversion s", "all s"},
                       rows));
    fmt::print("median RMSE {:.2f} m/s, median CNR {:.1f}, contrast found {:.1f} % of the true one\n",
               summary.median_rmse, summary.median_contrast_to_noise, 100 * summary.slope);
    if (!arguments.csv.empty()) write_file_atomically(arguments.csv, csv);
    if (!arguments.chart.empty()) write_file_atomically(arguments.chart, draw_disc_test(results));
}

}  // namespace sonolux::command_line
