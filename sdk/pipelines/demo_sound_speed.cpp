// sonolux/sdk/pipelines/demo_sound_speed.cpp
#include <sonolux/sdk/pipelines/demo_sound_speed.hpp>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string_view>
#include <tuple>

#include <fmt/format.h>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/channel_data_file.hpp>
#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/files/speed_map_file.hpp>
#include <sonolux/sdk/pipelines/measured_traces.hpp>
#include <sonolux/sdk/pipelines/simulate.hpp>
#include <sonolux/sdk/pipelines/sound_speed.hpp>
#include <sonolux/sdk/runtime/model.hpp>
#include <sonolux/solvers/metrics.hpp>

namespace sonolux {

namespace fs = std::filesystem;

namespace {

constexpr Index recordings = 2;

// The probe and the transmissions of the shipped model, tissue of a family that it has not seen.
constexpr std::string_view recipe =
    R"(# Full waves through tissue with ellipses, as nine single elements make and 128 record them.
name = "speed"
domain = "wave"
seed = 1

[set]
samples = 2
shard_samples = 1

[grid]
rows = 84
columns = 64
spacing = 0.6e-3

[phantom]
families = ["ellipses"]
weights = [1]
width = 38.1e-3
depth = 49.8e-3
supersampling = 2
speed_limits = [1400, 1650]

[phantom.background]
sound_speed = [1460, 1560]

[array]
elements = 128
pitch = 0.3e-3
element_width = 0.27e-3

[pulse]
centre_frequency = 2.5e6
half_cycles = 4
bandwidth = 0.6

[transmit]
kind = "elements"
elements = [16, 28, 40, 52, 64, 76, 88, 100, 112]

[recording]
sampling_frequency = 15e6
sound_speed = 1500
keep = "channel_data"

[scatterers]
per_cell = 4
cell_width = 1.2e-3
cell_height = 0.6e-3

[wave]
spacing = 150e-6
courant = 0.4
density = "constant"
scatterer_strength = 0.05
)";

/// One speed where a map has any.
Array<float> uniform_like(View<const float> map, double speed) {
    Array<float> uniform(map.shape());
    std::transform(map.data(), map.data() + map.elements(), uniform.begin(),
                   [&](float here) { return std::isfinite(here) ? static_cast<float>(speed) : here; });
    return uniform;
}

/// A map of the first frame, of the model's pairs whatever the method is.
struct Mapped {
    std::unique_ptr<SoundSpeedPipeline> pipeline;
    SoundSpeedFrame frame;
};

Mapped map_recording(const ChannelDataFile& file, const Model& model, InversionMethod method,
                     const SpeedMap& truth, Context& context) {
    SoundSpeedPipelineOptions options;
    options.method = method;
    if (method == InversionMethod::network) {
        options.model = &model;
    } else {
        const TravelTimeProblem problem = travel_time_problem(model.problem, model.name);
        options.map = truth.grid;
        options.delays.pairs.pairs = pairs_of(problem, file.data.acquisition);
    }
    options.delays.pairs.beamforming.measured = measured_traces(file.data, "sound speed").ranges;
    Mapped mapped;
    mapped.pipeline = std::make_unique<SoundSpeedPipeline>(file.data.acquisition, file.data.frame(0),
                                                           std::move(options), context);
    mapped.frame = mapped.pipeline->make_frame();
    for (int run = 0; run < 2; ++run)  // the second is timed: a scanner's memory has been touched before
        mapped.pipeline->explain(mapped.pipeline->run(file.data.frame(0), mapped.frame, context),
                                 mapped.frame);
    return mapped;
}

void simulate_recordings(const SoundSpeedDemoOptions& options, const fs::path& folder) {
    SimulateRequest request;
    request.recipe = (options.output / "speed.toml").string();
    request.output = folder.string();
    request.threads = options.threads;
    request.progress = options.progress;
    write_file_atomically(request.recipe, recipe);
    require(simulate(request).finished, Status::cancelled, "cancelled while recordings were simulated");
}

}  // namespace

std::vector<SoundSpeedDemoResult> run_sound_speed_demo(const SoundSpeedDemoOptions& options) {
    const Model model = load_model_file(options.model.string());
    const fs::path folder = options.output / "speed";
    simulate_recordings(options, folder);
    Context context(make_openmp_runner(options.threads));
    std::vector<SoundSpeedDemoResult> results;
    for (Index i = 0; i < recordings; ++i) {
        if (options.progress && !options.progress({"mapping the speed of sound", i, recordings, -1}))
            fail(Status::cancelled, "cancelled after ", i, " of ", recordings, " recordings");
        const std::string path = (folder / fmt::format("speed-{:05}.h5", i)).string();
        const ChannelDataFile file = read_channel_data_file(path, {});
        const SpeedMap truth = read_speed_map(path, {});
        SoundSpeedDemoResult result;
        result.name = fmt::format("recording {}", i + 1);
        for (const auto& [method, name, place] :
             {std::tuple(InversionMethod::lbfgs, "lbfgs", &result.lbfgs),
              std::tuple(InversionMethod::network, "network", &result.network)}) {
            const Mapped mapped = map_recording(file, model, method, truth, context);
            const SoundSpeedFrame& frame = mapped.frame;
            place->error = finite_rms_difference(frame.sound_speed, truth.sound_speed);
            place->seconds = frame.inversion_seconds;
            place->figure =
                draw_sound_speed(*mapped.pipeline, frame, fmt::format("{}, {}", result.name, name), context,
                                 truth.sound_speed);
            place->stem = fmt::format("speed_{}_{}", i + 1, name);
            write_image((options.output / (place->stem + ".png")).string(), place->figure.planes());
            result.valid_share = frame.delays.valid_share;
            result.uniform_speed = 1 / frame.record.uniform_slowness;
            result.uniform_error = finite_rms_difference(
                uniform_like(frame.sound_speed, result.uniform_speed), truth.sound_speed);
            result.delay_seconds = frame.filter_seconds + frame.delay_seconds;
        }
        results.push_back(std::move(result));
    }
    return results;
}

std::vector<std::vector<std::string>> sound_speed_table(const std::vector<SoundSpeedDemoResult>& results) {
    std::vector<std::vector<std::string>> table{
        {"recording", "delays", "images, ms", "uniform", "RMSE", "L-BFGS RMSE", "ms", "network RMSE", "ms"}};
    for (const SoundSpeedDemoResult& r : results)
        table.push_back({r.name, fmt::format("{:.0f} %", 100 * r.valid_share),
                         fmt::format("{:.0f}", 1e3 * r.delay_seconds), fmt::format("{:.1f}", r.uniform_speed),
                         fmt::format("{:.2f}", r.uniform_error), fmt::format("{:.2f}", r.lbfgs.error),
                         fmt::format("{:.0f}", 1e3 * r.lbfgs.seconds), fmt::format("{:.2f}", r.network.error),
                         fmt::format("{:.1f}", 1e3 * r.network.seconds)});
    return table;
}

}  // namespace sonolux
