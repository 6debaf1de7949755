#include <sonolux/sdk/command_line/evaluate_speed.hpp>

#include <filesystem>
#include <optional>

#include <fmt/format.h>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/box_chart.hpp>
#include <sonolux/sdk/files/chart.hpp>
#include <sonolux/sdk/files/report.hpp>
#include <sonolux/sdk/pipelines/evaluate_trust.hpp>
#include <sonolux/sdk/pipelines/median.hpp>
#include <sonolux/sdk/pipelines/speed_robustness.hpp>

namespace sonolux::command_line {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string percent(double share) { return fixed(100 * share, 1); }

EvaluateTrustOptions trust_options(const EvaluateSoundSpeedOptions& sound) {
    return {.set = sound.set,
            .samples = sound.samples,
            .seed = sound.seed,
            .threads = sound.threads,
            .progress = sound.progress};
}

std::string reliability_table(const Reliability& reliability) {
    Rows rows;
    for (std::size_t i = 0; i < reliability.stated.size(); ++i)
        rows.push_back({percent(reliability.stated[i]), percent(reliability.covered[i])});
    return aligned({"stated %", "errors within %"}, rows);
}

void calibrate(Model& model, const SpeedEvaluationArguments& arguments, ProgressLine& progress) {
    require_folder_of(arguments.calibrate);
    const TrustFit fit = calibrate_trust(model, trust_options(arguments.sound));
    progress.clear();
    model.trust = to_json(fit.calibration);
    write_file_atomically(arguments.calibrate, save_model(model));
    fmt::print("{}: {}, calibrated on {} frames of {}\n\nframes that were left out, in eight parts:\n{}",
               arguments.calibrate, model.name, fit.held_out_scores.size(), arguments.sound.set,
               reliability_table(fit.held_out));
    const auto [least, most] = std::ranges::minmax(fit.held_out.by_frame);
    const auto flagged = std::ranges::count_if(fit.held_out_scores, [](double score) { return score < 0.5; });
    fmt::print("90 % intervals of single frames hold {} to {} % of the errors; {} of {} frames flagged\n",
               percent(least), percent(most), flagged, fit.held_out_scores.size());
}

std::string frames_csv(const TrustEvaluation& trust) {
    std::string csv = "frames,sample,score";
    for (Index k = 0; k < trust_frame_features; ++k) csv += fmt::format(",feature{}", k);
    csv += "\n";
    for (const FrameScores& frames : trust.frames)
        for (std::size_t i = 0; i < frames.scores.size(); ++i) {
            csv += fmt::format("{},{},{:.6g}", frames.kind, i, frames.scores[i]);
            for (const double value : frames.features[i].values) csv += fmt::format(",{:.6g}", value);
            csv += "\n";
        }
    return csv;
}

const std::vector<std::string> quality_header{"method",   "RMSE (m/s)", "MAE (m/s)", "SSIM",
                                              "contrast", "CNR",        "ms"};

Rows quality_rows(const std::vector<SoundSpeedResult>& results) {
    Rows rows;
    for (const SoundSpeedResult& result : results)
        rows.push_back({result.method, fixed(result.median.rmse, 3), fixed(result.median.mae, 3),
                        fixed(result.median.ssim, 3), fixed(result.median.contrast, 2),
                        fixed(result.median.contrast_to_noise, 2), fixed(result.milliseconds, 1)});
    return rows;
}

std::string quality_csv(const std::vector<SoundSpeedResult>& results) {
    std::string csv = "method,sample,rmse,mae,ssim,contrast,contrast_to_noise\n";
    for (const SoundSpeedResult& result : results)
        for (std::size_t i = 0; i < result.quality.size(); ++i) {
            const SpeedQuality& one = result.quality[i];
            csv += fmt::format("{},{},{:.4f},{:.4f},{:.4f},{:.4f},{:.4f}\n", result.method, i, one.rmse,
                               one.mae, one.ssim, one.contrast, one.contrast_to_noise);
        }
    return csv;
}

std::string reliability_chart(const Reliability& reliability) {
    const std::vector<ChartSeries> lines{{"as stated", {0, 1}, {0, 1}},
                                         {"errors", reliability.stated, reliability.covered}};
    return svg_chart(lines, {.title = "Reliability",
                             .x_label = "stated share of errors within an interval",
                             .y_label = "share that is"});
}

Rows frame_rows(const TrustEvaluation& trust) {
    Rows rows;
    for (const FrameScores& frames : trust.frames)
        rows.push_back({frames.kind, fixed(median(frames.scores), 3), percent(frames.flagged),
                        std::to_string(frames.refused), fixed(frames.roc_area, 3)});
    return rows;
}

void print_trust(const TrustEvaluation& trust) {
    fmt::print("\ndeviations that the model states against errors, all pixels of all frames:\n{}",
               reliability_table(trust.reliability));
    Rows rows;
    for (std::size_t i = 0; i < trust.reliability.decile_rms.size(); ++i)
        rows.push_back({fmt::format("{}", i + 1), fixed(trust.reliability.decile_stated[i], 2),
                        fixed(trust.reliability.decile_rms[i], 2)});
    fmt::print("\n{}", aligned({"tenth of the pixels", "stated (m/s)", "rms error (m/s)"}, rows));
    fmt::print("\n{}", aligned({"frames", "median score", "flagged %", "refused", "area under ROC"},
                               frame_rows(trust)));
}

/// Tables and charts of everything, in report.html.
void write_report(const SpeedEvaluationArguments& arguments, const std::string& title,
                  const std::string& protocol, const std::vector<SoundSpeedResult>& results,
                  const TrustEvaluation* trust, const std::vector<RobustnessCurve>& curves) {
    std::filesystem::create_directories(arguments.report);
    const auto path = [&](const char* name) {
        return (std::filesystem::path(arguments.report) / name).string();
    };
    Report report(title);
    report.paragraph(protocol);
    report.heading("Errors");
    report.table(quality_header, quality_rows(results));
    std::vector<BoxSeries> boxes;
    for (const SoundSpeedResult& result : results) {
        BoxSeries& box = boxes.emplace_back();
        box.name = result.method;
        for (const SpeedQuality& one : result.quality) box.values.push_back(one.rmse);
    }
    report.chart(svg_box_chart(boxes, "Root mean square error of each map", "m/s"),
                 "Box: quartiles and median; circles: beyond 1.5 times the box.");
    write_file_atomically(path("maps.csv"), quality_csv(results));
    report.link("maps.csv", "maps.csv");
    if (trust != nullptr) {
        report.heading("Trust");
        report.chart(reliability_chart(trust->reliability), "All pixels of all frames as they are.");
        std::vector<ChartSeries> deviations(2);
        deviations[0] = {"as stated", trust->reliability.decile_stated, trust->reliability.decile_stated};
        deviations[1] = {"rms error", trust->reliability.decile_stated, trust->reliability.decile_rms};
        report.chart(svg_chart(deviations, {.title = "Deviation",
                                            .x_label = "stated deviation, tenths of the pixels (m/s)",
                                            .y_label = "rms error (m/s)"}),
                     "Errors against what was stated for them.");
        report.table({"frames", "median score", "flagged %", "refused", "area under ROC"},
                     frame_rows(*trust));
        write_file_atomically(path("frames.csv"), frames_csv(*trust));
        report.link("frames.csv", "frames.csv");
    }
    if (!curves.empty()) {
        report.heading("Robustness");
        for (const RobustnessCurve& curve : curves) report.chart(draw(curve), "");
        write_file_atomically(path("robustness.csv"), to_csv(curves));
        report.link("robustness.csv", "robustness.csv");
    }
    report.write(path("report.html"));
}

}  // namespace

void add_speed_evaluation_options(CLI::App& command, SpeedEvaluationArguments& arguments) {
    EvaluateSoundSpeedOptions& sound = arguments.sound;
    const char* group = "Speed of sound";
    command.add_option("--missing", sound.missing, "fraction of the delays that is taken away (default 0.5)")
        ->check(number_from(0, 0.99))
        ->type_name("F")
        ->group(group);
    command.add_option("--delay-noise", sound.noise, "largest deviation of noise, s (default 1e-8)")
        ->check(number_from(0, 1e-3))
        ->type_name("S")
        ->group(group);
    command.add_option("--samples", sound.samples, "the first so many of the set (default 32)")
        ->check(number_from(1, 1e9))
        ->type_name("N")
        ->group(group);
    command
        .add_option("--lambda", sound.lambdas,
                    "weights of L-BFGS's total variation, of which the best counts")
        ->type_name("W")
        ->group(group);
    command
        .add_option("--calibrate", arguments.calibrate,
                    "write a copy of the model that states, for each map, a deviation of each pixel and how "
                    "far the frame is one of this probe and of tissue, fitted to this set")
        ->type_name("OUT")
        ->group(group);
    command
        .add_option("--report", arguments.report,
                    "write tables (.csv) and a report with charts (report.html) into this folder")
        ->type_name("FOLDER")
        ->group(group);
    command
        .add_flag("--robustness", arguments.robustness,
                  "measure how errors grow with missing delays, noise, faster tissue and another pitch too; "
                  "minutes "
                  "for 16 samples")
        ->group(group);
}

void evaluate_speed(Model model, SpeedEvaluationArguments arguments, const CommonOptions& common) {
    EvaluateSoundSpeedOptions& sound = arguments.sound;
    sound.threads = common.threads;
    ProgressLine progress;
    sound.progress = [&](const Progress& p) { return progress(p); };
    if (!arguments.calibrate.empty()) return calibrate(model, arguments, progress);
    require_folder_of(arguments.csv);
    if (arguments.robustness && arguments.report.empty())
        throw UsageError("--robustness needs --report FOLDER for its table and charts");
    const std::vector<SoundSpeedResult> results = evaluate_sound_speed(model, sound);
    progress.clear();
    const std::string protocol =
        fmt::format("{}: {} samples, {:.0f} % of the delays missing, noise up to {:.3g} ns", sound.set,
                    results.front().quality.size(), 100 * sound.missing, 1e9 * sound.noise);
    fmt::print("{}\n{}\nmedians over samples:\n\n{}", model.name, protocol,
               aligned(quality_header, quality_rows(results)));
    std::optional<TrustEvaluation> trust;
    if (!model.trust.is_null()) {
        trust = evaluate_trust(model, trust_options(sound));
        progress.clear();
        print_trust(*trust);
    }
    std::vector<RobustnessCurve> curves;
    if (arguments.robustness) curves = measure_robustness(model, sound);
    progress.clear();
    if (!arguments.csv.empty()) write_file_atomically(arguments.csv, quality_csv(results));
    if (arguments.report.empty()) return;
    write_report(arguments, model.name, protocol, results, trust ? &*trust : nullptr, curves);
    fmt::print("\n{}\n", (std::filesystem::path(arguments.report) / "report.html").string());
}

}  // namespace sonolux::command_line
