// sonolux/solvers/training/adam.cpp
#include <sonolux/solvers/training/adam.hpp>

#include <algorithm>
#include <cmath>

#include <sonolux/core/error.hpp>

namespace sonolux {

Adam::Adam(const AdamOptions& options, std::vector<float> typical)
    : options_(options), typical_(std::move(typical)) {
    require(options.beta1 >= 0 && options.beta1 < 1, Status::invalid_argument,
            "Adam's beta1 must be at least 0 and below 1, got ", options.beta1);
    require(options.beta2 >= 0 && options.beta2 < 1, Status::invalid_argument,
            "Adam's beta2 must be at least 0 and below 1, got ", options.beta2);
    require(options.epsilon > 0, Status::invalid_argument, "Adam's epsilon must be above 0, got ",
            options.epsilon);
    require(options.clip_norm >= 0, Status::invalid_argument, "Adam's clip_norm must be at least 0, got ",
            options.clip_norm);
    state_.first.resize(typical_.size());
    state_.second.resize(typical_.size());
}

void Adam::reset() noexcept {
    std::fill(state_.first.begin(), state_.first.end(), 0.0f);
    std::fill(state_.second.begin(), state_.second.end(), 0.0f);
    state_.steps = 0;
    state_.running_norm = 0;
}

void Adam::restore(AdamState state) {
    require(state.first.size() == typical_.size() && state.second.size() == typical_.size(),
            Status::size_mismatch, "an Adam state of ", state.first.size(), " parameters does not fit ",
            typical_.size());
    state_ = std::move(state);
}

void Adam::step(std::span<float> parameters, std::span<const double> gradient,
                std::span<const unsigned char> trained, double rate) noexcept {
    double shorten = 1;
    if (options_.clip_norm > 0) {
        // The norm is measured in units of typical changes, in which all parameters compare.
        double square = 0;
        for (std::size_t i = 0; i < parameters.size(); ++i)
            if (trained[i]) square += gradient[i] * typical_[i] * gradient[i] * typical_[i];
        const double norm = std::sqrt(square);
        if (state_.running_norm > 0 && norm > options_.clip_norm * state_.running_norm)
            shorten = options_.clip_norm * state_.running_norm / norm;
        const double shortened = shorten * norm;
        state_.running_norm =
            state_.running_norm > 0 ? 0.95 * state_.running_norm + 0.05 * shortened : shortened;
    }

    ++state_.steps;
    const auto k = static_cast<double>(state_.steps);
    const double first_bias = 1 - std::pow(options_.beta1, k);
    const double second_bias = 1 - std::pow(options_.beta2, k);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        if (!trained[i]) continue;
        const double g = shorten * gradient[i];
        const double m = options_.beta1 * state_.first[i] + (1 - options_.beta1) * g;
        const double v = options_.beta2 * state_.second[i] + (1 - options_.beta2) * g * g;
        state_.first[i] = static_cast<float>(m);
        state_.second[i] = static_cast<float>(v);
        const double change = m / first_bias / (std::sqrt(v / second_bias) + options_.epsilon);
        parameters[i] = static_cast<float>(parameters[i] - rate * typical_[i] * change);
    }
}

}  // namespace sonolux
