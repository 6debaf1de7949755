// sonolux/core/acoustics/image_grid.hpp
//
// Where the pixels of a map or an image lie: x to the right, z down, in metres.
//
// The geometry of ultrasound (grids, arrays, transmissions, straight rays) is in core, because beamforming
// and travel-time operators need it as much as the simulators do.
#pragma once

#include <cmath>

#include <sonolux/core/error.hpp>
#include <sonolux/core/shape.hpp>

namespace sonolux {

/// A place in the image plane, or a vector in it (m). The array is centred at x = z = 0.
struct Point {
    double x = 0, z = 0;

    friend bool operator==(const Point&, const Point&) = default;
    friend Point operator+(Point a, Point b) noexcept { return {a.x + b.x, a.z + b.z}; }
    friend Point operator-(Point a, Point b) noexcept { return {a.x - b.x, a.z - b.z}; }
    friend Point operator*(double a, Point b) noexcept { return {a * b.x, a * b.z}; }
};

[[nodiscard]] inline double dot(Point a, Point b) noexcept { return a.x * b.x + a.z * b.z; }
[[nodiscard]] inline double length(Point a) noexcept { return std::sqrt(dot(a, a)); }

/// rows x columns pixels. The middle of pixel (row, column) is at
///
///     z = first_z + row row_spacing        x = first_x + column column_spacing
///
/// and each pixel covers half a spacing on every side of its middle.
struct ImageGrid {
    Index rows = 0, columns = 0;
    double row_spacing = 0, column_spacing = 0;  ///< m
    double first_z = 0, first_x = 0;             ///< m, the middle of pixel (0, 0)

    friend bool operator==(const ImageGrid&, const ImageGrid&) = default;

    [[nodiscard]] Shape shape() const { return {rows, columns}; }
    [[nodiscard]] double z(double row) const noexcept { return first_z + row * row_spacing; }
    [[nodiscard]] double x(double column) const noexcept { return first_x + column * column_spacing; }
    [[nodiscard]] Point point(double row, double column) const noexcept { return {x(column), z(row)}; }
    [[nodiscard]] double row(double z) const noexcept { return (z - first_z) / row_spacing; }
    [[nodiscard]] double column(double x) const noexcept { return (x - first_x) / column_spacing; }

    /// Whether a point is among the middles of pixels, so that values there can be interpolated. A point that
    /// rounding puts 1e-6 of a pixel outside counts as inside.
    [[nodiscard]] bool covers(Point p) const noexcept {
        constexpr double slack = 1e-6;
        const double i = row(p.z), j = column(p.x);
        return i >= -slack && j >= -slack && i <= static_cast<double>(rows - 1) + slack &&
               j <= static_cast<double>(columns - 1) + slack;
    }
};

/// Pixels of `spacing` x `spacing`, centred about x = 0, whose first row has its middles at `first_z`.
[[nodiscard]] inline ImageGrid centred_grid(Index rows, Index columns, double spacing, double first_z = 0) {
    return {rows, columns, spacing, spacing, first_z, -0.5 * static_cast<double>(columns - 1) * spacing};
}

/// "x -19.05 to 19.05 mm, z 0 to 50 mm": what the middles of pixels span, for messages.
[[nodiscard]] inline std::string extent_mm(const ImageGrid& grid) {
    return sentence("x ", 1e3 * grid.first_x, " to ", 1e3 * grid.x(static_cast<double>(grid.columns - 1)),
                    " mm, z ", 1e3 * grid.first_z, " to ", 1e3 * grid.z(static_cast<double>(grid.rows - 1)),
                    " mm");
}

/// Throws Error{invalid_argument} naming the field unless both sizes are at least 2, spacings are between
/// 1e-6 m and 0.01 m (millimetres taken for metres are found out by that) and the origin is finite.
/// `who` starts the sentence.
inline void validate(const ImageGrid& grid, const char* who = "grid") {
    const auto invalid = Status::invalid_argument;
    require(grid.rows >= 2, invalid, who, ": rows must be at least 2, got ", grid.rows);
    require(grid.columns >= 2, invalid, who, ": columns must be at least 2, got ", grid.columns);
    const auto spacing = [&](const char* name, double value) {
        require(value >= 1e-6 && value <= 1e-2, invalid, who, ": ", name,
                " must be between 1e-06 m and 0.01 m, got ", value,
                value > 1e-2 && value <= 10 ? " m; is it in millimetres?" : " m");
    };
    spacing("row_spacing", grid.row_spacing);
    spacing("column_spacing", grid.column_spacing);
    require(std::isfinite(grid.first_z), invalid, who, ": first_z must be finite, got ", grid.first_z);
    require(std::isfinite(grid.first_x), invalid, who, ": first_x must be finite, got ", grid.first_x);
}

}  // namespace sonolux
