// sonolux/core/operators/path_geometry.hpp
//
// Which straight rays a measurement of travel times is made of, and which pixels see it.
//
// A measurement is a weighted sum of travel times along straight rays to one and the same point:
//
//     delay(m, p) = sum over rays r of m of  weight_r * integral of slowness along ray r to p
//
// The difference between two transmissions is two rays with weights 1 and -1: the way back to the receiver is
// the same for both and cancels. Where it does not cancel (plane waves with steered receive apertures), the
// receive side is two more rays.
#pragma once

#include <utility>
#include <vector>

#include <sonolux/core/acoustics/straight_ray.hpp>
#include <sonolux/core/acoustics/transmission.hpp>
#include <sonolux/core/array.hpp>

namespace sonolux {

/// A family of rays, one to each point: parallel, or from one place.
struct RaySource {
    enum class Kind { plane, point };

    Kind kind = Kind::point;

    /// Of parallel rays: the direction of travel, from +z (down) towards +x (right), in rad. A receive
    /// aperture that looks down and to the right has a positive angle too.
    double angle = 0;

    /// Of rays from one place: an element, or a virtual source behind the array.
    Point origin;

    /// Rays from one place reach points with 2 f_number |x - origin.x| <= z - origin.z; 0: all points.
    double f_number = 0.5;

    /// The depth of the array's face. What a ray goes through above it (behind the array) does not count:
    /// the delays of the elements stand for that.
    double surface = 0;

    /// Where the integral begins.
    [[nodiscard]] double entry() const noexcept {
        return kind == Kind::plane ? surface : std::max(surface, origin.z);
    }
    /// Where the ray to `p` begins: at the depth entry().
    [[nodiscard]] Point entry_point(Point p) const noexcept;

    friend bool operator==(const RaySource&, const RaySource&) = default;
};

[[nodiscard]] RaySource plane_rays(double angle);
[[nodiscard]] RaySource point_rays(Point origin, double f_number = 0.5);

/// The rays of a transmission: parallel for plane waves, from the virtual source or the element otherwise.
/// Throws Error{unsupported} for focused beams, whose rays are not the first arrivals.
[[nodiscard]] RaySource rays_of(const Transmission& transmission, double f_number = 0.5);

struct WeightedRays {
    RaySource source;
    double weight = 1;

    friend bool operator==(const WeightedRays&, const WeightedRays&) = default;
};
using PathSum = std::vector<WeightedRays>;

/// Travel time of `a` minus that of `b`.
[[nodiscard]] PathSum transmission_difference(const RaySource& a, const RaySource& b);

/// Directions of travel of a plane wave sent, and of the receive aperture (rad, see RaySource::angle).
struct SteeredPair {
    double transmit = 0, receive = 0;
};

/// What tracking between two images of a common mid-angle (transmit + receive) / 2 sees, `a` minus `b`: an
/// echo moves along the mid-angle by c / (2 cos h) times the change of its two-way travel time, where h =
/// (transmit - receive) / 2, and a displacement along it is read as a delay of 2 / c times as much. So
///
///     delay = (T(a.transmit) + T(a.receive)) / cos h_a - (T(b.transmit) + T(b.receive)) / cos h_b
///
/// to first order in the deviation of slowness from that of the beamformer, which is what a plane wave's
/// operator applies to: its delays were computed for one speed, and its horizontal slowness stays.
/// Source: M. Jaeger et al. 2015, Ultrasound Med. Biol. 41, 235; with the echo's position as P. Staehli et
/// al. 2020, Ultrasonics 108, 106168.
///
/// Throws Error{invalid_argument} unless the mid-angles are equal to 1e-6 rad and no angle is above 1.4 rad.
[[nodiscard]] PathSum mid_angle_difference(const SteeredPair& a, const SteeredPair& b);

/// Everything that a travel-time operator is made from.
struct PathGeometry {
    ImageGrid map;                      ///< of slowness
    ImageGrid points;                   ///< where delays are measured
    std::vector<PathSum> measurements;  ///< at each point

    friend bool operator==(const PathGeometry&, const PathGeometry&) = default;
};

/// Differences between single elements, first minus second of each pair (numbered from 0), at the pixels of
/// the map. Throws Error{invalid_argument} for an element that the array does not have.
[[nodiscard]] PathGeometry element_pairs(const ImageGrid& map, const TransducerArray& array,
                                         const std::vector<std::pair<Index, Index>>& pairs,
                                         double f_number = 0.5);

/// Throws Error{invalid_argument} naming what is wrong: a bad grid, no measurement or one without rays, a
/// weight that is not finite or 0, an angle beyond 1.4 rad, a source further than 1 m away or in front of the
/// surface of its rays, a negative f-number, or a map that begins below the surface.
void validate(const PathGeometry& geometry);

/// Whether the ray to p exists and stays inside the pixels of the map.
[[nodiscard]] bool sees(const RaySource& source, const ImageGrid& map, Point p) noexcept;

/// [measurement, rows, columns] of the points: 1 where all rays of the measurement see the point, else 0.
/// A travel-time operator has rows of zeros there, so such measurements have to be left out.
[[nodiscard]] Array<float> coverage(const PathGeometry& geometry);

/// How far from the edges of the points' grid measurements are trusted (m; M. Bernhardt et al. 2020).
struct MaskMargins {
    double near = 5e-3;  ///< below the first row's depth, or below z = 0 if that is deeper
    double far = 2e-3;
    double side = 4e-3;
};

/// The coverage, and 0 within the margins.
[[nodiscard]] Array<float> measurement_mask(const PathGeometry& geometry, const MaskMargins& margins = {});

/// How much ray there is in each pixel, and in which direction: the sum over measurements that `mask` (of the
/// shape of `coverage`) does not exclude, of |weight| chord |direction|, in m. [2, rows, columns] of the map;
/// plane 0 is the part along x, plane 1 that along z. Takes as long as the explicit operator.
[[nodiscard]] Array<float> ray_density(const PathGeometry& geometry, View<const float> mask);

}  // namespace sonolux
