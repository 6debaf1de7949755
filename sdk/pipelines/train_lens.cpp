// sonolux/sdk/pipelines/train_lens.cpp
#include <sonolux/sdk/pipelines/train_lens.hpp>

#include <fmt/format.h>

#include <filesystem>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/pipelines/lens_training_data.hpp>
#include <sonolux/sdk/pipelines/training_data.hpp>
#include <sonolux/sdk/pipelines/training_session.hpp>
#include <sonolux/sdk/runtime/lens_problem.hpp>
#include <sonolux/sdk/runtime/model_architecture.hpp>
#include <sonolux/sdk/runtime/sha256.hpp>
#include <sonolux/solvers/training/losses.hpp>

namespace sonolux {

namespace {

constexpr std::uint64_t sample_stream = 140;
constexpr Index most_kernel_size = 191;  // of what the model file has, so that it stays small

std::string fingerprint(std::initializer_list<const LensScenes*> all) {
    Sha256 hash;
    for (const LensScenes* scenes : all)
        for (const auto* pictures : {&scenes->photographs, &scenes->leaves})
            for (const Array<float>& picture : *pictures)
                hash.update(
                    std::as_bytes(std::span(picture.data(), static_cast<std::size_t>(picture.elements()))));
    std::string text;
    for (std::uint8_t byte : hash.finish()) text += fmt::format("{:02x}", byte);
    return text;
}

void set_spectrum(UnrolledNetwork& network, const ChannelSpectrum& spectrum) {
    for (const Parameter& parameter : network.layout())
        if (parameter.name.ends_with(".spectrum"))
            std::copy(spectrum.table().begin(), spectrum.table().end(),
                      network.parameters().begin() + parameter.offset);
}

}  // namespace

TrainSummary train_lens(const TrainRequest& request) {
    Context setup;
    const LensTrainingRecipe recipe = read_lens_training_recipe(request.recipe, setup);
    TrainingSession session(
        request,
        {recipe.name, recipe.folder, recipe.resolved, recipe.checkpoint_every, recipe.log_every, {}});
    Context context(make_openmp_runner(request.threads >= 0 ? request.threads : recipe.threads));
    const NetworkOptions options = recipe.network;
    const std::unique_ptr<UnrolledNetwork> network = make_network(options);
    initialise(*network, options, recipe.seed);

    const Index least = recipe.size + recipe.seam;
    const LensScenes scenes = LensScenes::read(recipe.scenes, request.data, least, recipe.seed, context);
    const ChannelSpectrum spectrum = estimate_spectrum(scenes, recipe);
    LensSceneRecipe held_out = recipe.scenes;
    held_out.photographs = recipe.validation;
    held_out.dead_leaves_fraction = 0;
    const LensScenes others =
        LensScenes::read(held_out, request.data, recipe.validation_size + recipe.seam, recipe.seed, context);
    if (recipe.initial_model.empty()) {
        set_spectrum(*network, spectrum);
    } else {
        const std::string path = resolve_path(recipe.initial_model, request.data);
        const Model model = load_model_file(path);
        require(architecture_of(model, path) == options, Status::invalid_argument, path,
                ": initial_model has another architecture than [network] in the recipe");
        const auto trained = network_from_model(model, path);
        std::copy(trained->parameters().begin(), trained->parameters().end(), network->parameters().begin());
    }
    network->update(1);
    LensValidation validation(recipe, others, spectrum, *network, context);
    const ToneLoss loss(double{recipe.network.value_scale}, recipe.tone_weight);
    Trainer trainer(
        *network, training_options(recipe),
        [&] { return std::make_unique<LensCase>(recipe, scenes, spectrum, recipe.size, sample_stream); },
        loss, &validation, context);

    std::string introduction =
        fmt::format("{}: {} parameters, {} steps, {}", recipe.name, network->parameters().size(),
                    trainer.total_steps(), context.description());
    if (!validation.empty())
        introduction += fmt::format("; linear estimate {:.3f} dB", validation.start_psnr());
    TrainSummary summary = session.run(trainer, fingerprint({&scenes, &others}), introduction,
                                       scenes.description, [&]() -> std::optional<double> {
                                           if (validation.empty()) return std::nullopt;
                                           return validation.psnr(*network, network->steps());
                                       });
    if (!summary.finished) return summary;

    Model model;
    model.name = recipe.name;
    model.licence = recipe.licence;
    model.training.recipe = recipe.resolved;
    model.training.seed = static_cast<std::int64_t>(recipe.seed);
    model.training.data = scenes.description;
    model.training.git_hash = git_hash();
    if (!validation.empty())
        model.metrics.append(
            Json::object()
                .set("protocol",
                     "mean PSNR of light over all channels of held-out periodic scenes, measured during "
                     "training and used to choose the parameters; the linear estimate beside it")
                .set("psnr", summary.validation_psnr)
                .set("linear_psnr", validation.start_psnr())
                .set("images", static_cast<std::int64_t>(validation.size())));
    const LensSystem& system = recipe.system;
    set_lens(model.problem, {system.bank.pixel, system.response.white, system.sensor.full_well,
                             system.most_photons, system.sensor.read_noise});
    set_network(model, options, *network);
    model.tensors.push_back({kernels_tensor, central_kernels(system.white_kernels, most_kernel_size)});
    summary.model = (std::filesystem::path(summary.folder) / "model.safetensors").string();
    write_file_atomically(summary.model, save_model(model));
    return summary;
}

}  // namespace sonolux
