// sonolux/sdk/pipelines/training_data.hpp
//
// The clean images of a training run: photographs from files, reduced, and dead leaves.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <sonolux/sdk/pipelines/training_recipe.hpp>
#include <sonolux/simulation/patches.hpp>

namespace sonolux {

/// Replaces "$SONOLUX_DATA" at the start of a path by `data`, or by the environment variable of that name if
/// `data` is empty. Throws Error{file_error} if neither is given.
[[nodiscard]] std::string resolve_path(const std::string& path, const std::string& data);

/// Everything that patches are cut from.
class TrainingData {
public:
    /// Loads and renders. Throws as load_image_set does, and Error{invalid_argument} for leaves smaller than
    /// patches.
    TrainingData(const TrainingRecipe& recipe, const std::string& data, Context& context);

    [[nodiscard]] const PatchSampler& sampler() const noexcept { return *sampler_; }
    [[nodiscard]] const std::string& description() const noexcept { return description_; }
    [[nodiscard]] const std::vector<std::vector<Array<float>>>& images() const noexcept { return images_; }

private:
    std::vector<std::vector<Array<float>>> images_;  // of each source
    std::string description_;
    std::unique_ptr<PatchSampler> sampler_;
};

/// The held-out images of a recipe: the first so many, their central parts. Empty if the recipe names none.
[[nodiscard]] std::vector<Array<float>> validation_images(const TrainingRecipe& recipe,
                                                          const std::string& data);

/// SHA-256 of the sizes and pixels of all images, in order: another folder of images is another training.
[[nodiscard]] std::string fingerprint(const TrainingData& data, const std::vector<Array<float>>& validation);

}  // namespace sonolux
