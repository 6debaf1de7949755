// sonolux/core/acoustics/acquisition.hpp
//
// A recording of an ultrasound probe, as every part of Sonolux hands it on: what was sent, who heard it, how
// it was sampled, and the samples.
//
// One clock: time 0 of a transmission is when the first of its active elements begins to fire (see
// transmission.hpp). Sample n of transmission k was taken at
//
//     start_times[k] + n / sampling_frequency
//
// and the echo of a point p reaches element e, at its peak, at
//
//     wavefront_time(k, p) + |p - e| / c + peak_time + lens_delay
//
// Files and scanners have other conventions (time from the peak, from the middle of the array, lens left
// out); whoever reads them converts to this one.
#pragma once

#include <vector>

#include <sonolux/core/acoustics/transmission.hpp>
#include <sonolux/core/array.hpp>

namespace sonolux {

/// Everything about a recording but its samples. SI units.
struct Acquisition {
    TransducerArray array;
    std::vector<Transmission> transmissions = {};

    double sampling_frequency = 0;  ///< Hz, of the samples as they are stored
    double centre_frequency = 0;    ///< Hz, of the pulse

    /// 0: samples are RF, real. Otherwise they are complex, (analytic signal) exp(-2 pi i f t) with this f in
    /// Hz and t counted from time 0 of the transmission.
    double demodulation_frequency = 0;

    std::vector<double> start_times = {};  ///< [transmission], s from time 0 to sample 0; may be negative
    Index samples = 0;                     ///< of each trace

    double peak_time = 0;    ///< s from the beginning of the pulse to the peak of its envelope
    double lens_delay = 0;   ///< s that the lens before the elements costs, there and back
    double sound_speed = 0;  ///< m/s, assumed where nothing better is known; 0: the file does not say
    double frame_rate = 0;   ///< Hz; 0: unknown

    [[nodiscard]] bool demodulated() const noexcept { return demodulation_frequency != 0; }
    [[nodiscard]] Index sent() const noexcept { return static_cast<Index>(transmissions.size()); }

    /// When sample 0 of transmission k was taken, on the clock on which an ideal echo peaks at
    /// wavefront_time + |p - e| / c: start time less pulse peak and lens. What beamformers use.
    [[nodiscard]] double focusing_start(Index k) const noexcept {
        return start_times[static_cast<std::size_t>(k)] - peak_time - lens_delay;
    }

    friend bool operator==(const Acquisition&, const Acquisition&) = default;
};

/// Throws, naming the field, its value and what was expected. Error{size_mismatch}: not a start time for each
/// transmission, delays or weights that do not fit the array. Error{invalid_argument}: no transmission, no
/// samples (at most 2^24), frequencies outside [1e4, 1e9] Hz (demodulation: 0 or such), a sampling frequency
/// not above the centre frequency of RF, a start, peak or lens time beyond 1 s, 1e-3 s, 1e-4 s, a sound speed
/// neither 0 nor in [100, 10000] m/s. `who` starts the sentence.
void validate(const Acquisition& acquisition, const char* who = "acquisition");

/// A recording with its samples.
struct ChannelData {
    Acquisition acquisition;

    /// [frame, transmission, element, sample] for RF. Demodulated: [frame, transmission, element, 2 samples],
    /// real and imaginary part in turn. NaN marks what was not measured.
    Array<float> values;

    [[nodiscard]] Index frames() const noexcept { return values.shape()[0]; }

    /// One frame, [transmission, element, sample] of real numbers. Of RF only.
    [[nodiscard]] View<const float> frame(Index frame) const noexcept {
        const Shape& s = values.shape();
        return {values.data() + frame * s[1] * s[2] * s[3], {s[1], s[2], s[3]}};
    }
};

/// Throws as for the acquisition, and Error{size_mismatch} where the samples are not of its sizes.
void validate(const ChannelData& data, const char* who = "channel data");

}  // namespace sonolux
