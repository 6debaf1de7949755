// sonolux/sdk/pipelines/speed_methods.cpp
#include <sonolux/sdk/pipelines/speed_methods.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include <sonolux/sdk/pipelines/median.hpp>
#include <sonolux/solvers/classical/tikhonov.hpp>
#include <sonolux/solvers/classical/travel_time_lbfgs.hpp>
#include <sonolux/solvers/metrics.hpp>

namespace sonolux {

namespace {

constexpr double nowhere = std::numeric_limits<double>::quiet_NaN();

InversionProblem inversion_problem(const TravelTimeProblem& problem) {
    InversionProblem inversion{.forward = make_delays_in_seconds(problem)};
    inversion.possible = trusted(problem);
    inversion.least_fraction = 0.001;
    return inversion;
}

SpeedMethod inversion_method(std::string name, std::shared_ptr<const TravelTimeInverter> inverter,
                             Context& context) {
    context.workspace().reserve(inverter->workspace_bytes(context));
    return {std::move(name),
            [inverter = std::move(inverter), &context](const DelayTrial& trial, View<float> speed) {
                const Status status = inverter->run(trial.to_invert, trial.mask, speed, context);
                if (status == Status::ok)
                    for (Index p = 0; p < speed.elements(); ++p) speed.data()[p] = 1 / speed.data()[p];
                return status;
            }};
}

/// Mean and variance.
struct Moments {
    double sum = 0, squares = 0;
    Index count = 0;

    void add(double value) noexcept {
        sum += value;
        squares += value * value;
        ++count;
    }
    [[nodiscard]] double mean() const noexcept { return sum / static_cast<double>(count); }
    [[nodiscard]] double variance() const noexcept {
        return std::max(squares / static_cast<double>(count) - mean() * mean(), 0.0);
    }
};

}  // namespace

SpeedMethod network_method(SoundSpeedReconstructor& network) {
    return {"network", [&network](const DelayTrial& trial, View<float> speed) {
                return network.run(trial.delays, trial.mask, speed);
            }};
}

SpeedMethod lbfgs_method(const TravelTimeProblem& problem, double lambda, Context& context) {
    TravelTimeLbfgsOptions options;
    options.lambda = lambda;
    return inversion_method(sentence("lbfgs ", lambda),
                            make_travel_time_lbfgs(inversion_problem(problem), std::move(options)), context);
}

SpeedMethod tikhonov_method(const TravelTimeProblem& problem, double lambda, Context& context) {
    TikhonovOptions options;
    options.lambda = lambda;
    return inversion_method(sentence("tikhonov ", lambda), make_tikhonov(inversion_problem(problem), options),
                            context);
}

SpeedMethod uniform_method() {
    return {"uniform", [](const DelayTrial& trial, View<float> speed) {
                if (!std::isfinite(trial.uniform_speed)) return Status::invalid_argument;
                std::fill_n(speed.data(), speed.elements(), static_cast<float>(trial.uniform_speed));
                return Status::ok;
            }};
}

SpeedQuality quality_of(View<const float> speed, View<const float> truth) {
    constexpr double away = 10, least_share = 0.01, lowest = 1400, range = 200;
    SpeedQuality quality;
    const Index pixels = speed.elements();
    std::vector<double> values;
    for (Index n = 0; n < pixels; ++n) values.push_back(double{truth.data()[n]});
    const double middle = median(values);
    Moments of_truth, inside, outside;
    double squares = 0, absolute = 0;
    Array<float> shifted(speed.shape()), true_shifted(speed.shape());
    for (Index n = 0; n < pixels; ++n) {
        const double found = double{speed.data()[n]}, there = double{truth.data()[n]};
        squares += (found - there) * (found - there);
        absolute += std::abs(found - there);
        of_truth.add(there);
        (std::abs(there - middle) > away ? inside : outside).add(found);
        shifted.data()[n] = static_cast<float>(found - lowest);
        true_shifted.data()[n] = static_cast<float>(there - lowest);
    }
    quality.rmse = std::sqrt(squares / static_cast<double>(pixels));
    quality.mae = absolute / static_cast<double>(pixels);
    quality.ssim =
        std::min(speed.rows(), speed.columns()) >= ssim_window ? ssim(shifted, true_shifted, range) : nowhere;
    double together = 0;
    for (Index n = 0; n < pixels; ++n)
        together += (double{truth.data()[n]} - of_truth.mean()) * double{speed.data()[n]};
    quality.contrast =
        of_truth.variance() > 1e-3 ? together / (of_truth.variance() * static_cast<double>(pixels)) : nowhere;
    const auto least = static_cast<Index>(least_share * static_cast<double>(pixels)) + 1;
    quality.contrast_to_noise = inside.count >= least && outside.count >= least
                                    ? std::abs(inside.mean() - outside.mean()) /
                                          std::sqrt(std::max(inside.variance() + outside.variance(), 1e-12))
                                    : nowhere;
    return quality;
}

}  // namespace sonolux
