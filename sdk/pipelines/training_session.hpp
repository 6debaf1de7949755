// sonolux/sdk/pipelines/training_session.hpp
//
// What all trainings share, whatever they learn: a run directory that nobody else writes to, its checkpoint,
// and the loop from step to step that logs, saves and can be stopped.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include <sonolux/sdk/pipelines/checkpoint.hpp>
#include <sonolux/sdk/pipelines/train.hpp>
#include <sonolux/sdk/pipelines/training_log.hpp>

namespace sonolux {

/// What a recipe says of its run directory.
struct SessionOptions {
    std::string name;             ///< of the model
    std::string folder;           ///< as the recipe says; empty: out/NAME
    std::string recipe;           ///< resolved, TOML
    Index checkpoint_every = 50;  ///< steps
    Index log_every = 10;
    ValidationFigure figure;
};

class TrainingSession {
public:
    /// Makes the folder, keeps other processes out of it for as long as it lives, and reads its checkpoint.
    /// Throws Error{file_error}, and Error{invalid_argument} where the checkpoint belongs to another recipe.
    /// The request must outlive the session.
    TrainingSession(const TrainRequest& request, SessionOptions options);
    ~TrainingSession();
    TrainingSession(const TrainingSession&) = delete;
    TrainingSession& operator=(const TrainingSession&) = delete;

    [[nodiscard]] const std::string& folder() const noexcept { return folder_; }
    [[nodiscard]] bool resumed() const noexcept { return checkpoint_.has_value(); }

    /// Tells whoever asked for the training.
    void say(const std::string& text) const;

    /// "validation 28.125 dB": what a score of the validation means to people.
    [[nodiscard]] std::string describe(double score) const;

    /// Runs the trainer on from the checkpoint to its end, or until it is told to stop. `data` is the
    /// fingerprint of what is learned from; `description` and `size` (of the network) are said at the start,
    /// and `before` is asked for the score before training. Throws Error{invalid_argument} where the
    /// checkpoint was trained on other data.
    TrainSummary run(Trainer& trainer, const std::string& data, const std::string& introduction,
                     const std::string& description, const std::function<std::optional<double>()>& before);

private:
    const TrainRequest& request_;
    SessionOptions options_;
    std::string folder_, checkpoint_path_;
    int lock_ = -1;
    std::optional<Checkpoint> checkpoint_;
};

}  // namespace sonolux
