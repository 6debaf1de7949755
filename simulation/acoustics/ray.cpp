// sonolux/simulation/acoustics/ray.cpp
#include <algorithm>

#include <sonolux/simulation/acoustics/ray.hpp>

namespace sonolux {

namespace {

Point clamp_inside(const ImageGrid& grid, Point p) {
    return {std::clamp(p.x, grid.first_x, grid.x(static_cast<double>(grid.columns - 1))),
            std::clamp(p.z, grid.first_z, grid.z(static_cast<double>(grid.rows - 1)))};
}

}  // namespace

std::vector<Point> trace_ray(const TravelTimes& times, Point receiver) {
    const ImageGrid& grid = times.grid();
    require(grid.covers(receiver), Status::invalid_argument, "ray: the receiver at x ", receiver.x, " m, z ",
            receiver.z, " m is outside the map (", extent_mm(grid), ")");
    const EikonalSource& source = times.source();
    const double spacing = std::min(grid.row_spacing, grid.column_spacing), step = 0.5 * spacing;
    std::vector<Point> ray{clamp_inside(grid, receiver)};
    const auto arrived = [&](Point p) {
        return source.is_line ? std::abs(p.z - source.origin.z) <= step
                              : length(p - source.origin) <= spacing;
    };
    const auto back = [&](Point from, Point at, double distance) {
        const Point slope = times.gradient(at);
        const double size = length(slope);
        return size > 0 ? clamp_inside(grid, from - (distance / size) * slope) : from;
    };
    const Index most = 8 * (grid.rows + grid.columns);
    for (Index n = 0; !arrived(ray.back()); ++n) {
        require(n < most, Status::internal_error, "ray: from x ", receiver.x, " m, z ", receiver.z,
                " m it does not reach its source within ", most, " steps");
        const Point here = ray.back(), middle = back(here, here, 0.5 * step);
        ray.push_back(back(here, middle, step));
    }
    if (source.is_line) {
        const Point slope = times.gradient(ray.back());
        const double down = ray.back().z - source.origin.z;
        if (slope.z != 0)
            ray.push_back(clamp_inside(grid, {ray.back().x - slope.x / slope.z * down, source.origin.z}));
    } else {
        ray.push_back(source.origin);
    }
    std::reverse(ray.begin(), ray.end());
    return ray;
}

std::vector<PixelChord> ray_chords(const ImageGrid& grid, const std::vector<Point>& ray) {
    std::vector<PixelChord> pieces;
    for (std::size_t n = 1; n < ray.size(); ++n)
        trace_straight_ray(grid, ray[n - 1], ray[n], [&](Index pixel, double part) {
            pieces.push_back({pixel, part});
        });
    std::stable_sort(pieces.begin(), pieces.end(),
                     [](const PixelChord& a, const PixelChord& b) { return a.pixel < b.pixel; });
    std::vector<PixelChord> chords;
    for (const PixelChord& piece : pieces) {
        if (!chords.empty() && chords.back().pixel == piece.pixel)
            chords.back().length += piece.length;
        else
            chords.push_back(piece);
    }
    return chords;
}

}  // namespace sonolux
