// sonolux/sdk/command_line/benchmark_command.cpp
#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include <sonolux/core/random.hpp>
#include <sonolux/sdk/command_line/command.hpp>
#include <sonolux/sdk/pipelines/delay_trials.hpp>
#include <sonolux/sdk/pipelines/shipped_models.hpp>
#include <sonolux/sdk/runtime/model_architecture.hpp>
#include <sonolux/sdk/runtime/reconstructor.hpp>
#include <sonolux/sdk/runtime/sound_speed_reconstructor.hpp>

namespace sonolux::command_line {
namespace {

struct Options {
    std::string model;
    Index rows = 512, columns = 512;
    double seconds = 2, sigma = 0;
};

struct Timing {
    std::size_t runs = 0;
    double median = 0, p99 = 0, best = 0;  // s
};

// The smallest value that a fraction of all values does not exceed.
double quantile(const std::vector<double>& sorted, double fraction) {
    const auto rank = static_cast<std::size_t>(std::ceil(fraction * static_cast<double>(sorted.size())));
    return sorted[std::max<std::size_t>(rank, 1) - 1];
}

/// `run` says whether it ran.
template <class Run>
Timing time_runs(Run&& run, double seconds) {
    constexpr std::size_t least = 5;
    std::vector<double> times;
    double total = 0;
    for (int warm_up = 0; warm_up < 2; ++warm_up)
        require(run(), Status::internal_error, "the model did not run");
    while ((total < seconds || times.size() < least) && !interrupted()) {
        const auto start = Context::Clock::now();
        (void)run();
        times.push_back(std::chrono::duration<double>(Context::Clock::now() - start).count());
        total += times.back();
    }
    require(!interrupted(), Status::cancelled, "cancelled");
    std::sort(times.begin(), times.end());
    return {times.size(), quantile(times, 0.5), quantile(times, 0.99), times.front()};
}

// What a model that deblurs is timed with: the largest kernel it knows, or 25 x 25.
Array<float> kernel_for(const Model& model, const Options& options) {
    Shape shape = largest_kernel(model.problem);
    if (shape.elements() == 0) shape = {25, 25};
    Array<float> kernel({std::min(shape[0], options.rows), std::min(shape[1], options.columns)});
    std::fill(kernel.begin(), kernel.end(), 1.0F / static_cast<float>(kernel.elements()));
    return kernel;
}

// In units of 1/255. Of a range its geometric mean, or, where it begins at 0, its end; 0 where the model
// knows no noise.
double sigma_for(const Model& model, const Options& options) {
    if (options.sigma > 0) return options.sigma;
    const double low = model.problem.sigma_min, high = model.problem.sigma_max;
    return 255 * (low > 0 ? std::sqrt(low * high) : high);
}

/// Numbers of threads to try: 1, 2, 4, ... and the most.
std::vector<int> threads_to_try(const CommonOptions& common) {
    const int most = Context(make_openmp_runner(common.threads)).threads();
    std::vector<int> all;
    for (int threads = 1; threads < most; threads *= 2) all.push_back(threads);
    all.push_back(most);
    return all;
}

/// Multiplications and additions of all filters and their transposes: what most of a frame's time goes to.
double correlation_operations(const MaskedVariationalOptions& network, Index rows, Index columns) {
    const auto size = static_cast<Index>(network.filters.size);
    const Index products = network.filters.count * size * size * (rows - size + 1) * (columns - size + 1);
    return 2.0 * 2.0 * network.stages * static_cast<double>(products);
}

/// A frame is a disc of 8 mm that is 30 m/s faster than its surroundings, with all delays.
void run_on_delays(const Model& model, const Options& options, const CommonOptions& common) {
    std::vector<std::vector<std::string>> rows;
    std::string device, sizes;
    double operations = 0;
    for (const int threads : threads_to_try(common)) {
        SoundSpeedReconstructor maps(model, {.threads = threads});
        maps.bind();
        device = maps.context().description();
        const TravelTimeProblem& problem = maps.problem();
        const ImageGrid& map = problem.geometry.map;
        sizes = fmt::format("{} measurements x {} x {}", maps.measurements(), map.rows, map.columns);
        operations = correlation_operations(std::get<MaskedVariationalOptions>(architecture_of(model)),
                                            map.rows, map.columns);
        Array<float> speed(map.shape()), deviation(map.shape()),
            delays({maps.measurements(), map.rows, map.columns});
        const Point middle =
            map.point(0.5 * static_cast<double>(map.rows), 0.5 * static_cast<double>(map.columns));
        for (Index i = 0; i < map.rows; ++i)
            for (Index j = 0; j < map.columns; ++j) {
                const Point p = map.point(static_cast<double>(i), static_cast<double>(j));
                speed(i, j) = length(p - middle) < 4e-3 ? 1530.0F : 1500.0F;
            }
        Context context(make_serial_runner());
        DelayModel(problem, context).delays_of(speed, delays, context);
        const Timing plain =
            time_runs([&] { return maps.run(delays, {}, speed) == Status::ok; }, options.seconds);
        MapTrust trust{.deviation = deviation};
        const Timing judged =
            time_runs([&] { return maps.run(delays, {}, speed, {}, &trust) == Status::ok; }, options.seconds);
        for (const auto& [what, timing] : {std::pair{"map", plain}, {"map and trust", judged}})
            rows.push_back({what, fmt::format("{}", threads), fmt::format("{:.2f}", 1e3 * timing.median),
                            fmt::format("{:.2f}", 1e3 * timing.p99), fmt::format("{:.2f}", 1e3 * timing.best),
                            fmt::format("{:.1f}", 1e-9 * operations / timing.median),
                            fmt::format("{:.1f}", 1 / timing.median), fmt::format("{}", timing.runs)});
    }
    fmt::print(
        "{}, {}, {:.3f} GFLOP of filters a frame, {}\n\n{}", model.name, sizes, 1e-9 * operations, device,
        aligned({"what", "threads", "median ms", "p99 ms", "best ms", "GFLOP/s", "frames/s", "runs"}, rows));
}

void run(const Options& options, const CommonOptions& common) {
    const Model model = open_model(find_model(options.model));
    if (model.problem.kind != "denoise") require_cpu(common, options.model);
    if (model.problem.kind == "sound_speed") return run_on_delays(model, options, common);
    const std::shared_ptr<CudaDevice> cuda = device_of(common);
    const Shape shape = image_shape(channels(architecture_of(model)), options.rows, options.columns);
    Array<float> in(shape), out(shape);
    fill_normal(in, Philox(0));
    for (float& value : in) value = std::clamp(0.5F + 0.2F * value, 0.0F, 1.0F);

    const bool deblurs = model.problem.kind == "deblur";
    const Array<float> kernel = deblurs ? kernel_for(model, options) : Array<float>();

    std::vector<std::vector<std::string>> rows;
    std::string device;
    for (const int threads : cuda ? std::vector<int>{1} : threads_to_try(common)) {
        ReconstructorOptions plan;
        plan.threads = threads;
        plan.device = cuda;
        if (deblurs) plan.kernel = kernel;
        plan.sigma = static_cast<float>(sigma_for(model, options));
        Reconstructor reconstructor(model, options.rows, options.columns, plan);
        reconstructor.bind();
        device = reconstructor.context().description();
        const Timing timing =
            time_runs([&] { return reconstructor.run(in, out) == Status::ok; }, options.seconds);
        const double pixels = static_cast<double>(options.rows * options.columns);
        rows.push_back({fmt::format("{}", threads), fmt::format("{:.2f}", 1e3 * timing.median),
                        fmt::format("{:.2f}", 1e3 * timing.p99), fmt::format("{:.2f}", 1e3 * timing.best),
                        fmt::format("{:.2f}", pixels / timing.median / 1e6),
                        fmt::format("{:.1f}", 1 / timing.median), fmt::format("{}", timing.runs)});
    }
    fmt::print("{}, {}, {}{}\n\n{}", model.name, to_string(shape),
               deblurs ? fmt::format("{} x {} kernel, ", kernel.shape()[0], kernel.shape()[1]) : "", device,
               aligned({"threads", "median ms", "p99 ms", "best ms", "MPixel/s", "frames/s", "runs"}, rows));
}

}  // namespace

void add_benchmark(CLI::App& program, CommonOptions& common) {
    auto options = std::make_shared<Options>();
    CLI::App* command = add_command(
        program, common, "benchmark", "Time a model on images of one size.",
        "Runs with 1, 2, 4, ... up to --threads threads, after two runs to warm up. p99 is the "
        "time that 99 %\n"
        "of the runs stay within. Models that map the speed of sound are timed on delays of their "
        "own geometry, --rows,\n"
        "--columns and --sigma do not count; with and without saying how far the map is to be "
        "trusted. On a CUDA\n"
        "device a run goes from host memory to host memory.\n\n"
        "Example:\n  sonolux benchmark denoise_sigma25 --rows 1080 --columns 1920 --threads 2",
        [options, &common] { run(*options, common); });
    command->add_option("MODEL", options->model, "model file (.safetensors) or name of a shipped model")
        ->required();
    add_device_option(*command, common);
    command->add_option("--rows", options->rows, "of the image (default 512)")
        ->check(number_from(1, 65535))
        ->type_name("N");
    command->add_option("--columns", options->columns, "of the image (default 512)")
        ->check(number_from(1, 65535))
        ->type_name("N");
    command
        ->add_option("--seconds", options->seconds,
                     "how long to measure with each number of threads (default 2)")
        ->check(number_from(0, 3600))
        ->type_name("T");
    command
        ->add_option("--sigma", options->sigma,
                     "noise level for models that serve a range; default: its middle")
        ->check(noise_level())
        ->type_name("S");
}

}  // namespace sonolux::command_line
