// sonolux/core/acoustics/transmission.hpp
//
// What an array sends: when each element fires, how strongly, and the wavefront that is meant by it.
//
// Time 0 of a transmission is the moment when the first of its active elements begins to fire. Delays count
// from there, so they are at least 0 and the smallest among active elements is 0. Where a pulse has its peak
// later than its beginning, that comes on top (Pulse::peak_time in simulation).
#pragma once

#include <vector>

#include <sonolux/core/acoustics/transducer_array.hpp>

namespace sonolux {

enum class Wavefront {
    plane,      ///< travels along `angle`
    diverging,  ///< comes from a virtual source behind the array
    focused,    ///< converges to a focus in front of it, and diverges from there
    element,    ///< comes from one element
};

[[nodiscard]] const char* to_string(Wavefront wavefront) noexcept;

struct Transmission {
    Wavefront wavefront = Wavefront::plane;

    /// Plane waves: the direction of travel, from +z (down) towards +x (right), in rad.
    double angle = 0;

    /// The virtual source, the focus or the element. Not used by plane waves.
    Point focus;

    /// When the ideal wavefront passes x = z = 0 (plane) or `focus` (all others), in s from time 0; before
    /// time 0 for virtual sources.
    double focus_time = 0;

    /// What the delays were computed for, in m/s; 0 where they need none (one element).
    double sound_speed = 0;

    std::vector<double> delays;       ///< [element], s, at least 0; 0 where the weight is 0
    std::vector<double> apodization;  ///< [element], weights; 0 for elements that do not fire

    friend bool operator==(const Transmission&, const Transmission&) = default;
};

/// Windows over a part of the array. Weights are at most 1; none inside the aperture is 0.
enum class ApertureWindow { rectangular, hann, tukey };

/// [elements] weights: a window over the elements first, ..., first + count - 1, and 0 elsewhere. The window
/// is sampled at (n + 1/2) / count; `taper` is the part of Tukey's window that falls off (0: rectangular,
/// 1: Hann). Throws Error{invalid_argument} unless 0 <= first, 1 <= count, first + count <= elements and
/// taper is in [0, 1].
[[nodiscard]] std::vector<double> aperture_weights(Index elements, Index first, Index count,
                                                   ApertureWindow window = ApertureWindow::rectangular,
                                                   double taper = 0.5);

/// All of these take weights [element] (empty means that all elements fire with weight 1) and throw, naming
/// the field, its value and what was expected: Error{size_mismatch} where there are not as many weights as
/// elements, Error{invalid_argument} where one is not finite, all are 0, or sound_speed is outside
/// [100, 10000] m/s.
///
/// With e_i the position of element i:
///
///     plane      t_i = (e_i . n) / c,  n = (sin(angle), cos(angle))         |angle| <= 1.4 rad
///     diverging  t_i = |e_i - source| / c       the source behind every active element, within 1 m
///     focused    t_i = -|e_i - focus| / c       the focus in front of every active element, within 1 m
///
/// from which the smallest among active elements is subtracted.
[[nodiscard]] Transmission plane_wave(const TransducerArray& array, double angle, double sound_speed,
                                      std::vector<double> apodization = {});
[[nodiscard]] Transmission diverging_wave(const TransducerArray& array, Point source, double sound_speed,
                                          std::vector<double> apodization = {});
[[nodiscard]] Transmission focused_beam(const TransducerArray& array, Point focus, double sound_speed,
                                        std::vector<double> apodization = {});

/// Element `element` alone, with weight 1. Throws Error{invalid_argument} unless the array has it.
[[nodiscard]] Transmission single_element(const TransducerArray& array, Index element);

/// One transmission from each element: full synthetic aperture.
[[nodiscard]] std::vector<Transmission> synthetic_aperture(const TransducerArray& array);

/// Throws Error{size_mismatch} where a transmission has not as many delays or weights as the array has
/// elements, Error{invalid_argument} where a delay is negative, not finite or above 1e-3 s, a weight is not
/// finite or all are 0. `who` starts the sentence. For transmissions that were read from files.
void validate(const Transmission& transmission, const TransducerArray& array,
              const char* who = "transmission");

/// When the ideal wavefront passes `p` in a medium of uniform speed, in s from time 0:
///
///     plane      focus_time + (p . n) / c
///     focused    focus_time -+ |p - focus| / c, minus where p is nearer to the array than the focus:
///                before the plane through the focus at right angles to the line from the middle of the
///                active elements (where the formula jumps, off that line)
///     others     focus_time + |p - focus| / c
///
/// `focus_time` was computed for transmission.sound_speed; where `sound_speed` differs from it, so does the
/// real wavefront's shape (that of a map of speeds takes an eikonal solver).
[[nodiscard]] double wavefront_time(const Transmission& transmission, const TransducerArray& array, Point p,
                                    double sound_speed) noexcept;

}  // namespace sonolux
