// sonolux/simulation/acoustics/ray.hpp
//
// The path that the first arrival took: back from a receiver to the source, down the gradient of the times.
#pragma once

#include <vector>

#include <sonolux/core/acoustics/straight_ray.hpp>
#include <sonolux/simulation/acoustics/eikonal.hpp>

namespace sonolux {

/// The ray from the source to `receiver`, as points half a spacing apart, the source (for a line: the place
/// where it left it) first. Steps go along -grad T with the midpoint rule; the last one is straight.
///
/// Throws Error{invalid_argument} for a receiver outside the nodes, and Error{internal_error} where the ray
/// does not reach its source within 8 (rows + columns) steps.
[[nodiscard]] std::vector<Point> trace_ray(const TravelTimes& times, Point receiver);

/// How long a ray stays in each pixel: the row of a travel-time matrix for bent rays. Pixels that it enters
/// more than once are listed once, in the order of their numbers.
[[nodiscard]] std::vector<PixelChord> ray_chords(const ImageGrid& grid, const std::vector<Point>& ray);

}  // namespace sonolux
