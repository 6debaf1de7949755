// sonolux/sdk/pipelines/lens_training_recipe.hpp
//
// LensTrainingRecipe: everything that decides what a training for a lens makes, as a TOML file with [problem]
// kind = "lens" says it. docs/training.md explains the keys, models/recipes/ has examples.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sonolux/sdk/pipelines/lens_recipe.hpp>
#include <sonolux/solvers/training/trainer.hpp>
#include <sonolux/solvers/variational_network.hpp>

namespace sonolux {

/// Where scenes come from, and what is done to them.
struct LensSceneRecipe {
    std::vector<std::string> photographs;  ///< folders, lists or files, as find_images takes them; sRGB codes
    std::vector<Index> reductions = {3, 5};  ///< each photograph is taken once reduced by each of these
    Index dead_leaves = 60;                  ///< pictures of coloured dead leaves,
    Index dead_leaves_size = 384;            ///< so large
    double dead_leaves_fraction = 0.25;      ///< of the samples

    double black_fraction = 0.35;            ///< of the samples: shapes cut out, before black
    double darkest = 0.35, brightest = 1.2;  ///< exposures, log-uniform; light is clipped at white
    double mosaic_fraction = 0;  ///< of the samples: seen through the sensor's mosaic, and interpolated
    double least_saturation = 0.8, most_saturation = 1.8;  ///< uniform; of distances from grey
    std::string licence;
};

struct LensTrainingRecipe {
    std::string name, licence = "unspecified", initial_model, folder;
    std::uint64_t seed = 1;
    int threads = 0;

    LensSystem system;                  ///< [lens], [psf], [light], [sensor]
    VariationalNetworkOptions network;  ///< [network]
    LensSceneRecipe scenes;             ///< [data]

    Index size = 128, seam = 16;  ///< rows and columns of the periodic samples, and how wide they blend
    BatchOptions batch;           ///< [training]
    Index steps = 1000;
    LearningRate learning_rate;
    AdamOptions adam;
    double tone_weight = 0.1;      ///< ToneLoss
    double step_weight_decay = 2;  ///< exp(-decay (T - t))

    std::vector<std::string> validation;  ///< [validation]: photographs
    Index validation_size = 192, validation_samples = 12, validate_every = 100;

    Index checkpoint_every = 50, log_every = 10;  ///< [output]
    std::string resolved;
};

/// Whether the recipe is one of these. Throws as RecipeTable::read does.
[[nodiscard]] bool is_lens_recipe(const std::string& path);

/// Reads a recipe and computes the point spread functions. Throws Error naming the file, line and key.
[[nodiscard]] LensTrainingRecipe read_lens_training_recipe(const std::string& path, Context& context);

/// The same from text, as model files keep it; `source` starts every message.
[[nodiscard]] LensTrainingRecipe parse_lens_training_recipe(const std::string& text,
                                                            const std::string& source, Context& context);

/// What the trainer does with it.
[[nodiscard]] TrainingOptions training_options(const LensTrainingRecipe& recipe);

}  // namespace sonolux
