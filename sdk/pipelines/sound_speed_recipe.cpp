// sonolux/sdk/pipelines/sound_speed_recipe.cpp
#include <sonolux/sdk/pipelines/recipe_heading.hpp>
#include <sonolux/sdk/pipelines/sound_speed_recipe.hpp>

#include <cmath>

#include <sonolux/sdk/files/recipe.hpp>
#include <sonolux/sdk/pipelines/acquisition_recipe.hpp>
#include <sonolux/solvers/training/losses.hpp>

namespace sonolux {

namespace {

constexpr double largest = 1e9;
constexpr std::int64_t many = 1000000000;

MaskedVariationalOptions read_network(RecipeTable& table, const TravelTimeProblem& problem) {
    MaskedVariationalOptions network;
    (void)table.one_of("network.type", "masked_variational_network", {"masked_variational_network"});
    const auto whole = [&](const char* key, int otherwise, int lowest, int highest) {
        return static_cast<int>(table.integer(key, otherwise, lowest, highest));
    };
    network.stages = whole("network.stages", network.stages, 1, 100);
    network.shared_parameters = table.flag("network.shared_parameters", network.shared_parameters);
    network.filters.count = whole("network.filters", network.filters.count, 1, 256);
    network.filters.size = whole("network.filter_size", network.filters.size, 3, 11);
    network.weight_nodes = whole("network.weight_nodes", network.weight_nodes, 0, 32);
    network.knots = whole("network.knots", network.knots, 2, 256);
    network.step_knots = whole("network.step_knots", network.step_knots, 2, 256);
    network.coarse.modes_down = whole("network.coarse_down", 0, 0, 64);
    network.coarse.modes_across =
        whole("network.coarse_across", network.coarse.modes_down > 0 ? 16 : 0, 0, 64);
    network.coarse.weight = table.number("network.coarse_weight", network.coarse.weight, 1e-12, 1e6);
    network.coarse.steps = whole("network.coarse_steps", network.coarse.steps, 0, 100);
    if (table.flag("network.preconditioner", false))
        network.preconditioner = std::ssize(problem.geometry.measurements) * problem.geometry.map.rows *
                                 problem.geometry.map.columns;
    return network;
}

TravelTimeProblem read_geometry(RecipeTable& table) {
    TravelTimeProblem problem;
    const TransducerArray array = read_array(table);
    const ImageGrid map = centred_grid(
        table.integer("geometry.rows", 84, 2, 8192), table.integer("geometry.columns", 64, 2, 8192),
        table.number("geometry.spacing", 0.6e-3, 1e-6, 1e-2), table.number("geometry.top", 0, -1, 1));
    problem.geometry = {map, map, read_ray_pairs(table, "geometry", array)};
    problem.receive = read_receive(table, "geometry", array);
    problem.margins = read_margins(table, "geometry");
    problem.slowest = table.number("geometry.slowest", problem.slowest, 100, 10000);
    problem.fastest = table.number("geometry.fastest", problem.fastest, problem.slowest, 10000);
    validate(problem.geometry);
    return problem;
}

// A number for each source, or one for all.
std::vector<double> per_source(RecipeTable& table, const std::string& key, std::size_t sources,
                               double otherwise, double lowest, double highest) {
    std::vector<double> numbers = table.numbers(
        key, std::vector<double>(std::max<std::size_t>(sources, 1), otherwise), lowest, highest);
    if (numbers.size() == 1) numbers.resize(std::max<std::size_t>(sources, 1), numbers[0]);
    require(numbers.size() >= sources, Status::invalid_argument, table.where(key),
            " must have one number for each of the ", sources, " sets, got ", numbers.size());
    return numbers;
}

std::vector<DelaySource> read_sources(RecipeTable& table, const std::string& group, bool required) {
    const std::vector<std::string> paths =
        table.texts(group + ".sets", required ? std::nullopt : std::optional(std::vector<std::string>{}));
    require(!required || !paths.empty(), Status::invalid_argument, table.where(group + ".sets"),
            " must name at least one set");
    const std::size_t count = paths.size();
    const auto numbers = [&](const char* key, double otherwise, double high) {
        return per_source(table, group + key, count, otherwise, 0, high);
    };
    const auto per_batch = required ? numbers(".per_batch", 4, 65536) : std::vector<double>(count, 1);
    const auto first = numbers(".first_sample", 0, largest), samples = numbers(".samples", 0, largest);
    const auto least = numbers(".least_missing", required ? 0.1 : 0.5, 0.99);
    const auto most = numbers(".most_missing", required ? 0.9 : 0.5, 0.99);
    const auto noise = numbers(".noise", 1e-8, 1e-3);
    const auto residual = required ? numbers(".residual", 0, 10) : std::vector<double>(count, 0);
    const Index nodes = table.integer(group + ".patch_nodes", 16, 2, 256);
    std::vector<DelaySource> sources;
    for (std::size_t s = 0; s < count; ++s) {
        require(least[s] <= most[s], Status::invalid_argument, table.where(group + ".least_missing"),
                " must be at most most_missing, ", most[s], ", got ", least[s]);
        sources.push_back({paths[s],
                           static_cast<Index>(per_batch[s]),
                           static_cast<Index>(first[s]),
                           static_cast<Index>(samples[s]),
                           {least[s], most[s], nodes, noise[s], residual[s]}});
    }
    return sources;
}

}  // namespace

SoundSpeedRecipe read_sound_speed_recipe(const std::string& path) {
    RecipeTable table = RecipeTable::read(path);
    SoundSpeedRecipe recipe;
    read_heading(table, recipe);
    (void)table.one_of("problem.kind", std::nullopt, {"sound_speed"});
    recipe.problem = read_geometry(table);
    recipe.network = read_network(table, recipe.problem);

    recipe.sources = read_sources(table, "data", true);
    recipe.data_licence = table.text("data.licence", "");
    recipe.curriculum_steps = table.integer("data.curriculum_steps", 0, 0, many);
    recipe.residuals = table.text("data.residuals", "");
    const bool wanted =
        std::any_of(recipe.sources.begin(), recipe.sources.end(),
                    [](const DelaySource& source) { return source.augmentation.residual > 0; });
    require(wanted == !recipe.residuals.empty(), Status::invalid_argument, table.where("data.residuals"),
            wanted ? " must name the set that data.residual adds residuals of"
                   : " names a set, but data.residual is 0 for all sets");

    recipe.batch.batch = 0;
    for (const DelaySource& source : recipe.sources) recipe.batch.batch += source.per_batch;
    require(recipe.batch.batch >= 1, Status::invalid_argument, table.where("data.per_batch"),
            " must not be 0 for all sets");
    recipe.batch.group = table.integer("training.group", 1, 1, 65536);
    recipe.steps = table.integer("training.steps", recipe.steps, 1, many);
    LearningRate& rate = recipe.learning_rate;
    const std::string curve =
        table.one_of("training.schedule", "constant", {"constant", "cosine", "halving"});
    rate.curve = curve == "constant" ? LearningRateCurve::constant
                 : curve == "cosine" ? LearningRateCurve::cosine
                                     : LearningRateCurve::halving;
    rate.rate = table.number("training.learning_rate", 1e-3, 1e-12, 1e6);
    rate.last = table.number("training.final_learning_rate", rate.last, 0, 1e6);
    rate.warm_up = table.integer("training.warm_up", rate.warm_up, 0, many);
    rate.period = table.integer("training.halving_period", rate.period, 1, many);
    recipe.adam.beta1 = table.number("training.beta1", recipe.adam.beta1, 0, 0.999999);
    recipe.adam.beta2 = table.number("training.beta2", recipe.adam.beta2, 0, 0.999999999);
    recipe.adam.clip_norm = table.number("training.clip_norm", recipe.adam.clip_norm, 0, 1e6);
    recipe.squared = table.one_of("training.loss", "l1", {"l1", "squared"}) == "squared";
    recipe.l1_epsilon = table.number("training.l1_epsilon", recipe.l1_epsilon, 1e-9, 1e6);
    recipe.step_weight_span = table.number("training.step_weight_span", recipe.step_weight_span, 0, 1e6);
    recipe.knot_smoothness = table.number("training.knot_smoothness", recipe.knot_smoothness, 0, 1e12);
    RangeOptions& ranges = recipe.ranges;
    ranges.decay = table.number("training.range_decay", ranges.decay, 0, 0.999999);
    ranges.margin = table.number("training.range_margin", ranges.margin, 0.01, 100);
    ranges.early_every = table.integer("training.range_early_every", ranges.early_every, 1, many);
    ranges.early_steps = table.integer("training.range_early_steps", ranges.early_steps, 0, many);
    ranges.late_every = table.integer("training.range_late_every", ranges.late_every, 1, many);

    recipe.validation = read_sources(table, "validation", false);
    recipe.validation_samples =
        table.integer("validation.samples_at_most", recipe.validation_samples, 1, many);
    recipe.validate_every = table.integer("validation.every", recipe.validate_every, 1, many);
    recipe.folder = table.text("output.folder", "");
    recipe.checkpoint_every = table.integer("output.checkpoint_every", recipe.checkpoint_every, 1, many);
    recipe.log_every = table.integer("output.log_every", recipe.log_every, 1, many);
    table.reject_unknown();
    recipe.resolved = table.resolved();
    return recipe;
}

TrainingOptions training_options(const SoundSpeedRecipe& recipe) {
    TrainingOptions options;
    options.seed = recipe.seed;
    options.batch = recipe.batch;
    options.adam = recipe.adam;
    options.knot_smoothness = recipe.knot_smoothness;
    options.ranges = recipe.ranges;
    options.validate_every = recipe.validate_every;
    const Index stages = recipe.network.stages;
    const double decay = recipe.step_weight_span / static_cast<double>(std::max<Index>(stages - 1, 1));
    options.phases = greedy_then_joint(stages, 0, recipe.steps, {}, recipe.learning_rate,
                                       exponential_step_weights(stages, decay));
    return options;
}

}  // namespace sonolux
