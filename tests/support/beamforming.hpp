// tests/support/beamforming.hpp
//
// Recordings of point targets, written out from the definition of the acquisition's clock.
#pragma once

#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include <sonolux/core/acoustics/acquisition.hpp>
#include <sonolux/core/acoustics/transmit_field.hpp>

namespace sonolux {

/// An array and what it sends; sampled at 20 MHz around 5 MHz from 1 us on.
[[nodiscard]] inline Acquisition recording_of(const TransducerArray& array,
                                              std::vector<Transmission> transmissions, Index samples) {
    Acquisition a{.array = array, .transmissions = std::move(transmissions), .start_times = {}};
    a.sampling_frequency = 20e6;
    a.centre_frequency = 5e6;
    a.start_times.assign(a.transmissions.size(), 1e-6);
    a.samples = samples;
    a.peak_time = 0.3e-6;
    a.lens_delay = 0.1e-6;
    return a;
}

/// One frame of the echoes of a point: a Gaussian pulse of 1 us, of the centre frequency, on every trace.
[[nodiscard]] inline Array<float> echoes_of(const Acquisition& a, Point p, double sound_speed) {
    const Index parts = a.demodulated() ? 2 : 1;
    Array<float> frame({a.sent(), a.array.size(), parts * a.samples});
    for (Index k = 0; k < a.sent(); ++k) {
        const TransmitField field(a.transmissions[static_cast<std::size_t>(k)], a.array, sound_speed,
                                  a.centre_frequency);
        for (Index e = 0; e < a.array.size(); ++e) {
            const double arrival = field.time(p) + length(p - a.array[e].position) / sound_speed;
            for (Index n = 0; n < a.samples; ++n) {
                const double since_start = static_cast<double>(n) / a.sampling_frequency;
                const double t = a.focusing_start(k) + since_start - arrival;
                const std::complex<double> analytic =
                    std::exp(-t * t / (2 * 0.2e-6 * 0.2e-6)) *
                    std::polar(1.0, 2 * std::numbers::pi * a.centre_frequency * t);
                if (parts == 1) {
                    frame(k, e, n) = static_cast<float>(analytic.real());
                    continue;
                }
                const double clock = a.start_times[static_cast<std::size_t>(k)] + since_start;
                const std::complex<double> down =
                    analytic * std::polar(1.0, -2 * std::numbers::pi * a.demodulation_frequency * clock);
                frame(k, e, 2 * n) = static_cast<float>(down.real());
                frame(k, e, 2 * n + 1) = static_cast<float>(down.imag());
            }
        }
    }
    return frame;
}

}  // namespace sonolux
