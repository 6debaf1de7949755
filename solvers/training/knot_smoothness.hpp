// sonolux/solvers/training/knot_smoothness.hpp
//
// A penalty that keeps learned functions smooth: the absolute second differences of their knots y,
//
//     weight * sum over functions, sum_{k=1}^{n-2} sqrt((y_{k-1} - 2 y_k + y_{k+1})^2 + eps^2) - eps
//
// with eps = 1e-3 (the published 1e-6 under the root) and every knot in it, the last one too (after Bernhardt
// et al. 2020).
#pragma once

#include <span>
#include <vector>

#include <sonolux/solvers/stage.hpp>

namespace sonolux {

/// Returns the penalty of all parameters with knots, and adds its gradient to `gradient` [parameters].
double add_knot_smoothness(std::span<const float> parameters, const std::vector<Parameter>& layout,
                           double weight, std::span<double> gradient) noexcept;

}  // namespace sonolux
