// sonolux/solvers/slanted_edge.hpp
//
// Sharpness from the picture of an edge (ISO 12233, slanted-edge method).
#pragma once

#include <vector>

#include <sonolux/core/view.hpp>

namespace sonolux {

/// The modulation transfer function across an edge.
struct EdgeMtf {
    std::vector<double> frequency;   ///< cycles per pixel, from 0
    std::vector<double> modulation;  ///< 1 at frequency 0
    double slope = 0;                ///< pixels to the side per row
    double mtf50 = 0;  ///< the first frequency at which the modulation falls to 1/2; 1 where it never does
};

/// Of a plane [rows, columns] that holds one nearly vertical edge, from dark to bright or back: the place of
/// the edge in each row is the centroid of its derivative under a window, a line is fitted through them,
/// pixels are sorted by their distance to it into bins of a quarter of a pixel, and the derivative of that
/// edge profile is transformed; what the bins and the derivative take away is given back.
///
/// Throws Error{invalid_argument} for a plane smaller than 10 x 16, one without an edge, or one whose edge is
/// not slanted enough (less than a pixel over all rows), too much (more than 45 degrees), or by a fraction
/// such as 1/2 whose rows leave bins beside the edge empty.
[[nodiscard]] EdgeMtf slanted_edge_mtf(View<const float> plane);

}  // namespace sonolux
