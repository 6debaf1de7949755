#include <sonolux/sdk/pipelines/disc_test.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <mutex>
#include <numeric>

#include <sonolux/core/random.hpp>
#include <sonolux/sdk/files/chart.hpp>
#include <sonolux/sdk/pipelines/median.hpp>
#include <sonolux/simulation/acoustics/echo.hpp>
#include <sonolux/simulation/acoustics/pulse.hpp>

namespace sonolux {

namespace {

constexpr Index maps_in_all = 40;
constexpr Point middle{0, 20e-3};
constexpr double radius = 3.81e-3;
constexpr double scatterers_per_area = 25e6;  // 1/m^2: about six in a resolution cell

struct Disc {
    double background, contrast;

    [[nodiscard]] double speed(Point p) const noexcept {
        return background + (length(p - middle) <= radius ? contrast : 0);
    }
};

/// -50, -45, ..., -5, 5, ..., 50 in 1500 m/s, then the same in 1490 m/s.
Disc disc_of(Index map) noexcept {
    const Index step = map % 20;
    return {map < 20 ? 1500.0 : 1490.0, 5.0 * static_cast<double>(step < 10 ? step - 10 : step - 9)};
}

double seconds_since(Context::Clock::time_point begin) {
    return std::chrono::duration<double>(Context::Clock::now() - begin).count();
}

/// Mean of the disc's speed over a pixel: where its edge goes through, a part.
float pixel_speed(const Disc& disc, const ImageGrid& grid, Index row, Index column) {
    constexpr int points = 5;
    double slowness = 0;
    for (int i = 0; i < points; ++i)
        for (int j = 0; j < points; ++j)
            slowness += 1 / disc.speed(grid.point(static_cast<double>(row) + (i + 0.5) / points - 0.5,
                                                  static_cast<double>(column) + (j + 0.5) / points - 0.5));
    return static_cast<float>(points * points / slowness);
}

Transmission transmission_of(const RaySource& source, const TransducerArray& array, double sound_speed) {
    if (source.kind == RaySource::Kind::plane) return plane_wave(array, source.angle, sound_speed);
    for (Index element = 0; element < array.size(); ++element)
        if (length(array[element].position - source.origin) < 1e-6) return single_element(array, element);
    if (source.origin.z < -1e-6) return diverging_wave(array, source.origin, sound_speed);
    fail(Status::invalid_argument, "disc test: the model compares waves from x ", 1e3 * source.origin.x,
         " mm, z ", 1e3 * source.origin.z, " mm, where the array of 128 elements 0.3 mm apart has none");
}

/// Elements 15, 25, ..., 115, or what the model compares.
std::vector<Transmission> transmissions_of(const TransducerArray& array, const Model* model,
                                           double sound_speed) {
    std::vector<Transmission> sent;
    if (model == nullptr) {
        for (Index element = 14; element < 115; element += 10) sent.push_back(single_element(array, element));
        return sent;
    }
    std::vector<RaySource> sources;
    for (const PathSum& pair : travel_time_problem(model->problem, model->name).geometry.measurements)
        for (const auto& term : pair)
            if (std::find(sources.begin(), sources.end(), term.source) == sources.end())
                sources.push_back(term.source);
    for (const RaySource& source : sources) sent.push_back(transmission_of(source, array, sound_speed));
    return sent;
}

Acquisition acquisition_of(const Pulse& pulse, const Model* model) {
    Acquisition a{.array = make_linear_array(128, 0.3e-3, 0.27e-3), .transmissions = {}};
    a.sound_speed = 1500;
    a.transmissions = transmissions_of(a.array, model, a.sound_speed);
    a.sampling_frequency = 40e6;
    a.centre_frequency = pulse.centre_frequency();
    a.start_times.assign(a.transmissions.size(), 0);
    a.samples = 3400;
    a.peak_time = pulse.peak_time();
    return a;
}

Array<float> record(const Acquisition& acquisition, const Pulse& pulse, const Disc& disc, std::uint64_t seed,
                    Index map, Context& context) {
    const ImageGrid fine = centred_grid(181, 141, 0.3e-3);
    Array<float> speed(fine.shape());
    for (Index i = 0; i < fine.rows; ++i)
        for (Index j = 0; j < fine.columns; ++j) speed(i, j) = pixel_speed(disc, fine, i, j);
    const double half_width = 20.5e-3, top = 1.5e-3, bottom = 53e-3;
    Scatterers scatterers;
    Philox random(seed, 0, static_cast<std::uint64_t>(map));
    const auto count = static_cast<Index>(scatterers_per_area * 2 * half_width * (bottom - top));
    for (Index n = 0; n < count; ++n) {
        const double x = random.uniform(-half_width, half_width), z = random.uniform(top, bottom);
        scatterers.positions.push_back({x, z});
        scatterers.reflectivity.push_back(random.normal());
    }
    EchoOptions options;
    options.sampling_frequency = acquisition.sampling_frequency;
    options.samples = acquisition.samples;
    const EchoSimulator simulator(acquisition.array, {.grid = fine, .sound_speed = speed, .attenuation = {}},
                                  pulse, options, context);
    Array<float> rf({acquisition.sent(), acquisition.array.size(), acquisition.samples});
    simulator.simulate(acquisition.transmissions, scatterers, rf, context);
    return rf;
}

void measure(const SoundSpeedFrame& frame, const ImageGrid& map, const Disc& disc, DiscResult& result) {
    double squares = 0;
    struct Sums {
        double count = 0, sum = 0, squares = 0;
        void add(double value) {
            ++count;
            sum += value;
            squares += value * value;
        }
        [[nodiscard]] double mean() const { return sum / count; }
        [[nodiscard]] double variance() const { return squares / count - mean() * mean(); }
    } in, out;
    for (Index i = 0; i < map.rows; ++i)
        for (Index j = 0; j < map.columns; ++j) {
            const double speed = 1 / double{frame.slowness(i, j)};
            const double error = speed - double{pixel_speed(disc, map, i, j)};
            squares += error * error;
            const double far = length(map.point(static_cast<double>(i), static_cast<double>(j)) - middle);
            if (far <= 3e-3) in.add(speed - disc.background);
            if (far >= 6e-3 && far <= 10e-3) out.add(speed - disc.background);
        }
    result.rmse = std::sqrt(squares / static_cast<double>(map.rows * map.columns));
    result.found_background = disc.background + out.mean();
    result.found_contrast = in.mean() - out.mean();
    result.contrast_to_noise = std::abs(result.found_contrast) / std::sqrt(in.variance() + out.variance());
    result.valid_share = frame.delays.valid_share;
}

DiscResult run_map(const DiscTestOptions& options, Index map) {
    const Disc disc = disc_of(map);
    DiscResult result;
    result.background = disc.background;
    result.contrast = disc.contrast;
    try {
        Context context(make_serial_runner());
        const Pulse pulse({options.centre_frequency, 4, 0.6});
        const Acquisition acquisition = acquisition_of(pulse, options.model);
        const auto begin = Context::Clock::now();
        const Array<float> rf = record(acquisition, pulse, disc, options.seed, map, context);
        result.simulation_seconds = seconds_since(begin);

        const auto recorded = Context::Clock::now();
        SoundSpeedPipelineOptions sound;
        sound.method = options.method;
        if (options.method == InversionMethod::network) {
            sound.model = options.model;
        } else if (options.model != nullptr) {
            const TravelTimeProblem problem =
                travel_time_problem(options.model->problem, options.model->name);
            sound.map = problem.geometry.map;
            sound.delays.pairs.pairs = pairs_of(problem, acquisition);
        } else {
            sound.map = centred_grid(84, 64, 0.6e-3);
            // Pairs (15, 25), (35, 45), (55, 65), (75, 85), (95, 105), (105, 115).
            sound.delays.pairs.pairs = {{0, 1}, {2, 3}, {4, 5}, {6, 7}, {8, 9}, {9, 10}};
        }
        if (options.lambda > 0) sound.lbfgs.lambda = sound.tikhonov.lambda = options.lambda;
        SoundSpeedPipeline pipeline(acquisition, rf, std::move(sound), context);
        SoundSpeedFrame frame = pipeline.make_frame();
        pipeline.explain(pipeline.run(rf, frame, context), frame);
        for (int round = 0; round < options.refine; ++round) {
            pipeline.refine(frame, context);
            pipeline.explain(pipeline.run(rf, frame, context), frame);
        }
        measure(frame, pipeline.map(), disc, result);
        result.delay_seconds = frame.delay_seconds;
        result.inversion_seconds = frame.inversion_seconds;
        result.total_seconds = seconds_since(recorded);
    } catch (const std::exception& error) {  // no memory, too: this runs on a thread that must not throw
        result.error = error.what();
    }
    return result;
}

}  // namespace

std::vector<DiscResult> run_disc_test(const DiscTestOptions& options) {
    require(options.first >= 0 && options.count >= 1 && options.first + options.count <= maps_in_all,
            Status::invalid_argument, "disc test: maps must be among 0 to ", maps_in_all - 1, ", got ",
            options.first, " to ", options.first + options.count - 1);
    require(options.centre_frequency >= 0.5e6 && options.centre_frequency <= 15e6, Status::invalid_argument,
            "disc test: centre_frequency must be from 0.5 to 15 MHz, got ", options.centre_frequency, " Hz");
    require(options.method != InversionMethod::network || options.model != nullptr, Status::invalid_argument,
            "disc test: a network needs a model");
    if (options.model != nullptr)  // now, and not forty times
        (void)transmissions_of(make_linear_array(128, 0.3e-3, 0.27e-3), options.model, 1500);
    std::vector<DiscResult> results(static_cast<std::size_t>(options.count));
    Context threads(make_openmp_runner(options.threads));
    std::atomic<Index> done = 0;
    std::atomic<bool> stopped = false;
    std::mutex one_at_a_time;
    const auto begin = Context::Clock::now();
    parallel_for(threads, options.count, [&](Index n, int) noexcept {
        if (stopped) return;
        results[static_cast<std::size_t>(n)] = run_map(options, options.first + n);
        const Index finished = ++done;
        const std::lock_guard lock(one_at_a_time);
        const double left = seconds_since(begin) * static_cast<double>(options.count - finished) /
                            static_cast<double>(finished);
        if (options.progress && !options.progress({"mapping discs", finished, options.count, left}))
            stopped = true;
    });
    require(!stopped, Status::cancelled, "disc test: cancelled");
    return results;
}

DiscSummary summary_of(const std::vector<DiscResult>& results) {
    std::vector<double> errors, ratios;
    double products = 0, squares = 0;
    for (const DiscResult& result : results) {
        if (!result.error.empty()) continue;
        errors.push_back(result.rmse);
        ratios.push_back(result.contrast_to_noise);
        products += result.contrast * result.found_contrast;
        squares += result.contrast * result.contrast;
    }
    return {median(errors), median(ratios), squares > 0 ? products / squares : 0,
            static_cast<Index>(errors.size())};
}

std::string draw_disc_test(const std::vector<DiscResult>& results) {
    std::vector<ChartSeries> series;
    for (const double background : {1500.0, 1490.0}) {
        ChartSeries found{sentence("in ", background, " m/s"), {}, {}};
        for (const DiscResult& result : results)
            if (result.background == background && result.error.empty()) {
                found.x.push_back(result.contrast);
                found.y.push_back(result.found_contrast);
            }
        if (!found.x.empty()) series.push_back(std::move(found));
    }
    series.push_back({"true", {-50, 50}, {-50, 50}});
    return svg_chart(series, {.title = "Contrast of a disc in maps of the speed of sound",
                              .x_label = "true contrast in m/s",
                              .y_label = "contrast found in m/s"});
}

}  // namespace sonolux
