// sonolux/sdk/pipelines/train.hpp
//
// Trains a network as a recipe says, in a run directory that survives interruptions:
//
//     recipe.toml              the recipe with every key written out
//     version.txt              version and git hash of Sonolux
//     metrics.csv              step, phase, loss, learning rate, validation PSNR, seconds
//     events.out.tfevents...   the same for TensorBoard
//     checkpoint.safetensors   the state, written every so many steps
//     model.safetensors        the trained model, at the end
//     report.html              curves, filters and activations, at the end
//
// A run that was stopped or killed at any moment continues from its checkpoint, and ends with the same bits
// as one that was not.
#pragma once

#include <functional>
#include <string>

#include <sonolux/core/context.hpp>

namespace sonolux {

struct TrainRequest {
    std::string recipe;  ///< TOML file
    std::string output;  ///< run directory; empty: what the recipe says, or out/NAME
    std::string
        data;  ///< what "$SONOLUX_DATA" in the recipe's paths stands for; empty: the environment variable
    int threads = -1;                      ///< -1: what the recipe says
    std::shared_ptr<CudaDevice> device{};  ///< null: the CPU. For variational networks that denoise images
    bool fresh = false;                    ///< drops what is in the run directory instead of continuing it
    Index stop_after =
        0;  ///< ends this session after so many steps, with a checkpoint; 0: at the end of training

    /// Called after every step; returns false to stop (with a checkpoint).
    std::function<bool(const Progress&)> progress;

    /// Called with a line of text now and then: what is being trained on, each validation.
    std::function<void(const std::string&)> log;
};

struct TrainSummary {
    std::string folder;  ///< the run directory
    std::string model;   ///< path of the model; empty if training is not finished
    Index steps = 0;     ///< finished
    Index total_steps = 0;
    Index resumed_at = 0;        ///< 0: from the start
    double validation_psnr = 0;  ///< dB, of the model; NaN without a validation. Of sound speed: - m/s
    std::string validation;      ///< the same for people: "validation 28.125 dB"; empty without one
    double seconds = 0;          ///< over all sessions
    bool finished = false;
};

/// Throws Error naming the file, key and value; one is a run directory whose recipe differs from the
/// request's.
TrainSummary train(const TrainRequest& request);

}  // namespace sonolux
