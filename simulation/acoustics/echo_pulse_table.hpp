// sonolux/simulation/acoustics/echo_pulse_table.hpp
//
// Pulses as they are added to traces: sampled at 32 places between two samples, for steps of attenuation.
#pragma once

#include <vector>

#include <sonolux/core/array.hpp>
#include <sonolux/core/isa.hpp>
#include <sonolux/simulation/acoustics/pulse.hpp>

namespace sonolux {

class EchoPulseTable {
public:
    static constexpr Index phases = 32;
    static constexpr double step_np = 0.5 / 8.685889638065037;  ///< between classes of attenuation: 0.5 dB

    /// Pulses through 0, 1, ..., classes - 1 steps of attenuation with the power law of `power`, each scaled
    /// to lose nothing at the centre frequency; `half_derivative` multiplies spectra by (i f / f0)^(1/2).
    EchoPulseTable(const Pulse& pulse, double sampling_frequency, double power, Index classes,
                   bool half_derivative);

    /// Samples of each pulse, a multiple of 8 (zeros at the end).
    [[nodiscard]] Index length() const noexcept { return length_; }

    /// How many samples before its arrival a pulse begins (dispersion and the half-derivative reach there).
    [[nodiscard]] Index lead() const noexcept { return lead_; }

    /// [phases + 1, length] of one class: element (p, n) is the pulse (n - lead + p / phases) samples after
    /// its arrival.
    [[nodiscard]] const float* data(Index attenuation_class) const noexcept {
        return table_.data() + attenuation_class * (phases + 1) * length_;
    }

private:
    Index length_ = 0, lead_ = 0;
    Array<float> table_;
};

/// One trace's worth of echoes: for each scatterer n in [0, count), adds to trace a pulse that arrives
/// first[n] + second[n] + delay samples after trace[0], with the amplitude weight * a[n] * b[n] and the class
/// of attenuation (l[n] + m[n]) / step_np. trace[i] is there for i from -length to samples + length - 1;
/// echoes that would not fit are left out.
struct EchoRows {
    const float *arrival, *amplitude, *attenuation;
};
void add_echoes(const EchoRows& sender, const EchoRows& receiver, Index count, float delay, float weight,
                const EchoPulseTable& table, Index classes, float* trace, Index samples, Isa isa) noexcept;

}  // namespace sonolux
