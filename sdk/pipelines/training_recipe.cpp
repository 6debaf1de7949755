// sonolux/sdk/pipelines/training_recipe.cpp
#include <sonolux/sdk/pipelines/training_recipe.hpp>

#include <fmt/format.h>
#include <toml++/toml.h>

#include <cmath>
#include <set>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/solvers/training/losses.hpp>

namespace sonolux {

namespace {

constexpr double largest = 1e6;
constexpr std::int64_t many = 1000000000;

/// One table of a recipe: reads values with checks, and knows which keys nobody asked for.
class RecipeTable {
public:
    RecipeTable(const toml::table* table, std::string where) : table_(table), where_(std::move(where)) {}

    const std::string& where() const { return where_; }
    bool has(const char* key) const { return table_ != nullptr && table_->contains(key); }

    std::string text(const char* key, const std::string& otherwise) {
        return value<std::string>(key, otherwise, "a string");
    }
    bool flag(const char* key, bool otherwise) { return value<bool>(key, otherwise, "true or false"); }
    std::int64_t integer(const char* key, std::int64_t otherwise, std::int64_t lowest, std::int64_t highest) {
        const auto result = value<std::int64_t>(key, otherwise, "a whole number");
        require(!has(key) || (result >= lowest && result <= highest), Status::invalid_argument, where_, key,
                " must be from ", lowest, " to ", highest, ", got ", result);
        return result;
    }
    double number(const char* key, double otherwise, double lowest, double highest) {
        const auto result = value<double>(key, otherwise, "a number");
        require(!has(key) || (result >= lowest && result <= highest), Status::invalid_argument, where_, key,
                " must be from ", lowest, " to ", highest, ", got ", result);
        return result;
    }
    std::string choice(const char* key, const std::string& otherwise,
                       std::initializer_list<const char*> words) {
        const std::string result = text(key, otherwise);
        std::string list;
        for (const char* word : words) {
            if (result == word) return result;
            list += sentence(list.empty() ? "" : ", ", "\"", word, "\"");
        }
        fail(Status::invalid_argument, where_, key, " must be one of ", list, ", got \"", result, "\"");
    }
    template <class T>
    std::vector<T> list(const char* key, std::vector<T> otherwise, const char* what) {
        used_.insert(key);
        if (!has(key)) return otherwise;
        const toml::array* array = (*table_)[key].as_array();
        require(array != nullptr, Status::invalid_argument, where_, key, " must be a list of ", what);
        std::vector<T> result;
        for (const toml::node& node : *array) {
            const std::optional<T> element = node.value<T>();
            require(element.has_value(), Status::invalid_argument, where_, key, " must be a list of ", what);
            result.push_back(*element);
        }
        return result;
    }
    RecipeTable table(const char* key) {
        used_.insert(key);
        if (!has(key)) return {nullptr, where_ + key + "."};
        require((*table_)[key].is_table(), Status::invalid_argument, where_, key, " must be a table");
        return {(*table_)[key].as_table(), where_ + key + "."};
    }
    std::vector<RecipeTable> tables(const char* key) {
        used_.insert(key);
        std::vector<RecipeTable> result;
        if (!has(key)) return result;
        const toml::array* array = (*table_)[key].as_array();
        require(array != nullptr, Status::invalid_argument, where_, key, " must be a list of tables");
        for (const toml::node& node : *array) {
            require(node.is_table(), Status::invalid_argument, where_, key, " must be a list of tables");
            result.emplace_back(node.as_table(), sentence(where_, key, "[", result.size(), "]."));
        }
        return result;
    }

    /// Throws if there is a key that was not asked for.
    void finish() const {
        if (table_ == nullptr) return;
        for (const auto& [key, node] : *table_)
            if (!used_.contains(std::string(key.str())))
                fail(Status::invalid_argument, where_, key.str(), " is not a known key");
    }

private:
    template <class T>
    T value(const char* key, const T& otherwise, const char* what) {
        used_.insert(key);
        if (!has(key)) return otherwise;
        const std::optional<T> result = (*table_)[key].value<T>();
        require(result.has_value(), Status::invalid_argument, where_, key, " must be ", what);
        return *result;
    }

    const toml::table* table_;
    std::string where_;
    std::set<std::string> used_;
};

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

void read_network(RecipeTable table, VariationalNetworkOptions& network) {
    FieldsOfExpertsOptions& prior = network.prior;
    FilterBankOptions& filters = prior.filters;
    ActivationOptions& activation = prior.activation;
    const auto whole = [&](const char* key, int& value, int lowest, int highest) {
        value = static_cast<int>(table.integer(key, value, lowest, highest));
    };
    const auto real = [&](const char* key, float& value, double lowest, double highest) {
        value = static_cast<float>(table.number(key, static_cast<double>(value), lowest, highest));
    };
    whole("stages", network.stages, 1, 100);
    network.shared_parameters = table.flag("shared_parameters", network.shared_parameters);
    whole("filters", filters.count, 1, 256);
    whole("filter_size", filters.size, 3, 11);
    filters.kind =
        table.choice("filter_kind", "dct", {"dct", "free"}) == "dct" ? FilterKind::dct : FilterKind::free;
    activation.kind =
        table.choice("activation", "gaussian_rbf", {"gaussian_rbf", "linear_knots"}) == "gaussian_rbf"
            ? ActivationKind::gaussian_rbf
            : ActivationKind::linear_knots;
    whole("nodes", activation.nodes, 2, 256);
    real("lower", activation.lower, -largest, largest);
    real("upper", activation.upper, -largest, largest);
    real("width", activation.width, 1e-6, largest);
    real("table_lower", activation.table_lower, -largest, largest);
    real("table_upper", activation.table_upper, -largest, largest);
    whole("segments", activation.segments, 1, 1024);
    prior.boundary = boundary_rule_from_string(table.choice(
        "boundary", to_string(prior.boundary), {"zero", "circular", "replicate", "symmetric", "reflect"}));
    prior.border = table.choice("border", "cropped", {"cropped", "exact"}) == "exact"
                       ? BorderGradient::exact
                       : BorderGradient::cropped;
    real("scale", prior.scale, 1e-6, largest);
    network.step =
        table.choice("step", "plain", {"plain", "damped"}) == "plain" ? StepRule::plain : StepRule::damped;
    network.momentum = table.flag("momentum", network.momentum);
    real("value_scale", network.value_scale, 1e-6, largest);
    whole("sigma_degree", network.sigma_degree, 0, 4);
    real("sigma_reference", network.sigma_reference, 1e-6, largest);
    table.finish();
}

void read_problem(RecipeTable table, NoiseLevels& noise) {
    require(table.has("sigma") != table.has("sigma_range"), Status::invalid_argument, table.where(),
            "sigma or ", table.where(), "sigma_range must be there, and not both");
    if (table.has("sigma")) {
        noise.low = noise.high = table.number("sigma", 25, 1e-3, 1000);
    } else {
        const std::vector<double> range = table.list<double>("sigma_range", {}, "two numbers");
        require(range.size() == 2 && range[0] > 0 && range[0] <= range[1] && range[1] <= 1000,
                Status::invalid_argument, table.where(),
                "sigma_range must be two numbers above 0 and up to 1000, the lower one first");
        noise.low = range[0];
        noise.high = range[1];
    }
    noise.logarithmic =
        table.choice("sigma_distribution", "logarithmic", {"logarithmic", "uniform"}) == "logarithmic";
    noise.per_step = table.integer("sigmas_per_step", 1, 1, many);
    table.finish();
}

RecipeSource read_source(RecipeTable& table) {
    RecipeSource source;
    source.folder = table.text("folder", "");
    source.files = table.list<std::string>("files", {}, "strings");
    source.downscale.clear();
    for (std::int64_t factor : table.list<std::int64_t>("downscale", {1}, "whole numbers")) {
        require(factor >= 1 && factor <= 64, Status::invalid_argument, table.where(),
                "downscale must be factors from 1 to 64, got ", factor);
        source.downscale.push_back(static_cast<int>(factor));
    }
    source.licence = table.text("licence", "");
    return source;
}

void read_data(RecipeTable table, TrainingRecipe& recipe) {
    for (RecipeTable& one : table.tables("sources")) {
        RecipeSource source = read_source(one);
        source.weight = one.number("weight", 1, 0, largest);
        one.finish();
        recipe.sources.push_back(std::move(source));
    }
    RecipeDeadLeaves& leaves = recipe.dead_leaves;
    RecipeTable dead_leaves = table.table("dead_leaves");
    leaves.weight = dead_leaves.number("weight", leaves.weight, 0, largest);
    leaves.images = static_cast<int>(dead_leaves.integer("images", leaves.images, 1, 100000));
    leaves.size = static_cast<int>(dead_leaves.integer("size", leaves.size, 16, 8192));
    dead_leaves.finish();
    recipe.smallest_gradient = table.number("smallest_gradient", 0, 0, 255);
    table.finish();
}

void read_training(RecipeTable table, TrainingRecipe& recipe) {
    BatchOptions& batch = recipe.batch;
    batch.rows = batch.columns = table.integer("patch", batch.rows, 1, 4096);
    batch.batch = table.integer("batch", batch.batch, 1, 65536);
    batch.group = table.integer("group", batch.group, 1, 65536);
    recipe.steps = table.integer("steps", recipe.steps, 0, many);
    recipe.greedy_steps = table.integer("greedy_steps", recipe.greedy_steps, 0, many);
    recipe.lbfgs_rounds = table.integer("lbfgs_rounds", recipe.lbfgs_rounds, 0, many);
    recipe.lbfgs_patches = table.integer("lbfgs_patches", recipe.lbfgs_patches, 1, many);
    recipe.lbfgs.iterations =
        static_cast<int>(table.integer("lbfgs_iterations", recipe.lbfgs.iterations, 1, 100000));
    recipe.lbfgs.memory = static_cast<int>(table.integer("lbfgs_memory", recipe.lbfgs.memory, 1, 1000));

    LearningRate& rate = recipe.learning_rate;
    rate.curve = curve_of(table.choice("schedule", word_of(rate.curve), {"constant", "cosine", "halving"}));
    rate.rate = table.number("learning_rate", rate.rate, 1e-12, largest);
    rate.last = table.number("final_learning_rate", rate.last, 0, largest);
    rate.warm_up = table.integer("warm_up", rate.warm_up, 0, many);
    rate.period = table.integer("halving_period", rate.period, 1, many);
    recipe.greedy_learning_rate = rate;
    recipe.greedy_learning_rate.rate = table.number("greedy_learning_rate", rate.rate, 1e-12, largest);
    recipe.adam.beta1 = table.number("beta1", recipe.adam.beta1, 0, 0.999999);
    recipe.adam.beta2 = table.number("beta2", recipe.adam.beta2, 0, 0.999999999);
    recipe.adam.clip_norm = table.number("clip_norm", recipe.adam.clip_norm, 0, largest);

    const std::string loss = table.choice("loss", word_of(recipe.loss), {"squared", "l1", "psnr"});
    recipe.loss = loss == "squared" ? RecipeLoss::squared : loss == "l1" ? RecipeLoss::l1 : RecipeLoss::psnr;
    recipe.loss_margin = table.integer("loss_margin", recipe.loss_margin, 0, 1024);
    recipe.l1_epsilon = table.number("l1_epsilon", recipe.l1_epsilon, 1e-9, largest);
    recipe.step_weight_decay = table.number("step_weight_decay", recipe.step_weight_decay, 0,
                                            std::numeric_limits<double>::infinity());
    recipe.noise.weight_power = table.number("sigma_weight_power", recipe.noise.weight_power, -10, 10);
    table.finish();
    require(recipe.steps + recipe.greedy_steps + recipe.lbfgs_rounds > 0, Status::invalid_argument,
            table.where(), "steps, greedy_steps and lbfgs_rounds must not all be 0");
    require(2 * recipe.loss_margin < batch.rows, Status::invalid_argument, table.where(),
            "loss_margin must be below half of patch, ", batch.rows, ", got ", recipe.loss_margin);
}

void read_validation(RecipeTable table, TrainingRecipe& recipe) {
    recipe.validation = read_source(table);
    recipe.validation_images = table.integer("images", recipe.validation_images, 1, many);
    recipe.validation_crop = table.integer("crop", recipe.validation_crop, 0, many);
    recipe.validation_sigmas = table.list<double>("sigma", {}, "numbers");
    for (double sigma : recipe.validation_sigmas)
        require(sigma > 0 && sigma <= 1000, Status::invalid_argument, table.where(),
                "sigma must be numbers above 0 and up to 1000, got ", sigma);
    recipe.validate_every = table.integer("every", recipe.validate_every, 1, many);
    table.finish();
    const NoiseLevels& noise = recipe.noise;
    if (!recipe.validation_sigmas.empty()) return;
    recipe.validation_sigmas = {noise.low};
    if (noise.low < noise.high) {
        recipe.validation_sigmas.push_back(std::round(std::sqrt(noise.low * noise.high)));
        recipe.validation_sigmas.push_back(noise.high);
    }
}

}  // namespace

TrainingRecipe parse_training_recipe(std::string_view text, const std::string& source) {
    toml::table document;
    try {
        document = toml::parse(text, source);
    } catch (const toml::parse_error& error) {
        fail(Status::corrupt_data, source, ": line ", error.source().begin.line, ": ", error.description());
    }
    TrainingRecipe recipe;
    RecipeTable root(&document, source + ": ");
    recipe.name = root.text("name", "");
    require(!recipe.name.empty() && recipe.name.find('/') == std::string::npos, Status::invalid_argument,
            source, ": name must be there and not contain \"/\"");
    recipe.licence = root.text("licence", recipe.licence);
    recipe.seed =
        static_cast<std::uint64_t>(root.integer("seed", 1, 0, std::numeric_limits<std::int64_t>::max()));
    recipe.threads = static_cast<int>(root.integer("threads", 0, 0, 1024));
    recipe.initial_model = root.text("initial_model", "");
    read_network(root.table("network"), recipe.network);
    read_problem(root.table("problem"), recipe.noise);
    read_data(root.table("data"), recipe);
    read_training(root.table("training"), recipe);
    read_validation(root.table("validation"), recipe);
    RecipeTable output = root.table("output");
    recipe.folder = output.text("folder", "");
    recipe.checkpoint_every = output.integer("checkpoint_every", recipe.checkpoint_every, 1, many);
    recipe.log_every = output.integer("log_every", recipe.log_every, 1, many);
    output.finish();
    root.finish();
    return recipe;
}

TrainingRecipe read_training_recipe(const std::string& path) {
    return parse_training_recipe(read_text_file(path, std::size_t(1) << 20), path);
}

namespace {

/// TOML lines; numbers with as many digits as it takes to read the same bits.
class Lines {
public:
    void section(const char* header) { text_ += sentence("\n", header, "\n"); }
    template <class T>
    void add(const char* key, const T& value) {
        text_ += fmt::format("{} = {}\n", key, word(value));
    }
    std::string text_;

private:
    static std::string word(bool value) { return value ? "true" : "false"; }
    static std::string word(int value) { return fmt::format("{}", value); }
    static std::string word(Index value) { return fmt::format("{}", value); }
    static std::string word(std::uint64_t value) { return fmt::format("{}", value); }
    static std::string word(double value) {
        const std::string text = fmt::format("{}", value);  // the shortest that reads back
        return text.find_first_of(".einf") == std::string::npos ? text + ".0" : text;
    }
    static std::string word(float value) {
        const std::string text = fmt::format("{}", value);
        return text.find_first_of(".einf") == std::string::npos ? text + ".0" : text;
    }
    static std::string word(const char* value) { return word(std::string(value)); }
    static std::string word(const std::string& value) {
        std::string quoted = "\"";
        for (char letter : value) {
            if (letter == '"' || letter == '\\') quoted += '\\';
            if (letter == '\n')
                quoted += "\\n";
            else
                quoted += letter;
        }
        return quoted + "\"";
    }
    template <class T>
    static std::string word(const std::vector<T>& values) {
        std::string list = "[";
        for (const T& value : values) list += (list.size() > 1 ? ", " : "") + word(value);
        return list + "]";
    }
};

void write_source(Lines& lines, const RecipeSource& source) {
    lines.add("folder", source.folder);
    lines.add("files", source.files);
    lines.add("downscale", source.downscale);
    lines.add("licence", source.licence);
}

}  // namespace

std::string to_toml(const TrainingRecipe& recipe) {
    Lines lines;
    lines.add("name", recipe.name);
    lines.add("licence", recipe.licence);
    lines.add("seed", recipe.seed);
    lines.add("threads", recipe.threads);
    lines.add("initial_model", recipe.initial_model);

    const VariationalNetworkOptions& network = recipe.network;
    const FieldsOfExpertsOptions& prior = network.prior;
    const ActivationOptions& activation = prior.activation;
    lines.section("[network]");
    lines.add("stages", network.stages);
    lines.add("shared_parameters", network.shared_parameters);
    lines.add("filters", prior.filters.count);
    lines.add("filter_size", prior.filters.size);
    lines.add("filter_kind", prior.filters.kind == FilterKind::dct ? "dct" : "free");
    lines.add("activation",
              activation.kind == ActivationKind::gaussian_rbf ? "gaussian_rbf" : "linear_knots");
    lines.add("nodes", activation.nodes);
    lines.add("lower", activation.lower);
    lines.add("upper", activation.upper);
    lines.add("width", activation.width);
    lines.add("table_lower", activation.table_lower);
    lines.add("table_upper", activation.table_upper);
    lines.add("segments", activation.segments);
    lines.add("boundary", to_string(prior.boundary));
    lines.add("border", prior.border == BorderGradient::exact ? "exact" : "cropped");
    lines.add("scale", prior.scale);
    lines.add("step", network.step == StepRule::plain ? "plain" : "damped");
    lines.add("momentum", network.momentum);
    lines.add("value_scale", network.value_scale);
    lines.add("sigma_degree", network.sigma_degree);
    lines.add("sigma_reference", network.sigma_reference);

    const NoiseLevels& noise = recipe.noise;
    lines.section("[problem]");
    if (noise.low == noise.high)
        lines.add("sigma", noise.low);
    else
        lines.add("sigma_range", std::vector<double>{noise.low, noise.high});
    lines.add("sigma_distribution", noise.logarithmic ? "logarithmic" : "uniform");
    lines.add("sigmas_per_step", noise.per_step);

    lines.section("[data]");
    lines.add("smallest_gradient", recipe.smallest_gradient);
    for (const RecipeSource& source : recipe.sources) {
        lines.section("[[data.sources]]");
        write_source(lines, source);
        lines.add("weight", source.weight);
    }
    lines.section("[data.dead_leaves]");
    lines.add("weight", recipe.dead_leaves.weight);
    lines.add("images", recipe.dead_leaves.images);
    lines.add("size", recipe.dead_leaves.size);

    lines.section("[training]");
    lines.add("patch", recipe.batch.rows);
    lines.add("batch", recipe.batch.batch);
    lines.add("group", recipe.batch.group);
    lines.add("steps", recipe.steps);
    lines.add("greedy_steps", recipe.greedy_steps);
    lines.add("lbfgs_rounds", recipe.lbfgs_rounds);
    lines.add("lbfgs_patches", recipe.lbfgs_patches);
    lines.add("lbfgs_iterations", recipe.lbfgs.iterations);
    lines.add("lbfgs_memory", recipe.lbfgs.memory);
    lines.add("schedule", word_of(recipe.learning_rate.curve));
    lines.add("learning_rate", recipe.learning_rate.rate);
    lines.add("final_learning_rate", recipe.learning_rate.last);
    lines.add("warm_up", recipe.learning_rate.warm_up);
    lines.add("halving_period", recipe.learning_rate.period);
    lines.add("greedy_learning_rate", recipe.greedy_learning_rate.rate);
    lines.add("beta1", recipe.adam.beta1);
    lines.add("beta2", recipe.adam.beta2);
    lines.add("clip_norm", recipe.adam.clip_norm);
    lines.add("loss", word_of(recipe.loss));
    lines.add("loss_margin", recipe.loss_margin);
    lines.add("l1_epsilon", recipe.l1_epsilon);
    lines.add("step_weight_decay", recipe.step_weight_decay);
    lines.add("sigma_weight_power", noise.weight_power);

    lines.section("[validation]");
    write_source(lines, recipe.validation);
    lines.add("images", recipe.validation_images);
    lines.add("crop", recipe.validation_crop);
    lines.add("sigma", recipe.validation_sigmas);
    lines.add("every", recipe.validate_every);

    lines.section("[output]");
    lines.add("folder", recipe.folder);
    lines.add("checkpoint_every", recipe.checkpoint_every);
    lines.add("log_every", recipe.log_every);
    return lines.text_;
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
    const Index stages = recipe.network.stages;
    if (recipe.steps + recipe.greedy_steps > 0)
        options.phases =
            greedy_then_joint(stages, recipe.greedy_steps, recipe.steps, recipe.greedy_learning_rate,
                              recipe.learning_rate, recipe.step_weight_decay);
    if (recipe.lbfgs_rounds > 0) {
        TrainingPhase phase;
        phase.name = "lbfgs";
        phase.optimiser = Optimiser::lbfgs;
        phase.steps = recipe.lbfgs_rounds;
        phase.depth = stages;
        phase.step_weights = exponential_step_weights(stages, recipe.step_weight_decay);
        options.phases.push_back(std::move(phase));
    }
    return options;
}

std::unique_ptr<Loss> make_loss(const TrainingRecipe& recipe) {
    switch (recipe.loss) {
        case RecipeLoss::l1: return std::make_unique<SmoothedL1Loss>(recipe.l1_epsilon, recipe.loss_margin);
        case RecipeLoss::psnr:
            return std::make_unique<NegativePsnrLoss>(static_cast<double>(recipe.network.value_scale),
                                                      recipe.loss_margin);
        case RecipeLoss::squared: break;
    }
    return std::make_unique<SquaredLoss>(recipe.loss_margin);
}

}  // namespace sonolux
