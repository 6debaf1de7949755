// sonolux/sdk/command_line/train_command.cpp
#include <fmt/format.h>

#include <sonolux/sdk/command_line/command.hpp>
#include <sonolux/sdk/pipelines/train.hpp>

namespace sonolux::command_line {
namespace {

void run(TrainRequest& request, const CommonOptions& common) {
    ProgressLine progress;
    if (common.threads > 0) request.threads = common.threads;
    request.device = device_of(common);
    request.progress = [&](const Progress& p) { return progress(p); };
    request.log = [&](const std::string& text) {
        progress.clear();
        fmt::print(stderr, "{}\n", text);
    };
    const TrainSummary summary = train(request);
    progress.clear();
    fmt::print("{}: {} of {} steps, {:.1f} min", summary.folder, summary.steps, summary.total_steps,
               summary.seconds / 60);
    if (!summary.validation.empty()) fmt::print(", {}", summary.validation);
    if (summary.finished)
        fmt::print("\n{}\n", summary.model);
    else
        fmt::print("; stopped: the same command continues\n");
}

}  // namespace

void add_train(CLI::App& program, CommonOptions& common) {
    auto request = std::make_shared<TrainRequest>();
    CLI::App* command = add_command(
        program, common, "train", "Train a network as a recipe says.",
        "Writes checkpoints, metrics.csv, the model and report.html into a run directory. A run that was "
        "stopped or\n"
        "killed goes on where it was when the same command is given again, and ends with the same bits.\n\n"
        "Example:\n  sonolux train models/recipes/denoise_sigma25.toml --output out/denoise_sigma25",
        [request, &common] { run(*request, common); });
    command->add_option("RECIPE", request->recipe, "recipe (TOML)")->required();
    command
        ->add_option("--output", request->output, "run directory (default: as the recipe says, or out/NAME)")
        ->type_name("FOLDER");
    command
        ->add_option("--data", request->data,
                     "what $SONOLUX_DATA in the recipe stands for (default: the environment variable)")
        ->type_name("FOLDER");
    add_device_option(*command, common);
    command->add_flag("--fresh", request->fresh, "throw away what is in the run directory, and begin again");
    command->add_option("--stop-after", request->stop_after, "stop after so many steps, with a checkpoint")
        ->check(number_from(0, 1e12))
        ->type_name("N");
}

}  // namespace sonolux::command_line
