// sonolux/solvers/tracking/common_mid_angle.hpp
//
// Which receive angle goes with which transmit angle, so that images of different transmissions show the same
// speckle.
//
// A plane wave sent along alpha and received along beta sees the spatial frequency along the direction half
// way, (alpha + beta) / 2. Images of one such mid-angle are of the same speckle (the common mid-angle of D.
// Rachlin 1990, and of N. Korta Martiartu and M. Jaeger, arXiv:1902.10639): what differs between them are the
// delays on the ways. Angles are those of Transmission: directions in which a plane wave travels, from +z
// towards +x; an echo received along beta comes from elements at x - z tan(beta).
#pragma once

#include <vector>

#include <sonolux/core/acoustics/transmission.hpp>
#include <sonolux/solvers/tracking/delay_of_displacement.hpp>

namespace sonolux {

/// One image of a mid-angle.
struct MidAngleImage {
    Index transmission = 0;    ///< its number in the list
    double receive_angle = 0;  ///< rad, 2 mid_angle - transmit angle

    friend bool operator==(const MidAngleImage&, const MidAngleImage&) = default;
};

/// The plane waves of a list whose receive angle for this mid-angle is within `largest_receive_angle`, in the
/// order of their transmit angles. Others than plane waves are left out. Neighbours in the result are the
/// pairs to track: of least decorrelation, with the first as the reference.
///
/// Throws Error{invalid_argument} unless the mid-angle and largest_receive_angle are within 1.4 rad, and
/// where fewer than two images are left, telling how many plane waves there were.
[[nodiscard]] std::vector<MidAngleImage> common_mid_angle(const std::vector<Transmission>& transmissions,
                                                          double mid_angle, double largest_receive_angle);

/// The path of such an image.
[[nodiscard]] inline EchoPath echo_path(const std::vector<Transmission>& transmissions,
                                        const MidAngleImage& image) {
    return {transmissions[static_cast<std::size_t>(image.transmission)],
            {.kind = ReceivePath::Kind::angle, .angle = image.receive_angle, .position = {}, .f_number = 1}};
}

/// Elements [first, first + count) of an aperture; count may be 0.
struct ElementRange {
    Index first = 0, count = 0;
};

/// The elements that receive the echo of p along `angle`: those within depth / (2 f_number) of where the
/// line through p in that direction meets z = 0,
///
///     |x_e - (x - z tan(angle))| <= z / (2 f_number)
///
/// Elements are taken in the order of the array, with x increasing. Half-empty apertures see another mean
/// angle than was asked for: compare `count` with that of a pixel in the middle. noexcept: for use per pixel.
[[nodiscard]] ElementRange receive_aperture(const TransducerArray& array, Point p, double angle,
                                            double f_number) noexcept;

}  // namespace sonolux
