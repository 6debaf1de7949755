// sonolux/simulation/optics/height_map.hpp
//
// Reliefs without symmetry: heights and transmission on square cells.
#pragma once

#include <sonolux/core/array.hpp>
#include <sonolux/simulation/optics/diffractive_lens.hpp>

namespace sonolux {

/// A relief of square cells, each of one height. The optical axis passes through the middle of the map:
/// cell (i, j) of n has its middle at x = (j - (n - 1) / 2) pitch, y = (i - (n - 1) / 2) pitch.
struct HeightMap {
    double pitch = 0;         ///< m
    Array<double> height;     ///< [n, n], m, of material above the base
    Array<double> amplitude;  ///< [n, n], transmission of the field, 0 to 1

    [[nodiscard]] Index cells() const noexcept { return height.shape()[0]; }
    /// The middle of column or row i, in m.
    [[nodiscard]] double middle(Index i) const noexcept {
        return (static_cast<double>(i) - static_cast<double>(cells() - 1) / 2) * pitch;
    }
    /// Twice the largest |x| or |y| of a cell that lets light through, m.
    [[nodiscard]] double aperture() const noexcept;
    /// The light that passes for a unit of irradiance, m^2.
    [[nodiscard]] double light() const noexcept;
};

/// An opaque map without relief.
/// Throws Error{invalid_argument} for a pitch that is not above 0 or a size outside 1 to 16384.
[[nodiscard]] HeightMap empty_map(Index cells, double pitch);

/// Puts a symmetric relief with its centre at (x, y): each cell takes the height at its middle; cells that
/// the aperture's edge crosses let through the part that is inside.
/// Throws Error{invalid_argument} if the aperture does not fit on the map.
void put_relief(HeightMap& map, const RadialProfile& profile, double x = 0, double y = 0);

/// A map as small as holds the relief. Throws as put_relief does.
[[nodiscard]] HeightMap map_of(const RadialProfile& profile, double pitch);

/// `rows` x `columns` equal reliefs at the distance `spacing` of each other, which may differ: `profiles` are
/// used in turn, row by row. Throws Error{invalid_argument} where apertures overlap, or there is none.
[[nodiscard]] HeightMap array_of(const std::vector<RadialProfile>& profiles, Index rows, Index columns,
                                 double spacing, double pitch);

/// Throws Error{invalid_argument} for shapes that differ or are not square, heights that are not in
/// [0, largest_height] (0: any finite height is good), amplitudes outside [0, 1], a map without light.
void check_map(const HeightMap& map, double largest_height = 0);

}  // namespace sonolux
