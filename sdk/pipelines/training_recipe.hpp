// sonolux/sdk/pipelines/training_recipe.hpp
//
// TrainingRecipe: everything that decides what a training run makes, as a TOML file says it.
//
// docs/training.md explains the keys, models/recipes/ has examples. Unknown keys are refused. Keys that are
// not there have the values below, and the run directory keeps the recipe with all of them written out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sonolux/simulation/degradation/blur_kernels.hpp>
#include <sonolux/solvers/network_options.hpp>
#include <sonolux/solvers/training/trainer.hpp>

namespace sonolux {

/// Images of occluding leaves, made on the spot.
struct RecipeDeadLeaves {
    double weight = 0;  ///< share of the patches, relative to the sources'; 0: none
    int images = 64;
    int size = 256;  ///< rows and columns
};

/// Blurs to learn to remove.
struct RecipeBlur {
    bool wanted = false;   ///< [problem] kind = "deblur"
    Index radius = 13;     ///< kernels are at most 2 radius + 1 across
    Index kernels = 2000;  ///< that many are drawn before training begins
    BlurKernelOptions kinds;
    double estimated_fraction =
        0;  ///< of the samples, whose kernel the network is told wrong, as estimates are
    KernelErrorOptions error;
};

enum class RecipeLoss { squared, l1, psnr };

struct TrainingRecipe {
    std::string name;  ///< of the model; required
    std::string licence = "unspecified";
    std::uint64_t seed = 1;
    int threads = 0;            ///< 0: all processors. Does not change the result
    std::string initial_model;  ///< file whose parameters training starts from; empty: from scratch

    NetworkOptions network;  ///< [network]

    NoiseLevels noise;  ///< [problem] sigma, or sigma_range; sigma_distribution, sigmas_per_step
    RecipeBlur blur;    ///< [problem] kind, kernel_radius, ...

    /// [data]
    std::vector<std::string> sources;     ///< folders, lists or files, as find_images takes them
    std::vector<double> weights;          ///< [sources]: shares of the patches
    std::vector<Index> reductions = {1};  ///< each image is taken once reduced by each of these factors
    std::string data_licence;             ///< for the model's card
    double smallest_gradient = 0;         ///< flatter patches are mostly passed over (simulation/patches.hpp)
    RecipeDeadLeaves dead_leaves;         ///< [data.dead_leaves]

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
    double l1_epsilon = 1;         ///< in the network's units
    bool weigh_all_steps = false;  ///< the loss of earlier steps counts too,
    double step_weight_decay = 1;  ///< with weights exp(-decay (T - t))

    /// [validation]
    std::vector<std::string> validation_sources;  ///< as in [data]; empty: no validation
    Index validation_reduction = 1;
    Index validation_images = 16;  ///< the first so many, in the order of their names
    Index validation_crop = 180;   ///< the central so many rows and columns; 0: whole images
    std::vector<double>
        validation_sigmas;       ///< empty: the training level, or both ends and the middle of the range
    Index validate_every = 100;  ///< steps

    /// [output]
    std::string folder;           ///< run directory; empty: out/NAME
    Index checkpoint_every = 50;  ///< steps
    Index log_every = 10;         ///< steps between rows of metrics.csv

    std::string resolved;  ///< the recipe as TOML, with every key written out
};

/// Reads a recipe. Throws Error naming the file, line and key.
[[nodiscard]] TrainingRecipe read_training_recipe(const std::string& path);

/// The same from text; `source` starts every message.
[[nodiscard]] TrainingRecipe parse_training_recipe(std::string_view text, const std::string& source);

/// What the trainer does with it.
[[nodiscard]] TrainingOptions training_options(const TrainingRecipe& recipe);

/// Rows and columns of the clean patches: those that are observed, and what blurs into them.
[[nodiscard]] Index clean_patch_size(const TrainingRecipe& recipe) noexcept;

[[nodiscard]] std::unique_ptr<Loss> make_loss(const TrainingRecipe& recipe);

}  // namespace sonolux
