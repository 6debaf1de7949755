// tests/solvers/classical/travel_time_cases.hpp
//
// Delays of known maps: discs by closed form (straight rays through a circle), tissue by rays through a finer
// map. Neither is made by the operator that inverts them.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include <sonolux/core/operators/path_integral.hpp>
#include <sonolux/core/random.hpp>
#include <sonolux/simulation/phantoms/tissue.hpp>

namespace sonolux::travel_time_cases {

/// 84 x 64 pixels of 0.6 mm, 128 elements of 0.3 mm, pairs (15, 25) to (105, 115), counted from 1: the
/// acquisition of M. Bernhardt et al. 2020.
inline PathGeometry bernhardt_geometry() {
    return element_pairs(centred_grid(84, 64, 0.6e-3), make_linear_array(128, 0.3e-3, 0.27e-3),
                         {{14, 24}, {34, 44}, {54, 64}, {74, 84}, {94, 104}, {104, 114}});
}

/// As above with a third of the pixels, for tests of behaviour.
inline PathGeometry small_geometry() {
    return element_pairs(centred_grid(28, 22, 1.8e-3), make_linear_array(128, 0.3e-3, 0.27e-3),
                         {{14, 24}, {34, 44}, {54, 64}, {74, 84}, {94, 104}, {104, 114}});
}

struct Disc {
    double background = 1500, contrast = 50;  // m/s
    Point centre{0, 20e-3};
    double radius = 3.81e-3;
};

struct Case {
    Array<float> speed;   // m/s, the mean slowness of each pixel inverted
    Array<float> delays;  // s
};

inline double chord(Point from, Point to, const Disc& disc) {
    const Point step = to - from;
    const double whole = length(step), along = dot(disc.centre - from, step) / whole;
    const double off = dot(disc.centre - from, disc.centre - from) - along * along;
    const double half = std::sqrt(std::max(0.0, disc.radius * disc.radius - off));
    return std::max(0.0, std::min(whole, along + half) - std::max(0.0, along - half));
}

inline void add_noise(Array<float>& delays, double noise, std::uint64_t seed) {
    Philox random(seed, 11);
    for (float& d : delays) d += static_cast<float>(noise) * random.normal();
}

inline Case make_disc(const PathGeometry& geometry, const Disc& disc, double noise, std::uint64_t seed) {
    const ImageGrid& map = geometry.map;
    Case result{Array<float>(map.shape()), Array<float>({static_cast<Index>(geometry.measurements.size()),
                                                         geometry.points.rows, geometry.points.columns})};
    const double outside = 1 / disc.background, inside = 1 / (disc.background + disc.contrast);
    constexpr int fine = 8;
    for (Index i = 0; i < map.rows; ++i)
        for (Index j = 0; j < map.columns; ++j) {
            int within = 0;
            for (int a = 0; a < fine * fine; ++a) {
                const Point p = map.point(static_cast<double>(i) + (a / fine + 0.5) / fine - 0.5,
                                          static_cast<double>(j) + (a % fine + 0.5) / fine - 0.5);
                within += length(p - disc.centre) < disc.radius;
            }
            const double part = static_cast<double>(within) / (fine * fine);
            result.speed(i, j) = static_cast<float>(1 / (outside + part * (inside - outside)));
        }
    for (std::size_t m = 0; m < geometry.measurements.size(); ++m)
        for (Index i = 0; i < geometry.points.rows; ++i)
            for (Index j = 0; j < geometry.points.columns; ++j) {
                const Point p = geometry.points.point(static_cast<double>(i), static_cast<double>(j));
                double delay = 0;
                for (const WeightedRays& rays : geometry.measurements[m]) {
                    const Point from = rays.source.entry_point(p);
                    delay += rays.weight *
                             (length(p - from) * outside + chord(from, p, disc) * (inside - outside));
                }
                result.delays(static_cast<Index>(m), i, j) = static_cast<float>(delay);
            }
    add_noise(result.delays, noise, seed);
    return result;
}

/// The contrast test: 1500 and 1490 m/s, -50 to 50 m/s in steps of 5 without 0; 40 discs.
inline std::vector<Disc> contrast_discs() {
    std::vector<Disc> discs;
    for (const double background : {1500.0, 1490.0})
        for (int contrast = -50; contrast <= 50; contrast += 5)
            if (contrast != 0) discs.push_back({.background = background, .contrast = double(contrast)});
    return discs;
}

/// A random phantom of one family, delays by straight rays through a map of 0.3 mm.
inline Case make_tissue(const PathGeometry& geometry, TissueFamily family, std::uint64_t index,
                        double noise) {
    TissueOptions options;
    for (std::size_t n = 0; n < tissue_families.size(); ++n)
        options.weights[n] = tissue_families[n] == family ? 1 : 0;
    const TissuePhantom phantom(options, 77, index);
    const Medium medium = phantom.render(geometry.map);
    const Medium fine = phantom.render(centred_grid(169, 131, 0.3e-3));
    const Array<float> slow = slowness(fine);
    Case result{Array<float>(geometry.map.shape()),
                Array<float>({static_cast<Index>(geometry.measurements.size()), geometry.points.rows,
                              geometry.points.columns})};
    for (Index i = 0; i < geometry.map.rows; ++i)
        for (Index j = 0; j < geometry.map.columns; ++j) result.speed(i, j) = medium.sound_speed(i, j);
    for (std::size_t m = 0; m < geometry.measurements.size(); ++m)
        for (const WeightedRays& rays : geometry.measurements[m])
            for (Index i = 0; i < geometry.points.rows; ++i)
                for (Index j = 0; j < geometry.points.columns; ++j) {
                    const Point p = geometry.points.point(static_cast<double>(i), static_cast<double>(j));
                    result.delays(static_cast<Index>(m), i, j) += static_cast<float>(
                        rays.weight * straight_ray_time(fine.grid, slow, rays.source.entry_point(p), p));
                }
    add_noise(result.delays, noise, 1000 + index);
    return result;
}

/// m/s, over the whole map.
inline double rmse(View<const float> slowness_map, const Array<float>& speed) {
    double sum = 0;
    for (Index n = 0; n < speed.elements(); ++n)
        sum += std::pow(1 / double{slowness_map.data()[n]} - double{speed.data()[n]}, 2);
    return std::sqrt(sum / static_cast<double>(speed.elements()));
}

/// m/s: mean within 0.8 radii minus mean from 1.3 to 2.6 radii.
inline double contrast_of(View<const float> slowness_map, const ImageGrid& map, const Disc& disc) {
    double in = 0, out = 0, inside = 0, outside = 0;
    for (Index i = 0; i < map.rows; ++i)
        for (Index j = 0; j < map.columns; ++j) {
            const double speed = 1 / double{slowness_map(i, j)};
            const double r = length(map.point(static_cast<double>(i), static_cast<double>(j)) - disc.centre);
            if (r < 0.8 * disc.radius) in += speed, ++inside;
            if (r > 1.3 * disc.radius && r < 2.6 * disc.radius) out += speed, ++outside;
        }
    return in / inside - out / outside;
}

inline double median(std::vector<double> values) {
    std::ranges::sort(values);
    const std::size_t half = values.size() / 2;
    return values.size() % 2 == 1 ? values[half] : 0.5 * (values[half - 1] + values[half]);
}

}  // namespace sonolux::travel_time_cases
