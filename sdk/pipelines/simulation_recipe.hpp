// sonolux/sdk/pipelines/simulation_recipe.hpp
//
// SimulationRecipe: everything that decides what a training set holds, as a TOML file says it.
//
// docs/simulation.md explains the keys, simulation/recipes has an example of each domain. Unknown keys are
// refused. Quantities are in SI units; a range is one number or two.
#pragma once

#include <sonolux/sdk/pipelines/simulation_domain.hpp>

namespace sonolux {

struct SimulationRecipe {
    std::string name;    ///< of the set, required
    std::string domain;  ///< one of simulation_domains(), required
    Index samples = 0;   ///< [set]; required
    Index shard_samples = 64;
    SimulationSetup setup;
    bool tissue = true;  ///< setup has phantoms and their grid
    std::unique_ptr<SimulationDomain> simulator;
    std::string resolved;  ///< the recipe as TOML, with every key written out
};

/// Reads a recipe. Throws Error naming the file, line and key.
[[nodiscard]] SimulationRecipe read_simulation_recipe(const std::string& path);
/// The same from text; `source` starts every message.
[[nodiscard]] SimulationRecipe parse_simulation_recipe(std::string_view text, const std::string& source);

/// [phantom]: families with their weights, and the ranges of those that have one.
[[nodiscard]] TissueOptions read_phantoms(RecipeTable& recipe);

/// One number, or two that do not fall. Throws Error{invalid_argument} with file, line and key.
[[nodiscard]] Range read_range(RecipeTable& recipe, const std::string& key, const Range& otherwise,
                               double lowest = -1e9, double highest = 1e9);

/// What a set made by this recipe says of itself.
[[nodiscard]] SetManifest manifest_of(const SimulationRecipe& recipe);

}  // namespace sonolux
