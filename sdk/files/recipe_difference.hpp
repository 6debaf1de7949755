// sonolux/sdk/files/recipe_difference.hpp
//
// Whether work that was begun goes on by the same recipe.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace sonolux {

/// The first line in which two resolved recipes (RecipeTable::resolved) differ, as `training.steps is 100
/// there and 200 here`, or nothing if none does. Keys that `ignored` is true of do not count.
[[nodiscard]] std::string recipe_difference(
    const std::string& there, const std::string& here,
    const std::function<bool(std::string_view key)>& ignored = [](std::string_view) { return false; });

}  // namespace sonolux
