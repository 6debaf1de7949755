// sonolux/solvers/training/lbfgs.cpp
#include <sonolux/solvers/training/lbfgs.hpp>

#include <LBFGS.h>

#include <cmath>
#include <limits>

#include <sonolux/core/error.hpp>

namespace sonolux {

namespace {

using Vector = Eigen::VectorXd;

/// What LBFGSpp calls; remembers the best point, because a failing line search leaves x elsewhere.
struct Objective {
    const ValueGradient& function;
    Vector best;
    Vector best_gradient;
    double best_value = std::numeric_limits<double>::infinity();
    int evaluations = 0;

    double operator()(const Vector& x, Vector& gradient) {
        const auto size = static_cast<std::size_t>(x.size());
        const double value = function({x.data(), size}, {gradient.data(), size});
        ++evaluations;
        if (value < best_value) {
            best_value = value;
            best = x;
            best_gradient = gradient;
        }
        // A step into a place where the function is not defined is a step too long.
        return std::isfinite(value) ? value : std::numeric_limits<double>::max();
    }
};

}  // namespace

LbfgsResult minimise_lbfgs(const ValueGradient& function, std::span<double> x, const LbfgsOptions& options) {
    require(options.memory >= 1, Status::invalid_argument, "L-BFGS memory must be at least 1, got ",
            options.memory);
    require(options.iterations >= 1, Status::invalid_argument, "L-BFGS iterations must be at least 1, got ",
            options.iterations);
    require(options.line_search >= 1, Status::invalid_argument, "L-BFGS line_search must be at least 1, got ",
            options.line_search);
    require(options.tolerance >= 0, Status::invalid_argument, "L-BFGS tolerance must be at least 0, got ",
            options.tolerance);

    LBFGSpp::LBFGSParam<double> parameters;
    parameters.m = options.memory;
    parameters.epsilon = options.tolerance;
    parameters.epsilon_rel = options.tolerance;
    parameters.max_iterations = options.iterations;
    parameters.max_linesearch = options.line_search;
    parameters.linesearch = LBFGSpp::LBFGS_LINESEARCH_BACKTRACKING_WOLFE;

    Objective objective{function, {}, {}};
    Vector point = Eigen::Map<const Vector>(x.data(), static_cast<Eigen::Index>(x.size()));
    LbfgsResult result;
    LBFGSpp::LBFGSSolver<double, LBFGSpp::LineSearchBracketing> solver(parameters);
    try {
        double value = 0;
        result.iterations = solver.minimize(objective, point, value);
    } catch (const std::exception&) {
        // The line search found nothing better: the end, as far as rounding lets us see.
        result.converged = true;
    }
    require(objective.best.size() == point.size(), Status::invalid_argument,
            "the function to minimise is not finite at the starting point");
    const double gradient_norm = objective.best_gradient.norm();
    if (gradient_norm <= options.tolerance * std::max(1.0, objective.best.norm())) result.converged = true;
    result.value = objective.best_value;
    result.evaluations = objective.evaluations;
    Eigen::Map<Vector>(x.data(), static_cast<Eigen::Index>(x.size())) = objective.best;
    return result;
}

}  // namespace sonolux
