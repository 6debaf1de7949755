// sonolux/sdk/pipelines/lens_training_recipe.cpp
#include <sonolux/sdk/pipelines/lens_training_recipe.hpp>

#include <cmath>

#include <sonolux/sdk/pipelines/recipe_heading.hpp>
#include <sonolux/sdk/pipelines/simulation_recipe.hpp>
#include <sonolux/solvers/training/losses.hpp>

namespace sonolux {

namespace {

constexpr std::int64_t many = 1000000000;

VariationalNetworkOptions read_network(RecipeTable& table) {
    VariationalNetworkOptions network;
    network.step = StepRule::split;
    network.stages = static_cast<int>(table.integer("network.stages", 4, 1, 100));
    network.shared_parameters = table.flag("network.shared_parameters", false);
    FieldsOfExpertsOptions& prior = network.prior;
    prior.filters.kind = FilterKind::dct;
    prior.filters.channels = 3;
    prior.filters.count = static_cast<int>(table.integer("network.filters", 32, 1, 256));
    prior.filters.size = static_cast<int>(table.integer("network.filter_size", 5, 3, 11));
    prior.boundary = BoundaryRule::circular;
    prior.border = BorderGradient::exact;
    ActivationOptions& activation = prior.activation;
    activation.nodes = static_cast<int>(table.integer("network.nodes", 31, 2, 256));
    // Gaussians as wide as they are apart, on a table that reaches one further on either side.
    const double upper = table.number("network.upper", 105, 1, 1e5);
    const double apart = 2 * upper / (activation.nodes - 1);
    activation.upper = static_cast<float>(upper);
    activation.lower = -activation.upper;
    activation.width = static_cast<float>(apart);
    activation.table_upper = static_cast<float>(upper + apart);
    activation.table_lower = -activation.table_upper;
    activation.segments = 2 * (activation.nodes + 1);
    return network;
}

LensSceneRecipe read_scenes(RecipeTable& table) {
    LensSceneRecipe scenes;
    scenes.photographs = table.texts("data.photographs", std::vector<std::string>{});
    scenes.reductions.clear();
    for (const double factor : table.numbers("data.reductions", std::vector<double>{3, 5}, 1, 64)) {
        require(factor == std::floor(factor), Status::invalid_argument, table.where("data.reductions"),
                " must be whole numbers, got ", factor);
        scenes.reductions.push_back(static_cast<Index>(factor));
    }
    scenes.dead_leaves = table.integer("data.dead_leaves", scenes.dead_leaves, 0, 100000);
    scenes.dead_leaves_size = table.integer("data.dead_leaves_size", scenes.dead_leaves_size, 8, 8192);
    scenes.dead_leaves_fraction =
        table.number("data.dead_leaves_fraction", scenes.photographs.empty() ? 1 : 0.25, 0, 1);
    require(!scenes.photographs.empty() || scenes.dead_leaves_fraction == 1, Status::invalid_argument,
            table.where("data.dead_leaves_fraction"), " is ", scenes.dead_leaves_fraction,
            " and data.photographs names none");
    require(scenes.dead_leaves > 0 || scenes.dead_leaves_fraction == 0, Status::invalid_argument,
            table.where("data.dead_leaves"), " is 0 and data.dead_leaves_fraction ",
            scenes.dead_leaves_fraction);
    scenes.black_fraction = table.number("data.black_fraction", scenes.black_fraction, 0, 1);
    const Range exposure = read_range(table, "data.exposure", {scenes.darkest, scenes.brightest}, 1e-3, 1e3);
    scenes.darkest = exposure.low;
    scenes.brightest = exposure.high;
    const Range saturation =
        read_range(table, "data.saturation", {scenes.least_saturation, scenes.most_saturation}, 0, 10);
    scenes.least_saturation = saturation.low;
    scenes.most_saturation = saturation.high;
    scenes.licence = table.text("data.licence", "");
    return scenes;
}

LensTrainingRecipe read_recipe(RecipeTable table, Context& context) {
    LensTrainingRecipe recipe;
    read_heading(table, recipe);
    (void)table.one_of("problem.kind", std::nullopt, {"lens"});
    recipe.network = read_network(table);
    recipe.scenes = read_scenes(table);

    recipe.size = table.integer("training.size", recipe.size, 16, 4096);
    recipe.seam = table.integer("training.seam", recipe.seam, 0, recipe.size / 2);
    recipe.batch.batch = table.integer("training.batch", 8, 1, 65536);
    recipe.batch.group = table.integer("training.group", 1, 1, 65536);
    recipe.steps = table.integer("training.steps", recipe.steps, 1, many);
    LearningRate& rate = recipe.learning_rate;
    const std::string curve = table.one_of("training.schedule", "cosine", {"constant", "cosine", "halving"});
    rate.curve = curve == "constant" ? LearningRateCurve::constant
                 : curve == "cosine" ? LearningRateCurve::cosine
                                     : LearningRateCurve::halving;
    rate.rate = table.number("training.learning_rate", 0.05, 1e-12, 1e6);
    rate.last = table.number("training.final_learning_rate", 0.001, 0, 1e6);
    rate.warm_up = table.integer("training.warm_up", 30, 0, many);
    rate.period = table.integer("training.halving_period", rate.period, 1, many);
    recipe.adam.beta1 = table.number("training.beta1", recipe.adam.beta1, 0, 0.999999);
    recipe.adam.beta2 = table.number("training.beta2", recipe.adam.beta2, 0, 0.999999999);
    recipe.adam.clip_norm = table.number("training.clip_norm", recipe.adam.clip_norm, 0, 1e12);
    recipe.tone_weight = table.number("training.tone_weight", recipe.tone_weight, 0, 1e6);
    recipe.step_weight_decay = table.number("training.step_weight_decay", recipe.step_weight_decay, 0, 1e6);

    recipe.validation = table.texts("validation.photographs", std::vector<std::string>{});
    recipe.validation_size = table.integer("validation.size", recipe.validation_size, 16, 4096);
    recipe.validation_samples = table.integer("validation.samples", recipe.validation_samples, 1, many);
    recipe.validate_every = table.integer("validation.every", recipe.validate_every, 1, many);
    recipe.folder = table.text("output.folder", "");
    recipe.checkpoint_every = table.integer("output.checkpoint_every", recipe.checkpoint_every, 1, many);
    recipe.log_every = table.integer("output.log_every", recipe.log_every, 1, many);
    recipe.system = read_lens_system(table, context);
    require(recipe.system.response.channels() == 3, Status::invalid_argument, table.where("sensor.response"),
            ": a training needs a sensor of 3 channels, got ", recipe.system.response.channels());
    if (recipe.system.mosaic) {
        recipe.scenes.mosaic_fraction = table.number("data.mosaic_fraction", 1, 0, 1);
        for (const auto& [key, size] :
             {std::pair{"training.size", recipe.size}, std::pair{"validation.size", recipe.validation_size}})
            require(size % 2 == 0, Status::invalid_argument, table.where(key),
                    " must be even behind a mosaic, since samples are periodic; got ", size);
    }
    table.reject_unknown();
    recipe.resolved = table.resolved();
    return recipe;
}

}  // namespace

bool is_lens_recipe(const std::string& path) {
    RecipeTable table = RecipeTable::read(path);
    return table.has("problem.kind") && table.text("problem.kind", "") == "lens";
}

LensTrainingRecipe read_lens_training_recipe(const std::string& path, Context& context) {
    return read_recipe(RecipeTable::read(path), context);
}

LensTrainingRecipe parse_lens_training_recipe(const std::string& text, const std::string& source,
                                              Context& context) {
    return read_recipe(RecipeTable(text, source), context);
}

TrainingOptions training_options(const LensTrainingRecipe& recipe) {
    TrainingOptions options;
    options.seed = recipe.seed;
    options.batch = recipe.batch;
    options.batch.rows = options.batch.columns = recipe.size;
    options.adam = recipe.adam;
    options.validate_every = recipe.validate_every;
    const Index stages = recipe.network.stages;
    options.phases = greedy_then_joint(stages, 0, recipe.steps, {}, recipe.learning_rate,
                                       exponential_step_weights(stages, recipe.step_weight_decay));
    return options;
}

}  // namespace sonolux
