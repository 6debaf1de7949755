// sonolux/simulation/acoustics/eikonal_stencil.hpp
//
// The upwind differences of one node, shared by the solver, what it carries along, and its derivative.
#pragma once

#include <sonolux/simulation/acoustics/eikonal.hpp>

namespace sonolux {

/// Bits of a node's code: which neighbours its factor was computed from.
namespace eikonal_code {
inline constexpr std::uint8_t from_left = 1, from_right = 2, second_across = 4;
inline constexpr std::uint8_t from_above = 8, from_below = 16, second_down = 32;
inline constexpr std::uint8_t across = from_left | from_right, down = from_above | from_below;
inline constexpr std::uint8_t sideways = 64;  ///< see EikonalSolver::update
inline constexpr std::uint8_t start = 128;    ///< given, not computed
}  // namespace eikonal_code

/// One derivative of T = r F at a node, as a function of the node's own F:
///
///     d T = alpha F - (beta1 F1 - beta2 F2),    upwind where side (d T) >= 0
///
/// with F1, F2 those of the neighbours (nodes `first`, `second`). Zero along an axis without neighbours.
struct EikonalDifference {
    double side =
        0;  ///< 1 where the neighbour is to the left or above, -1 to the right or below, otherwise 0
    double alpha = 0, beta1 = 0, beta2 = 0;
    Index first = 0, second = 0;

    [[nodiscard]] double beta(const double* factor) const noexcept {
        return beta1 * factor[first] - beta2 * factor[second];
    }
};

struct EikonalSolver::Stencil {
    EikonalDifference x, z;
    double range;
};

/// Calls visit(node, weight) for the four nodes around `p`, which is moved to the nearest place among nodes.
template <class Visit>
inline void visit_bilinear(const ImageGrid& grid, Point p, Visit&& visit) noexcept {
    const double v = std::clamp(grid.row(p.z), 0.0, static_cast<double>(grid.rows - 1));
    const double u = std::clamp(grid.column(p.x), 0.0, static_cast<double>(grid.columns - 1));
    const Index i = std::min(static_cast<Index>(v), grid.rows - 2);
    const Index j = std::min(static_cast<Index>(u), grid.columns - 2);
    const double down = v - static_cast<double>(i), across = u - static_cast<double>(j);
    const Index node = i * grid.columns + j;
    visit(node, (1 - down) * (1 - across));
    visit(node + 1, (1 - down) * across);
    visit(node + grid.columns, down * (1 - across));
    visit(node + grid.columns + 1, down * across);
}

[[nodiscard]] inline double interpolate(const ImageGrid& grid, const double* values, Point p) noexcept {
    double sum = 0;
    visit_bilinear(grid, p, [&](Index node, double weight) { sum += weight * values[node]; });
    return sum;
}

/// The mean of nodal values along the segment from `a` to `b`, by Simpson's rule: visit(point, weight).
template <class Visit>
inline void visit_segment(Point a, Point b, Visit&& visit) noexcept {
    visit(a, 1.0 / 6);
    visit(0.5 * (a + b), 4.0 / 6);
    visit(b, 1.0 / 6);
}

}  // namespace sonolux
