// sonolux/simulation/optics/fresnel_psf.hpp
//
// The single-transform Fresnel propagator of propagation.hpp, computing no more than is looked at.
//
// A field that fills a third of its grid along each side, of whose spectrum a window is looked at, needs a
// third of the transforms along rows, and of those along columns the ones in the window. Between samples the
// field is interpolated first along one axis and then along the other: a point (X, Y, z) of the sensor is
// seen at the direction cosines
//
//     p = X / S,   q = Y / S,   S^2 = X^2 + Y^2 + z^2
//
// and where X is given, p follows from q alone, p^2 = (1 - q^2) X^2 / (X^2 + z^2), and likewise for Y.
#pragma once

#include <complex>
#include <vector>

#include <sonolux/simulation/optics/propagation.hpp>

namespace sonolux::detail {

/// The field behind a relief, in cells of one pitch about the axis: [cells, cells].
using ReliefField = Array<std::complex<double>>;

/// What arrives on each pixel of the window, [size, size], as a fraction of `light`: of the phases that
/// `field` has beyond those of a wave to the middle of the window. `points` a side integrate a pixel.
[[nodiscard]] Array<float> fresnel_window(const ReliefField& field, const FieldGrid& grid, double wavelength,
                                          double distance, const PsfWindow& window, int points, double light);

}  // namespace sonolux::detail
