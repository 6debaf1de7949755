// sonolux/sdk/pipelines/checkpoint.hpp
//
// The state of a training run in one file, written so that a kill at any moment leaves the old one or the new
// one.
//
// A safetensors file: the tensors "parameters", "adam.first", "adam.second" and "best_parameters", each flat,
// and the metadata key "sonolux_checkpoint" with the counters, the recipe and the SHA-256 of the tensors.
// Random numbers are counter-based, so the step number is all that they need.
#pragma once

#include <optional>
#include <string>

#include <sonolux/solvers/training/trainer.hpp>

namespace sonolux {

struct Checkpoint {
    TrainingState state;
    std::string recipe;                ///< resolved, TOML
    std::string images;                ///< SHA-256 of what is trained and validated on
    std::string git_hash;              ///< of the program that wrote it
    std::uintmax_t metrics_bytes = 0;  ///< how much of metrics.csv belongs to these steps
    std::uintmax_t events_bytes = 0;   ///< and of the TensorBoard events
    double seconds = 0;                ///< spent on these steps, over all sessions
};

/// Throws Error{file_error}.
void write_checkpoint(const std::string& path, const Checkpoint& checkpoint);

/// Empty if there is no such file. Throws Error{corrupt_data} naming the file and what is wrong with it.
[[nodiscard]] std::optional<Checkpoint> read_checkpoint(const std::string& path);

}  // namespace sonolux
