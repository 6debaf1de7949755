// sonolux/sdk/pipelines/sound_speed_recipe.hpp
//
// SoundSpeedRecipe: everything that decides what a training for the speed of sound makes, as a TOML file says
// it. docs/training.md explains the keys, models/recipes/ has an example.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sonolux/sdk/runtime/travel_time_problem.hpp>
#include <sonolux/solvers/masked_variational_network.hpp>
#include <sonolux/solvers/training/trainer.hpp>

namespace sonolux {

/// What makes samples of a set harder than they are.
struct DelayAugmentation {
    double least_missing = 0, most_missing = 0;  ///< uniform between; 0 and 0: nothing more is missing
    Index patch_nodes = 16;  ///< along each side of the random field whose lowest values are missing
    double noise = 0;        ///< s; deviations are uniform from 0 to this
    double residual = 0;     ///< largest factor of the residuals that are added; uniform from 0 to this
};

struct DelaySource {
    std::string path;            ///< a set of sonolux simulate
    Index per_batch = 1;         ///< how many samples of each batch come from it
    Index first = 0, count = 0;  ///< of the set's samples; count 0: all from `first` on
    DelayAugmentation augmentation;
};

struct SoundSpeedRecipe {
    std::string name, licence = "unspecified", data_licence, initial_model, folder;
    std::uint64_t seed = 1;
    int threads = 0;

    MaskedVariationalOptions network;  ///< [network]
    TravelTimeProblem problem;         ///< [array], [geometry]; its norm is not known yet

    std::vector<DelaySource> sources;  ///< [data]
    Index curriculum_steps = 0;        ///< for so many steps the first source fills the batches

    /// A set whose delays, less those of its maps, are added to samples of sources with a `residual`; what it
    /// could not measure they miss too. Empty: none.
    std::string residuals;

    BatchOptions batch;  ///< [training]
    Index steps = 1000;
    LearningRate learning_rate;
    AdamOptions adam;
    RangeOptions ranges;
    bool squared = false;         ///< or the smoothed absolute error
    double l1_epsilon = 0.01;     ///< in deviations of the whitened data
    double step_weight_span = 5;  ///< the first step's loss counts exp(-span) of the last's
    double knot_smoothness = 0;

    std::vector<DelaySource> validation;  ///< [validation]; per_batch is not looked at
    Index validation_samples = 32;        ///< of each source at most
    Index validate_every = 100;

    Index checkpoint_every = 50, log_every = 10;  ///< [output]
    std::string resolved;
};

/// Reads a recipe. Throws Error naming the file, line and key.
[[nodiscard]] SoundSpeedRecipe read_sound_speed_recipe(const std::string& path);

/// What the trainer does with it.
[[nodiscard]] TrainingOptions training_options(const SoundSpeedRecipe& recipe);

}  // namespace sonolux
