// sonolux/sdk/pipelines/evaluate_sound_speed.cpp
#include <sonolux/sdk/pipelines/evaluate_sound_speed.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>

#include <sonolux/sdk/pipelines/median.hpp>
#include <sonolux/solvers/classical/travel_time_lbfgs.hpp>

namespace sonolux {

namespace {

constexpr std::uint64_t evaluation_stream = 140;

double median_of(const std::vector<SpeedQuality>& all, double SpeedQuality::*figure) {
    std::vector<double> values;
    for (const SpeedQuality& one : all)
        if (std::isfinite(one.*figure)) values.push_back(one.*figure);
    return values.empty() ? std::numeric_limits<double>::quiet_NaN() : median(values);
}

}  // namespace

std::vector<SoundSpeedResult> evaluate_sound_speed(const Model& model,
                                                   const EvaluateSoundSpeedOptions& options) {
    require(options.missing >= 0 && options.missing <= 0.99, Status::invalid_argument,
            "missing must be from 0 to 0.99, got ", options.missing);
    require(options.noise >= 0 && options.noise <= 1e-3, Status::invalid_argument,
            "noise must be from 0 to 0.001 s, got ", options.noise);
    SoundSpeedReconstructor network(model, {.threads = options.threads});
    network.bind();
    Context context(make_openmp_runner(options.threads));
    const SoundSpeedSetup setup(network.problem(), {}, context);
    DelaySource source;
    source.path = options.set;
    source.augmentation = {options.missing, options.missing, 16, options.noise};
    const DelaySamples samples(source, setup.problem, options.samples);

    const DelayTrialMaker maker(setup, context);
    std::vector<DelayTrial> trials;
    DelayCase one(setup);
    context.workspace().reserve(one.workspace_bytes(context));
    for (Index i = 0; i < samples.count(); ++i) {
        one.make(samples, i, options.seed, evaluation_stream, static_cast<std::uint64_t>(i), context);
        trials.push_back(maker.of(one));
    }
    std::vector<double> lambdas = options.lambdas;
    if (lambdas.empty()) lambdas.push_back(TravelTimeLbfgsOptions{}.lambda);
    Index done = 0;
    const Index methods = 2 + std::ssize(lambdas) + std::ssize(tikhonov_lambdas);
    Array<float> speed(setup.forward->domain());
    const auto measure = [&](const SpeedMethod& method) {
        SoundSpeedResult result{.method = method.name, .quality = {}, .median = {}};
        std::vector<double> times;
        for (Index i = 0; i < samples.count(); ++i) {
            const auto begun = std::chrono::steady_clock::now();
            const Status status = method.map(trials[static_cast<std::size_t>(i)], speed);
            times.push_back(1e3 *
                            std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
            char why[300] = "it gives up";
            if (method.name == "network") network.explain(why, sizeof why);
            require(status == Status::ok, status, options.set, ": ", method.name, ", sample ", i, ": ",
                    to_string(status), ": ", why);
            result.quality.push_back(quality_of(speed, samples.speed(i)));
            const Progress progress{.activity = "evaluating",
                                    .done = ++done,
                                    .total = methods * samples.count(),
                                    .seconds_left = -1};
            require(!options.progress || options.progress(progress), Status::cancelled, "cancelled");
        }
        for (const auto figure : {&SpeedQuality::rmse, &SpeedQuality::mae, &SpeedQuality::ssim,
                                  &SpeedQuality::contrast, &SpeedQuality::contrast_to_noise})
            result.median.*figure = median_of(result.quality, figure);
        result.milliseconds = median(times);
        return result;
    };
    const auto best_of = [&](auto&& make, const auto& weights) {
        SoundSpeedResult best;
        for (const double lambda : weights) {
            SoundSpeedResult result = measure(make(setup.problem, lambda, context));
            if (best.quality.empty() || result.median.rmse < best.median.rmse) best = std::move(result);
        }
        return best;
    };
    std::vector<SoundSpeedResult> results;
    results.push_back(measure(uniform_method()));
    results.push_back(best_of(tikhonov_method, tikhonov_lambdas));
    results.push_back(best_of(lbfgs_method, lambdas));
    results.push_back(measure(network_method(network)));
    return results;
}

}  // namespace sonolux
