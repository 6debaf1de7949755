// sonolux/simulation/optics/spectral_lift.hpp
//
// Spectra for photographs: a reflectance for each pixel that looks like its colour.
//
//     reflectance(l) = R rho_R(l) + G rho_G(l) + B rho_B(l)
//
// with three spectra that are nowhere negative, add up to 1, and look red, green and blue of sRGB under
// daylight D65 to the CIE 1931 observer, so that colours in [0, 1] become reflectances in [0, 1] (I. Mallett
// and C. Yuksel 2019, Eurographics Symposium on Rendering). The table is our own solution of their problem:
// the smoothest such spectra on 400 to 700 nm, with XYZ scaled so that white is white there.
//
// Many spectra look alike; these are as smooth as can be, real ones are not.
#pragma once

#include <span>
#include <vector>

#include <sonolux/core/array.hpp>

namespace sonolux {

/// 400, 410, ..., 700 nm, in m: where the basis is given, linear in between.
[[nodiscard]] std::vector<double> lift_wavelengths();

/// rho [3, 31]: of red, green and blue.
[[nodiscard]] View<const float> lift_basis() noexcept;

/// A cube [31, rows, columns] from light [3, rows, columns] in linear sRGB.
/// Throws Error{invalid_argument} for other shapes.
[[nodiscard]] Array<float> lift(View<const float> linear_rgb);

}  // namespace sonolux
