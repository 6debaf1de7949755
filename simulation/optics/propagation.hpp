// sonolux/simulation/optics/propagation.hpp
//
// Point spread functions of reliefs without symmetry, and away from the axis, by Fourier transforms in
// double.
//
// Light of wavelength l from the direction (tan a, tan b) meets the sensor at the distance z about
// c = z (tan a, tan b), R_0 = sqrt(z^2 + |c|^2) from the middle of the aperture. Behind it the phase of the
// light that goes to c is, with the tilt of the incoming wave,
//
//     2 pi / l [ (n(l) - 1) h(x) + p(x) ],   p(x) = sqrt(z^2 + |x - c|^2) - R_0 + x . c / R_0
//
// which begins with the second order in x: the tilt itself need not be sampled.
//
//     fresnel            single transform: the field at c + u is the transform at the transverse frequency
//                        ((c + u) / R - c / R_0) / l, R = sqrt(z^2 + |c + u|^2), times z / (l R^2); p is that
//                        of the window's middle. The one to use: its grid depends on the aperture alone.
//     angular_spectrum   the transform of the relief times exp(i 2 pi [z sqrt(1 / l^2 - |f + f_0|^2) + f .
//     c]),
//                        f_0 = c / (l R_0), where that phase is sampled (K. Matsushima and T. Shimobaba 2009,
//                        Opt. Express 17, 19662; shifted: K. Matsushima 2010, Opt. Express 18, 18453), and
//                        back. No approximation but scalar light; needs a grid as wide as aperture and window
//                        together.
//
// What would alias is refined: cells are cut until
//
//     fresnel            cell <= l z / aperture (half a turn from one to the next at its edge, where the wave
//                        to the focus is steepest) and cell <= l z / window (no second image in the window)
//     angular_spectrum   cell <= l z / (aperture + window) and cell <= l z / (3 aperture)
//
// and before an ideal lens of the focal length f
//
//     fresnel            cell <= l / (4 aperture |1 / f - 1 / z|), nothing where the sensor is in its focus
//     angular_spectrum   cell <= l f / (3 aperture)
//
// and refused where that takes too large a grid, with the rule in the message. Cells are squares, not points:
// the transform is multiplied with that of a square. Pixels are integrated by Gauss and Legendre's rule.
#pragma once

#include <sonolux/simulation/optics/height_map.hpp>
#include <sonolux/simulation/optics/psf_bank.hpp>

namespace sonolux {

/// A relief before a sensor, which looks at a point far away.
struct MapOptics {
    HeightMap map;
    Material material = material_by_name("fused-silica");
    double distance = 50e-3;        ///< m, from the relief to the sensor: z
    double ideal_focal_length = 0;  ///< m: a thin lens without any dispersion in the same plane; 0: none
};

/// The pixels to look at, about the point where light from a direction arrives.
struct PsfWindow {
    double pixel = 8e-6;          ///< m
    Index size = 129;             ///< along each side; the middle is that of pixel [size / 2, size / 2]
    double tan_x = 0, tan_y = 0;  ///< of the angles from the axis
};

enum class Propagator { fresnel, angular_spectrum };

/// The grid that a propagator needs.
struct FieldGrid {
    double pitch = 0;  ///< m
    Index parts = 1;   ///< into which each cell of the map is cut, along each side
    Index size = 0;    ///< of a transform that holds all of the field; `fresnel` computes the window's part
};

/// Throws Error{invalid_argument} where the rules above ask for more than `largest_grid` samples a side.
[[nodiscard]] FieldGrid field_grid(const MapOptics& optics, double wavelength, const PsfWindow& window,
                                   Propagator propagator, Index largest_grid = 8192);

/// The fraction of the light through the relief that falls on each pixel, [size, size].
/// Throws Error{invalid_argument} as field_grid and check_map do.
[[nodiscard]] Array<float> map_psf(const MapOptics& optics, double wavelength, const PsfWindow& window,
                                   Propagator propagator = Propagator::fresnel, Index largest_grid = 8192);

/// The bank for one direction, wavelengths beside each other on the context's threads.
/// Throws Error{invalid_argument} as map_psf and make_psf_bank do.
[[nodiscard]] PsfBank make_psf_bank(const MapOptics& optics, const PsfBankOptions& options, double tan_x,
                                    double tan_y, Context& context);

}  // namespace sonolux
