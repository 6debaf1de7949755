// sonolux/simulation/acoustics/power_law_absorption.hpp
//
// Attenuation that grows with a power of the frequency, and the dispersion that causality then asks for.
#pragma once

namespace sonolux {

/// alpha in Np / ((rad/s)^y m) of an attenuation in dB / (MHz^y cm).
[[nodiscard]] double attenuation_in_nepers(double decibels, double power) noexcept;

/// The two coefficients of the equation of state
///
///     p = c^2 [rho + tau F^-1 |k|^(y-2) F (rho0 div u) - eta F^-1 |k|^(y-1) F rho]
///
///     tau = -2 alpha c^(y-1)        eta = 2 alpha c^y tan(pi y / 2)
///
/// (Treeby, Cox 2010, J. Acoust. Soc. Am. 127). For y = 2 eta is 0 and tau = -2 alpha c.
struct AbsorptionCoefficients {
    double tau = 0, eta = 0;
};
[[nodiscard]] AbsorptionCoefficients absorption_coefficients(double decibels, double power,
                                                             double sound_speed) noexcept;

/// The phase speed at a frequency (Hz) of a medium whose speed is `sound_speed` at low frequencies (y > 1) or
/// high ones (y < 1):   1/c(w) = 1/c0 + alpha tan(pi y / 2) w^(y-1)        (Waters et al. 2005, IEEE TUFFC
/// 52)
[[nodiscard]] double phase_speed(double frequency, double decibels, double power,
                                 double sound_speed) noexcept;

/// The other way: the speed that phase_speed() makes `speed` at this frequency. Simulations take it. Throws
/// Error{invalid_argument} where there is none: the medium absorbs so much that the dispersion is more than
/// the slowness.
[[nodiscard]] double speed_without_dispersion(double frequency, double decibels, double power, double speed);

}  // namespace sonolux
