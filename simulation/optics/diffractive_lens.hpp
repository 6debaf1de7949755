// sonolux/simulation/optics/diffractive_lens.hpp
//
// The relief of a diffractive lens: how high its material stands at each radius.
//
// A plane wave that passes through the height h(r) of a material of index n is delayed by (n - 1) h. To focus
// at f, the delay must shrink with the radius by
//
//     s(r) = sqrt(r^2 + f^2) - f                                   (parabolic: r^2 / 2 f)
//
// and since whole wavelengths do not matter, a relief of m wavelengths is enough:
//
//     h(r) = mod(-s(r), m l_0) / (n(l_0) - 1)
//
// m = 1 is the Fresnel lens, m > 1 the harmonic lens (D. Sweeney and G. Sommargren 1995, Appl. Opt. 34,
// 2469), which focuses at l_k = m l_0 / k, k = 1, 2, ... (but for dispersion) at the same f. Of light of
// wavelength l the order k goes to f_k = m l_0 f / (k l), with the efficiency
//
//     sinc^2(a - k),   a = m l_0 (n(l) - 1) / (l (n(l_0) - 1))
//
// and L equal steps in the place of the slope leave sinc^2(1 / L) of it at l_0.
#pragma once

#include <functional>
#include <vector>

#include <sonolux/simulation/optics/material.hpp>

namespace sonolux {

/// A part of a relief between two radii. Within it the height goes from inner to outer in proportion to the
/// square of the radius, as the delay of a lens does.
struct Ring {
    double inner_radius = 0, outer_radius = 0;  ///< m
    double inner_height = 0, outer_height = 0;  ///< m, of material above the base
    double amplitude = 1;                       ///< transmission of the field, 0 to 1

    friend bool operator==(const Ring&, const Ring&) = default;
};

/// A rotationally symmetric relief: rings from the centre to the edge of the aperture, without gaps.
using RadialProfile = std::vector<Ring>;

/// The design of a lens.
struct DiffractiveLens {
    double focal_length = 50e-3;  ///< m
    double diameter = 4e-3;       ///< m, of the circular aperture
    double wavelength = 550e-9;   ///< m: l_0
    int order = 1;                ///< m
    int levels = 0;               ///< L steps, 2 or more; 0 is a continuous relief
    double ring_width = 0;  ///< m: the relief is cut into rings of this width, stepped ones at the height of
                            ///< their middle; 0: edges are where the design has them
    double largest_height = 0;  ///< m: what the process can make; 0: anything
    bool parabolic = false;     ///< s(r) = r^2 / 2 f
    Material material = material_by_name("fused-silica");
};

/// m l_0 / (n(l_0) - 1), in m.
[[nodiscard]] double full_height(const DiffractiveLens& lens);

/// s(r), in m.
[[nodiscard]] double path_of(const DiffractiveLens& lens, double radius);

/// The relief of a lens. Throws Error{invalid_argument} naming the field that is out of range, among them a
/// relief above `largest_height` and zones narrower than a wavelength, for which none of this holds.
[[nodiscard]] RadialProfile relief_of(const DiffractiveLens& lens);

/// Any relief h(r), in rings of equal width that have its height at their edges.
/// Throws Error{invalid_argument} as check_profile does.
[[nodiscard]] RadialProfile relief_of(const std::function<double(double)>& height, double diameter,
                                      double ring_width, double largest_height = 0);

/// A plate without relief.
[[nodiscard]] RadialProfile clear_aperture(double diameter);

/// Throws Error{invalid_argument} for rings that do not follow each other from radius 0 outwards, heights
/// that are not in [0, largest_height] (0: any finite height is good), amplitudes outside [0, 1].
void check_profile(const RadialProfile& profile, double largest_height = 0);

/// sinc^2(a - k) above: how much of the light of a wavelength goes to order k.
[[nodiscard]] double order_efficiency(const DiffractiveLens& lens, double wavelength, int k);

}  // namespace sonolux
