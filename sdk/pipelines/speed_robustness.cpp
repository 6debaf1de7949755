// sonolux/sdk/pipelines/speed_robustness.cpp
#include <sonolux/sdk/pipelines/speed_robustness.hpp>

#include <cmath>
#include <limits>

#include <fmt/format.h>

#include <sonolux/sdk/files/chart.hpp>
#include <sonolux/sdk/pipelines/median.hpp>
#include <sonolux/sdk/pipelines/speed_methods.hpp>
#include <sonolux/solvers/classical/travel_time_lbfgs.hpp>

namespace sonolux {

namespace {

double error_of(const SpeedMethod& method, const std::vector<DelayTrial>& trials,
                const std::vector<View<const float>>& truths) {
    std::vector<double> errors;
    Array<float> speed(truths[0].shape());
    for (std::size_t i = 0; i < trials.size(); ++i)
        if (method.map(trials[i], speed) == Status::ok) errors.push_back(quality_of(speed, truths[i]).rmse);
    return 2 * errors.size() < trials.size() || errors.empty() ? std::numeric_limits<double>::quiet_NaN()
                                                               : median(errors);
}

}  // namespace

std::vector<RobustnessCurve> measure_robustness(const Model& model,
                                                const EvaluateSoundSpeedOptions& options) {
    SoundSpeedReconstructor network(model, {.threads = options.threads});
    network.bind();
    const TravelTimeProblem& problem = network.problem();
    Context context(make_openmp_runner(options.threads));
    const SoundSpeedSetup setup(problem, {}, context);
    const DelaySamples samples({.path = options.set, .augmentation = {}}, setup.problem, options.samples);
    const DelayTrialMaker maker(setup, context);
    const DelayModel here(problem, context);
    const Index count = samples.count();

    std::vector<RobustnessCurve> curves{{"missing", "%", {0, 15, 30, 45, 60, 75, 90}, {}, {}},
                                        {"noise", "ns", {0, 5, 10, 20, 40}, {}, {}},
                                        {"background", "m/s", {-30, -15, 0, 15, 30}, {}, {}},
                                        {"pitch", "%", {-2, -1, 0, 1, 2}, {}, {}}};
    Index total = 0, done = 0;
    for (const RobustnessCurve& curve : curves) total += 3 * std::ssize(curve.values);
    const auto tell = [&] {
        require(!options.progress || options.progress({.activity = "disturbing",
                                                       .done = std::min(++done, total),
                                                       .total = total,
                                                       .seconds_left = -1}),
                Status::cancelled, "cancelled");
    };

    std::vector<DelayTrial> trials;
    std::vector<View<const float>> truths;
    for (Index i = 0; i < count; ++i) {
        trials.push_back(maker.of(samples.delays(i)));
        truths.push_back(samples.speed(i));
    }
    const auto best_of = [&](auto&& make, std::vector<double> lambdas) {
        SpeedMethod best;
        double least = std::numeric_limits<double>::infinity();
        for (const double lambda : lambdas) {
            SpeedMethod method = make(problem, lambda, context);
            const double error = lambdas.size() > 1 ? error_of(method, trials, truths) : 0;
            if (best.map && !(error < least)) continue;
            least = error;
            best = std::move(method);
        }
        return best;
    };
    std::vector<double> lambdas = options.lambdas;
    if (lambdas.empty()) lambdas.push_back(TravelTimeLbfgsOptions{}.lambda);
    std::vector<SpeedMethod> methods;
    methods.push_back(network_method(network));
    methods.push_back(best_of(lbfgs_method, lambdas));
    methods.push_back(best_of(tikhonov_method, {tikhonov_lambdas.begin(), tikhonov_lambdas.end()}));

    for (std::size_t c = 0; c < curves.size(); ++c) {
        RobustnessCurve& curve = curves[c];
        for (const SpeedMethod& method : methods) curve.methods.push_back(method.name);
        curve.rmse.resize(methods.size());
        for (const double value : curve.values) {
            std::vector<Array<float>> maps;
            trials.clear();
            truths.clear();
            const DelayModel there(c == 3 ? with_pitch(problem, 1 + value / 100) : problem, context);
            for (Index i = 0; i < count; ++i) {
                const View<const float> delays = samples.delays(i), speed = samples.speed(i);
                const auto number = static_cast<std::uint64_t>(i);
                if (c <= 1) {
                    trials.push_back(maker.spoilt(delays, c == 0 ? value / 100 : 0, c == 1 ? 1e-9 * value : 0,
                                                  options.seed, number));
                    truths.push_back(speed);
                    continue;
                }
                Array<float>& tissue = maps.emplace_back(speed.shape());
                for (Index n = 0; n < tissue.elements(); ++n)
                    tissue.data()[n] = speed.data()[n] + (c == 2 ? static_cast<float>(value) : 0.0F);
                Array<float> was(delays.shape()), is(delays.shape());
                here.delays_of(speed, was, context);
                there.delays_of(tissue, is, context);
                for (Index n = 0; n < is.elements(); ++n) is.data()[n] += delays.data()[n] - was.data()[n];
                trials.push_back(maker.of(is));
                truths.push_back(tissue);
            }
            for (std::size_t m = 0; m < methods.size(); ++m) {
                curve.rmse[m].push_back(error_of(methods[m], trials, truths));
                tell();
            }
        }
    }
    return curves;
}

std::string to_csv(const std::vector<RobustnessCurve>& curves) {
    std::string csv = "what,value,unit,method,median_rmse\n";
    for (const RobustnessCurve& curve : curves)
        for (std::size_t m = 0; m < curve.methods.size(); ++m)
            for (std::size_t v = 0; v < curve.values.size(); ++v)
                csv += fmt::format("{},{:g},{},{},{:.4f}\n", curve.what, curve.values[v], curve.unit,
                                   curve.methods[m], curve.rmse[m][v]);
    return csv;
}

std::string draw(const RobustnessCurve& curve) {
    std::vector<ChartSeries> series;
    for (std::size_t m = 0; m < curve.methods.size(); ++m)
        series.push_back({curve.methods[m], curve.values, curve.rmse[m]});
    return svg_chart(series, {.title = curve.what,
                              .x_label = fmt::format("{} ({})", curve.what, curve.unit),
                              .y_label = "median RMSE (m/s)"});
}

}  // namespace sonolux
