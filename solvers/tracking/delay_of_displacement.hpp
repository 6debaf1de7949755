// sonolux/solvers/tracking/delay_of_displacement.hpp
//
// From displacements between two beamformed images to the delay between their echoes.
//
// Sign: the image of transmission a is the reference, that of b the moved one, and the delay is that of b
// against a. Positive means that the echo comes LATER in b, and lies DEEPER in its image:
//
//     delay(p) = (T_b - t_b)(p) - (T_a - t_a)(p)
//
// with T_k the true time of the echo of a scatterer at p, there and back, and t_k(p) the time that the
// beamformer assumed. With true slowness 1/c and assumed slowness 1/c0 along the straight paths of k this is
// the difference of path integrals  delay = int_b (1/c - 1/c0) ds - int_a (1/c - 1/c0) ds,  transmit and
// receive paths both; where a and b are received alike, the receive paths cancel.
//
// Derivation. The image of k shows the echo where t_k agrees with T_k: at z + u_k, with
// u_k = (T_k - t_k) / (dt_k / dz). The tracker sees displacement * row_spacing = u_b - u_a. With the rates
//
//     q_k(p) = c0 dt_k / dz = cos(transmit angle) + cos(receive angle)              at p, from the z axis
//
// (for elements  z / |p - tx| + z / |p - rx|) and 1/q = (1/q_a + 1/q_b) / 2:
//
//     delay = displacement row_spacing q / c0
//             + ((T_a - t_a) + (T_b - t_b)) (1/q_a - 1/q_b) q / 2
//
// This is the first line. The second one, half the difference of the rates times the mean error of the
// assumed times, cannot be known before the speed is; it vanishes where q_a = q_b, and is what is called the
// error of the echo's position in the literature on computed ultrasound tomography in echo mode (M. Jaeger,
// P. Stahli et al.). Common mid-angles keep it small: q_a / q_b is
// cos((alpha_a - beta_a) / 2) / cos((alpha_b - beta_b) / 2) there.
#pragma once

#include <sonolux/core/acoustics/transmission.hpp>
#include <sonolux/core/array.hpp>

namespace sonolux {

/// How the echoes of an image were received.
struct ReceivePath {
    enum class Kind {
        angle,     ///< by elements in the direction `angle` from each pixel
        element,   ///< from one point, `position`
        aperture,  ///< by all elements within depth / (2 f_number) on either side of each pixel
    };
    Kind kind = Kind::angle;

    /// From +z towards +x, as a plane wave from there would travel: elements are at x - z tan(angle). 0 is
    /// straight above.
    double angle = 0;
    Point position;
    double f_number = 1;

    friend bool operator==(const ReceivePath&, const ReceivePath&) = default;
};

/// c0 dt / dz of the wavefront at p: cos(angle) for plane waves, (z - z_s) / |p - s| for a source, and the
/// same with its sign before a focus.
[[nodiscard]] double transmit_rate(const Transmission& transmission, Point p) noexcept;

/// cos(angle), z / |p - position|, or the mean of z / |p - e| over the aperture: with t = 1 / (2 f_number),
/// asinh(t) / t. An aperture that ends with the array is not whole: give its middle as an element instead.
[[nodiscard]] double receive_rate(const ReceivePath& path, Point p) noexcept;

/// One of the two images of a pair.
struct EchoPath {
    Transmission transmission;
    ReceivePath receive;
};

/// Factors [rows, columns], in s per row of displacement, at the points of `grid`:
///
///     delay = factor displacement,     factor = row_spacing q / c0,     1/q = (1/q_a + 1/q_b) / 2
///
/// `grid` is that of the results (BlockLayout::grid), `row_spacing` that of the images. NaN where a rate is
/// not above 0: echoes do not come from there. Made once for a pair; applied by `delays_of_displacements`.
///
/// Throws Error{invalid_argument} naming the field: a row_spacing outside [1e-6, 0.01] m, a speed outside
/// [100, 10000] m/s, an f-number outside [0.1, 100], an angle beyond 1.4 rad, a point that is not finite.
[[nodiscard]] Array<float> delay_factors(const ImageGrid& grid, double row_spacing, double sound_speed,
                                         const EchoPath& a, const EchoPath& b);

/// delay = factor displacement, element by element; NaN where either is NaN. In place too. All views are
/// contiguous and of one shape, else Status::size_mismatch.
[[nodiscard]] Status delays_of_displacements(View<const float> displacement, View<const float> factors,
                                             View<float> delay) noexcept;

}  // namespace sonolux
