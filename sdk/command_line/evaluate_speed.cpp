#include <sonolux/sdk/command_line/evaluate_speed.hpp>

#include <fmt/format.h>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/pipelines/evaluate_trust.hpp>
#include <sonolux/sdk/pipelines/median.hpp>

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

void print_trust(const TrustEvaluation& trust) {
    fmt::print("\ndeviations that the model states against errors, all pixels of all frames:\n{}",
               reliability_table(trust.reliability));
    Rows rows;
    for (std::size_t i = 0; i < trust.reliability.decile_rms.size(); ++i)
        rows.push_back({fmt::format("{}", i + 1), fixed(trust.reliability.decile_stated[i], 2),
                        fixed(trust.reliability.decile_rms[i], 2)});
    fmt::print("\n{}", aligned({"tenth of the pixels", "stated (m/s)", "rms error (m/s)"}, rows));
    rows.clear();
    for (const FrameScores& frames : trust.frames)
        rows.push_back({frames.kind, fixed(median(frames.scores), 3), percent(frames.flagged),
                        std::to_string(frames.refused), fixed(frames.roc_area, 3)});
    fmt::print("\n{}", aligned({"frames", "median score", "flagged %", "refused", "area under ROC"}, rows));
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
}

void evaluate_speed(Model model, SpeedEvaluationArguments arguments, const CommonOptions& common) {
    EvaluateSoundSpeedOptions& sound = arguments.sound;
    sound.threads = common.threads;
    ProgressLine progress;
    sound.progress = [&](const Progress& p) { return progress(p); };
    if (!arguments.calibrate.empty()) return calibrate(model, arguments, progress);
    require_folder_of(arguments.csv);
    const std::vector<SoundSpeedResult> results = evaluate_sound_speed(model, sound);
    progress.clear();
    Rows rows;
    std::string csv = "method,sample,rmse,mae\n";
    for (const SoundSpeedResult& result : results) {
        rows.push_back({result.method, fixed(result.median_rmse, 3), fixed(result.median_mae, 3),
                        fixed(result.milliseconds, 1)});
        for (std::size_t i = 0; i < result.rmse.size(); ++i)
            csv += fmt::format("{},{},{:.4f},{:.4f}\n", result.method, i, result.rmse[i], result.mae[i]);
    }
    fmt::print("{}\n{}: {} samples, {:.0f} % of the delays missing, noise up to {:.3g} ns\n\n{}", model.name,
               sound.set, results.front().rmse.size(), 100 * sound.missing, 1e9 * sound.noise,
               aligned({"method", "median RMSE (m/s)", "median MAE (m/s)", "ms"}, rows));
    if (!model.trust.is_null()) {
        const TrustEvaluation trust = evaluate_trust(model, trust_options(sound));
        progress.clear();
        print_trust(trust);
        if (!arguments.csv.empty()) write_file_atomically(arguments.csv + ".frames", frames_csv(trust));
    }
    if (!arguments.csv.empty()) write_file_atomically(arguments.csv, csv);
}

}  // namespace sonolux::command_line
