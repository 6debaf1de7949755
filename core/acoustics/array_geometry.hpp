// sonolux/core/acoustics/array_geometry.hpp
//
// An array from nothing but the places of its elements, which is what most files say of a probe.
#pragma once

#include <span>

#include <sonolux/core/acoustics/transducer_array.hpp>

namespace sonolux {

/// The array whose elements have their middles at `positions` (m), from left to right. Where elements face:
///
///     all within 1 um of one depth                      straight down
///     within 1 um of make_convex_array's places         outwards, and the array has that radius
///     on a circle to 1 um, their middle the lowest      away from its centre
///     otherwise                                         at right angles to the line through both neighbours
///
/// The circle is the algebraic least-squares fit of x^2 + z^2 = 2 a x + 2 b z + k. Throws as TransducerArray.
[[nodiscard]] TransducerArray array_from_positions(std::span<const Point> positions, double element_width);

}  // namespace sonolux
