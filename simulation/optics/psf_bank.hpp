// sonolux/simulation/optics/psf_bank.hpp
//
// Point spread functions of many wavelengths on the pixels of a sensor.
//
// For rotationally symmetric optics all wavelengths share one table of Bessel functions, because they share
// transverse frequencies q (radial_psf.hpp): the fields of all are one product of matrices,
//
//     U[q, wavelength] = sum over edges e of B[q, e] D[e, wavelength],   B[q, e] = r_e J_1(2 pi q r_e) / q
//
// with D the steps of the mean phases from ring to ring. As a function of q, U is band-limited to the
// aperture, so a step of 1 / (3 diameter) holds all of it; what lies between is interpolated by a windowed
// sinc. Pixels are integrated over their area by Gauss and Legendre's rule, with weights on a common radial
// grid.
#pragma once

#include <sonolux/core/array.hpp>
#include <sonolux/simulation/optics/radial_psf.hpp>

namespace sonolux {

/// PSFs [wavelength, size, size]: the fraction of the light on the aperture that falls on each pixel.
/// The optical axis is at the centre of pixel [size / 2, size / 2], as the kernels of convolutions have it.
struct PsfBank {
    std::vector<double> wavelengths;  ///< m
    double pixel = 0;                 ///< m
    Array<float> psf;

    [[nodiscard]] Index size() const noexcept { return psf.shape()[1]; }
    [[nodiscard]] Index count() const noexcept { return psf.shape()[0]; }
};

struct PsfBankOptions {
    std::vector<double> wavelengths;  ///< m, rising
    double pixel = 8e-6;              ///< m
    Index size = 129;                 ///< pixels along each side, 1 to 8192
    bool allow_coarse_wavelengths = false;
    double tolerance = radial_tolerance;
};

/// `count` wavelengths at equal distances from `from` to `to`.
[[nodiscard]] std::vector<double> wavelengths_between(double from, double to, Index count);

/// Throws Error{invalid_argument} for no wavelengths, or such as do not rise from above 0 m.
void check_wavelengths(std::span<const double> wavelengths);

/// How far apart wavelengths l may be for sums over them not to alias: the blur circle D |l - l_0| / l_0
/// changes its radius by two pixels p from one to the next at
///
///     step = 4 l p / D
///
/// whatever the order of the lens. Coarser ones replace the colour's blur by separate circles.
[[nodiscard]] double largest_wavelength_step(double wavelength, double pixel, double diameter) noexcept;

/// Throws Error{invalid_argument} naming the rule for wavelengths that are too far apart, unless they are
/// allowed to be.
void require_fine_wavelengths(std::span<const double> wavelengths, double pixel, double diameter,
                              bool allow_coarse);

/// The bank of symmetric optics, on the context's threads, the same bits for any number of them.
/// Throws Error{invalid_argument} naming the option or the optics, and as require_fine_wavelengths does.
[[nodiscard]] PsfBank make_psf_bank(const RadialOptics& optics, const PsfBankOptions& options,
                                    Context& context);

}  // namespace sonolux
