// sonolux/core/acoustics/echo_image.cpp
#include <sonolux/core/acoustics/echo_image.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace sonolux {

namespace {

constexpr auto invalid = Status::invalid_argument;

}  // namespace

void envelope(View<const float> complex, View<float> magnitude) noexcept {
    for (Index i = 0; i < magnitude.elements(); ++i)
        magnitude.data()[i] = std::hypot(complex.data()[2 * i], complex.data()[2 * i + 1]);
}

void log_compress(View<const float> magnitude, View<float> out, double reference, double floor_db) {
    require(reference > 0 && std::isfinite(reference), invalid,
            "log compression: the reference must be above 0 and finite, got ", reference);
    require(floor_db >= -200 && floor_db < 0, invalid,
            "log compression: the floor must be between -200 and 0 dB, got ", floor_db);
    for (Index i = 0; i < magnitude.elements(); ++i) {
        const double decibels = 20 * std::log10(double{magnitude.data()[i]} / reference);
        out.data()[i] = static_cast<float>(decibels < floor_db ? floor_db : decibels);
    }
}

double largest_magnitude(View<const float> magnitude) noexcept {
    float largest = 0;
    for (Index i = 0; i < magnitude.elements(); ++i)
        largest = std::max(largest, std::abs(magnitude.data()[i]));
    return double{largest};
}

ScanConversion::ScanConversion(const SectorGrid& sector, const ImageGrid& grid)
    : sector_(sector), grid_(grid) {
    const char* const who = "scan conversion";
    require(sector.ranges >= 2 && sector.angles >= 2, invalid, who,
            ": the sector must be at least 2 x 2, got ", sector.ranges, " x ", sector.angles);
    require(sector.range_spacing > 0 && sector.range_spacing <= 1e-2, invalid, who,
            ": range_spacing must be above 0 and at most 0.01 m, got ", sector.range_spacing, " m");
    require(sector.first_range >= 0 && sector.first_range <= 1, invalid, who,
            ": first_range must be between 0 and 1 m, got ", sector.first_range, " m");
    const double last = sector.first_angle + static_cast<double>(sector.angles - 1) * sector.angle_spacing;
    require(sector.angle_spacing > 0 && sector.first_angle >= -std::numbers::pi / 2 &&
                last <= std::numbers::pi / 2,
            invalid, who, ": angles must rise within -pi / 2 to pi / 2, got ", sector.first_angle, " to ",
            last, " rad; are they in degrees?");
    validate(grid, who);
    bool any = false;
    for (Index i = 0; i < grid.rows && !any; ++i)
        for (Index j = 0; j < grid.columns && !any; ++j) any = inside(i, j);
    require(any, invalid, who, ": no pixel of the grid is in the sector");
}

ScanConversion::Place ScanConversion::place(Index row, Index column) const noexcept {
    constexpr double slack = 1e-9;  // of a sample: what rounding puts outside counts as inside
    const Point way = grid_.point(static_cast<double>(row), static_cast<double>(column)) - sector_.origin;
    const double last_row = static_cast<double>(sector_.ranges - 1);
    const double last_column = static_cast<double>(sector_.angles - 1);
    double i = (length(way) - sector_.first_range) / sector_.range_spacing;
    double j = (std::atan2(way.x, way.z) - sector_.first_angle) / sector_.angle_spacing;
    if (!(i >= -slack && i <= last_row + slack && j >= -slack && j <= last_column + slack)) return {-1, 0, 0};
    i = std::clamp(i, 0.0, last_row);
    j = std::clamp(j, 0.0, last_column);
    const double up = std::min(std::floor(i), last_row - 1), left = std::min(std::floor(j), last_column - 1);
    return {static_cast<Index>(up) * sector_.angles + static_cast<Index>(left), static_cast<float>(i - up),
            static_cast<float>(j - left)};
}

bool ScanConversion::inside(Index row, Index column) const noexcept { return place(row, column).sample >= 0; }

void ScanConversion::apply(View<const float> sector, View<float> image, Context& context) const noexcept {
    parallel_for(context, grid_.rows, [&](Index row, int) {
        for (Index column = 0; column < grid_.columns; ++column) {
            const auto [sample, down, across] = place(row, column);
            float& pixel = image.data()[row * grid_.columns + column];
            pixel = 0;
            if (sample < 0) continue;
            const float* const above = sector.data() + sample;
            const float* const below = above + sector_.angles;
            pixel = (1 - down) * ((1 - across) * above[0] + across * above[1]) +
                    down * ((1 - across) * below[0] + across * below[1]);
        }
    });
}

void ScanConversion::adjoint(View<const float> image, View<float> sector, Context&) const noexcept {
    std::fill_n(sector.data(), sector.elements(), 0.0f);
    for (Index row = 0; row < grid_.rows; ++row)
        for (Index column = 0; column < grid_.columns; ++column) {
            const auto [sample, down, across] = place(row, column);
            if (sample < 0) continue;
            const float pixel = image.data()[row * grid_.columns + column];
            float* const above = sector.data() + sample;
            float* const below = above + sector_.angles;
            above[0] += (1 - down) * (1 - across) * pixel;
            above[1] += (1 - down) * across * pixel;
            below[0] += down * (1 - across) * pixel;
            below[1] += down * across * pixel;
        }
}

}  // namespace sonolux
