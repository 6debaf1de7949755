// sonolux/sdk/pipelines/training_report.hpp
//
// report.html of a training run: what was trained, how it went, what was learned.
#pragma once

#include <filesystem>

#include <sonolux/sdk/files/report.hpp>
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

/// Name, problem, licence, data and metrics of a model, as every report shows them.
void add_model_card(Report& report, const Model& model);

/// Each metric in one line: "psnr_db 28.79, ssim 0.81 (protocol)".
[[nodiscard]] std::vector<std::string> metric_lines(const Model& model);

/// The middle of truth, noisy and denoised side by side, at most `most` rows and columns of it, with the PSNR
/// of each and a map of the error in grey levels. Images are [rows, columns] or [3, rows, columns].
[[nodiscard]] Canvas draw_comparison(View<const float> truth, View<const float> noisy,
                                     View<const float> denoised, const std::string& title, Index most);

}  // namespace sonolux
