// sonolux/sdk/pipelines/convergence_figure.hpp
//
// A picture of how solvers came to their results.
#pragma once

#include <span>
#include <string>

#include <sonolux/sdk/files/canvas.hpp>
#include <sonolux/solvers/classical/convergence_log.hpp>

namespace sonolux {

/// One run of a solver.
struct ConvergenceCurve {
    std::string name;  ///< as in the legend; why the run ended is put behind it
    const ConvergenceLog* log = nullptr;
    double tolerance = 0;  ///< drawn as a line across the residuals; 0 draws none
};

/// Objective and residual over the iterations, side by side. The residual, and an objective that falls by
/// more than a factor of 20, have logarithmic axes, on which values that are not positive are left out.
/// Objectives of different methods are different functions: put runs of one method into one figure.
/// Throws Error{invalid_argument} for no curve, one without entries, or more than 6.
[[nodiscard]] Canvas draw_convergence(std::span<const ConvergenceCurve> curves, const std::string& title);

}  // namespace sonolux
