// sonolux/sdk/pipelines/recipe_heading.hpp
//
// How recipes of trainings begin, whatever they train.
#pragma once

#include <cstdint>

#include <sonolux/core/error.hpp>
#include <sonolux/sdk/files/recipe.hpp>

namespace sonolux {

/// `name`, `licence`, `seed`, `threads` and `initial_model`. Throws as RecipeTable does, and
/// Error{invalid_argument} for a name that cannot be a folder's.
template <class Recipe>
void read_heading(RecipeTable& table, Recipe& recipe) {
    recipe.name = table.text("name", std::nullopt);
    require(!recipe.name.empty() && recipe.name.find('/') == std::string::npos, Status::invalid_argument,
            table.where("name"), " must be a word without \"/\", got \"", recipe.name, "\"");
    recipe.licence = table.text("licence", recipe.licence);
    recipe.seed = static_cast<std::uint64_t>(table.integer("seed", 1, 0));
    recipe.threads = static_cast<int>(table.integer("threads", 0, 0, 1024));
    recipe.initial_model = table.text("initial_model", "");
}

}  // namespace sonolux
