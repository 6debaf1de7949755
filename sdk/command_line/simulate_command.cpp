// sonolux/sdk/command_line/simulate_command.cpp
#include <charconv>

#include <fmt/format.h>

#include <sonolux/sdk/command_line/command.hpp>
#include <sonolux/sdk/pipelines/simulate.hpp>
#include <sonolux/sdk/pipelines/simulation_domain.hpp>

namespace sonolux::command_line {
namespace {

struct Options {
    SimulateRequest request;
    std::string shard = "1/1";
};

/// "3/8"
void read_shard(const std::string& text, SimulateRequest& request) {
    const char* end = text.data() + text.size();
    const auto first = std::from_chars(text.data(), end, request.process);
    const bool slash = first.ec == std::errc() && first.ptr < end && *first.ptr == '/';
    const auto second = slash ? std::from_chars(first.ptr + 1, end, request.processes) : first;
    if (!slash || second.ec != std::errc() || second.ptr != end || request.process < 1 ||
        request.processes < request.process || request.processes > 1000000)
        throw UsageError(
            fmt::format("--shard must be i/n with 1 <= i <= n <= 1000000, as 3/8, got \"{}\"", text));
}

void run(Options& options, const CommonOptions& common) {
    SimulateRequest& request = options.request;
    read_shard(options.shard, request);
    ProgressLine progress;
    request.threads = common.threads;
    request.progress = [&](const Progress& p) { return progress(p); };
    request.log = [&](const std::string& text) {
        progress.clear();
        fmt::print(stderr, "{}\n", text);
    };
    const SimulateSummary summary = simulate(request);
    progress.clear();
    fmt::print("{}: {} of {} shards made, {} samples in {:.1f} s", summary.folder, summary.shards_made,
               summary.shards, summary.samples_made, summary.seconds);
    if (summary.samples_made > 0 && summary.seconds > 0)
        fmt::print(", {:.3g}/s", static_cast<double>(summary.samples_made) / summary.seconds);
    fmt::print("{}\n", summary.finished ? "" : "; stopped: the same command continues");
}

}  // namespace

void add_simulate(CLI::App& program, CommonOptions& common) {
    std::string domains;
    for (const SimulationDomainEntry& entry : simulation_domains())
        domains += fmt::format("  {:<8}{}\n", entry.name, entry.makes);
    auto options = std::make_shared<Options>();
    CLI::App* command =
        add_command(program, common, "simulate", "Make a training set as a recipe says.",
                    "Writes HDF5 shards and manifest.json into a folder. A run that was stopped or killed "
                    "goes on where it "
                    "was when\n"
                    "the same command is given again, and ends with the same bits, on any number of threads "
                    "and processes.\n\n"
                    "Domains:\n" +
                        domains +
                        "\nExample:\n  sonolux simulate simulation/recipes/maps.toml --output out/maps\n"
                        "  sonolux simulate RECIPE.toml --shard 3/8     # the third of eight processes",
                    [options, &common] { run(*options, common); });
    command->add_option("RECIPE", options->request.recipe, "recipe (TOML)")->required();
    command->add_option("--output", options->request.output, "folder for the set (default: out/NAME)")
        ->type_name("FOLDER");
    command->add_option("--shard", options->shard, "make only every n-th shard, from the i-th on")
        ->type_name("I/N");
    command
        ->add_option("--save-every", options->request.save_every,
                     "seconds between checkpoints of an unfinished shard")
        ->check(number_from(0, 1e6))
        ->type_name("S");
}

}  // namespace sonolux::command_line
