// sonolux/simulation/acoustics/pulse.cpp
#include <algorithm>
#include <cmath>
#include <numbers>

#include <sonolux/simulation/acoustics/pulse.hpp>

namespace sonolux {

namespace {

using Complex = std::complex<double>;
constexpr double pi = std::numbers::pi;

/// The integral of exp(i a t) over [0, T].
Complex exponential(double a, double length) {
    const double half = 0.5 * a * length;
    const double sinc = std::abs(half) < 1e-8 ? 1 : std::sin(half) / half;
    return std::polar(length * sinc, half);
}

}  // namespace

Pulse::Pulse(const PulseOptions& options) : options_(options) {
    const auto invalid = Status::invalid_argument;
    const double f = options.centre_frequency;
    require(f >= 1e4 && f <= 1e9, invalid, "pulse: centre_frequency must be between 10000 and 1e+09 Hz, got ",
            f, f > 0 && f < 1000 ? " Hz; is it in MHz?" : " Hz");
    require(options.half_cycles >= 0 && options.half_cycles <= 1000, invalid,
            "pulse: half_cycles must be 0 to 1000, got ", options.half_cycles);
    require(options.bandwidth >= 0 && options.bandwidth <= 2, invalid,
            "pulse: bandwidth must be between 0 and 2 (relative to the centre frequency), got ",
            options.bandwidth);
    require(options.half_cycles > 0 || options.bandwidth > 0, invalid,
            "pulse: with half_cycles 0 (an impulse) bandwidth must be above 0, got ", options.bandwidth);
    excitation_ = options.half_cycles / (2 * f);
    if (options.bandwidth > 0) width_ = std::sqrt(2 * std::numbers::ln2) / (pi * options.bandwidth * f);
    delay_ = 4.5 * width_;
}

double Pulse::operator()(double t) const noexcept {
    if (!(t >= 0 && t <= duration())) return 0;
    const double omega = 2 * pi * options_.centre_frequency;
    if (width_ == 0) return std::sin(omega * t);
    const auto band = [&](double time) {
        const double x = (time - delay_) / width_;
        return std::exp(-0.5 * x * x) * std::cos(omega * (time - delay_));
    };
    if (options_.half_cycles == 0) return band(t);
    const int steps = 64 * options_.half_cycles;  // even: Simpson's weights 1 4 2 ... 4 1
    const double step = excitation_ / steps;
    double sum = 0;
    for (int n = 0; n <= steps; ++n) {
        const double weight = n == 0 || n == steps ? 1 : n % 2 ? 4 : 2;
        sum += weight * std::sin(omega * n * step) * band(t - n * step);
    }
    const double gain = 2 / (width_ * std::sqrt(2 * pi));
    return gain * sum * step / 3;
}

Complex Pulse::spectrum(double frequency) const noexcept {
    const double f0 = options_.centre_frequency;
    Complex value = 1;
    if (options_.half_cycles > 0)
        value = (exponential(2 * pi * (f0 - frequency), excitation_) -
                 exponential(2 * pi * (-f0 - frequency), excitation_)) /
                Complex(0, 2);
    if (width_ > 0) {
        const auto band = [&](double f) {
            const double x = 2 * pi * width_ * f;
            return std::exp(-0.5 * x * x);
        };
        value *= std::polar(band(frequency - f0) + band(frequency + f0), -2 * pi * frequency * delay_);
        if (options_.half_cycles == 0) value *= 0.5 * width_ * std::sqrt(2 * pi);
    }
    return value;
}

double Pulse::highest_frequency(double level) const noexcept {
    const double f0 = options_.centre_frequency, threshold = level * std::abs(spectrum(f0));
    const double step = f0 / 100;
    for (int n = 4000; n > 100; --n)
        if (std::abs(spectrum(n * step)) >= threshold) return std::min((n + 1) * step, 40 * f0);
    return f0;
}

}  // namespace sonolux
