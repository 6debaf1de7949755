// sonolux/sdk/pipelines/map_delays.hpp
//
// Delays for beamforming in a medium whose sound speed is known from a map.
#pragma once

#include <sonolux/core/acoustics/focusing_delays.hpp>
#include <sonolux/core/context.hpp>

namespace sonolux {

/// Times along bent rays, by the eikonal solver (simulation/acoustics/eikonal.hpp), with T_e(p) the first
/// arrival from element e at p:
///
///     receive            T_e(p)
///     single element     d_e + T_e(p)
///     plane, diverging   min over the active elements of d_e + T_e(p), between elements by a parabola
///     focused            t(p) + mean over the active elements of T_e(p) - |p - e| / c, weighted by
///                        a_e exp(-(4 f (d_e + |p - e| / c - t(p)))^2)
///
/// with d_e the delays, a_e the weights, f the centre frequency, and t the front of the beam in a uniform
/// medium of the speed c that its delays were computed for (TransmitField): a beam has no first arrival
/// beyond its focus, so the map's delays are those of the elements whose waves are in phase with the front.
///
/// `sound_speed` is [rows, columns] of `map`, m/s. Throws Error{invalid_argument} where the map does not
/// cover the image and the whole array, saying how far each reaches, or a speed is not in [100, 10000] m/s
/// (NaN neither); Error{size_mismatch} where it does not have the sizes of its grid; and as FocusingDelays.
[[nodiscard]] FocusingDelays map_delays(const Acquisition& acquisition, const ImageGrid& image,
                                        const ImageGrid& map, View<const float> sound_speed,
                                        Context& context);

}  // namespace sonolux
