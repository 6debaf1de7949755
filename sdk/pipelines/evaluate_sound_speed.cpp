// sonolux/sdk/pipelines/evaluate_sound_speed.cpp
#include <sonolux/sdk/pipelines/evaluate_sound_speed.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>

#include <sonolux/sdk/pipelines/delay_trials.hpp>
#include <sonolux/sdk/pipelines/median.hpp>
#include <sonolux/sdk/runtime/sound_speed_reconstructor.hpp>
#include <sonolux/solvers/classical/travel_time_lbfgs.hpp>

namespace sonolux {

namespace {

constexpr std::uint64_t evaluation_stream = 140;

// Runs one method on all samples: map(i, speed).
template <class Map>
SoundSpeedResult measure(const std::string& method, const DelaySamples& samples, const Shape& domain,
                         Map&& map) {
    SoundSpeedResult result;
    result.method = method;
    std::vector<double> times;
    Array<float> speed(domain);
    for (Index i = 0; i < samples.count(); ++i) {
        const auto begun = std::chrono::steady_clock::now();
        map(i, speed.view());
        times.push_back(1e3 *
                        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
        double squares = 0, absolute = 0;
        for (Index n = 0; n < speed.elements(); ++n) {
            const double error = double{speed.data()[n]} - samples.speed(i).data()[n];
            squares += error * error;
            absolute += std::abs(error);
        }
        const auto pixels = static_cast<double>(speed.elements());
        result.rmse.push_back(std::sqrt(squares / pixels));
        result.mae.push_back(absolute / pixels);
    }
    result.median_rmse = median(result.rmse);
    result.median_mae = median(result.mae);
    result.milliseconds = median(times);
    return result;
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
    const Shape domain = setup.forward->domain();

    const DelayTrialMaker maker(setup, context);
    std::vector<DelayTrial> trials;
    DelayCase one(setup);
    context.workspace().reserve(one.workspace_bytes(context));
    for (Index i = 0; i < samples.count(); ++i) {
        one.make(samples, i, options.seed, evaluation_stream, static_cast<std::uint64_t>(i), context);
        trials.push_back(maker.of(one));
    }
    Index done = 0;
    const Index methods = 2 + std::max<Index>(std::ssize(options.lambdas), 1);
    const auto report = [&] {
        const Progress progress{
            .activity = "evaluating", .done = ++done, .total = methods * samples.count(), .seconds_left = -1};
        require(!options.progress || options.progress(progress), Status::cancelled, "cancelled");
    };

    std::vector<SoundSpeedResult> results;
    results.push_back(measure("uniform", samples, domain, [&](Index i, View<float> speed) {
        std::fill_n(speed.data(), speed.elements(),
                    static_cast<float>(trials[static_cast<std::size_t>(i)].uniform_speed));
        report();
    }));
    std::vector<double> lambdas = options.lambdas;
    if (lambdas.empty()) lambdas.push_back(TravelTimeLbfgsOptions{}.lambda);
    SoundSpeedResult best;
    for (const double lambda : lambdas) {
        InversionProblem problem{.forward = make_delays_in_seconds(setup.problem)};
        problem.possible = trusted(setup.problem);
        problem.least_fraction = 0.001;
        TravelTimeLbfgsOptions how;
        how.lambda = lambda;
        const auto inverter = make_travel_time_lbfgs(std::move(problem), std::move(how));
        context.workspace().reserve(inverter->workspace_bytes(context));
        SoundSpeedResult result =
            measure(sentence("lbfgs ", lambda), samples, domain, [&](Index i, View<float> speed) {
                const auto n = static_cast<std::size_t>(i);
                const Status status = inverter->run(trials[n].to_invert, trials[n].mask, speed, context);
                require(status == Status::ok, status, options.set, ": L-BFGS gives up on sample ", i, ": ",
                        to_string(status));
                for (Index p = 0; p < speed.elements(); ++p) speed.data()[p] = 1 / speed.data()[p];
                report();
            });
        if (best.rmse.empty() || result.median_rmse < best.median_rmse) best = std::move(result);
    }
    results.push_back(std::move(best));
    results.push_back(measure("network", samples, domain, [&](Index i, View<float> speed) {
        const auto n = static_cast<std::size_t>(i);
        const Status status = network.run(trials[n].delays, trials[n].mask, speed);
        char why[300];
        network.explain(why, sizeof why);
        require(status == Status::ok, status, options.set, ": sample ", i, ": ", why);
        report();
    }));
    return results;
}

}  // namespace sonolux
