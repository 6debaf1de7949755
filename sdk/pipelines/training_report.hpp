// sonolux/sdk/pipelines/training_report.hpp
//
// report.html of a training run: what was trained, how it went, what was learned.
#pragma once

#include <filesystem>

#include <sonolux/sdk/runtime/model.hpp>

namespace sonolux {

/// An image before and after, all [rows, columns] with values in [0, 1].
struct TrainingExample {
    View<const float> truth, noisy, denoised;
    double sigma = 0;  ///< of the noise, in units of 1/255
};

/// Writes `run_directory`/report.html: facts and card of the model; curves of every numeric column of
/// metrics.csv (whose first line names the columns, one of them "step") that is a loss, a PSNR or a learning
/// rate; the example, if there is one; filters and activations of each stage; recipe.toml. Files that are
/// missing are left out. Throws Error{file_error} if it cannot be written, Error{corrupt_data} for a damaged
/// metrics.csv.
void write_training_report(const std::filesystem::path& run_directory, const Model& model,
                           const TrainingExample* example = nullptr);

}  // namespace sonolux
