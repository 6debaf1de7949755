// sonolux/solvers/training/projection.hpp
//
// Keeps parameters where their constraints want them: the orthogonal projection after each training step.
#pragma once

#include <span>
#include <vector>

#include <sonolux/solvers/stage.hpp>

namespace sonolux {

/// What `positive` means: not below this.
inline constexpr float smallest_positive_parameter = 1e-6f;

/// Projects each constrained parameter of `layout` within the flat vector `parameters`.
///
///     zero_mean_unit_ball   row <- (row - mean) / max(1, |row - mean|)
///     positive              value <- max(value, 1e-6)
///     unit_interval         value <- min(max(value, 0), 1)
void project(std::span<float> parameters, const std::vector<Parameter>& layout) noexcept;

}  // namespace sonolux
