// sonolux/solvers/training/lbfgs.hpp
//
// L-BFGS on a smooth function of many variables, a bounded number of iterations at a time (Nocedal and Wright
// 2006, algorithm 7.5, with a line search for the Wolfe conditions). The iteration itself is LBFGSpp's.
//
// How a killed run continues to the same bits: `minimise_lbfgs` starts without memory of earlier steps, and a
// caller that trains for long calls it again and again with a fixed number of iterations. Between two calls
// the variables are all the state there is. A run that was never killed restarts its memory at the same
// places.
#pragma once

#include <functional>
#include <span>

namespace sonolux {

struct LbfgsOptions {
    int memory = 10;          ///< pairs of steps and gradient changes kept, at least 1
    int iterations = 25;      ///< at most, at least 1
    int line_search = 20;     ///< evaluations per line search at most, at least 1
    double tolerance = 1e-9;  ///< stops where |gradient| <= tolerance max(1, |x|)

    friend bool operator==(const LbfgsOptions&, const LbfgsOptions&) = default;
};

struct LbfgsResult {
    double value = 0;        ///< at the final x
    int iterations = 0;      ///< finished; 0 if the first line search failed or x was a minimum already
    int evaluations = 0;     ///< of value and gradient
    bool converged = false;  ///< the gradient vanished, or no line search can improve x within rounding
};

/// Returns the function's value at x and writes its gradient. Must not throw.
using ValueGradient = std::function<double(std::span<const double> x, std::span<double> gradient)>;

/// Moves x downhill; on return x is the best point that was evaluated, never worse than at entry.
/// Throws Error{invalid_argument} naming the option. Allocates.
LbfgsResult minimise_lbfgs(const ValueGradient& function, std::span<double> x, const LbfgsOptions& options);

}  // namespace sonolux
