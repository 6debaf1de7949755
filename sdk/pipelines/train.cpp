// sonolux/sdk/pipelines/train.cpp
#include <sonolux/sdk/pipelines/train.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/pipelines/lens_training_recipe.hpp>
#include <sonolux/sdk/pipelines/train_lens.hpp>
#include <sonolux/sdk/pipelines/train_sound_speed.hpp>
#include <sonolux/sdk/pipelines/training_blur.hpp>
#include <sonolux/sdk/pipelines/training_data.hpp>
#include <sonolux/sdk/pipelines/training_report.hpp>
#include <sonolux/sdk/pipelines/training_session.hpp>
#include <sonolux/sdk/runtime/model_architecture.hpp>

namespace sonolux {

namespace {

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

}  // namespace

TrainSummary train(const TrainRequest& request) {
    const bool sound = is_sound_speed_recipe(request.recipe), lens = is_lens_recipe(request.recipe);
    require(!request.device || !(sound || lens), Status::unsupported, request.recipe, ": training networks ",
            sound ? "for the speed of sound" : "for a lens", " has no CUDA form");
    if (sound) return train_sound_speed(request);
    if (lens) return train_lens(request);
    const TrainingRecipe recipe = read_training_recipe(request.recipe);
    const std::string& recipe_text = recipe.resolved;
    TrainingSession session(
        request, {recipe.name, recipe.folder, recipe_text, recipe.checkpoint_every, recipe.log_every, {}});

    Context context(make_openmp_runner(request.threads >= 0 ? request.threads : recipe.threads));
    context.set_cuda_device(request.device);
    const std::unique_ptr<UnrolledNetwork> network = make_network(recipe.network);
    initialise(*network, recipe.network, recipe.seed);
    if (!recipe.initial_model.empty())
        start_from(*network, recipe.network, resolve_path(recipe.initial_model, request.data));
    const TrainingData data(recipe, request.data, context);
    const PatchSampler& sampler = data.sampler();
    const std::vector<Array<float>> held_out = validation_images(recipe, request.data);
    TrainingOptions options = training_options(recipe);
    options.blur = make_training_blur(recipe);
    const TrainingBlur* blur = options.blur ? &*options.blur : nullptr;
    Validation validation(*network, held_out, recipe.validation_sigmas, recipe.seed, context, blur);
    const std::unique_ptr<Loss> loss = make_loss(recipe);
    Trainer trainer(
        *network, options,
        [&sampler](std::uint64_t sample, View<float> patch) { sampler.fill_one(sample, patch); }, *loss,
        &validation, context);

    TrainSummary summary =
        session.run(trainer, fingerprint(data, held_out),
                    fmt::format("{}: {} parameters, {} steps, {}", recipe.name, network->parameters().size(),
                                trainer.total_steps(), context.description()),
                    data.description(), [&]() -> std::optional<double> {
                        if (validation.empty()) return std::nullopt;
                        return validation.psnr(*network, network->steps());
                    });
    if (summary.finished) {
        const TrainingState state = trainer.state();
        const std::filesystem::path folder(summary.folder);
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
