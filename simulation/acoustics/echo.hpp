// sonolux/simulation/acoustics/echo.hpp
//
// The echo domain: channel data of point scatterers in a medium of varying sound speed, in seconds.
//
// Between the ray domain (delays alone) and the wave domain (everything): each scatterer gives to each pair
// of sender and receiver one echo, which arrives when the eikonal equation says, as strongly as spreading,
// directivity and attenuation along the path leave it. Multiple scattering, reflection at steps of the
// medium, caustics and the phase they bring, are left out.
//
//     rf[k, e, n] = sum over scatterers s of   q_s a_k(s) a_e(s) p(n / fs + start_time - t_k(s) - t_e(s))
//
// with t the first arrivals, a the amplitudes, and p the pulse, filtered by the power law of the attenuation
// along both ways, with the dispersion that causality demands:
//
//     P(f) exp(-A (f / f0)^y - i A tan(pi y / 2) ((f / f0)^y - f / f0))        A: Np on the path at f0
//
// (T. Szabo, J. Acoust. Soc. Am. 96, 1994, 491; for y = 1 the limit, 2 / pi (f / f0) ln(f / f0)). The speed
// of the map is that at f0.
#pragma once

#include <sonolux/core/acoustics/transmission.hpp>
#include <sonolux/simulation/acoustics/directivity.hpp>
#include <sonolux/simulation/acoustics/eikonal.hpp>
#include <sonolux/simulation/acoustics/pulse.hpp>

namespace sonolux {

/// Point scatterers: where, and how strongly each reflects.
struct Scatterers {
    std::vector<Point> positions;
    std::vector<float> reflectivity;
};

/// What the echo domain needs to know of a medium. Views must live as long as the call that takes them.
struct EchoMedium {
    ImageGrid grid;
    View<const float> sound_speed;  ///< m/s, [rows, columns]
    View<const float>
        attenuation;  ///< dB/(MHz^y cm), [rows, columns]; empty: `uniform_attenuation` everywhere
    double uniform_attenuation = 0;
    double attenuation_power = 1.1;  ///< y, 0.5 to 2
};

enum class Spreading {
    cylindrical,  ///< sqrt(1 mm / r) each way: a plane world, as the two-dimensional wave domain has it
    spherical,    ///< 1 mm / r each way
};

/// How transmissions of more than one element are made. A single element is the same with both.
enum class TransmitModel {
    /// One echo from each scatterer: at the first arrival of the elements' waves (between elements, by a
    /// parabola), with the amplitude that the waves have at f0 which overlap the first one. For plane and
    /// diverging waves; focused beams, whose first arrival beyond the focus is not the beam, are superposed.
    wavefront,

    /// The sum of the elements' waves, with everything that belongs to it: edge waves, grating lobes, the
    /// focus. As many times slower as there are active elements. The half-integral that the sum over a line
    /// of elements makes of a pulse is undone, so that a wavefront has the pulse itself.
    superposition,
};

struct EchoOptions {
    double sampling_frequency = 40e6;  ///< Hz; at least twice the pulse's highest frequency at -40 dB
    double start_time = 0;             ///< s from time 0 of each transmission to its first sample
    Index samples = 0;                 ///< of each trace, 1 to 2^20
    Spreading spreading = Spreading::cylindrical;
    Baffle baffle = Baffle::soft;
    TransmitModel transmit = TransmitModel::wavefront;
};

/// Simulates acquisitions through one medium with one array. Set-up solves the eikonal equation for every
/// element (on the context's threads) and keeps the result: 8 bytes a pixel and element, 16 with attenuation.
class EchoSimulator {
public:
    /// Throws Error{invalid_argument} naming field, value and limit: an element outside the map, a speed
    /// outside [100, 10000] m/s, an attenuation outside [0, 100] dB/(MHz^y cm), a power outside [0.5, 2], a
    /// sampling frequency too low for the pulse, a number of samples or a start time out of range; and
    /// Error{size_mismatch} where a map is not that of the grid.
    EchoSimulator(TransducerArray array, const EchoMedium& medium, const Pulse& pulse,
                  const EchoOptions& options, Context& context);

    [[nodiscard]] const TransducerArray& array() const noexcept { return array_; }
    [[nodiscard]] const EchoOptions& options() const noexcept { return options_; }

    /// When sound from element `element` is at `p`, in s; NaN outside the map.
    [[nodiscard]] double travel_time(Index element, Point p) const noexcept {
        return elements_[static_cast<std::size_t>(element)].time(p);
    }

    /// Overwrites rf, [transmission, element, sample]. Same bits for any number of threads, and for each
    /// transmission whatever others are simulated with it.
    ///
    /// Arrivals are kept in float samples (2^-24 relative), and the pulse is interpolated linearly between 32
    /// places in a sample, which errs by (2 pi f / (32 fs))^2 / 8 of a component of frequency f: 8e-5 at
    /// fs / 8, 1e-3 at most. Attenuation is exact at f0 and steps by 0.5 dB in the shape of the spectrum.
    ///
    /// Reports progress to the context. Throws Error{cancelled} or {deadline_exceeded} where the context says
    /// so, Error{invalid_argument} for a scatterer outside the map or one not finite, a transmission that
    /// does not fit the array, and where no echo at all falls into the recording; Error{size_mismatch} for
    /// a wrong shape of rf, or not as many reflectivities as positions.
    void simulate(const std::vector<Transmission>& transmissions, const Scatterers& scatterers,
                  View<float> rf, Context& context) const;

private:
    TransducerArray array_;
    Pulse pulse_;
    EchoOptions options_;
    double power_ = 1;       // y
    double wavelength_ = 0;  // at f0, with the mean speed of the map
    bool lossy_ = false;
    ImageGrid grid_;
    std::vector<TravelTimes> elements_;
};

}  // namespace sonolux
