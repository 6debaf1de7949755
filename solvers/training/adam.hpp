// sonolux/solvers/training/adam.hpp
//
// Adam: stochastic gradient steps with per-parameter scales (Kingma and Ba 2015, algorithm 1).
//
//     m <- beta1 m + (1 - beta1) g        v <- beta2 v + (1 - beta2) g^2
//     theta <- theta - rate typical m / (1 - beta1^k) / (sqrt(v / (1 - beta2^k)) + epsilon)
//
// `typical` is the size of a usual change of each parameter (Parameter::typical), so that one learning rate
// fits filters, activations and log lambda alike.
#pragma once

#include <span>
#include <vector>

#include <sonolux/core/shape.hpp>

namespace sonolux {

struct AdamOptions {
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-10;  ///< against division by zero; small, because losses come in many units
    double clip_norm = 0;  ///< gradients longer than this many times the running norm are shortened; 0: never

    friend bool operator==(const AdamOptions&, const AdamOptions&) = default;
};

/// Everything that a continued run needs. Moments are one float per parameter; the arithmetic is double.
struct AdamState {
    std::vector<float> first, second;
    Index steps = 0;          ///< k
    double running_norm = 0;  ///< of the gradients so far (for clipping); 0 before the first step
};

class Adam {
public:
    /// `typical`: one factor per parameter. Throws Error{invalid_argument} naming the option.
    Adam(const AdamOptions& options, std::vector<float> typical);

    /// Forgets all gradients, as at the start.
    void reset() noexcept;

    /// Moves the parameters where `trained` is not zero by one step; the others, and their moments, stay.
    /// Sizes are those of `typical`. Neither allocates nor throws. Gradients that are not finite are the
    /// caller's to refuse.
    void step(std::span<float> parameters, std::span<const double> gradient,
              std::span<const unsigned char> trained, double rate) noexcept;

    [[nodiscard]] const AdamState& state() const noexcept { return state_; }

    /// Throws Error{size_mismatch} if the state belongs to another number of parameters.
    void restore(AdamState state);

private:
    AdamOptions options_;
    std::vector<float> typical_;
    AdamState state_;
};

}  // namespace sonolux
