// sonolux/sdk/pipelines/acquisition_recipe.hpp
//
// The keys of simulation recipes that say what sends, when, and what it hears with.
#pragma once

#include <vector>

#include <sonolux/core/acoustics/transmission.hpp>
#include <sonolux/core/operators/path_geometry.hpp>
#include <sonolux/sdk/files/recipe.hpp>

namespace sonolux {

/// [array]: a linear or convex array, 128 elements 0.3 mm apart by default.
[[nodiscard]] TransducerArray read_array(RecipeTable& recipe);

/// Elements that a key lists, counted from 1 as probes and papers do; here from 0.
[[nodiscard]] std::vector<Index> read_elements(RecipeTable& recipe, const std::string& key,
                                               const std::vector<double>& otherwise,
                                               const TransducerArray& array);

/// [transmit]: single elements, plane waves, virtual sources behind the array, or focused beams.
[[nodiscard]] std::vector<Transmission> read_transmissions(RecipeTable& recipe, const TransducerArray& array);

/// The keys kind, first, second, first_angles, second_angles, distance and f_number of `table`: differences
/// of travel times between two elements, two plane waves, or two virtual sources behind elements. By default
/// the six pairs of elements of M. Bernhardt et al. 2020, for 128 of them.
[[nodiscard]] std::vector<PathSum> read_ray_pairs(RecipeTable& recipe, const std::string& table,
                                                  const TransducerArray& array);

/// The keys receive_every and receive_f_number of `table`: every so manieth element as rays, or none (0,
/// which is the default).
[[nodiscard]] std::vector<RaySource> read_receive(RecipeTable& recipe, const std::string& table,
                                                  const TransducerArray& array);

/// The keys near, far and side of `table`.
[[nodiscard]] MaskMargins read_margins(RecipeTable& recipe, const std::string& table);

/// The grid that sound is computed on, with square pixels whose size `key` says: from the array down to the
/// last row of `map`, as wide as the wider of both, and one more pixel on all sides but the top. Throws
/// Error{invalid_argument} if it has more than `largest_grid` pixels.
[[nodiscard]] ImageGrid read_fine_grid(RecipeTable& recipe, const std::string& key, double spacing_otherwise,
                                       const TransducerArray& array, const ImageGrid& map);
inline constexpr Index largest_grid = Index{1} << 24;

}  // namespace sonolux
