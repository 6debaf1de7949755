// sonolux/sdk/runtime/architecture_json.cpp
//
// Architectures as JSON, and back; the fields are in model_architecture.hpp.
#include <array>

#include <sonolux/sdk/runtime/model_architecture.hpp>

namespace sonolux {
namespace {

template <class Value>
struct Word {
    std::string_view word;
    Value value;
};

constexpr std::array filter_kinds{Word{"dct", FilterKind::dct}, Word{"free", FilterKind::free},
                                  Word{"unit_with_mean", FilterKind::unit_with_mean}};
constexpr std::array activation_kinds{Word{"gaussian_rbf", ActivationKind::gaussian_rbf},
                                      Word{"linear_knots", ActivationKind::linear_knots}};
constexpr std::array border_gradients{Word{"exact", BorderGradient::exact},
                                      Word{"cropped", BorderGradient::cropped},
                                      Word{"valid", BorderGradient::valid}};
constexpr std::array step_rules{Word{"plain", StepRule::plain}, Word{"damped", StepRule::damped},
                                Word{"split", StepRule::split}};
constexpr std::array shrinkage_forms{Word{"direct", ShrinkageForm::direct},
                                     Word{"residual", ShrinkageForm::residual}};
constexpr std::array shrinkage_priors{Word{"fields_of_experts", ShrinkagePrior::fields_of_experts},
                                      Word{"convolutional_network", ShrinkagePrior::convolutional_network}};

template <class Value, std::size_t count>
std::string_view word_for(const std::array<Word<Value>, count>& words, Value value) {
    for (const auto& entry : words)
        if (entry.value == value) return entry.word;
    fail(Status::internal_error, "an architecture has an enumerator without a word, ",
         static_cast<int>(value));
}

template <class Value>
Value value_for(const std::array<Word<Value>, 3>& words, const JsonField& field) {
    const std::string& word = field.one_of({words[0].word, words[1].word, words[2].word});
    return word == words[0].word ? words[0].value : word == words[1].word ? words[1].value : words[2].value;
}

template <class Value>
Value value_for(const std::array<Word<Value>, 2>& words, const JsonField& field) {
    return field.one_of({words[0].word, words[1].word}) == words[0].word ? words[0].value : words[1].value;
}

constexpr double largest = 1e6;  // no unit of image values that is in use comes near it

float real(const JsonField& field) { return static_cast<float>(field.number(-largest, largest)); }

float positive(const JsonField& field) { return static_cast<float>(field.number(1e-6, largest)); }

int count(const JsonField& field, int lowest, int highest) {
    return static_cast<int>(field.integer(lowest, highest));
}

int odd(const JsonField& field, int lowest, int highest) {
    const int value = count(field, lowest, highest);
    require(value % 2 == 1, Status::corrupt_data, field.where(), " must be odd, got ", value);
    return value;
}

BoundaryRule boundary_from_json(const JsonField& field) {
    return boundary_rule_from_string(field.one_of({"zero", "circular", "replicate", "symmetric", "reflect"}));
}

void require_ascending(const JsonField& object, const char* lower, const char* upper) {
    const float low = real(object[lower]), high = real(object[upper]);
    require(low < high, Status::corrupt_data, object.where(), ".", upper, " must be greater than ", lower,
            " (", low, "), got ", high);
}

void require_type(const JsonField& object, std::string_view type) {
    const JsonField field = object["type"];
    require(field.text() == type, Status::unsupported, field.where(), " must be \"", type, "\", got ",
            field.value().description());
}

/// Whether the type is `first` and not `second`.
bool is_first_type(const JsonField& object, std::string_view first, std::string_view second) {
    const JsonField field = object["type"];
    require(field.text() == first || field.text() == second, Status::unsupported, field.where(),
            " must be \"", first, "\" or \"", second, "\", got ", field.value().description());
    return field.text() == first;
}

// ---- Parts ---------------------------------------------------------------------------------------------

FilterBankOptions filters_from_json(const JsonField& json) {
    json.allow_only({"kind", "count", "size", "channels"});
    FilterBankOptions options;
    options.kind = value_for(filter_kinds, json["kind"]);
    options.count = count(json["count"], 1, 256);
    options.size =
        options.kind == FilterKind::unit_with_mean ? count(json["size"], 3, 11) : odd(json["size"], 3, 11);
    if (json.has("channels")) options.channels = count(json["channels"], 1, 4);
    return options;
}

Json to_json(const FilterBankOptions& options) {
    Json json = Json::object();
    json.set("kind", word_for(filter_kinds, options.kind))
        .set("count", options.count)
        .set("size", options.size);
    if (options.channels > 1) json.set("channels", options.channels);
    return json;
}

ActivationOptions activation_from_json(const JsonField& json) {
    json.allow_only({"kind", "nodes", "lower", "upper", "width", "table_lower", "table_upper", "segments"});
    ActivationOptions options;
    options.kind = value_for(activation_kinds, json["kind"]);
    options.nodes = count(json["nodes"], 2, 256);
    require_ascending(json, "lower", "upper");
    options.lower = real(json["lower"]);
    options.upper = real(json["upper"]);
    options.width = positive(json["width"]);
    require_ascending(json, "table_lower", "table_upper");
    options.table_lower = real(json["table_lower"]);
    options.table_upper = real(json["table_upper"]);
    options.segments = count(json["segments"], 1, 1024);
    return options;
}

Json to_json(const ActivationOptions& options) {
    return Json::object()
        .set("kind", word_for(activation_kinds, options.kind))
        .set("nodes", options.nodes)
        .set("lower", shortest(options.lower))
        .set("upper", shortest(options.upper))
        .set("width", shortest(options.width))
        .set("table_lower", shortest(options.table_lower))
        .set("table_upper", shortest(options.table_upper))
        .set("segments", options.segments);
}

FieldsOfExpertsOptions experts_from_json(const JsonField& json) {
    require_type(json, "fields_of_experts");
    json.allow_only({"type", "filters", "activation", "boundary", "border", "weight_nodes", "scale"});
    FieldsOfExpertsOptions options;
    options.filters = filters_from_json(json["filters"]);
    options.activation = activation_from_json(json["activation"]);
    options.boundary = boundary_from_json(json["boundary"]);
    options.border = value_for(border_gradients, json["border"]);
    if (json.has("weight_nodes")) options.weight_nodes = count(json["weight_nodes"], 2, 32);
    options.scale = positive(json["scale"]);
    return options;
}

Json to_json(const FieldsOfExpertsOptions& options) {
    Json json = Json::object()
                    .set("type", "fields_of_experts")
                    .set("filters", to_json(options.filters))
                    .set("activation", to_json(options.activation))
                    .set("boundary", to_string(options.boundary))
                    .set("border", word_for(border_gradients, options.border));
    if (options.weight_nodes > 0) json.set("weight_nodes", options.weight_nodes);
    return json.set("scale", shortest(options.scale));
}

ConvolutionalNetworkOptions convolutions_from_json(const JsonField& json) {
    json.allow_only({"type", "filters", "layers", "features", "size", "nonlinearity", "boundary"});
    ConvolutionalNetworkOptions options;
    options.layers = count(json["layers"], 1, 16);
    options.features = count(json["features"], 1, 64);
    options.size = odd(json["size"], 3, 7);
    options.nonlinearity = nonlinearity_from_string(json["nonlinearity"].one_of({"elu", "relu"}));
    options.boundary = boundary_from_json(json["boundary"]);
    return options;
}

Json to_json(const ConvolutionalNetworkOptions& options, const FilterBankOptions& filters) {
    return Json::object()
        .set("type", "convolutional_network")
        .set("filters", to_json(filters))
        .set("layers", options.layers)
        .set("features", options.features)
        .set("size", options.size)
        .set("nonlinearity", to_string(options.nonlinearity))
        .set("boundary", to_string(options.boundary));
}

// ---- Networks ------------------------------------------------------------------------------------------

VariationalNetworkOptions variational_from_json(const JsonField& json) {
    json.allow_only({"type", "stages", "shared_parameters", "step", "momentum", "value_scale", "sigma_degree",
                     "filter_sigma_degree", "sigma_reference", "prior"});
    VariationalNetworkOptions options;
    options.stages = count(json["stages"], 1, 100);
    options.shared_parameters = json["shared_parameters"].flag();
    options.step = value_for(step_rules, json["step"]);
    options.momentum = json["momentum"].flag();
    options.value_scale = positive(json["value_scale"]);
    options.sigma_degree = count(json["sigma_degree"], 0, 4);
    if (json.has("filter_sigma_degree"))
        options.filter_sigma_degree = count(json["filter_sigma_degree"], 0, options.sigma_degree);
    options.sigma_reference = positive(json["sigma_reference"]);
    options.prior = experts_from_json(json["prior"]);
    return options;
}

Json to_json(const VariationalNetworkOptions& options) {
    Json json = Json::object()
                    .set("type", "variational_network")
                    .set("stages", options.stages)
                    .set("shared_parameters", options.shared_parameters)
                    .set("step", word_for(step_rules, options.step))
                    .set("momentum", options.momentum)
                    .set("value_scale", shortest(options.value_scale))
                    .set("sigma_degree", options.sigma_degree);
    if (options.filter_sigma_degree > 0) json.set("filter_sigma_degree", options.filter_sigma_degree);
    return json.set("sigma_reference", shortest(options.sigma_reference))
        .set("prior", to_json(options.prior));
}

ShrinkageFieldsOptions shrinkage_from_json(const JsonField& json) {
    json.allow_only({"type", "stages", "shared_parameters", "form", "border", "border_width", "value_scale",
                     "sigma_degree", "sigma_reference", "scale_by_sigma", "prior"});
    ShrinkageFieldsOptions options;
    options.stages = count(json["stages"], 1, 100);
    options.shared_parameters = json["shared_parameters"].flag();
    options.form = value_for(shrinkage_forms, json["form"]);
    options.border =
        border_treatment_from_string(json["border"].one_of({"circular", "replicate", "taper", "valid"}));
    options.border_width = count(json["border_width"], 0, 64);
    options.value_scale = positive(json["value_scale"]);
    options.sigma_degree = count(json["sigma_degree"], 0, 4);
    options.sigma_reference = positive(json["sigma_reference"]);
    options.scale_by_sigma = json["scale_by_sigma"].flag();
    const JsonField prior = json["prior"];
    if (is_first_type(prior, shrinkage_priors[0].word, shrinkage_priors[1].word)) {
        options.prior = ShrinkagePrior::fields_of_experts;
        options.experts = experts_from_json(prior);
    } else {
        options.prior = ShrinkagePrior::convolutional_network;
        options.experts.filters = filters_from_json(prior["filters"]);
        options.network = convolutions_from_json(prior);
    }
    return options;
}

Json to_json(const ShrinkageFieldsOptions& options) {
    const bool experts = options.prior == ShrinkagePrior::fields_of_experts;
    return Json::object()
        .set("type", "shrinkage_fields")
        .set("stages", options.stages)
        .set("shared_parameters", options.shared_parameters)
        .set("form", word_for(shrinkage_forms, options.form))
        .set("border", to_string(options.border))
        .set("border_width", options.border_width)
        .set("value_scale", shortest(options.value_scale))
        .set("sigma_degree", options.sigma_degree)
        .set("sigma_reference", shortest(options.sigma_reference))
        .set("scale_by_sigma", options.scale_by_sigma)
        .set("prior", experts ? to_json(options.experts) : to_json(options.network, options.experts.filters));
}

MaskedVariationalOptions masked_from_json(const JsonField& json) {
    json.allow_only({"type", "stages", "shared_parameters", "filters", "weight_nodes", "knots", "step_knots",
                     "preconditioner", "coarse"});
    MaskedVariationalOptions options;
    options.stages = count(json["stages"], 1, 100);
    options.shared_parameters = json["shared_parameters"].flag();
    options.filters = filters_from_json(json["filters"]);
    options.weight_nodes = count(json["weight_nodes"], 0, 32);
    options.knots = count(json["knots"], 2, 256);
    options.step_knots = count(json["step_knots"], 2, 256);
    options.preconditioner = static_cast<Index>(json["preconditioner"].integer(0, Index{1} << 30));
    const JsonField coarse = json["coarse"];
    coarse.allow_only({"modes_down", "modes_across", "weight", "steps"});
    options.coarse = {count(coarse["modes_down"], 0, 64), count(coarse["modes_across"], 0, 64),
                      coarse["weight"].number(1e-12, 1e6), count(coarse["steps"], 0, 100)};
    return options;
}

Json to_json(const MaskedVariationalOptions& options) {
    return Json::object()
        .set("type", "masked_variational_network")
        .set("stages", options.stages)
        .set("shared_parameters", options.shared_parameters)
        .set("filters", to_json(options.filters))
        .set("weight_nodes", options.weight_nodes)
        .set("knots", options.knots)
        .set("step_knots", options.step_knots)
        .set("preconditioner", options.preconditioner)
        .set("coarse", Json::object()
                           .set("modes_down", options.coarse.modes_down)
                           .set("modes_across", options.coarse.modes_across)
                           .set("weight", options.coarse.weight)
                           .set("steps", options.coarse.steps));
}

}  // namespace

Json architecture_to_json(const NetworkOptions& options) {
    return std::visit([](const auto& any) { return to_json(any); }, options);
}

NetworkOptions architecture_from_json(const JsonField& json) {
    if (json["type"].value() == Json("masked_variational_network")) return masked_from_json(json);
    if (is_first_type(json, "variational_network", "shrinkage_fields")) return variational_from_json(json);
    return shrinkage_from_json(json);
}

}  // namespace sonolux
