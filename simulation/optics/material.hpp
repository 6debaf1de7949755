// sonolux/simulation/optics/material.hpp
//
// What lenses are made of: refractive index against wavelength.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sonolux {

/// A transparent material, described by a formula that was fitted to measurements of its index. With the
/// wavelength in vacuum l in micrometres, as such coefficients are published,
///
///     sellmeier   n^2 = 1 + sum over i of B_i l^2 / (l^2 - C_i)      coefficients B_1, C_1, B_2, C_2, ...
///     cauchy      n = A_0 + A_1 / l^2 + A_2 / l^4 + ...              coefficients A_0, A_1, ...
///
/// Outside the range of the measurements the formula is not used.
class Material {
public:
    enum class Formula { sellmeier, cauchy };

    /// `lowest` and `highest` bound the fit, in m. Throws Error{invalid_argument} for a range that is empty
    /// or not above 0, coefficients that are not finite, none of them, or a B without its C.
    Material(std::string name, Formula formula, std::vector<double> coefficients, double lowest,
             double highest);

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] double lowest_wavelength() const noexcept { return lowest_; }
    [[nodiscard]] double highest_wavelength() const noexcept { return highest_; }

    /// Throws Error{invalid_argument} for a wavelength (m, in vacuum) that the fit does not cover.
    [[nodiscard]] double refractive_index(double wavelength) const;

private:
    std::string name_;
    Formula formula_;
    std::vector<double> coefficients_;
    double lowest_, highest_;
};

/// The materials that are known by name. Their coefficients are those of the refractiveindex.info database
/// (M. Polyanskiy 2024, Sci. Data 11, 94; public domain, CC0), from
///
///     fused-silica    I. Malitson 1965, J. Opt. Soc. Am. 55, 1205                     210 to 6700 nm
///     pmma            N. Sultanova, S. Kasarova, I. Nikolov 2009, Acta Phys. Pol. A 116, 585
///     polycarbonate   the same                                                       437 to 1052 nm
///     zeonex-e48r     the same
///     pdms            F. Schneider et al. 2009, Sens. Actuators A 151, 95 (Sylgard 184)  350 to 700 nm
///     n-bk7           Schott data sheet, 2017                                        300 to 2500 nm
///     noa61           Norland data sheet                                             450 to 1550 nm
///     su8-3000        Microchem data sheet, 2011                                     320 to 1700 nm
[[nodiscard]] std::span<const Material> known_materials();

/// Throws Error{invalid_argument}, listing the known ones.
[[nodiscard]] const Material& material_by_name(std::string_view name);

}  // namespace sonolux
