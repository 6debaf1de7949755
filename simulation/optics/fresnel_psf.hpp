// sonolux/simulation/optics/fresnel_psf.hpp
//
// The window of a single-transform Fresnel field, and no more of it.
//
// With the transverse frequencies (F, G) = (X, Y) / R of the point (X, Y) = c + u, R = sqrt(z^2 + X^2 + Y^2),
// the field is the transform A(F, G) of the aperture's, of which a full grid holds ten to thirty times what a
// window looks at. Here
//
//     1. rows of cells that let light through are transformed, and the columns F that are looked at kept
//     2. those columns are transformed, and the rows G kept
//     3. rows are interpolated at the F where the nodes X of pixels meet them, F = X sqrt((1 - G^2) / (z^2 +
//        X^2)), and columns of that at the G of the nodes Y
//
// on grids 9/4 times as dense as the aperture needs, for windowed sincs of 16 taps. What step 3 interpolates
// along G moves by dF / dG = -F G / (1 - G^2) at the same time: it is sampled by 1 + |F G| / (1 - G^2) more
// densely.
#pragma once

#include <sonolux/simulation/optics/propagation.hpp>

namespace sonolux::detail {

/// What does not depend on the wavelength, and costs a look at all cells.
struct MapSummary {
    explicit MapSummary(const HeightMap& map);

    double aperture = 0, light = 0;
    Index first_row = 0, last_row = 0;  ///< of those that let light through
};

/// The fraction of the light on each pixel, [size, size], from a grid that field_grid has found.
[[nodiscard]] Array<float> fresnel_psf(const MapOptics& optics, const MapSummary& map, double wavelength,
                                       const PsfWindow& window, const FieldGrid& grid, int points);

}  // namespace sonolux::detail
