// sonolux/simulation/acoustics/pulse.hpp
//
// The pulse that a transducer sends and hears: a burst of half-cycles, a Gaussian-modulated cosine, or the
// first through the band of the second.
#pragma once

#include <complex>

#include <sonolux/core/error.hpp>

namespace sonolux {

struct PulseOptions {
    double centre_frequency = 5e6;  ///< Hz, 1e4 to 1e9

    /// Length of the excitation sin(2 pi f t), 0 to 1000 half-cycles; 0: an impulse (then bandwidth is
    /// needed).
    int half_cycles = 4;

    /// Of the transducer, pulse and echo together: width of its Gaussian band where it has fallen to one half
    /// (-6 dB), relative to the centre frequency; at most 2. 0: it passes everything.
    double bandwidth = 0;

    friend bool operator==(const PulseOptions&, const PulseOptions&) = default;
};

/// With f0 the centre frequency, T the length of the excitation, and h the transducer,
///
///     h(t) = g exp(-(t - t_h)^2 / (2 w^2)) cos(2 pi f0 (t - t_h)),    w = sqrt(2 ln 2) / (pi bandwidth f0)
///
/// the pulse is sin(2 pi f0 t) on [0, T], or h, or the convolution of both. h is delayed by t_h = 4.5 w,
/// which makes it begin at 0 (where it is 4e-5 of its peak), and scaled to pass f0 unchanged; alone, to a
/// peak of 1.
class Pulse {
public:
    /// Throws Error{invalid_argument} naming the option that is outside its range.
    explicit Pulse(const PulseOptions& options);

    [[nodiscard]] const PulseOptions& options() const noexcept { return options_; }
    [[nodiscard]] double centre_frequency() const noexcept { return options_.centre_frequency; }

    /// The pulse is 0 before time 0 and after its duration (s).
    [[nodiscard]] double duration() const noexcept { return excitation_ + 2 * delay_; }

    /// The middle of its envelope, in s after the excitation begins: what beamformers subtract.
    [[nodiscard]] double peak_time() const noexcept { return 0.5 * duration(); }

    /// p(t). The convolution is evaluated by Simpson's rule, to 1e-8.
    [[nodiscard]] double operator()(double t) const noexcept;

    /// The integral of p(t) exp(-2 pi i f t) over t, of the pulse that is not cut off at its ends.
    [[nodiscard]] std::complex<double> spectrum(double frequency) const noexcept;

    /// The frequency from which on |spectrum| stays below `level` of its value at the centre frequency; at
    /// most 40 centre frequencies. -40 dB by default.
    [[nodiscard]] double highest_frequency(double level = 0.01) const noexcept;

private:
    PulseOptions options_;
    double excitation_ = 0;  // T
    double width_ = 0;       // w; 0 without a band
    double delay_ = 0;       // t_h
};

}  // namespace sonolux
