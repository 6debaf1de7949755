// sonolux/sdk/pipelines/train.cpp
#include <sonolux/sdk/pipelines/train.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/recipe_difference.hpp>
#include <sonolux/sdk/pipelines/checkpoint.hpp>
#include <sonolux/sdk/pipelines/training_blur.hpp>
#include <sonolux/sdk/pipelines/training_data.hpp>
#include <sonolux/sdk/pipelines/training_log.hpp>
#include <sonolux/sdk/pipelines/training_report.hpp>
#include <sonolux/sdk/runtime/model_architecture.hpp>

namespace sonolux {

namespace {

using Clock = std::chrono::steady_clock;

/// The number of threads and what is written when do not decide what is trained.
std::string difference(const std::string& there, const std::string& here) {
    return recipe_difference(
        there, here, [](std::string_view key) { return key == "threads" || key.starts_with("output."); });
}

void start_from(UnrolledNetwork& network, const NetworkOptions& options, const std::string& path) {
    const Model model = load_model_file(path);
    const NetworkOptions theirs = architecture_of(model, path);
    require(theirs == options, Status::invalid_argument, path,
            ": initial_model has another architecture than [network] in the recipe");
    const std::unique_ptr<UnrolledNetwork> trained = network_from_model(model, path);
    std::copy(trained->parameters().begin(), trained->parameters().end(), network.parameters().begin());
}

Model finished_model(const TrainingRecipe& recipe, const std::string& recipe_text,
                     const UnrolledNetwork& network, const TrainingData& data, const TrainingState& state,
                     std::size_t validation_images) {
    Model model;
    model.name = recipe.name;
    model.licence = recipe.licence;
    model.problem.sigma_min = recipe.noise.low / 255;
    model.problem.sigma_max = recipe.noise.high / 255;
    model.training.recipe = recipe_text;
    model.training.seed = static_cast<std::int64_t>(recipe.seed);
    model.training.data = data.description();
    model.training.git_hash = git_hash();
    if (std::isfinite(state.best_psnr)) {
        Json sigmas = Json::list();
        for (double sigma : recipe.validation_sigmas) sigmas.append(sigma);
        model.metrics.append(
            Json::object()
                .set("protocol",
                     sentence("mean PSNR of held-out images", recipe.blur.wanted ? ", blurred," : "",
                              " with white Gaussian noise, not clipped, measured during "
                              "training and used to choose the parameters"))
                .set("psnr", state.best_psnr)
                .set("sigmas", std::move(sigmas))
                .set("images", static_cast<std::int64_t>(validation_images)));
    }
    if (recipe.blur.wanted)
        set_deblurring(model.problem, 2 * recipe.blur.radius + 1, 2 * recipe.blur.radius + 1);
    set_network(model, recipe.network, network);
    return model;
}

/// The first held-out image before and after, for the report; values in [0, 1].
struct ReportImages {
    Array<float> truth, noisy, denoised;
    TrainingExample example;

    ReportImages(const Array<float>& clean, double sigma, std::uint64_t seed, UnrolledNetwork& network,
                 const TrainingBlur* blur, Context& context) {
        const Index rim = blur != nullptr && blur->kernels ? 2 * blur->kernel_radius : 0;
        const Shape shape =
            image_shape(network.channels(), clean.shape().last(1) - rim, clean.shape().last(0) - rim);
        TrainingSample sample(shape.last(1), shape.last(0), blur, network.channels());
        std::copy(clean.begin(), clean.end(), sample.clean().data());
        context.workspace().reserve(sample.workspace_bytes(context));
        sample.degrade(Validation::first_validation_kernel,
                       {seed, static_cast<std::uint64_t>(TrainingStream::validation_noise), 0, sigma},
                       1.0f / 255, context);
        truth = Array<float>(shape);
        noisy = Array<float>(shape);
        denoised = Array<float>(shape);
        std::copy_n(sample.truth().data(), truth.elements(), truth.data());
        std::copy_n(sample.observed().data(), noisy.elements(), noisy.data());
        const Observation observation{.data = noisy, .blur = sample.observation().blur};
        network.update(static_cast<float>(sigma));
        context.workspace().reserve(network.run_workspace_bytes(
            sample.domain().last(1), sample.domain().last(0), context, observation));
        const Status status = network.run(observation, denoised.view(), context);
        require(status == Status::ok, status, "the picture of the report was not finished");
        example = {truth.view(), noisy.view(), denoised.view(), sigma};
    }
};

/// Keeps other processes out of a run directory for as long as it lives.
class Lock {
public:
    explicit Lock(const std::string& folder) : descriptor_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY)) {
        require(descriptor_ >= 0, Status::file_error, folder, ": cannot be opened: ", std::strerror(errno));
        if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
        const int reason = errno;
        ::close(descriptor_);
        fail(Status::file_error, folder, ": cannot be locked: ",
             reason == EWOULDBLOCK ? "another training runs there" : std::strerror(reason));
    }
    ~Lock() { ::close(descriptor_); }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

private:
    int descriptor_;
};

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

TrainSummary train(const TrainRequest& request) {
    const TrainingRecipe recipe = read_training_recipe(request.recipe);
    const std::string& recipe_text = recipe.resolved;
    const auto say = [&](const std::string& text) {
        if (request.log) request.log(text);
    };

    TrainSummary summary;
    const std::filesystem::path folder = !request.output.empty() ? std::filesystem::path(request.output)
                                         : !recipe.folder.empty()
                                             ? std::filesystem::path(recipe.folder)
                                             : std::filesystem::path("out") / recipe.name;
    summary.folder = folder.string();
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    require(!error, Status::file_error, folder.string(), ": cannot be made a folder: ", error.message());
    const Lock lock(folder.string());
    remove_partial_files(folder);
    if (request.fresh) remove_old_run(folder);
    const std::string checkpoint_path = (folder / "checkpoint.safetensors").string();
    std::optional<Checkpoint> checkpoint = read_checkpoint(checkpoint_path);
    if (checkpoint) {
        const std::string what = difference(checkpoint->recipe, recipe_text);
        require(what.empty(), Status::invalid_argument, checkpoint_path, ": belongs to another recipe than ",
                request.recipe, ": ", what, "; --fresh starts over, --output names another run directory");
    }

    Context context(make_openmp_runner(request.threads >= 0 ? request.threads : recipe.threads));
    const std::unique_ptr<UnrolledNetwork> network = make_network(recipe.network);
    initialise(*network, recipe.network, recipe.seed);
    if (!recipe.initial_model.empty())
        start_from(*network, recipe.network, resolve_path(recipe.initial_model, request.data));
    const TrainingData data(recipe, request.data, context);
    const PatchSampler& sampler = data.sampler();
    const std::vector<Array<float>> held_out = validation_images(recipe, request.data);
    const std::string images = fingerprint(data, held_out);
    require(!checkpoint || checkpoint->images == images, Status::invalid_argument, checkpoint_path,
            ": was trained on other images than ", request.recipe,
            " finds now; --fresh starts over, --output names another run directory");
    TrainingOptions options = training_options(recipe);
    options.blur = make_training_blur(recipe);
    const TrainingBlur* blur = options.blur ? &*options.blur : nullptr;
    Validation validation(*network, held_out, recipe.validation_sigmas, recipe.seed, context, blur);
    const std::unique_ptr<Loss> loss = make_loss(recipe);
    Trainer trainer(
        *network, options,
        [&sampler](std::uint64_t sample, View<float> patch) { sampler.fill_one(sample, patch); }, *loss,
        &validation, context);
    summary.total_steps = trainer.total_steps();

    double seconds_before = 0;
    std::uintmax_t metrics_bytes = 0, events_bytes = 0;
    if (checkpoint) {
        trainer.restore(checkpoint->state);
        seconds_before = checkpoint->seconds;
        metrics_bytes = checkpoint->metrics_bytes;
        events_bytes = checkpoint->events_bytes;
        summary.resumed_at = checkpoint->state.step;
    }
    write_file_atomically((folder / "recipe.toml").string(), recipe_text);
    write_file_atomically((folder / "version.txt").string(),
                          sentence("sonolux " SLX_VERSION " ", git_hash(), "\n"));
    TrainingLog log(folder, metrics_bytes, events_bytes);

    say(fmt::format("{}: {} parameters, {} steps, {}", recipe.name, network->parameters().size(),
                    summary.total_steps, context.description()));
    say(fmt::format("data: {}", data.description()));
    if (summary.resumed_at > 0)
        say(fmt::format("continuing {} at step {}{}", folder.string(), summary.resumed_at,
                        checkpoint->git_hash == git_hash()
                            ? ""
                            : ", which another version of Sonolux reached: " + checkpoint->git_hash));
    else if (!validation.empty())
        say(fmt::format("validation before training: {:.3f} dB on {} images",
                        validation.psnr(*network, network->steps()), held_out.size()));

    const Clock::time_point begun = Clock::now();
    const auto session_seconds = [&] { return std::chrono::duration<double>(Clock::now() - begun).count(); };
    Index step = summary.resumed_at, saved = summary.resumed_at;
    const auto save = [&] {
        Checkpoint now;
        now.state = trainer.state();
        now.recipe = recipe_text;
        now.images = images;
        now.git_hash = git_hash();
        now.seconds = seconds_before + session_seconds();
        log.flush(now.metrics_bytes, now.events_bytes);
        write_checkpoint(checkpoint_path, now);
        saved = step;
    };
    bool stopped = false;
    while (!trainer.finished() && !stopped) {
        const StepReport report = trainer.step();
        step = report.step;
        const TrainingPhase& phase = trainer.options().phases[static_cast<std::size_t>(report.phase)];
        const double elapsed = session_seconds();
        const auto session_steps = static_cast<double>(step - summary.resumed_at);
        if (report.validation_psnr || step % recipe.log_every == 0 || phase.optimiser == Optimiser::lbfgs)
            log.add(report, phase.name, seconds_before + elapsed);
        if (report.validation_psnr)
            say(
                fmt::format("step {:>6}  {:<8}  loss {:<10.5g}  learning rate {:.2e}  validation {:.3f} dB  "
                            "{:.2f} steps/s",
                            step, phase.name, report.loss, report.learning_rate, *report.validation_psnr,
                            session_steps / elapsed));
        if (request.progress) {
            Progress progress;
            progress.activity = "training";
            progress.done = step;
            progress.total = summary.total_steps;
            progress.seconds_left = elapsed / session_steps * static_cast<double>(summary.total_steps - step);
            stopped = !request.progress(progress);
        }
        if (request.stop_after > 0 && step - summary.resumed_at >= request.stop_after) stopped = true;
        if (stopped || trainer.finished() || step - saved >= recipe.checkpoint_every) save();
    }

    const TrainingState state = trainer.state();
    summary.steps = state.step;
    summary.validation_psnr = std::isfinite(state.best_psnr) ? state.best_psnr : NAN;
    summary.seconds = seconds_before + session_seconds();
    summary.finished = trainer.finished();
    if (summary.finished) {
        const Model model = finished_model(recipe, recipe_text, *network, data, state, held_out.size());
        const std::string path = (folder / "model.safetensors").string();
        write_file_atomically(path, save_model(model));
        if (held_out.empty()) {
            write_training_report(folder, model);
        } else {
            const ReportImages pictures(held_out.front(),
                                        recipe.validation_sigmas[recipe.validation_sigmas.size() / 2],
                                        recipe.seed, *network, blur, context);
            write_training_report(folder, model, &pictures.example);
        }
        summary.model = path;
    }
    return summary;
}

}  // namespace sonolux
