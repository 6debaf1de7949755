// sonolux/simulation/phantoms/scatterers.hpp
//
// What makes speckle: many scatterers in each resolution cell of an image.
#pragma once

#include <vector>

#include <sonolux/simulation/phantoms/tissue.hpp>

namespace sonolux {

/// A point that scatters sound, with its strength relative to the usual one.
struct PointScatterer {
    Point position;
    float amplitude = 0;

    friend bool operator==(const PointScatterer&, const PointScatterer&) = default;
};

struct ScattererOptions {
    double per_cell = 12;  ///< mean number in a resolution cell, 0 to 1000; above 10 speckle is developed
    double cell_width = 0.5e-3;                                       ///< m, of a resolution cell: lateral
    double cell_height = 0.3e-3;                                      ///< m, axial
    double left = -19e-3, right = 19e-3, top = 2e-3, bottom = 50e-3;  ///< m, where scatterers lie
};

/// Throws Error{invalid_argument} naming the option that is outside its range, or if there would be more than
/// 2^24 scatterers on the average.
void validate(const ScattererOptions& options);

/// A Poisson process: as many in each cell as chance gives, each anywhere in it, with a normal amplitude of
/// the standard deviation that the tissue's echogenicity says,
///
///     amplitude = 10^(echogenicity / 20 dB) * standard normal.
///
/// A function of both options and (seed, index), from Philox(seed, streams::scatterers, index).
[[nodiscard]] std::vector<PointScatterer> draw_scatterers(const ScattererOptions& options,
                                                          const TissuePhantom& phantom, std::uint64_t seed,
                                                          std::uint64_t index);

/// Scatterers as a wave sees them: the density of the medium varies by
///
///     density *= 1 + strength sum over scatterers of amplitude h(z) h(x)
///
/// with the hat functions of the four grid points around each, which keep its mass and its centre. Changes of
/// density are at most 50 % either way. Throws Error{invalid_argument} unless strength is from 0 to 0.5, and
/// if scatterers are outside the medium's grid, saying how many.
void add_scatterers(Medium& medium, const std::vector<PointScatterer>& scatterers, double strength);

/// Scatterers as changes of the compressibility 1 / (density c^2), where the density shall stay as it is:
///
///     1 / c^2 *= 1 + strength sum over scatterers of amplitude h(z) h(x)
///
/// They send the same to all sides, those of density the more the straighter back. Since waves much longer
/// than the distance of scatterers travel with the mean of 1 / c^2, and amplitudes have no mean, travel times
/// stay. Throws the same.
void add_compressible_scatterers(Medium& medium, const std::vector<PointScatterer>& scatterers,
                                 double strength);

}  // namespace sonolux
