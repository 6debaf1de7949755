// sonolux/sdk/pipelines/training_recipe.hpp
//
// TrainingRecipe: everything that decides what a training run makes, as a TOML file says it.
//
// models/recipes/ has examples; docs and `sonolux train --help` name the keys. Unknown keys are refused. Keys
// that are not there have the values below, and the run directory keeps the recipe with all of them written
// out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sonolux/solvers/training/trainer.hpp>
#include <sonolux/solvers/variational_network.hpp>

namespace sonolux {

/// Photographs that patches are cut from.
struct RecipeSource {
    std::string folder;                ///< all images in it; or
    std::vector<std::string> files;    ///< these, within `folder` if that is given too
    std::vector<int> downscale = {1};  ///< each image is taken once for each factor (area average)
    double weight = 1;                 ///< share of the patches, relative to the other sources
    std::string licence;               ///< of these images, for the model's card

    friend bool operator==(const RecipeSource&, const RecipeSource&) = default;
};

/// Images of occluding leaves, made on the spot.
struct RecipeDeadLeaves {
    double weight = 0;  ///< share of the patches, relative to the sources'; 0: none
    int images = 64;
    int size = 256;  ///< rows and columns

    friend bool operator==(const RecipeDeadLeaves&, const RecipeDeadLeaves&) = default;
};

enum class RecipeLoss { squared, l1, psnr };

struct TrainingRecipe {
    std::string name;  ///< of the model; required
    std::string licence = "unspecified";
    std::uint64_t seed = 1;
    int threads = 0;            ///< 0: all processors. Does not change the result
    std::string initial_model;  ///< file whose parameters training starts from; empty: from scratch

    VariationalNetworkOptions network;  ///< [network]

    NoiseLevels noise;  ///< [problem] sigma, or sigma_range; sigma_distribution, sigmas_per_step

    std::vector<RecipeSource> sources;  ///< [[data.sources]]
    RecipeDeadLeaves dead_leaves;       ///< [data.dead_leaves]
    double smallest_gradient =
        0;  ///< [data]: flatter patches are mostly passed over (simulation/patches.hpp)

    /// [training]
    BatchOptions batch;
    Index steps = 4000;      ///< joint Adam steps
    Index greedy_steps = 0;  ///< Adam steps for each stage before that
    Index lbfgs_rounds = 0;  ///< rounds of L-BFGS on fixed patches after that
    Index lbfgs_patches = 1024;
    LbfgsOptions lbfgs;
    LearningRate learning_rate;
    LearningRate greedy_learning_rate;
    AdamOptions adam;
    RecipeLoss loss = RecipeLoss::squared;
    Index loss_margin = 0;
    double l1_epsilon = 1;  ///< in the network's units
    double step_weight_decay =
        std::numeric_limits<double>::infinity();  ///< tau of the weights of earlier steps

    /// [validation]
    RecipeSource validation;
    Index validation_images = 16;  ///< the first so many, in the order of their names
    Index validation_crop = 180;   ///< the central so many rows and columns; 0: whole images
    std::vector<double>
        validation_sigmas;       ///< empty: the training level, or both ends and the middle of the range
    Index validate_every = 100;  ///< steps

    /// [output]
    std::string folder;           ///< run directory; empty: out/NAME
    Index checkpoint_every = 50;  ///< steps
    Index log_every = 10;         ///< steps between rows of metrics.csv
};

/// Reads a recipe file. Throws Error naming file and key.
[[nodiscard]] TrainingRecipe read_training_recipe(const std::string& path);

/// Reads a recipe's text; `source` starts every message.
[[nodiscard]] TrainingRecipe parse_training_recipe(std::string_view text, const std::string& source);

/// The recipe with every key written out. Reading it gives the same recipe.
[[nodiscard]] std::string to_toml(const TrainingRecipe& recipe);

/// What the trainer does with it.
[[nodiscard]] TrainingOptions training_options(const TrainingRecipe& recipe);

[[nodiscard]] std::unique_ptr<Loss> make_loss(const TrainingRecipe& recipe);

}  // namespace sonolux
