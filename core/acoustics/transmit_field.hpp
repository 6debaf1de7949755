// sonolux/core/acoustics/transmit_field.hpp
//
// When the wave of a transmission passes a point of a uniform medium, and whether it does so at all: what
// beamformers need to know of transmissions.
#pragma once

#include <vector>

#include <sonolux/core/acoustics/transmission.hpp>

namespace sonolux {

/// One transmission in a medium whose speed c may differ from the c0 that its delays were computed for.
/// Elements fire when they fire, so that delays hold at the array and everything beyond it goes with c:
///
///     plane      t = focus_time + x sin(angle) / c0 + z cos(refracted) / c
///                    with sin(refracted) = sin(angle) c / c0
///     element    t = focus_time + |p - e| / c
///     diverging  t = t_A + (|p - source| - |A - source|) / c,   t_A = focus_time + |A - source| / c0
///     focused    t = t_A + (|focus - A| + s) / c,               t_A = focus_time - |A - focus| / c0
///
/// where A is the mean position of the active elements. A beam does not converge to a point: its front is
/// flat in the focus, and so is this one. With p a beyond the focus along the axis from A to it, and b beside
/// the axis,
///
///     s = a + sign(a) (sqrt(R^2 + b^2) - R),    R = |a| + z_R^2 / |a|,    z_R = 4 F^2 wavelength / pi
///
/// the front of a Gaussian beam that diverges by 1 / (2 F) to either side, F = |focus - A| / width of the
/// aperture (A. Siegman, Lasers, 1986, section 17.1; the parabola is made a circle). It is smooth everywhere;
/// away from the focus s is -+|p - focus|, the formula of wavefront_time, which jumps beside the focus.
/// The phase that a beam gains in its focus (Gouy) is left out. An aperture narrower than the wavelength
/// sends the wave of one element.
class TransmitField {
public:
    /// Throws Error{invalid_argument} for a speed outside [100, 10000] m/s, a centre frequency outside
    /// [1e4, 1e9] Hz, and a plane wave that cannot enter the medium: sin(angle) c / c0 of 1 or more.
    TransmitField(const Transmission& transmission, const TransducerArray& array, double sound_speed,
                  double centre_frequency);

    /// s from time 0 of the transmission.
    [[nodiscard]] double time(Point p) const noexcept;

    /// The ray that goes through p: where it leaves the aperture, and how steeply.
    struct Ray {
        bool inside = false;   ///< whether it begins at an active element (half its width counts)
        double steepness = 0;  ///< |tangent| of its angle with the normal of the array there

        /// For focused beams: |b| / w, w = waist sqrt(1 + (a / z_R)^2) with the waist 2 F wavelength / pi:
        /// the half-width of the beam, which is that of its cone away from the focus. 0 for other waves.
        double across = 0;
    };
    [[nodiscard]] Ray ray(Point p) const noexcept;

    [[nodiscard]] Wavefront wavefront() const noexcept { return wavefront_; }

private:
    [[nodiscard]] Ray ray_along(Point p, Point direction) const noexcept;

    Wavefront wavefront_;
    Point direction_;  // of travel: plane waves, the axis of beams
    Point focus_;
    double start_ = 0;                  // time at the focus or source; of plane waves at x = z = 0
    double slowness_ = 0, across_ = 0;  // s/m; across: sin(angle) / c0 of plane waves
    double rayleigh_ = 0, waist_ = 0;
    std::vector<ArrayElement> active_;
    double element_width_ = 0;
};

}  // namespace sonolux
