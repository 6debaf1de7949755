// sonolux/core/operators/path_geometry.cpp
#include <sonolux/core/operators/path_geometry.hpp>

#include <algorithm>

namespace sonolux {

namespace {

constexpr auto invalid = Status::invalid_argument;
constexpr double steepest_angle = 1.4;

void require_angle(const char* who, double angle) {
    require(std::abs(angle) <= steepest_angle, invalid, who, ": angle must be between -1.4 and 1.4 rad, got ",
            angle, std::abs(angle) <= 80 ? "; is it in degrees?" : "");
}

void validate(const RaySource& source, const ImageGrid& map, Index measurement) {
    const std::string who = sentence("path geometry: measurement ", measurement);
    require(std::isfinite(source.surface) && std::abs(source.surface) <= 1, invalid, who,
            ": surface must be within 1 m of z = 0, got ", source.surface, " m");
    if (source.kind == RaySource::Kind::plane) {
        require_angle(who.c_str(), source.angle);
    } else {
        require(std::abs(source.origin.x) <= 1 && std::abs(source.origin.z) <= 1, invalid, who,
                ": a source must be within 1 m of the middle of the array, got x ", source.origin.x, " m, z ",
                source.origin.z, " m; is it in millimetres?");
        require(std::isfinite(source.f_number) && source.f_number >= 0, invalid, who,
                ": f_number must be at least 0, got ", source.f_number);
    }
    const double top = map.first_z - 0.5 * map.row_spacing;
    require(top <= source.entry() + 1e-6 * map.row_spacing, invalid, who, ": its rays begin at z ",
            1e3 * source.entry(), " mm, above the map, which begins at z ", 1e3 * top, " mm");
}

template <class Visit>
void for_each_measurement(const PathGeometry& geometry, Visit&& visit) {
    const ImageGrid& points = geometry.points;
    for (std::size_t m = 0; m < geometry.measurements.size(); ++m)
        for (Index i = 0; i < points.rows; ++i)
            for (Index j = 0; j < points.columns; ++j)
                visit(m, i, j, points.point(static_cast<double>(i), static_cast<double>(j)));
}

}  // namespace

Point RaySource::entry_point(Point p) const noexcept {
    const double z = entry();
    if (kind == Kind::plane) return {p.x - std::tan(angle) * (p.z - z), z};
    if (p.z == origin.z) return origin;
    return {origin.x + (p.x - origin.x) * (z - origin.z) / (p.z - origin.z), z};
}

RaySource plane_rays(double angle) {
    require_angle("plane rays", angle);
    return {.kind = RaySource::Kind::plane, .angle = angle, .origin = {}};
}

RaySource point_rays(Point origin, double f_number) {
    return {.kind = RaySource::Kind::point, .origin = origin, .f_number = f_number};
}

RaySource rays_of(const Transmission& transmission, double f_number) {
    switch (transmission.wavefront) {
        case Wavefront::plane: return plane_rays(transmission.angle);
        case Wavefront::diverging: return point_rays(transmission.focus, f_number);
        case Wavefront::element: {
            // Elements of a convex array lie above z = 0: their rays begin at their faces.
            RaySource source = point_rays(transmission.focus, f_number);
            source.surface = transmission.focus.z;
            return source;
        }
        case Wavefront::focused: break;
    }
    fail(Status::unsupported,
         "path geometry: a focused transmission has no family of straight rays; use plane, diverging or "
         "single-element ones");
}

PathSum transmission_difference(const RaySource& a, const RaySource& b) { return {{a, 1}, {b, -1}}; }

PathSum mid_angle_difference(const SteeredPair& a, const SteeredPair& b) {
    const auto middle = [](const SteeredPair& pair) { return 0.5 * (pair.transmit + pair.receive); };
    for (const double angle : {a.transmit, a.receive, b.transmit, b.receive})
        require_angle("mid-angle difference", angle);
    require(std::abs(middle(a) - middle(b)) <= 1e-6, invalid,
            "mid-angle difference: the mid-angles must be equal, got ", middle(a), " and ", middle(b),
            " rad");
    const double in_a = 1 / std::cos(0.5 * (a.transmit - a.receive));
    const double in_b = -1 / std::cos(0.5 * (b.transmit - b.receive));
    return {{plane_rays(a.transmit), in_a},
            {plane_rays(a.receive), in_a},
            {plane_rays(b.transmit), in_b},
            {plane_rays(b.receive), in_b}};
}

PathGeometry element_pairs(const ImageGrid& map, const TransducerArray& array,
                           const std::vector<std::pair<Index, Index>>& pairs, double f_number) {
    PathGeometry geometry{map, map, {}};
    const auto rays = [&](Index element) {
        require(element >= 0 && element < array.size(), invalid, "element pairs: elements must be 0 to ",
                array.size() - 1, ", got ", element);
        return rays_of(single_element(array, element), f_number);
    };
    for (const auto& [first, second] : pairs)
        geometry.measurements.push_back(transmission_difference(rays(first), rays(second)));
    return geometry;
}

void validate(const PathGeometry& geometry) {
    validate(geometry.map, "path geometry: map");
    validate(geometry.points, "path geometry: points");
    require(!geometry.measurements.empty(), invalid, "path geometry: there must be at least 1 measurement");
    for (std::size_t m = 0; m < geometry.measurements.size(); ++m) {
        require(!geometry.measurements[m].empty(), invalid, "path geometry: measurement ", m, " has no rays");
        for (const WeightedRays& rays : geometry.measurements[m]) {
            require(std::isfinite(rays.weight) && rays.weight != 0, invalid, "path geometry: measurement ", m,
                    ": weights must be finite and not 0, got ", rays.weight);
            validate(rays.source, geometry.map, static_cast<Index>(m));
        }
    }
}

bool sees(const RaySource& source, const ImageGrid& map, Point p) noexcept {
    constexpr double slack = 1e-6;
    const auto within = [&](double x) {
        const double column = map.column(x);
        return column >= -0.5 - slack && column <= static_cast<double>(map.columns) - 0.5 + slack;
    };
    const double row = map.row(p.z);
    if (row > static_cast<double>(map.rows) - 0.5 + slack || p.z <= source.entry() || !within(p.x))
        return false;
    if (source.kind == RaySource::Kind::point &&
        2 * source.f_number * std::abs(p.x - source.origin.x) > (p.z - source.origin.z) * (1 + slack))
        return false;
    return within(source.entry_point(p).x);
}

Array<float> coverage(const PathGeometry& geometry) {
    validate(geometry);
    Array<float> seen(
        {static_cast<Index>(geometry.measurements.size()), geometry.points.rows, geometry.points.columns});
    for_each_measurement(geometry, [&](std::size_t m, Index i, Index j, Point p) {
        seen(static_cast<Index>(m), i, j) =
            std::ranges::all_of(geometry.measurements[m],
                                [&](const WeightedRays& rays) { return sees(rays.source, geometry.map, p); });
    });
    return seen;
}

Array<float> measurement_mask(const PathGeometry& geometry, const MaskMargins& margins) {
    Array<float> mask = coverage(geometry);
    const ImageGrid& points = geometry.points;
    const double top = std::max(0.0, points.first_z) + margins.near;
    const double bottom = points.z(static_cast<double>(points.rows - 1)) - margins.far;
    const double left = points.first_x + margins.side;
    const double right = points.x(static_cast<double>(points.columns - 1)) - margins.side;
    constexpr double slack = 1e-9;
    for_each_measurement(geometry, [&](std::size_t m, Index i, Index j, Point p) {
        if (p.z < top - slack || p.z > bottom + slack || p.x < left - slack || p.x > right + slack)
            mask(static_cast<Index>(m), i, j) = 0;
    });
    return mask;
}

Array<float> ray_density(const PathGeometry& geometry, View<const float> mask) {
    const Array<float> seen = coverage(geometry);
    require(mask.shape() == seen.shape(), Status::size_mismatch, "ray density: the mask is ",
            to_string(mask.shape()), ", the measurements are ", to_string(seen.shape()));
    const Index pixels = geometry.map.rows * geometry.map.columns;
    std::vector<double> along_x(static_cast<std::size_t>(pixels)), along_z(static_cast<std::size_t>(pixels));
    for_each_measurement(geometry, [&](std::size_t m, Index i, Index j, Point p) {
        const auto n = static_cast<Index>(m);
        if (seen(n, i, j) == 0 || mask(n, i, j) == 0) return;
        for (const WeightedRays& rays : geometry.measurements[m]) {
            const Point from = rays.source.entry_point(p), step = p - from;
            const double weight = std::abs(rays.weight), whole = length(step);
            trace_straight_ray(geometry.map, from, p, [&](Index pixel, double part) {
                along_x[static_cast<std::size_t>(pixel)] += weight * part * std::abs(step.x) / whole;
                along_z[static_cast<std::size_t>(pixel)] += weight * part * std::abs(step.z) / whole;
            });
        }
    });
    Array<float> density({2, geometry.map.rows, geometry.map.columns});
    std::transform(along_x.begin(), along_x.end(), density.data(),
                   [](double v) { return static_cast<float>(v); });
    std::transform(along_z.begin(), along_z.end(), density.data() + pixels,
                   [](double v) { return static_cast<float>(v); });
    return density;
}

}  // namespace sonolux
