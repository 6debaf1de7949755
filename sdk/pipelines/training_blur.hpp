// sonolux/sdk/pipelines/training_blur.hpp
//
// The blur kernels of a training run.
#pragma once

#include <optional>

#include <sonolux/sdk/pipelines/training_recipe.hpp>

namespace sonolux {

/// What the trainer needs to know of blurs: nothing for a network that wants none; no kernels for one that
/// wants a domain with a border and denoises; otherwise kernels from the recipe's mixture. As many of them as
/// it says are drawn here, and a few more that only validation sees: drawing takes memory, which training
/// must not. A sample's kernel is a function of (seed, sample).
[[nodiscard]] std::optional<TrainingBlur> make_training_blur(const TrainingRecipe& recipe);

}  // namespace sonolux
