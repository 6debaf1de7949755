// sonolux/solvers/training/learning_rate.hpp
//
// How the learning rate moves over a phase of training.
//
//     warm-up   linear from 0 over the first `warm_up` steps (a network that starts from rest moves gently)
//     constant  rate
//     cosine    last + (rate - last) (1 + cos(pi s)) / 2, s from 0 to 1 after the warm-up
//     halving   rate 2^-k, k stepping up every `period` steps, never below `last`
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

#include <sonolux/core/shape.hpp>

namespace sonolux {

enum class LearningRateCurve { constant, cosine, halving };

struct LearningRate {
    LearningRateCurve curve = LearningRateCurve::cosine;
    double rate = 1e-2;  ///< the largest value
    double last = 1e-4;  ///< the smallest value after the warm-up
    Index warm_up = 50;  ///< steps
    Index period = 500;  ///< steps between halvings

    /// The rate of step `step` (from 0) of `steps`.
    [[nodiscard]] double at(Index step, Index steps) const noexcept {
        const double ramp =
            step < warm_up ? static_cast<double>(step + 1) / static_cast<double>(warm_up + 1) : 1.0;
        double value = rate;
        if (curve == LearningRateCurve::cosine) {
            const Index falling = std::max<Index>(steps - 1 - warm_up, 1);
            const double s =
                std::clamp(static_cast<double>(step - warm_up) / static_cast<double>(falling), 0.0, 1.0);
            value = last + 0.5 * (rate - last) * (1 + std::cos(std::numbers::pi * s));
        } else if (curve == LearningRateCurve::halving) {
            value = std::max(rate * std::exp2(-static_cast<double>(step / std::max<Index>(period, 1))), last);
        }
        return ramp * value;
    }
};

}  // namespace sonolux
