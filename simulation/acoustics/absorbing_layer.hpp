// sonolux/simulation/acoustics/absorbing_layer.hpp
//
// The layers at the border of a grid in which waves fade.
#pragma once

#include <vector>

#include <sonolux/core/shape.hpp>

namespace sonolux {

/// sigma dt of the layer along one axis,
///
///     sigma = strength c_ref / spacing (depth / points)^4
///
/// at both ends, depth counted in points from the inner edge: points + 1 - x at x = 1 ... points on the left,
/// x on the right; `staggered` values are half a spacing further. 0 elsewhere. (The profile of k-Wave.)
[[nodiscard]] std::vector<double> absorbing_rate(Index length, Index points, double strength, double spacing,
                                                 double reference_speed, double time_step, bool staggered);

/// What a field keeps in half a time step, exp(-sigma dt / 2) (Tabei, Mast, Waag 2002).
[[nodiscard]] std::vector<float> absorbing_profile(Index length, Index points, double strength,
                                                   double spacing, double reference_speed, double time_step,
                                                   bool staggered);

}  // namespace sonolux
