// sonolux/simulation/acoustics/directivity.hpp
//
// How much an element of finite width sends to, and hears from, the side.
#pragma once

#include <numbers>

#include <sonolux/core/acoustics/transducer_array.hpp>

namespace sonolux {

/// What an element is mounted in (A. Selfridge, G. Kino, B. Khuri-Yakub, Appl. Phys. Lett. 37, 1980, 35).
enum class Baffle {
    rigid,  ///< the face moves in a wall that does not: 1
    soft,   ///< in a surface without pressure: cos(theta)
};

/// Far-field amplitude at the angle theta from the element's normal, relative to straight ahead:
///
///     D(theta) = sin(u) / u * (1 or cos(theta)),    u = pi width sin(theta) / wavelength
///
/// Negative in side lobes; 0 behind the element, and with a soft baffle along its face.
[[nodiscard]] inline double directivity(const ArrayElement& element, Point p, double width, double wavelength,
                                        Baffle baffle) noexcept {
    const Point way = p - element.position;
    const double distance = length(way);
    if (distance == 0) return 1;
    const double cosine = dot(way, element.normal()) / distance;
    if (cosine < 0) return 0;
    const double sine = std::sqrt(std::max(0.0, 1 - cosine * cosine));
    const double u = std::numbers::pi * width * sine / wavelength;
    const double sinc = u < 1e-6 ? 1 : std::sin(u) / u;
    return baffle == Baffle::soft ? sinc * cosine : sinc;
}

}  // namespace sonolux
