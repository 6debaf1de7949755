// sonolux/sdk/pipelines/train_sound_speed.hpp
//
// Trains a network that maps the speed of sound, from sets of delays, as a recipe with [problem] kind =
// "sound_speed" says. The run directory is that of train.hpp.
#pragma once

#include <string>

#include <sonolux/sdk/pipelines/train.hpp>

namespace sonolux {

/// Whether the recipe is one of these. Throws as RecipeTable::read does.
[[nodiscard]] bool is_sound_speed_recipe(const std::string& path);

/// Throws as train does; what it says of images holds for delays.
TrainSummary train_sound_speed(const TrainRequest& request);

}  // namespace sonolux
