// sonolux/core/acoustics/array_geometry.cpp
#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

#include <sonolux/core/acoustics/array_geometry.hpp>
#include <sonolux/core/acoustics/least_squares.hpp>

namespace sonolux {

namespace {

constexpr double near = 1e-6;  // m: what rounding to float32 and to micrometres leaves

struct Circle {
    Point centre;
    double radius;
};

/// The circle that all points lie on, its centre above them; none where there is no such circle.
std::optional<Circle> circle_through(std::span<const Point> points) {
    if (points.size() < 3) return {};
    // Lengths in units of the array's extent, so that the three unknowns are of one size.
    double scale = 0;
    for (const Point p : points) scale = std::max(scale, length(p));
    std::vector<std::vector<double>> columns(3);
    std::vector<double> squares;
    for (const Point at : points) {
        const Point p = 1 / scale * at;
        columns[0].push_back(2 * p.x);
        columns[1].push_back(2 * p.z);
        columns[2].push_back(1);
        squares.push_back(dot(p, p));
    }
    const std::vector<double> fit = least_squares(std::move(columns), std::move(squares));
    const double square = fit[2] + fit[0] * fit[0] + fit[1] * fit[1];
    if (!(square > 0) || !std::isfinite(square)) return {};
    const Circle circle{scale * Point{fit[0], fit[1]}, scale * std::sqrt(square)};
    for (const Point p : points)
        if (std::abs(length(p - circle.centre) - circle.radius) > near || p.z <= circle.centre.z) return {};
    return circle;
}

double angle_from(Point centre, Point p) { return std::atan2(p.x - centre.x, p.z - centre.z); }

std::optional<TransducerArray> as_convex_array(std::span<const Point> points, const Circle& circle,
                                               double element_width) {
    const auto count = static_cast<Index>(points.size());
    const double first = angle_from(circle.centre, points.front()),
                 last = angle_from(circle.centre, points.back());
    const double pitch = (last - first) * circle.radius / static_cast<double>(count - 1);
    if (pitch < 1e-5 || pitch > 5e-3 || element_width > pitch || circle.radius < 2e-3 || circle.radius > 1 ||
        0.5 * (last - first) >= std::numbers::pi / 2)
        return {};
    TransducerArray array = make_convex_array(count, pitch, element_width, circle.radius);
    for (Index i = 0; i < count; ++i)
        if (length(array[i].position - points[static_cast<std::size_t>(i)]) > near) return {};
    return array;
}

/// At right angles to the line through both neighbours (at the ends: through the one), downwards.
double tangent_angle(std::span<const Point> points, std::size_t i) {
    const Point along = points[std::min(i + 1, points.size() - 1)] - points[i == 0 ? 0 : i - 1];
    return std::atan2(-along.z, along.x);
}

}  // namespace

TransducerArray array_from_positions(std::span<const Point> positions, double element_width) {
    std::vector<ArrayElement> elements;
    for (const Point p : positions) elements.push_back({p, 0});
    // A first look refuses places that are none before anything is fitted to them.
    TransducerArray facing_down(elements, element_width);
    double highest = positions[0].z, lowest = positions[0].z;
    for (const Point p : positions) {
        highest = std::min(highest, p.z);
        lowest = std::max(lowest, p.z);
    }
    if (lowest - highest <= near) return facing_down;
    const std::optional<Circle> circle = circle_through(positions);
    if (circle)
        if (std::optional<TransducerArray> convex = as_convex_array(positions, *circle, element_width))
            return *std::move(convex);
    for (std::size_t i = 0; i < elements.size(); ++i)
        elements[i].angle = circle ? angle_from(circle->centre, positions[i]) : tangent_angle(positions, i);
    return {std::move(elements), element_width};
}

}  // namespace sonolux
