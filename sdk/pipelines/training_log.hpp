// sonolux/sdk/pipelines/training_log.hpp
//
// The numbers of a training run, as a table and for TensorBoard.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include <sonolux/sdk/files/tensorboard.hpp>
#include <sonolux/solvers/training/trainer.hpp>

namespace sonolux {

inline constexpr const char* training_events_name = "events.out.tfevents.sonolux";

/// How the score of a validation, of which more is better, is shown to people.
struct ValidationFigure {
    const char* column = "validation_psnr";  ///< of metrics.csv
    const char* event = "validation/psnr";   ///< for TensorBoard
    const char* unit = "dB";
    double factor = 1;  ///< from the score to the figure
};

/// metrics.csv (step, phase, loss, learning_rate, validation_psnr, seconds) and the same as TensorBoard
/// events.
class TrainingLog {
public:
    /// Continues the files after the given numbers of bytes, dropping the rest, or starts them. Throws
    /// Error{file_error}.
    TrainingLog(const std::filesystem::path& folder, std::uintmax_t metrics_bytes,
                std::uintmax_t events_bytes, const ValidationFigure& figure = {});

    void add(const StepReport& report, const std::string& phase, double seconds);

    /// Hands everything to the disk, and says how long the files are then.
    void flush(std::uintmax_t& metrics_bytes, std::uintmax_t& events_bytes);

private:
    struct Close {
        void operator()(std::FILE* file) const noexcept { std::fclose(file); }
    };

    void append(const std::string& line);

    ValidationFigure figure_;
    std::filesystem::path path_;
    std::unique_ptr<std::FILE, Close> file_;
    std::uintmax_t bytes_ = 0;
    TensorboardWriter events_;
};

/// The commit that this program was built from, "unknown" outside a repository; "+" at the end says that
/// files had been changed since. Defined in a file that the build writes (cmake/git_hash.cmake).
[[nodiscard]] std::string git_hash();

}  // namespace sonolux
