// sonolux/simulation/optics/height_map.cpp
#include <algorithm>
#include <cmath>

#include <sonolux/core/error.hpp>
#include <sonolux/simulation/optics/height_map.hpp>

namespace sonolux {

namespace {

HeightMap map_as_wide_as(double width, double pitch) {
    require(pitch > 0, Status::invalid_argument, "height map: the pitch must be above 0 m, got ", pitch);
    const double cells = std::ceil(width / pitch - 1e-9);
    require(cells <= 16384, Status::invalid_argument, "height map: ", width * 1e3, " mm in cells of ",
            pitch * 1e6, " um are ", cells, " along a side, there may be at most 16384");
    return empty_map(static_cast<Index>(cells), pitch);
}

}  // namespace

double HeightMap::aperture() const noexcept {
    double farthest = 0;
    for (Index i = 0; i < cells(); ++i)
        for (Index j = 0; j < cells(); ++j)
            if (amplitude(i, j) > 0)
                farthest =
                    std::max({farthest, std::abs(middle(i)) + pitch / 2, std::abs(middle(j)) + pitch / 2});
    return 2 * farthest;
}

double HeightMap::light() const noexcept {
    double sum = 0;
    for (const double a : amplitude) sum += a * a;
    return sum * pitch * pitch;
}

HeightMap empty_map(Index cells, double pitch) {
    require(pitch > 0 && std::isfinite(pitch), Status::invalid_argument,
            "height map: the pitch must be above 0 m, got ", pitch);
    require(cells >= 1 && cells <= 16384, Status::invalid_argument, "height map: ", cells,
            " cells along a side, there must be 1 to 16384");
    return {pitch, Array<double>({cells, cells}), Array<double>({cells, cells})};
}

void put_relief(HeightMap& map, const RadialProfile& profile, double x, double y) {
    check_profile(profile);
    const double radius = profile.back().outer_radius,
                 half = static_cast<double>(map.cells()) * map.pitch / 2;
    require(std::abs(x) + radius <= half * (1 + 1e-9) && std::abs(y) + radius <= half * (1 + 1e-9),
            Status::invalid_argument, "height map: an aperture of ", 2 * radius * 1e3, " mm at (", x * 1e3,
            ", ", y * 1e3, ") mm does not fit on a map of ", 2 * half * 1e3, " mm");
    for (Index i = 0; i < map.cells(); ++i)
        for (Index j = 0; j < map.cells(); ++j) {
            const double dy = map.middle(i) - y, dx = map.middle(j) - x, r = std::hypot(dx, dy);
            if (r > radius + map.pitch) continue;
            double inside = 1;
            if (r > radius - map.pitch) {
                constexpr int points = 16;
                int count = 0;
                for (int u = 0; u < points; ++u)
                    for (int v = 0; v < points; ++v)
                        count += std::hypot(dx + ((u + 0.5) / points - 0.5) * map.pitch,
                                            dy + ((v + 0.5) / points - 0.5) * map.pitch) <= radius;
                inside = static_cast<double>(count) / (points * points);
            }
            if (inside == 0) continue;
            const auto after =
                std::upper_bound(profile.begin(), profile.end(), r,
                                 [](double value, const Ring& ring) { return value < ring.outer_radius; });
            const Ring& ring = after == profile.end() ? profile.back() : *after;
            const double a = ring.inner_radius * ring.inner_radius;
            const double t = std::min(1.0, (r * r - a) / (ring.outer_radius * ring.outer_radius - a));
            map.height(i, j) = ring.inner_height + t * (ring.outer_height - ring.inner_height);
            map.amplitude(i, j) = ring.amplitude * inside;
        }
}

HeightMap map_of(const RadialProfile& profile, double pitch) {
    check_profile(profile);
    HeightMap map = map_as_wide_as(2 * profile.back().outer_radius, pitch);
    put_relief(map, profile);
    return map;
}

HeightMap array_of(const std::vector<RadialProfile>& profiles, Index rows, Index columns, double spacing,
                   double pitch) {
    require(!profiles.empty() && rows >= 1 && columns >= 1, Status::invalid_argument, "lens array: ", rows,
            " x ", columns, " of ", profiles.size(), " reliefs are none");
    double radius = 0;
    for (const RadialProfile& profile : profiles) {
        check_profile(profile);
        radius = std::max(radius, profile.back().outer_radius);
    }
    require(rows * columns == 1 || spacing >= 2 * radius, Status::invalid_argument,
            "lens array: apertures of ", 2 * radius * 1e3, " mm overlap at a distance of ", spacing * 1e3,
            " mm");
    HeightMap map =
        map_as_wide_as(static_cast<double>(std::max(rows, columns) - 1) * spacing + 2 * radius, pitch);
    for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < columns; ++j)
            put_relief(map, profiles[static_cast<std::size_t>(i * columns + j) % profiles.size()],
                       (static_cast<double>(j) - static_cast<double>(columns - 1) / 2) * spacing,
                       (static_cast<double>(i) - static_cast<double>(rows - 1) / 2) * spacing);
    return map;
}

void check_map(const HeightMap& map, double largest_height) {
    require(map.height.shape().rank() == 2 && map.height.shape() == map.amplitude.shape() &&
                map.height.shape()[0] == map.height.shape()[1] && map.cells() >= 1,
            Status::size_mismatch, "height map: heights and amplitudes must be square and of one size, got ",
            to_string(map.height.shape()), " and ", to_string(map.amplitude.shape()));
    require(map.pitch > 0 && std::isfinite(map.pitch), Status::invalid_argument,
            "height map: the pitch must be above 0 m, got ", map.pitch);
    const double highest = largest_height > 0 ? largest_height : 1.0;
    bool light = false;
    for (Index n = 0; n < map.height.elements(); ++n) {
        const double height = map.height.data()[n], amplitude = map.amplitude.data()[n];
        require(height >= 0 && height <= highest, Status::invalid_argument, "height map: cell (",
                n / map.cells(), ", ", n % map.cells(), ") is ", height * 1e6, " um high, it must be 0 to ",
                highest * 1e6, " um");
        require(amplitude >= 0 && amplitude <= 1, Status::invalid_argument, "height map: cell (",
                n / map.cells(), ", ", n % map.cells(), ") has the amplitude ", amplitude,
                ", it must be 0 to 1");
        light = light || amplitude > 0;
    }
    require(light, Status::invalid_argument, "height map: no light passes");
}

}  // namespace sonolux
