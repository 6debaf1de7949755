// sonolux/simulation/optics/fresnel_psf.cpp
#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include <sonolux/core/smooth_size.hpp>
#include <sonolux/simulation/optics/field_transform.hpp>
#include <sonolux/simulation/optics/fresnel_kernels.hpp>
#include <sonolux/simulation/optics/fresnel_psf.hpp>
#include <sonolux/simulation/optics/radial_pixels.hpp>
#include <sonolux/simulation/optics/sinc_interpolation.hpp>

namespace sonolux::detail {

namespace {

using Complex = FieldLineTransform::Complex;

constexpr double density = 9.0 / 4;
constexpr Index taps = DenseInterpolation::taps;
constexpr Index together = 8;  // lines, so that transposing writes whole cache lines

double square(double x) { return x * x; }

double sinc(double x) {
    x *= std::numbers::pi;
    return std::abs(x) < 1e-8 ? 1 : std::sin(x) / x;
}

const DenseInterpolation& interpolation() {
    static const DenseInterpolation table;
    return table;
}

struct Range {
    double low, high;

    [[nodiscard]] double nearest() const {  // to 0
        return low > 0 ? low : high < 0 ? -high : 0;
    }
    [[nodiscard]] double furthest() const { return std::max(-low, high); }
};

/// Of f(x, y) over a rectangle, which rises with x, and whose size falls with |y|.
template <class Function>
Range range_of(Range x, Range y, Function&& f) {
    return {f(x.low, x.low < 0 ? y.nearest() : y.furthest()),
            f(x.high, x.high > 0 ? y.nearest() : y.furthest())};
}

/// The nodes of pixels along one axis, m away from the lens's.
std::vector<double> nodes_of(const PsfWindow& window, const GaussLegendre& rule, double middle) {
    std::vector<double> nodes;
    for (Index i = 0; i < window.size; ++i)
        for (const double node : rule.nodes)
            nodes.push_back(middle + (static_cast<double>(i - window.size / 2) + node / 2) * window.pixel);
    std::sort(nodes.begin(), nodes.end());  // the rule's nodes fall
    return nodes;
}

/// The part of a transform's axis that is looked at.
struct Band {
    Index length;              // of the transform
    double middle, scale;      // position = (frequency - middle) scale
    Index first, count;        // samples that interpolation reads
    std::vector<double> cell;  // [count]: the transform of a cell

    Band(Index cells, double per_cell, double at, Range frequencies) : middle(at) {
        length = smooth_size(std::max(cells, taps), 5, 32);
        scale = static_cast<double>(length) * per_cell;
        const auto sample = [&](double frequency) {
            return static_cast<Index>(std::floor((frequency - middle) * scale));
        };
        // One more at each end for what rounding moves.
        first = sample(frequencies.low) - DenseInterpolation::before - 1;
        count = sample(frequencies.high) + taps + 1 - first;
        for (Index k = 0; k < count; ++k)
            cell.push_back(sinc(static_cast<double>(first + k) / static_cast<double>(length)));
    }

    [[nodiscard]] double frequency(Index k) const { return middle + static_cast<double>(first + k) / scale; }
    /// Where sample k, which may be negative, is in a transform.
    [[nodiscard]] Index wrapped(Index k) const { return (k % length + length) % length; }

    /// Writes a line to be transformed: `samples_count` from sample `start` on, at most as many as there are,
    /// and zeros.
    void put(const Complex* samples, Index samples_count, Index start, Complex* line) const {
        const Index at = wrapped(start), before_end = std::min(samples_count, length - at);
        std::fill_n(line, length, Complex{});
        std::copy_n(samples, before_end, line + at);
        std::copy_n(samples + before_end, samples_count - before_end, line);
    }
};

/// A window, its nodes and what is needed of the transform along each axis.
struct Sight {
    double z, c_x, c_y, slant;
    GaussLegendre rule;
    std::vector<double> nodes_x, nodes_y;
    Band down, right;

    Sight(const MapOptics& optics, const MapSummary& map, double wavelength, const PsfWindow& window,
          const FieldGrid& grid, int points)
        : z(optics.distance),
          c_x(z * window.tan_x),
          c_y(z * window.tan_y),
          slant(std::hypot(c_x, c_y, z)),
          rule(points),
          nodes_x(nodes_of(window, rule, c_x)),
          nodes_y(nodes_of(window, rule, c_y)),
          down(band_down(density * map.aperture / grid.pitch, grid.pitch / wavelength)),
          right(band_right(density * map.aperture / grid.pitch, grid.pitch / wavelength)) {}

private:
    Band band_down(double cells, double per_cell) const {
        const Range x{nodes_x.front(), nodes_x.back()}, y{nodes_y.front(), nodes_y.back()};
        const auto sine = [&](double own, double other) { return own / std::hypot(own, other, z); };
        const Range f = range_of(x, y, sine), g = range_of(y, x, sine);
        const double bend = f.furthest() * g.furthest() / (1 - square(g.furthest()));
        return {static_cast<Index>(std::ceil(cells * (1 + bend))), per_cell, c_y / slant, g};
    }
    Band band_right(double cells, double per_cell) const {
        const auto tangent = [&](double x) { return x / std::hypot(x, z); };
        const auto sine = [](double t, double g) { return t * std::sqrt(std::max(0.0, 1 - square(g))); };
        return {static_cast<Index>(std::ceil(cells)), per_cell, c_x / slant,
                range_of({tangent(nodes_x.front()), tangent(nodes_x.back())},
                         {down.frequency(0), down.frequency(down.count - 1)}, sine)};
    }
};

/// Complex numbers whose real and imaginary parts are apart.
struct Planes {
    Planes(Index rows, Index columns) : re({rows, columns}), im({rows, columns}) {}

    Array<double> re, im;
};

/// The field behind the relief, transformed along its rows: [right.count, rows of cells].
Array<Complex> transformed_rows(const MapOptics& optics, const MapSummary& summary, double wavelength,
                                const FieldGrid& grid, const Sight& sight, const FresnelKernels& kernels) {
    const HeightMap& map = optics.map;
    const Band& band = sight.right;
    const Index parts = grid.parts, fine = map.cells() * parts;
    const Index first_row = summary.first_row * parts, rows = (summary.last_row + 1) * parts - first_row;
    const auto middle = [&](Index i) {
        return (static_cast<double>(i) - static_cast<double>(fine - 1) / 2) * grid.pitch;
    };
    const FieldLineTransform transform(band.length);
    Array<Complex> result({band.count, rows}), lines({together, band.length}), cells({fine});
    std::vector<double> height(static_cast<std::size_t>(fine)), amplitude(height.size());
    const double relief = optics.material.refractive_index(wavelength) - 1;
    for (Index start = 0; start < rows; start += together) {
        const Index some = std::min(together, rows - start);
        for (Index r = 0; r < some; ++r) {
            const Index i = first_row + start + r;
            const double* light = map.amplitude.view().row(i / parts);
            Index first = 0, end = map.cells();
            while (first < end && light[first] == 0) ++first;
            while (end > first && light[end - 1] == 0) --end;
            first *= parts, end *= parts;
            for (Index j = first; j < end; ++j) {
                height[static_cast<std::size_t>(j)] = map.height(i / parts, j / parts);
                amplitude[static_cast<std::size_t>(j)] = light[j / parts];
            }
            kernels.field_row({.height = height.data() + first,
                               .amplitude = amplitude.data() + first,
                               .count = end - first,
                               .x = middle(first),
                               .y = middle(i),
                               .pitch = grid.pitch,
                               .c_x = sight.c_x,
                               .c_y = sight.c_y,
                               .slant = sight.slant,
                               .focal_length = optics.ideal_focal_length,
                               .relief = relief,
                               .frequency = 1 / wavelength},
                              reinterpret_cast<double*>(cells.data()));
            Complex* line = lines.view().row(r);
            band.put(cells.data(), end - first, first - fine / 2, line);
            transform.forward(line);
        }
        for (Index k = 0; k < band.count; ++k) {
            const Index at = band.wrapped(band.first + k);
            const double cell = band.cell[static_cast<std::size_t>(k)] * square(grid.pitch);
            for (Index r = 0; r < some; ++r) result(k, start + r) = cell * lines(r, at);
        }
    }
    return result;
}

/// Those transformed along the columns: [down.count, right.count].
Planes transformed_columns(const Array<Complex>& columns, Index first_row, const Sight& sight) {
    const Band& band = sight.down;
    const Index count = columns.shape()[0], rows = columns.shape()[1];
    const FieldLineTransform transform(band.length);
    Array<Complex> lines({together, band.length});
    Planes result(band.count, count);
    for (Index start = 0; start < count; start += together) {
        const Index some = std::min(together, count - start);
        for (Index r = 0; r < some; ++r) {
            Complex* line = lines.view().row(r);
            band.put(columns.view().row(start + r), rows, first_row, line);
            transform.forward(line);
        }
        for (Index k = 0; k < band.count; ++k) {
            const Index at = band.wrapped(band.first + k);
            const double cell = band.cell[static_cast<std::size_t>(k)];
            for (Index r = 0; r < some; ++r) {
                result.re(k, start + r) = cell * lines(r, at).real();
                result.im(k, start + r) = cell * lines(r, at).imag();
            }
        }
    }
    return result;
}

/// The field where rows meet the nodes X: [nodes, down.count].
Planes at_columns_of_nodes(const Planes& field, const Sight& sight, const FresnelKernels& kernels) {
    const auto nodes = static_cast<Index>(sight.nodes_x.size()), rows = sight.down.count;
    const Band& band = sight.right;
    std::vector<double> tangent, position(sight.nodes_x.size());
    for (const double x : sight.nodes_x) tangent.push_back(x / std::hypot(x, sight.z));
    Planes result(nodes, rows), lines(together, nodes);
    for (Index start = 0; start < rows; start += together) {
        const Index some = std::min(together, rows - start);
        for (Index r = 0; r < some; ++r) {
            const double g = sight.down.frequency(start + r), cosine = std::sqrt(std::max(0.0, 1 - g * g));
            for (std::size_t n = 0; n < tangent.size(); ++n)
                position[n] =
                    (tangent[n] * cosine - band.middle) * band.scale - static_cast<double>(band.first);
            kernels.resample({field.re.view().row(start + r), field.im.view().row(start + r), position.data(),
                              nodes, interpolation().table()},
                             lines.re.view().row(r), lines.im.view().row(r));
        }
        for (Index n = 0; n < nodes; ++n)
            for (Index r = 0; r < some; ++r) {
                result.re(n, start + r) = lines.re(r, n);
                result.im(n, start + r) = lines.im(r, n);
            }
    }
    return result;
}

}  // namespace

MapSummary::MapSummary(const HeightMap& map) : aperture(map.aperture()), light(map.light()) {
    const auto dark = [&](Index i) {
        const double* row = map.amplitude.view().row(i);
        return std::all_of(row, row + map.cells(), [](double a) { return a == 0; });
    };
    last_row = map.cells() - 1;
    while (first_row < last_row && dark(first_row)) ++first_row;
    while (last_row > first_row && dark(last_row)) --last_row;
}

Array<float> fresnel_psf(const MapOptics& optics, const MapSummary& map, double wavelength,
                         const PsfWindow& window, const FieldGrid& grid, int points) {
    const FresnelKernels& kernels = fresnel_kernels(default_isa());
    const Sight sight(optics, map, wavelength, window, grid, points);
    const Index middle = optics.map.cells() * grid.parts / 2;
    const Planes columns = at_columns_of_nodes(
        transformed_columns(transformed_rows(optics, map, wavelength, grid, sight, kernels),
                            map.first_row * grid.parts - middle, sight),
        sight, kernels);
    const auto nodes = static_cast<Index>(sight.nodes_y.size()), per_pixel = nodes / window.size;
    const double scale = square(sight.z / wavelength * window.pixel) / (4 * map.light);
    std::vector<double> position(sight.nodes_y.size()), factor(position.size()), power(position.size());
    Array<double> sums({window.size, window.size});
    for (Index n = 0; n < nodes; ++n) {
        const double x = sight.nodes_x[static_cast<std::size_t>(n)];
        kernels.node_column({sight.nodes_y.data(), nodes, square(sight.z) + square(x), sight.down.middle,
                             sight.down.scale, static_cast<double>(sight.down.first)},
                            position.data(), factor.data());
        kernels.resample_power({columns.re.view().row(n), columns.im.view().row(n), position.data(), nodes,
                                interpolation().table()},
                               power.data());
        const double* weights = sight.rule.weights.data();  // the same from either end
        for (Index i = 0; i < window.size; ++i) {
            double sum = 0;
            for (Index a = 0; a < per_pixel; ++a) {
                const auto node = static_cast<std::size_t>(i * per_pixel + a);
                sum += weights[a] * factor[node] * power[node];
            }
            sums(i, n / per_pixel) += weights[n % per_pixel] * sum;
        }
    }
    Array<float> psf(sums.shape());
    for (Index i = 0; i < psf.elements(); ++i) psf.data()[i] = static_cast<float>(scale * sums.data()[i]);
    return psf;
}

}  // namespace sonolux::detail
