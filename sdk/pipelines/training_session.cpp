// sonolux/sdk/pipelines/training_session.cpp
#include <sonolux/sdk/pipelines/training_session.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/recipe_difference.hpp>

namespace sonolux {

namespace {

using Clock = std::chrono::steady_clock;

/// The number of threads and what is written when do not decide what is trained.
std::string difference(const std::string& there, const std::string& here) {
    return recipe_difference(
        there, here, [](std::string_view key) { return key == "threads" || key.starts_with("output."); });
}

int lock_folder(const std::string& folder) {
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY);
    require(descriptor >= 0, Status::file_error, folder, ": cannot be opened: ", std::strerror(errno));
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return descriptor;
    const int reason = errno;
    ::close(descriptor);
    fail(Status::file_error, folder, ": cannot be locked: ",
         reason == EWOULDBLOCK ? "another training runs there" : std::strerror(reason));
}

/// What a process that was killed while writing left behind.
void remove_partial_files(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> partial;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        if (entry.path().filename().string().find(".partial-") != std::string::npos)
            partial.push_back(entry.path());
    for (const std::filesystem::path& path : partial) std::filesystem::remove(path);
}

void remove_old_run(const std::filesystem::path& folder) {
    for (const char* name : {"checkpoint.safetensors", "metrics.csv", "model.safetensors", "report.html"})
        std::filesystem::remove(folder / name);
    std::filesystem::remove(folder / training_events_name);
}

}  // namespace

TrainingSession::TrainingSession(const TrainRequest& request, SessionOptions options)
    : request_(request), options_(std::move(options)) {
    const std::filesystem::path folder = !request.output.empty() ? std::filesystem::path(request.output)
                                         : !options_.folder.empty()
                                             ? std::filesystem::path(options_.folder)
                                             : std::filesystem::path("out") / options_.name;
    folder_ = folder.string();
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    require(!error, Status::file_error, folder_, ": cannot be made a folder: ", error.message());
    lock_ = lock_folder(folder_);
    try {
        remove_partial_files(folder);
        if (request.fresh) remove_old_run(folder);
        checkpoint_path_ = (folder / "checkpoint.safetensors").string();
        checkpoint_ = read_checkpoint(checkpoint_path_);
        if (checkpoint_) {
            const std::string what = difference(checkpoint_->recipe, options_.recipe);
            require(what.empty(), Status::invalid_argument, checkpoint_path_,
                    ": belongs to another recipe than ", request.recipe, ": ", what,
                    "; --fresh starts over, --output names another run directory");
        }
    } catch (...) {
        ::close(lock_);
        throw;
    }
}

TrainingSession::~TrainingSession() { ::close(lock_); }

void TrainingSession::say(const std::string& text) const {
    if (request_.log) request_.log(text);
}

std::string TrainingSession::describe(double score) const {
    return fmt::format("validation {:.3f} {}", options_.figure.factor * score, options_.figure.unit);
}

TrainSummary TrainingSession::run(Trainer& trainer, const std::string& data, const std::string& introduction,
                                  const std::string& description,
                                  const std::function<std::optional<double>()>& before) {
    const std::filesystem::path folder(folder_);
    require(!checkpoint_ || checkpoint_->images == data, Status::invalid_argument, checkpoint_path_,
            ": was trained on other images than ", request_.recipe,
            " finds now; --fresh starts over, --output names another run directory");
    TrainSummary summary;
    summary.folder = folder_;
    summary.total_steps = trainer.total_steps();
    double seconds_before = 0;
    std::uintmax_t metrics_bytes = 0, events_bytes = 0;
    if (checkpoint_) {
        trainer.restore(checkpoint_->state);
        seconds_before = checkpoint_->seconds;
        metrics_bytes = checkpoint_->metrics_bytes;
        events_bytes = checkpoint_->events_bytes;
        summary.resumed_at = checkpoint_->state.step;
    }
    write_file_atomically((folder / "recipe.toml").string(), options_.recipe);
    write_file_atomically((folder / "version.txt").string(),
                          sentence("sonolux " SLX_VERSION " ", git_hash(), "\n"));
    TrainingLog log(folder, metrics_bytes, events_bytes, options_.figure);

    say(introduction);
    say(fmt::format("data: {}", description));
    if (summary.resumed_at > 0) {
        say(fmt::format("continuing {} at step {}{}", folder_, summary.resumed_at,
                        checkpoint_->git_hash == git_hash()
                            ? ""
                            : ", which another version of Sonolux reached: " + checkpoint_->git_hash));
    } else if (const std::optional<double> score = before()) {
        say(fmt::format("validation before training: {:.3f} {}", options_.figure.factor * *score,
                        options_.figure.unit));
    }

    const Clock::time_point begun = Clock::now();
    const auto session_seconds = [&] { return std::chrono::duration<double>(Clock::now() - begun).count(); };
    Index step = summary.resumed_at, saved = summary.resumed_at;
    const auto save = [&] {
        Checkpoint now;
        now.state = trainer.state();
        now.recipe = options_.recipe;
        now.images = data;
        now.git_hash = git_hash();
        now.seconds = seconds_before + session_seconds();
        log.flush(now.metrics_bytes, now.events_bytes);
        write_checkpoint(checkpoint_path_, now);
        saved = step;
    };
    bool stopped = false;
    while (!trainer.finished() && !stopped) {
        const StepReport report = trainer.step();
        step = report.step;
        const TrainingPhase& phase = trainer.options().phases[static_cast<std::size_t>(report.phase)];
        const double elapsed = session_seconds();
        const auto session_steps = static_cast<double>(step - summary.resumed_at);
        if (report.validation_psnr || step % options_.log_every == 0 || phase.optimiser == Optimiser::lbfgs)
            log.add(report, phase.name, seconds_before + elapsed);
        if (report.validation_psnr)
            say(fmt::format("step {:>6}  {:<8}  loss {:<10.5g}  learning rate {:.2e}  {}  {:.2f} steps/s",
                            step, phase.name, report.loss, report.learning_rate,
                            describe(*report.validation_psnr), session_steps / elapsed));
        if (request_.progress) {
            Progress progress;
            progress.activity = "training";
            progress.done = step;
            progress.total = summary.total_steps;
            progress.seconds_left = elapsed / session_steps * static_cast<double>(summary.total_steps - step);
            stopped = !request_.progress(progress);
        }
        if (request_.stop_after > 0 && step - summary.resumed_at >= request_.stop_after) stopped = true;
        if (stopped || trainer.finished() || step - saved >= options_.checkpoint_every) save();
    }

    const TrainingState state = trainer.state();
    summary.steps = state.step;
    summary.validation_psnr = std::isfinite(state.best_psnr) ? state.best_psnr : NAN;
    if (std::isfinite(state.best_psnr)) summary.validation = describe(state.best_psnr);
    summary.seconds = seconds_before + session_seconds();
    summary.finished = trainer.finished();
    return summary;
}

}  // namespace sonolux
