// sonolux/simulation/optics/radial_psf.hpp
//
// Point spread functions of rotationally symmetric optics, by the exact sum over rings in double.
//
// Behind the aperture, light of wavelength l has the phase of the relief; towards the point at radius x of a
// plane at the distance z it interferes as (Rayleigh and Sommerfeld's integral, its path expanded to first
// order about the pupil's centre, the path on the axis kept as it is)
//
//     U(x) = z / (l R^2) integral over the pupil of a(r) exp(2 pi i [(n(l) - 1) h(r) + p(r)] / l)
//                                                   J_0(2 pi q r) 2 pi r dr
//     q = x / (l R),   R = sqrt(z^2 + x^2),   p(r) = sqrt(z^2 + r^2) - z
//
// or, in the paraxial approximation of textbooks, with R = z and p(r) = r^2 / 2 z, whose lens is the
// parabolic one, for a plane wave of unit irradiance. |U|^2 over all of the plane is the light through the
// aperture. A ring in which the phase is constant gives, exactly,
//
//     [r_2 J_1(2 pi q r_2) - r_1 J_1(2 pi q r_1)] / q
//
// (Dun et al. 2020, Optica 7, 913, equation 5). Where the phase varies within a ring, its mean over the area
// stands for it, which is exact on the axis; rings are cut until what is neglected beside it, the covariance
// of phase and J_0, is below a tolerance. Sums alternate and cancel: float does not do.
#pragma once

#include <complex>
#include <span>
#include <vector>

#include <sonolux/core/context.hpp>
#include <sonolux/simulation/optics/diffractive_lens.hpp>

namespace sonolux {

/// A relief before a sensor, which looks at a point far away.
struct RadialOptics {
    RadialProfile profile;
    Material material = material_by_name("fused-silica");
    double distance = 50e-3;        ///< m, from the relief to the sensor: z
    double ideal_focal_length = 0;  ///< m: a thin lens without any dispersion in the same plane; 0: none
    bool paraxial = false;
};

/// The optics of a lens, with the sensor where it focuses its design wavelength.
[[nodiscard]] RadialOptics optics_of(const DiffractiveLens& lens);

/// How accurate the field is, relative to that of a ring: what the cut rings neglect.
inline constexpr double radial_tolerance = 0.02;

/// U at radii x (m). Throws Error{invalid_argument} for a bad profile, distance, radius or wavelength.
[[nodiscard]] std::vector<std::complex<double>> radial_field(const RadialOptics& optics, double wavelength,
                                                             std::span<const double> radii,
                                                             double tolerance = radial_tolerance);

/// |U|^2 on the axis over that of an ideal lens of the same aperture and distance, (area / l z)^2.
[[nodiscard]] double axial_efficiency(const RadialOptics& optics, double wavelength);

namespace detail {

/// The rings of a profile, cut for wavelengths and radii up to the highest transverse frequency (1/m).
struct CutRings {
    std::vector<double> edges;   ///< [rings + 1], m
    std::vector<Index> ring_of;  ///< [rings], which ring of the profile each is a part of
};

[[nodiscard]] CutRings cut_rings(const RadialOptics& optics, std::span<const double> wavelengths,
                                 double highest_frequency, double tolerance);

/// The mean of a exp(i phase) over each ring's area.
[[nodiscard]] std::vector<std::complex<double>> ring_means(const RadialOptics& optics, const CutRings& rings,
                                                           double wavelength);

/// Throws Error{invalid_argument} for a bad profile or distance.
void check_optics(const RadialOptics& optics);

/// p(r) above, less that of the ideal lens, in m.
[[nodiscard]] double path_to_focus(const RadialOptics& optics, double radius);

/// R above, in m.
[[nodiscard]] double slant(const RadialOptics& optics, double x);

}  // namespace detail

}  // namespace sonolux
