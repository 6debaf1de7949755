// sonolux/core/acoustics/straight_ray.cpp
#include <sonolux/core/acoustics/straight_ray.hpp>

namespace sonolux {

namespace {

/// Whether a point is in one of the pixels.
bool inside(const ImageGrid& grid, Point p) {
    const double row = grid.row(p.z), column = grid.column(p.x);
    return row >= -0.5 && column >= -0.5 && row <= static_cast<double>(grid.rows) - 0.5 &&
           column <= static_cast<double>(grid.columns) - 0.5;
}

void require_inside(const ImageGrid& grid, Point p, const char* name, std::size_t number) {
    require(inside(grid, p), Status::invalid_argument, "straight ray: ", name, " ", number, " at x ", p.x,
            " m, z ", p.z, " m is outside the map (", extent_mm(grid), ")");
}

}  // namespace

std::vector<PixelChord> straight_ray(const ImageGrid& grid, Point from, Point to) {
    validate(grid, "straight ray");
    std::vector<PixelChord> chords;
    trace_straight_ray(grid, from, to, [&](Index pixel, double part) { chords.push_back({pixel, part}); });
    return chords;
}

double straight_ray_time(const ImageGrid& grid, View<const float> slowness, Point from, Point to) noexcept {
    double time = 0;
    trace_straight_ray(grid, from, to, [&](Index pixel, double part) {
        time += part * static_cast<double>(slowness(pixel / grid.columns, pixel % grid.columns));
    });
    return time;
}

std::vector<double> straight_ray_times(const ImageGrid& grid, View<const float> slowness, Point from,
                                       const std::vector<Point>& to) {
    validate(grid, "straight ray");
    require(slowness.shape() == grid.shape(), Status::size_mismatch, "straight ray: the slowness map is ",
            to_string(slowness.shape()), ", the grid ", to_string(grid.shape()));
    for (Index i = 0; i < grid.rows; ++i)
        for (Index j = 0; j < grid.columns; ++j) {
            const float value = slowness(i, j);
            require(value >= 1e-4f && value <= 1e-2f, Status::invalid_argument,
                    "straight ray: slowness at row ", i, ", column ", j,
                    " must be between 0.0001 and 0.01 s/m, got ", value,
                    value >= 100 ? " (is it a speed in m/s?)" : "");
        }
    require_inside(grid, from, "source", 0);
    std::vector<double> times(to.size());
    for (std::size_t i = 0; i < to.size(); ++i) {
        require_inside(grid, to[i], "point", i);
        times[i] = straight_ray_time(grid, slowness, from, to[i]);
    }
    return times;
}

}  // namespace sonolux
