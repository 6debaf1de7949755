// sonolux/sdk/pipelines/training_recipe.cpp
#include <sonolux/sdk/pipelines/recipe_heading.hpp>
#include <sonolux/sdk/pipelines/training_recipe.hpp>

#include <algorithm>
#include <cmath>

#include <sonolux/sdk/files/recipe.hpp>
#include <sonolux/solvers/training/losses.hpp>

namespace sonolux {

namespace {

constexpr double largest = 1e6;
constexpr std::int64_t many = 1000000000;

LearningRateCurve curve_of(std::string_view word) {
    return word == "constant" ? LearningRateCurve::constant
           : word == "cosine" ? LearningRateCurve::cosine
                              : LearningRateCurve::halving;
}

const char* word_of(LearningRateCurve curve) {
    return curve == LearningRateCurve::constant ? "constant"
           : curve == LearningRateCurve::cosine ? "cosine"
                                                : "halving";
}

const char* word_of(RecipeLoss loss) {
    return loss == RecipeLoss::squared ? "squared" : loss == RecipeLoss::l1 ? "l1" : "psnr";
}

class NetworkReader {
public:
    explicit NetworkReader(RecipeTable& table) : table_(table) {}

    NetworkOptions read() {
        const std::string type =
            table_.one_of("network.type", "variational_network", {"variational_network", "shrinkage_fields"});
        if (type == "shrinkage_fields") return shrinkage_fields();
        return variational_network();
    }

private:
    void whole(const char* key, int& value, int lowest, int highest) {
        value = static_cast<int>(table_.integer(key, value, lowest, highest));
    }
    void real(const char* key, float& value, double lowest, double highest) {
        value = static_cast<float>(table_.number(key, static_cast<double>(value), lowest, highest));
    }

    void filters(FilterBankOptions& filters) {
        whole("network.filters", filters.count, 1, 256);
        whole("network.filter_size", filters.size, 3, 11);
        filters.kind = table_.one_of("network.filter_kind", "dct", {"dct", "free"}) == "dct"
                           ? FilterKind::dct
                           : FilterKind::free;
    }

    void experts(FieldsOfExpertsOptions& prior) {
        filters(prior.filters);
        ActivationOptions& activation = prior.activation;
        activation.kind = table_.one_of("network.activation", "gaussian_rbf",
                                        {"gaussian_rbf", "linear_knots"}) == "linear_knots"
                              ? ActivationKind::linear_knots
                              : ActivationKind::gaussian_rbf;
        whole("network.nodes", activation.nodes, 2, 256);
        real("network.lower", activation.lower, -largest, largest);
        real("network.upper", activation.upper, -largest, largest);
        real("network.width", activation.width, 1e-6, largest);
        real("network.table_lower", activation.table_lower, -largest, largest);
        real("network.table_upper", activation.table_upper, -largest, largest);
        whole("network.segments", activation.segments, 1, 1024);
        prior.boundary = boundary_rule_from_string(
            table_.one_of("network.boundary", to_string(prior.boundary),
                          {"zero", "circular", "replicate", "symmetric", "reflect"}));
        prior.border =
            table_.one_of("network.border", prior.border == BorderGradient::exact ? "exact" : "cropped",
                          {"cropped", "exact"}) == "exact"
                ? BorderGradient::exact
                : BorderGradient::cropped;
        real("network.scale", prior.scale, 1e-6, largest);
    }

    VariationalNetworkOptions variational_network() {
        VariationalNetworkOptions network;
        whole("network.stages", network.stages, 1, 100);
        network.shared_parameters = table_.flag("network.shared_parameters", network.shared_parameters);
        // Asked for only where it is given, so that run directories from before there was colour continue.
        if (table_.has("network.channels")) {
            int& channels = network.prior.filters.channels;
            whole("network.channels", channels, 1, 3);
            require(channels != 2, Status::invalid_argument, table_.where("network.channels"),
                    " must be 1 (grey) or 3 (colour), got 2");
        }
        experts(network.prior);
        const FilterBankOptions& filters = network.prior.filters;
        require(filters.channels == 1 || filters.kind == FilterKind::dct, Status::invalid_argument,
                table_.where("network.filter_kind"), " must be \"dct\" where network.channels is ",
                filters.channels, ", got \"free\"");
        network.step = table_.one_of("network.step", "plain", {"plain", "damped"}) == "plain"
                           ? StepRule::plain
                           : StepRule::damped;
        network.momentum = table_.flag("network.momentum", network.momentum);
        real("network.value_scale", network.value_scale, 1e-6, largest);
        whole("network.sigma_degree", network.sigma_degree, 0, 4);
        whole("network.filter_sigma_degree", network.filter_sigma_degree, 0, network.sigma_degree);
        real("network.sigma_reference", network.sigma_reference, 1e-6, largest);
        return network;
    }

    ShrinkageFieldsOptions shrinkage_fields() {
        ShrinkageFieldsOptions network;
        whole("network.stages", network.stages, 1, 100);
        network.shared_parameters = table_.flag("network.shared_parameters", network.shared_parameters);
        network.prior = table_.one_of("network.prior", "fields_of_experts",
                                      {"fields_of_experts", "convolutional_network"}) == "fields_of_experts"
                            ? ShrinkagePrior::fields_of_experts
                            : ShrinkagePrior::convolutional_network;
        if (network.prior == ShrinkagePrior::fields_of_experts) {
            experts(network.experts);
        } else {
            filters(network.experts.filters);
            whole("network.layers", network.network.layers, 1, 16);
            whole("network.features", network.network.features, 1, 64);
            whole("network.layer_size", network.network.size, 3, 7);
            network.network.nonlinearity =
                nonlinearity_from_string(table_.one_of("network.nonlinearity", "elu", {"elu", "relu"}));
        }
        network.form = table_.one_of("network.form", "residual", {"residual", "direct"}) == "residual"
                           ? ShrinkageForm::residual
                           : ShrinkageForm::direct;
        network.border = border_treatment_from_string(
            table_.one_of("network.border_treatment", "valid", {"circular", "replicate", "taper", "valid"}));
        whole("network.border_width", network.border_width, 0, 64);
        real("network.value_scale", network.value_scale, 1e-6, largest);
        whole("network.sigma_degree", network.sigma_degree, 0, 4);
        real("network.sigma_reference", network.sigma_reference, 1e-6, largest);
        network.scale_by_sigma = table_.flag("network.scale_by_sigma", network.scale_by_sigma);
        return network;
    }

    RecipeTable& table_;
};

void read_blur(RecipeTable& table, TrainingRecipe& recipe) {
    RecipeBlur& blur = recipe.blur;
    blur.wanted = table.one_of("problem.kind", "denoise", {"denoise", "deblur"}) == "deblur";
    if (!blur.wanted) return;
    require(std::holds_alternative<ShrinkageFieldsOptions>(recipe.network), Status::invalid_argument,
            table.where("network.type"), " must be \"shrinkage_fields\" to deblur");
    blur.radius = table.integer("problem.kernel_radius", blur.radius, 1, 64);
    blur.kernels = table.integer("problem.kernels", blur.kernels, 1, 1000000);
    BlurKernelOptions& kinds = blur.kinds;
    kinds.camera_shake_weight =
        table.number("problem.camera_shake_weight", kinds.camera_shake_weight, 0, 1e6);
    kinds.defocus_weight = table.number("problem.defocus_weight", kinds.defocus_weight, 0, 1e6);
    kinds.gaussian_weight = table.number("problem.gaussian_weight", kinds.gaussian_weight, 0, 1e6);
    const auto widest = static_cast<int>(2 * blur.radius + 1);
    CameraShakeOptions& shake = kinds.camera_shake;
    shake.largest_size = std::min(shake.largest_size, widest);
    shake.smallest_size = std::min(shake.smallest_size, widest);
    shake.largest_size =
        static_cast<int>(table.integer("problem.largest_shake", shake.largest_size, 3, widest));
    shake.smallest_size =
        static_cast<int>(table.integer("problem.smallest_shake", shake.smallest_size, 3, shake.largest_size));
    shake.softness_to = table.number("problem.shake_softness", shake.softness_to, 0, 2);
    kinds.defocus.radius_to = std::min(kinds.defocus.radius_to, static_cast<double>(blur.radius) - 1);
    kinds.gaussian.sigma_to = std::min(kinds.gaussian.sigma_to, static_cast<double>(blur.radius) / 4);
    blur.estimated_fraction = table.number("problem.estimated_kernel_fraction", 0, 0, 1);
    blur.error.largest_shift = table.number("problem.kernel_error_shift", blur.error.largest_shift, 0, 10);
    blur.error.blur_to = table.number("problem.kernel_error_blur", blur.error.blur_to, 0, 10);
    blur.error.noise = table.number("problem.kernel_error_noise", blur.error.noise, 0, 1);
    try {
        validate(kinds);
        validate(blur.error);
    } catch (const Error& error) {
        fail(Status::invalid_argument, table.where("problem.kind"), ": ", error.what());
    }
}

void read_problem(RecipeTable& table, NoiseLevels& noise) {
    const std::vector<double> range = table.numbers("problem.sigma", std::nullopt, 0.001, 1000);
    require(range.size() == 1 || (range.size() == 2 && range[0] <= range[1]), Status::invalid_argument,
            table.where("problem.sigma"), " must be one noise level, or the lowest and the highest, got ",
            range.size(), " numbers");
    noise.low = range.front();
    noise.high = range.back();
    noise.logarithmic = table.one_of("problem.sigma_distribution", "logarithmic",
                                     {"logarithmic", "uniform"}) == "logarithmic";
    noise.per_step = table.integer("problem.sigmas_per_step", noise.per_step, 1, many);
}

std::vector<Index> whole_numbers(const std::vector<double>& values, const std::string& where) {
    std::vector<Index> result;
    for (double value : values) {
        require(value == std::floor(value), Status::invalid_argument, where, " must be whole numbers, got ",
                value);
        result.push_back(static_cast<Index>(value));
    }
    return result;
}

void read_data(RecipeTable& table, TrainingRecipe& recipe) {
    recipe.sources = table.texts("data.sources", std::vector<std::string>{});
    recipe.weights =
        table.numbers("data.weights", std::vector<double>(recipe.sources.size(), 1.0), 0, largest);
    require(recipe.weights.size() == recipe.sources.size(), Status::invalid_argument,
            table.where("data.weights"), " must have one number for each of the ", recipe.sources.size(),
            " sources, got ", recipe.weights.size());
    recipe.reductions = whole_numbers(table.numbers("data.reductions", std::vector<double>{1}, 1, 64),
                                      table.where("data.reductions"));
    recipe.data_licence = table.text("data.licence", "");
    recipe.smallest_gradient = table.number("data.smallest_gradient", 0, 0, 255);
    RecipeDeadLeaves& leaves = recipe.dead_leaves;
    leaves.weight = table.number("data.dead_leaves.weight", leaves.weight, 0, largest);
    leaves.images = static_cast<int>(table.integer("data.dead_leaves.images", leaves.images, 1, 100000));
    leaves.size = static_cast<int>(table.integer("data.dead_leaves.size", leaves.size, 16, 8192));
    require(!recipe.sources.empty() || leaves.weight > 0, Status::invalid_argument,
            table.where("data.sources"),
            " must name a folder, list or file, or data.dead_leaves.weight must be above 0");
}

void read_training(RecipeTable& table, TrainingRecipe& recipe) {
    BatchOptions& batch = recipe.batch;
    batch.rows = batch.columns = table.integer("training.patch", batch.rows, 1, 4096);
    batch.batch = table.integer("training.batch", batch.batch, 1, 65536);
    batch.group = table.integer("training.group", batch.group, 1, 65536);
    recipe.steps = table.integer("training.steps", recipe.steps, 0, many);
    recipe.greedy_steps = table.integer("training.greedy_steps", recipe.greedy_steps, 0, many);
    recipe.lbfgs_rounds = table.integer("training.lbfgs_rounds", recipe.lbfgs_rounds, 0, many);
    recipe.lbfgs_patches = table.integer("training.lbfgs_patches", recipe.lbfgs_patches, 1, many);
    LbfgsOptions& lbfgs = recipe.lbfgs;
    lbfgs.iterations =
        static_cast<int>(table.integer("training.lbfgs_iterations", lbfgs.iterations, 1, 100000));
    lbfgs.memory = static_cast<int>(table.integer("training.lbfgs_memory", lbfgs.memory, 1, 1000));
    require(recipe.steps + recipe.greedy_steps + recipe.lbfgs_rounds > 0, Status::invalid_argument,
            table.where("training.steps"), ", greedy_steps and lbfgs_rounds must not all be 0");
    require(batch.batch % recipe.noise.per_step == 0, Status::invalid_argument,
            table.where("problem.sigmas_per_step"), " must divide training.batch, ", batch.batch, ", got ",
            recipe.noise.per_step);

    LearningRate& rate = recipe.learning_rate;
    rate.curve =
        curve_of(table.one_of("training.schedule", word_of(rate.curve), {"constant", "cosine", "halving"}));
    rate.rate = table.number("training.learning_rate", rate.rate, 1e-12, largest);
    rate.last = table.number("training.final_learning_rate", rate.last, 0, largest);
    rate.warm_up = table.integer("training.warm_up", rate.warm_up, 0, many);
    rate.period = table.integer("training.halving_period", rate.period, 1, many);
    recipe.greedy_learning_rate = rate;
    recipe.greedy_learning_rate.rate =
        table.number("training.greedy_learning_rate", rate.rate, 1e-12, largest);
    recipe.adam.beta1 = table.number("training.beta1", recipe.adam.beta1, 0, 0.999999);
    recipe.adam.beta2 = table.number("training.beta2", recipe.adam.beta2, 0, 0.999999999);
    recipe.adam.clip_norm = table.number("training.clip_norm", recipe.adam.clip_norm, 0, largest);

    const std::string loss = table.one_of("training.loss", word_of(recipe.loss), {"squared", "l1", "psnr"});
    recipe.loss = loss == "squared" ? RecipeLoss::squared : loss == "l1" ? RecipeLoss::l1 : RecipeLoss::psnr;
    recipe.loss_margin = table.integer("training.loss_margin", recipe.loss_margin, 0, 1024);
    require(2 * recipe.loss_margin < batch.rows, Status::invalid_argument,
            table.where("training.loss_margin"), " must be below half of training.patch, ", batch.rows,
            ", got ", recipe.loss_margin);
    recipe.l1_epsilon = table.number("training.l1_epsilon", recipe.l1_epsilon, 1e-9, largest);
    recipe.weigh_all_steps =
        table.one_of("training.step_weights", "last", {"last", "exponential"}) == "exponential";
    recipe.step_weight_decay =
        table.number("training.step_weight_decay", recipe.step_weight_decay, 0, largest);
    recipe.noise.weight_power =
        table.number("training.sigma_weight_power", recipe.noise.weight_power, -10, 10);
}

void read_validation(RecipeTable& table, TrainingRecipe& recipe) {
    recipe.validation_sources = table.texts("validation.sources", std::vector<std::string>{});
    recipe.validation_reduction = table.integer("validation.reduction", recipe.validation_reduction, 1, 64);
    recipe.validation_images = table.integer("validation.images", recipe.validation_images, 1, many);
    recipe.validation_crop = table.integer("validation.crop", recipe.validation_crop, 0, many);
    recipe.validate_every = table.integer("validation.every", recipe.validate_every, 1, many);
    const NoiseLevels& noise = recipe.noise;
    std::vector<double> sigmas{noise.low};
    if (noise.low < noise.high)
        sigmas = {noise.low, std::clamp(std::round(std::sqrt(noise.low * noise.high)), noise.low, noise.high),
                  noise.high};
    recipe.validation_sigmas = table.numbers("validation.sigma", sigmas, 0.001, 1000);
}

TrainingRecipe read_recipe(RecipeTable table) {
    TrainingRecipe recipe;
    read_heading(table, recipe);
    recipe.network = NetworkReader(table).read();
    read_problem(table, recipe.noise);
    read_blur(table, recipe);
    read_data(table, recipe);
    read_training(table, recipe);
    read_validation(table, recipe);
    recipe.folder = table.text("output.folder", "");
    recipe.checkpoint_every = table.integer("output.checkpoint_every", recipe.checkpoint_every, 1, many);
    recipe.log_every = table.integer("output.log_every", recipe.log_every, 1, many);
    table.reject_unknown();
    recipe.resolved = table.resolved();
    return recipe;
}

std::vector<double> step_weights(const TrainingRecipe& recipe) {
    return exponential_step_weights(stages(recipe.network), recipe.weigh_all_steps
                                                                ? recipe.step_weight_decay
                                                                : std::numeric_limits<double>::infinity());
}

}  // namespace

TrainingRecipe read_training_recipe(const std::string& path) { return read_recipe(RecipeTable::read(path)); }

TrainingRecipe parse_training_recipe(std::string_view text, const std::string& source) {
    return read_recipe(RecipeTable(text, source));
}

TrainingOptions training_options(const TrainingRecipe& recipe) {
    TrainingOptions options;
    options.seed = recipe.seed;
    options.batch = recipe.batch;
    options.noise = recipe.noise;
    options.adam = recipe.adam;
    options.lbfgs = recipe.lbfgs;
    options.fixed_patches = recipe.lbfgs_patches;
    options.validate_every = recipe.validate_every;
    const Index stages = sonolux::stages(recipe.network);
    if (recipe.steps + recipe.greedy_steps > 0)
        options.phases =
            greedy_then_joint(stages, recipe.greedy_steps, recipe.steps, recipe.greedy_learning_rate,
                              recipe.learning_rate, step_weights(recipe));
    if (recipe.lbfgs_rounds > 0) {
        TrainingPhase phase;
        phase.name = "lbfgs";
        phase.optimiser = Optimiser::lbfgs;
        phase.steps = recipe.lbfgs_rounds;
        phase.depth = stages;
        phase.step_weights = step_weights(recipe);
        options.phases.push_back(std::move(phase));
    }
    return options;
}

Index clean_patch_size(const TrainingRecipe& recipe) noexcept {
    return recipe.batch.rows + (recipe.blur.wanted ? 2 * recipe.blur.radius : 0);
}

std::unique_ptr<Loss> make_loss(const TrainingRecipe& recipe) {
    switch (recipe.loss) {
        case RecipeLoss::l1: return std::make_unique<SmoothedL1Loss>(recipe.l1_epsilon, recipe.loss_margin);
        case RecipeLoss::psnr:
            return std::make_unique<NegativePsnrLoss>(static_cast<double>(value_scale(recipe.network)),
                                                      recipe.loss_margin);
        case RecipeLoss::squared: break;
    }
    return std::make_unique<SquaredLoss>(recipe.loss_margin);
}

}  // namespace sonolux
