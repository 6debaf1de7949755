// sonolux/simulation/acoustics/power_law_absorption.cpp
#include <cmath>
#include <numbers>

#include <sonolux/core/error.hpp>
#include <sonolux/simulation/acoustics/power_law_absorption.hpp>

namespace sonolux {

double attenuation_in_nepers(double decibels, double power) noexcept {
    return 100 * decibels * std::pow(1e-6 / (2 * std::numbers::pi), power) / (20 * std::numbers::log10e);
}

AbsorptionCoefficients absorption_coefficients(double decibels, double power, double sound_speed) noexcept {
    const double alpha = attenuation_in_nepers(decibels, power);
    const double tau = -2 * alpha * std::pow(sound_speed, power - 1);
    if (power == 2) return {tau, 0};
    return {tau, 2 * alpha * std::pow(sound_speed, power) * std::tan(std::numbers::pi * power / 2)};
}

double phase_speed(double frequency, double decibels, double power, double sound_speed) noexcept {
    const double alpha = attenuation_in_nepers(decibels, power);
    const double omega = 2 * std::numbers::pi * frequency;
    const double dispersion =
        power == 2 ? 0.0 : alpha * std::tan(std::numbers::pi * power / 2) * std::pow(omega, power - 1);
    return 1 / (1 / sound_speed + dispersion);
}

double speed_without_dispersion(double frequency, double decibels, double power, double speed) {
    const double dispersion = 1 / phase_speed(frequency, decibels, power, 1.0) - 1;
    require(1 / speed - dispersion > 0, Status::invalid_argument, "an attenuation of ", decibels,
            " dB/(MHz^y cm) with y = ", power, " leaves no speed of sound that is ", speed, " m/s at ",
            frequency, " Hz");
    return 1 / (1 / speed - dispersion);
}

}  // namespace sonolux
