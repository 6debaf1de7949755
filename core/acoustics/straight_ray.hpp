// sonolux/core/acoustics/straight_ray.hpp
//
// How long a straight ray stays in each pixel of a map: the rows of travel-time matrices.
//
// The parameters at which a segment from + t (to - from) crosses the lines between columns, and between rows,
// are two increasing sequences; merged, they cut the segment into one piece per pixel (R. Siddon, Med. Phys.
// 12, 1985, 252; J. Amanatides and A. Woo, Eurographics 1987). Each parameter is computed from the number of
// its line, so that errors do not add up along the ray.
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include <sonolux/core/acoustics/image_grid.hpp>
#include <sonolux/core/view.hpp>

namespace sonolux {

/// Part of a ray: `length` m in the pixel row * columns + column.
struct PixelChord {
    Index pixel;
    double length;

    friend bool operator==(const PixelChord&, const PixelChord&) = default;
};

/// Calls visit(pixel, length) for each pixel that the segment crosses, in order from `from` to `to`. Pixels
/// reach half a spacing around their middles; what is outside all of them is left out. A segment along the
/// line between two pixels is in the one below or to the right; along the last line of the grid, in the last.
/// Neither allocates nor throws; nothing is visited where a coordinate is not finite.
template <class Visit>
void trace_straight_ray(const ImageGrid& grid, Point from, Point to, Visit&& visit) {
    constexpr double never = std::numeric_limits<double>::infinity();

    // One axis in units of pixels: pixel k covers [k, k + 1).
    struct Axis {
        double start, step;
        Index pixels, pixel = 0;
        double enter = 0, leave = 1;

        void clip() {
            const double last = static_cast<double>(pixels);
            if (step == 0) {
                const bool inside = start >= 0 && start <= last;  // false for NaN, too
                if (!inside) leave = -1;
                return;
            }
            const double a = (0 - start) / step, b = (last - start) / step;
            enter = std::min(a, b);
            leave = std::max(a, b);
        }
        void begin(double t) {
            const double place = start + t * step;
            const double first = step < 0 ? std::ceil(place) - 1 : std::floor(place);
            pixel = static_cast<Index>(std::clamp(first, 0.0, static_cast<double>(pixels - 1)));
        }
        [[nodiscard]] double next() const {
            if (step == 0) return never;
            return (static_cast<double>(step > 0 ? pixel + 1 : pixel) - start) / step;
        }
        [[nodiscard]] bool advance() {
            pixel += step > 0 ? 1 : -1;
            return pixel >= 0 && pixel < pixels;
        }
    };
    Axis x{grid.column(from.x) + 0.5, (to.x - from.x) / grid.column_spacing, grid.columns};
    Axis z{grid.row(from.z) + 0.5, (to.z - from.z) / grid.row_spacing, grid.rows};
    if (!std::isfinite(x.start + x.step) || !std::isfinite(z.start + z.step)) return;
    x.clip();
    z.clip();
    double t = std::max({0.0, x.enter, z.enter});
    const double last = std::min({1.0, x.leave, z.leave});
    if (!(t < last)) return;
    x.begin(t);
    z.begin(t);
    const double whole = length(to - from);
    while (t < last) {
        const double across = x.next(), down = z.next();
        const double end = std::min({across, down, last});
        if (end > t) visit(z.pixel * grid.columns + x.pixel, (end - t) * whole);
        t = std::max(t, end);
        if (across <= end && !x.advance()) return;
        if (down <= end && !z.advance()) return;
    }
}

/// The pieces of a segment as a list.
[[nodiscard]] std::vector<PixelChord> straight_ray(const ImageGrid& grid, Point from, Point to);

/// Travel time along a straight segment: the sum over pixels of slowness (s/m) times length, in s.
/// `slowness` is [rows, columns] of the grid. What is outside the grid takes no time: the caller sees to it
/// that the grid reaches far enough.
[[nodiscard]] double straight_ray_time(const ImageGrid& grid, View<const float> slowness, Point from,
                                       Point to) noexcept;

/// times[i] = straight_ray_time(grid, slowness, from, to[i]). Throws Error{invalid_argument} where `from` or
/// a point of `to` is outside all pixels or a slowness is not in [1e-4, 1e-2] s/m (the message asks for a
/// speed in its place), and Error{size_mismatch} where the map is not that of the grid.
[[nodiscard]] std::vector<double> straight_ray_times(const ImageGrid& grid, View<const float> slowness,
                                                     Point from, const std::vector<Point>& to);

}  // namespace sonolux
