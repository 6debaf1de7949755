// sonolux/simulation/acoustics/echo_pulse_table.cpp
#include <algorithm>
#include <cmath>
#include <numbers>

#include <sonolux/core/target.hpp>
#include <sonolux/simulation/acoustics/echo_pulse_table.hpp>

namespace sonolux {

namespace {

using Complex = std::complex<double>;
constexpr double pi = std::numbers::pi;

/// exp(-A (r^y - 1) - i A tan(pi y / 2) (r^y - r)), r = f / f0: what a path that attenuates f0 by A Np does
/// to a frequency, relative to f0.
Complex attenuated(double ratio, double power, double nepers) {
    const double rise = std::pow(ratio, power);
    const double phase = std::abs(power - 1) < 1e-6 ? -2 / pi * ratio * std::log(ratio)
                         : power == 2               ? 0
                                                    : std::tan(0.5 * pi * power) * (rise - ratio);
    return std::polar(std::exp(-nepers * (rise - 1)), -nepers * phase);
}

}  // namespace

EchoPulseTable::EchoPulseTable(const Pulse& pulse, double sampling_frequency, double power, Index classes,
                               bool half_derivative) {
    const bool exact = classes == 1 && !half_derivative;  // then the pulse itself, which ends where it ends
    const double period = 1 / pulse.centre_frequency();
    lead_ = exact ? 0 : static_cast<Index>(std::ceil(period * sampling_frequency));
    const double tail = exact ? 0 : 2 * period;
    const Index needed =
        lead_ + static_cast<Index>(std::ceil((pulse.duration() + tail) * sampling_frequency)) + 1;
    length_ = (needed + 7) / 8 * 8;
    table_ = Array<float>({classes, phases + 1, length_});
    const double fine = sampling_frequency * static_cast<double>(phases);
    const Index points = needed * phases;  // of one pulse on the fine grid

    // p(t) = 2 Re of the integral of P(f) exp(2 pi i f t) over f > 0, by a sum that repeats itself after
    // twice the table's time.
    const double spacing = 0.5 * sampling_frequency / static_cast<double>(needed);
    const double highest = std::min(4 * pulse.highest_frequency(), 40 * pulse.centre_frequency());
    const Index frequencies = static_cast<Index>(std::ceil(highest / spacing));
    std::vector<double> waveform(static_cast<std::size_t>(points) + 1);
    for (Index c = 0; c < classes; ++c) {
        if (exact) {
            for (Index n = 0; n <= points; ++n)
                waveform[static_cast<std::size_t>(n)] = pulse(static_cast<double>(n) / fine);
        } else {
            std::fill(waveform.begin(), waveform.end(), 0.0);
            for (Index k = 1; k < frequencies; ++k) {
                const double f = static_cast<double>(k) * spacing, ratio = f / pulse.centre_frequency();
                Complex value =
                    pulse.spectrum(f) * attenuated(ratio, power, static_cast<double>(c) * step_np);
                if (half_derivative) value *= std::polar(std::sqrt(ratio), 0.25 * pi);
                value *= 2 * spacing *
                         std::polar(1.0, -2 * pi * f * static_cast<double>(lead_) / sampling_frequency);
                const Complex turn = std::polar(1.0, 2 * pi * f / fine);
                for (double& sample : waveform) {
                    sample += value.real();
                    value *= turn;
                }
            }
        }
        for (Index p = 0; p <= phases; ++p)
            for (Index n = 0; n < needed; ++n)
                table_(c, p, n) = n * phases + p <= points
                                      ? static_cast<float>(waveform[static_cast<std::size_t>(n * phases + p)])
                                      : 0;
    }
}

namespace {

SLX_INLINE void add_echoes_any(const EchoRows& sender, const EchoRows& receiver, Index count, float delay,
                               float weight, const EchoPulseTable& table, Index classes, float* trace,
                               Index samples) noexcept {
    const Index length = table.length();
    const float lead = static_cast<float>(table.lead());
    const float first = static_cast<float>(-length), last = static_cast<float>(samples);
    constexpr float per_np = static_cast<float>(1 / EchoPulseTable::step_np);
    for (Index n = 0; n < count; ++n) {
        const float arrival = sender.arrival[n] + receiver.arrival[n] + delay - lead;
        if (!(arrival > first && arrival < last)) continue;
        const auto sample = static_cast<Index>(std::ceil(arrival));
        const float phase =
            (static_cast<float>(sample) - arrival) * static_cast<float>(EchoPulseTable::phases);
        const auto place = std::min(static_cast<Index>(phase), EchoPulseTable::phases - 1);
        const float part = phase - static_cast<float>(place);
        const float amplitude = weight * sender.amplitude[n] * receiver.amplitude[n];
        const float nepers = sender.attenuation[n] + receiver.attenuation[n];
        const Index c = std::min(static_cast<Index>(nepers * per_np + 0.5F), classes - 1);
        const float* __restrict before = table.data(c) + place * length;
        const float* __restrict after = before + length;
        const float low = amplitude * (1 - part), high = amplitude * part;
        float* __restrict to = trace + sample;
        for (Index i = 0; i < length; i += 8)
            for (Index lane = 0; lane < 8; ++lane)
                to[i + lane] += low * before[i + lane] + high * after[i + lane];
    }
}

#ifdef SLX_TARGET_AVX2
SLX_TARGET_AVX2 void add_echoes_avx2(const EchoRows& sender, const EchoRows& receiver, Index count,
                                     float delay, float weight, const EchoPulseTable& table, Index classes,
                                     float* trace, Index samples) noexcept {
    add_echoes_any(sender, receiver, count, delay, weight, table, classes, trace, samples);
}
#endif

}  // namespace

void add_echoes(const EchoRows& sender, const EchoRows& receiver, Index count, float delay, float weight,
                const EchoPulseTable& table, Index classes, float* trace, Index samples, Isa isa) noexcept {
#ifdef SLX_TARGET_AVX2
    if (isa == Isa::avx2 || isa == Isa::avx512)
        return add_echoes_avx2(sender, receiver, count, delay, weight, table, classes, trace, samples);
#endif
    (void)isa;
    add_echoes_any(sender, receiver, count, delay, weight, table, classes, trace, samples);
}

}  // namespace sonolux
