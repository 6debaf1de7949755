// sonolux/simulation/phantoms/scatterers.cpp
#include <sonolux/simulation/phantoms/scatterers.hpp>

#include <algorithm>
#include <cmath>

namespace sonolux {

namespace {

constexpr Status bad = Status::invalid_argument;

/// Knuth's product of uniform numbers, in parts of mean 16 at most, whose exponential is far from underflow.
Index draw_poisson(double mean, Philox& random) noexcept {
    Index count = 0;
    for (; mean > 0; mean -= 16) {
        const double limit = std::exp(-std::min(mean, 16.0));
        double product = random.uniform();
        while (product > limit) {
            ++count;
            product *= random.uniform();
        }
    }
    return count;
}

double cells(double length, double cell) noexcept { return std::ceil(length / cell); }

}  // namespace

void validate(const ScattererOptions& options) {
    const ScattererOptions& o = options;
    require(o.per_cell >= 0 && o.per_cell <= 1000, bad, "per_cell must be from 0 to 1000, got ", o.per_cell);
    require(o.cell_width >= 1e-6 && o.cell_width <= 0.1, bad, "cell_width must be from 1e-6 to 0.1 m, got ",
            o.cell_width);
    require(o.cell_height >= 1e-6 && o.cell_height <= 0.1, bad,
            "cell_height must be from 1e-6 to 0.1 m, got ", o.cell_height);
    require(o.left < o.right && o.left >= -1 && o.right <= 1, bad,
            "scatterers must lie between left and right, within 1 m, got ", o.left, " to ", o.right);
    require(o.top < o.bottom && o.top >= -1 && o.bottom <= 1, bad,
            "scatterers must lie between top and bottom, within 1 m, got ", o.top, " to ", o.bottom);
    const double count =
        o.per_cell * cells(o.right - o.left, o.cell_width) * cells(o.bottom - o.top, o.cell_height);
    require(count <= 0x1p24, bad, "there would be ", count, " scatterers, at most 16777216 are drawn");
}

std::vector<PointScatterer> draw_scatterers(const ScattererOptions& options, const TissuePhantom& phantom,
                                            std::uint64_t seed, std::uint64_t index) {
    validate(options);
    Philox random(seed, streams::scatterers, index);
    std::vector<PointScatterer> scatterers;
    const auto down = static_cast<Index>(cells(options.bottom - options.top, options.cell_height));
    const auto across = static_cast<Index>(cells(options.right - options.left, options.cell_width));
    for (Index i = 0; i < down; ++i)
        for (Index j = 0; j < across; ++j) {
            const double z = options.top + static_cast<double>(i) * options.cell_height;
            const double x = options.left + static_cast<double>(j) * options.cell_width;
            const Index count = draw_poisson(options.per_cell, random);
            for (Index n = 0; n < count; ++n) {
                const Point p{random.uniform(x, x + options.cell_width),
                              random.uniform(z, z + options.cell_height)};
                const float amplitude = random.normal();
                if (p.x >= options.right || p.z >= options.bottom) continue;  // of cells that stick out
                const double deviation = std::pow(10.0, phantom.at(p).echogenicity / 20);
                scatterers.push_back({p, static_cast<float>(deviation * amplitude)});
            }
        }
    return scatterers;
}

namespace {

/// Amplitudes times hat functions, on every point of the grid.
Array<double> sum_of(const std::vector<PointScatterer>& scatterers, const ImageGrid& grid) {
    Index outside = 0;
    for (const PointScatterer& scatterer : scatterers)
        if (!grid.covers(scatterer.position)) ++outside;
    require(outside == 0, bad, outside, " of ", scatterers.size(),
            " scatterers are outside the grid of the medium");
    Array<double> change(grid.shape());
    for (const PointScatterer& scatterer : scatterers) {
        const double row = std::floor(grid.row(scatterer.position.z));
        const double column = std::floor(grid.column(scatterer.position.x));
        const double t = grid.row(scatterer.position.z) - row, s = grid.column(scatterer.position.x) - column;
        const auto add = [&](double i, double j, double weight) {
            if (i >= 0 && j >= 0 && i < static_cast<double>(grid.rows) &&
                j < static_cast<double>(grid.columns))
                change(static_cast<Index>(i), static_cast<Index>(j)) += weight * scatterer.amplitude;
        };
        add(row, column, (1 - t) * (1 - s));
        add(row, column + 1, (1 - t) * s);
        add(row + 1, column, t * (1 - s));
        add(row + 1, column + 1, t * s);
    }
    return change;
}

void check_strength(double strength) {
    require(strength >= 0 && strength <= 0.5, bad, "the strength of scatterers must be from 0 to 0.5, got ",
            strength);
}

}  // namespace

void add_scatterers(Medium& medium, const std::vector<PointScatterer>& scatterers, double strength) {
    check_strength(strength);
    const ImageGrid& grid = medium.grid;
    const Array<double> change = sum_of(scatterers, grid);
    Array<float> density(grid.shape());
    for (Index i = 0; i < grid.rows; ++i)
        for (Index j = 0; j < grid.columns; ++j)
            density(i, j) = static_cast<float>(medium.density(i, j) *
                                               (1 + std::clamp(strength * change(i, j), -0.5, 0.5)));
    medium.density = std::move(density);
}

void add_compressible_scatterers(Medium& medium, const std::vector<PointScatterer>& scatterers,
                                 double strength) {
    check_strength(strength);
    const ImageGrid& grid = medium.grid;
    const Array<double> change = sum_of(scatterers, grid);
    Array<float> speed(grid.shape());
    for (Index i = 0; i < grid.rows; ++i)
        for (Index j = 0; j < grid.columns; ++j)
            speed(i, j) = static_cast<float>(static_cast<double>(medium.sound_speed(i, j)) /
                                             std::sqrt(1 + std::clamp(strength * change(i, j), -0.5, 0.5)));
    medium.sound_speed = std::move(speed);
}

}  // namespace sonolux
