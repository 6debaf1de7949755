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
/// `data` is empty. Relative paths start at `base`. Throws Error{file_error} if neither is given.
[[nodiscard]] std::string resolve_path(const std::string& path, const std::string& data,
                                       const std::string& base);

/// Grey images with values 0 to 255, and what they are.
struct TrainingImages {
    std::vector<Array<float>> images;
    std::string description;  ///< "400 images from ../train400_gray (research use)"
};

/// The images of a source in the order of their names, each once for every factor by which it is to be
/// reduced. Images that come out smaller than `smallest` rows or columns are left out. `where` names the
/// recipe's table in messages. Throws Error naming the key, folder or file; one is a source without any image
/// left.
[[nodiscard]] TrainingImages load_images(const RecipeSource& source, const std::string& data,
                                         const std::string& base, Index smallest, const std::string& where);

/// Everything that patches are cut from.
class TrainingData {
public:
    /// Loads and renders. Throws as load_images does.
    TrainingData(const TrainingRecipe& recipe, const std::string& data, const std::string& base,
                 Context& context);

    [[nodiscard]] const PatchSampler& sampler() const noexcept { return *sampler_; }
    [[nodiscard]] const std::string& description() const noexcept { return description_; }

private:
    std::vector<TrainingImages> sources_;
    std::string description_;
    std::unique_ptr<PatchSampler> sampler_;
};

/// The held-out images of a recipe: the first so many, their central parts. Empty if the recipe names none.
[[nodiscard]] std::vector<Array<float>> validation_images(const TrainingRecipe& recipe,
                                                          const std::string& data, const std::string& base);

}  // namespace sonolux
