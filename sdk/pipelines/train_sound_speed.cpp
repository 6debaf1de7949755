// sonolux/sdk/pipelines/train_sound_speed.cpp
#include <sonolux/sdk/pipelines/train_sound_speed.hpp>

#include <fmt/format.h>

#include <cmath>
#include <filesystem>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/recipe.hpp>
#include <sonolux/sdk/pipelines/sound_speed_data.hpp>
#include <sonolux/sdk/pipelines/training_data.hpp>
#include <sonolux/sdk/pipelines/training_session.hpp>
#include <sonolux/sdk/runtime/model_architecture.hpp>
#include <sonolux/sdk/runtime/sha256.hpp>
#include <sonolux/solvers/training/losses.hpp>

namespace sonolux {

namespace {

// Of Philox: which samples, and four for what happens to them.
constexpr std::uint64_t choice_stream = 119, sample_stream = 120;

/// Sample n of the training: slot n % batch of step n / batch. The first slots are the first source's, the
/// next the second's, and so on; during the curriculum all are the first's.
class DelayTrainingCase final : public TrainingCase {
public:
    DelayTrainingCase(const SoundSpeedRecipe& recipe, const SoundSpeedSetup& setup,
                      const std::vector<DelaySamples>& sources, const DelayResiduals* residuals)
        : recipe_(recipe), sources_(sources), case_(setup, residuals), domain_(setup.forward->domain()) {}

    Shape domain() const override { return domain_; }
    std::size_t workspace_bytes(const Context& context) const noexcept override {
        return case_.workspace_bytes(context);
    }
    void make(std::uint64_t sample, Context& context) noexcept override {
        const auto batch = static_cast<std::uint64_t>(recipe_.batch.batch);
        const auto step = static_cast<Index>(sample / batch);
        auto slot = static_cast<Index>(sample % batch);
        std::size_t source = 0;
        while (step >= recipe_.curriculum_steps && source + 1 < sources_.size() &&
               slot >= recipe_.sources[source].per_batch)
            slot -= recipe_.sources[source++].per_batch;
        const DelaySamples& samples = sources_[source];
        Philox choice(recipe_.seed, choice_stream, sample);
        case_.make(samples, choice.below(samples.count()), recipe_.seed, sample_stream, sample, context);
    }
    Observation observation() const noexcept override { return case_.observation(); }
    View<const float> start() const noexcept override { return case_.start(); }
    View<const float> truth() const noexcept override { return case_.truth(); }

private:
    const SoundSpeedRecipe& recipe_;
    const std::vector<DelaySamples>& sources_;
    DelayCase case_;
    Shape domain_;
};

std::vector<DelaySamples> load(std::vector<DelaySource> sources, const TravelTimeProblem& problem, Index most,
                               const std::string& data) {
    std::vector<DelaySamples> samples;
    for (DelaySource& source : sources) {
        source.path = resolve_path(source.path, data);
        samples.emplace_back(source, problem, most);
    }
    return samples;
}

std::string fingerprint(const std::vector<const std::vector<DelaySamples>*>& all) {
    Sha256 hash;
    for (const std::vector<DelaySamples>* sets : all)
        for (const DelaySamples& samples : *sets)
            for (Index i = 0; i < samples.count(); ++i)
                for (const View<const float>& values : {samples.speed(i), samples.delays(i)})
                    hash.update(
                        std::as_bytes(std::span(values.data(), static_cast<std::size_t>(values.elements()))));
    std::string text;
    for (std::uint8_t byte : hash.finish()) text += fmt::format("{:02x}", byte);
    return text;
}

}  // namespace

bool is_sound_speed_recipe(const std::string& path) {
    RecipeTable table = RecipeTable::read(path);
    return table.has("problem.kind") && table.text("problem.kind", "") == "sound_speed";
}

TrainSummary train_sound_speed(const TrainRequest& request) {
    const SoundSpeedRecipe recipe = read_sound_speed_recipe(request.recipe);
    TrainingSession session(request, {recipe.name,
                                      recipe.folder,
                                      recipe.resolved,
                                      recipe.checkpoint_every,
                                      recipe.log_every,
                                      {"validation_rmse", "validation/rmse", "m/s, median of RMSE", -1}});
    Context context(make_openmp_runner(request.threads >= 0 ? request.threads : recipe.threads));
    const std::unique_ptr<UnrolledNetwork> network = make_network(recipe.network);
    initialise(*network, recipe.network, recipe.seed);
    if (!recipe.initial_model.empty()) {
        const std::string path = resolve_path(recipe.initial_model, request.data);
        const Model model = load_model_file(path);
        require(architecture_of(model, path) == NetworkOptions(recipe.network), Status::invalid_argument,
                path, ": initial_model has another architecture than [network] in the recipe");
        const auto trained = network_from_model(model, path);
        std::copy(trained->parameters().begin(), trained->parameters().end(), network->parameters().begin());
    }
    const SoundSpeedSetup setup(recipe.problem, recipe.network.coarse, context);
    constexpr Index all = Index{1} << 40;
    const std::vector<DelaySamples> sources = load(recipe.sources, setup.problem, all, request.data);
    std::vector<DelaySamples> held_out =
        load(recipe.validation, setup.problem, recipe.validation_samples, request.data);
    std::vector<DelaySamples> others;  // that residuals are of
    std::optional<DelayResiduals> residuals;
    if (!recipe.residuals.empty()) {
        DelaySource source;
        source.path = recipe.residuals;
        others = load({source}, setup.problem, all, request.data);
        residuals.emplace(others[0], setup, context);
    }
    const std::string data = fingerprint({&sources, &held_out, &others});
    SoundSpeedValidation validation(setup, *network, std::move(held_out), recipe.seed, context);
    std::unique_ptr<Loss> loss;
    if (recipe.squared)
        loss = std::make_unique<SquaredLoss>();
    else
        loss = std::make_unique<SmoothedL1Loss>(recipe.l1_epsilon);
    Trainer trainer(
        *network, training_options(recipe),
        [&] {
            return std::make_unique<DelayTrainingCase>(recipe, setup, sources,
                                                       residuals ? &*residuals : nullptr);
        },
        *loss, &validation, context);

    std::string description;
    for (const DelaySamples& samples : sources)
        description += (description.empty() ? "" : "; ") + samples.description();
    for (const DelaySamples& samples : others) description += "; residuals of " + samples.description();
    if (!recipe.data_licence.empty()) description += " (" + recipe.data_licence + ")";
    TrainSummary summary =
        session.run(trainer, data,
                    fmt::format("{}: {} parameters, {} steps, {}, {} of {} delays", recipe.name,
                                network->parameters().size(), trainer.total_steps(), context.description(),
                                setup.readings, setup.trust.elements()),
                    description, [&]() -> std::optional<double> {
                        if (validation.empty()) return std::nullopt;
                        return validation.psnr(*network, network->steps());
                    });
    if (!summary.finished) return summary;

    Model model;
    model.name = recipe.name;
    model.licence = recipe.licence;
    set_travel_times(model.problem, setup.problem);
    model.training.recipe = recipe.resolved;
    model.training.seed = static_cast<std::int64_t>(recipe.seed);
    model.training.data = description;
    model.training.git_hash = git_hash();
    if (!validation.empty())
        model.metrics.append(Json::object()
                                 .set("protocol",
                                      "median over held-out samples of the root mean square error over the "
                                      "whole map in m/s, measured during training and used to choose the "
                                      "parameters")
                                 .set("median_rmse", -summary.validation_psnr)
                                 .set("samples", static_cast<std::int64_t>(validation.size())));
    set_network(model, recipe.network, *network);
    summary.model = (std::filesystem::path(summary.folder) / "model.safetensors").string();
    write_file_atomically(summary.model, save_model(model));
    return summary;
}

}  // namespace sonolux
