// sonolux/sdk/runtime/model_architecture.cpp
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <sonolux/sdk/runtime/model_architecture.hpp>

namespace sonolux {
namespace {

template <class Value>
struct Word {
    std::string_view word;
    Value value;
};

constexpr std::array filter_kinds{Word{"dct", FilterKind::dct}, Word{"free", FilterKind::free}};
constexpr std::array activation_kinds{Word{"gaussian_rbf", ActivationKind::gaussian_rbf},
                                      Word{"linear_knots", ActivationKind::linear_knots}};
constexpr std::array border_gradients{Word{"exact", BorderGradient::exact},
                                      Word{"cropped", BorderGradient::cropped}};
constexpr std::array step_rules{Word{"plain", StepRule::plain}, Word{"damped", StepRule::damped}};

template <class Value, std::size_t count>
std::string_view word_for(const std::array<Word<Value>, count>& words, Value value) {
    for (const auto& entry : words)
        if (entry.value == value) return entry.word;
    fail(Status::internal_error, "an architecture has an enumerator without a word, ",
         static_cast<int>(value));
}

template <class Value>
Value value_for(const std::array<Word<Value>, 2>& words, const JsonField& field) {
    return field.one_of({words[0].word, words[1].word}) == words[0].word ? words[0].value : words[1].value;
}

// The shortest decimal that reads back as `value`: 0.05 rather than 0.05000000074505806.
double shortest(float value) {
    char buffer[32];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
    double decimal = value;
    std::from_chars(buffer, end, decimal);
    return static_cast<float>(decimal) == value ? decimal : static_cast<double>(value);
}

constexpr double largest = 1e6;  // no unit of image values that is in use comes near it

float real(const JsonField& field) { return static_cast<float>(field.number(-largest, largest)); }

float positive(const JsonField& field) { return static_cast<float>(field.number(1e-6, largest)); }

int count(const JsonField& field, int lowest, int highest) {
    return static_cast<int>(field.integer(lowest, highest));
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

FilterBankOptions filters_from_json(const JsonField& json) {
    json.allow_only({"kind", "count", "size"});
    FilterBankOptions options;
    options.kind = value_for(filter_kinds, json["kind"]);
    options.count = count(json["count"], 1, 256);
    options.size = count(json["size"], 3, 11);
    require(options.size % 2 == 1, Status::corrupt_data, json["size"].where(), " must be odd, got ",
            options.size);
    return options;
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

FieldsOfExpertsOptions prior_from_json(const JsonField& json) {
    require_type(json, "fields_of_experts");
    json.allow_only({"type", "filters", "activation", "boundary", "border", "scale"});
    FieldsOfExpertsOptions options;
    options.filters = filters_from_json(json["filters"]);
    options.activation = activation_from_json(json["activation"]);
    options.boundary = boundary_rule_from_string(
        json["boundary"].one_of({"zero", "circular", "replicate", "symmetric", "reflect"}));
    options.border = value_for(border_gradients, json["border"]);
    options.scale = positive(json["scale"]);
    return options;
}

Json to_json(const FieldsOfExpertsOptions& options) {
    const FilterBankOptions& filters = options.filters;
    const ActivationOptions& activation = options.activation;
    return Json::object()
        .set("type", "fields_of_experts")
        .set("filters", Json::object()
                            .set("kind", word_for(filter_kinds, filters.kind))
                            .set("count", filters.count)
                            .set("size", filters.size))
        .set("activation", Json::object()
                               .set("kind", word_for(activation_kinds, activation.kind))
                               .set("nodes", activation.nodes)
                               .set("lower", shortest(activation.lower))
                               .set("upper", shortest(activation.upper))
                               .set("width", shortest(activation.width))
                               .set("table_lower", shortest(activation.table_lower))
                               .set("table_upper", shortest(activation.table_upper))
                               .set("segments", activation.segments))
        .set("boundary", to_string(options.boundary))
        .set("border", word_for(border_gradients, options.border))
        .set("scale", shortest(options.scale));
}

std::string name_of(const Model& model, std::string_view source) {
    return source.empty() ? sentence("model \"", model.name, "\"") : std::string(source);
}

const NamedTensor* find_tensor(const Model& model, std::string_view name) {
    for (const NamedTensor& tensor : model.tensors)
        if (tensor.name == name) return &tensor;
    return nullptr;
}

// Making a network takes memory in proportion to what its architecture claims: believe no more than there is.
void require_enough_tensors(const Model& model, const VariationalNetworkOptions& options,
                            const std::string& name) {
    Index there = 0;
    for (const NamedTensor& tensor : model.tensors) there += tensor.values.elements();
    const FilterBankOptions& filters = options.prior.filters;
    const Index coefficients = Index{filters.size} * filters.size - 1;
    const Index weights = Index{options.prior.activation.nodes} * (options.sigma_degree + 1);
    const Index needed =
        (options.shared_parameters ? 1 : options.stages) * filters.count * (coefficients + weights);
    require(there >= needed, Status::corrupt_data, name, ": the tensors hold ", there,
            " numbers, the architecture needs at least ", needed);
}

}  // namespace

Json architecture_to_json(const VariationalNetworkOptions& options) {
    return Json::object()
        .set("type", "variational_network")
        .set("stages", options.stages)
        .set("shared_parameters", options.shared_parameters)
        .set("step", word_for(step_rules, options.step))
        .set("momentum", options.momentum)
        .set("value_scale", shortest(options.value_scale))
        .set("sigma_degree", options.sigma_degree)
        .set("sigma_reference", shortest(options.sigma_reference))
        .set("prior", to_json(options.prior));
}

VariationalNetworkOptions architecture_from_json(const JsonField& json) {
    require_type(json, "variational_network");
    json.allow_only({"type", "stages", "shared_parameters", "step", "momentum", "value_scale", "sigma_degree",
                     "sigma_reference", "prior"});
    VariationalNetworkOptions options;
    options.stages = count(json["stages"], 1, 100);
    options.shared_parameters = json["shared_parameters"].flag();
    options.step = value_for(step_rules, json["step"]);
    options.momentum = json["momentum"].flag();
    options.value_scale = positive(json["value_scale"]);
    options.sigma_degree = count(json["sigma_degree"], 0, 4);
    options.sigma_reference = positive(json["sigma_reference"]);
    options.prior = prior_from_json(json["prior"]);
    return options;
}

VariationalNetworkOptions architecture_of(const Model& model, std::string_view source) {
    const std::string name = name_of(model, source);
    const VariationalNetworkOptions options =
        architecture_from_json(JsonField(model.architecture, name + ": sonolux.architecture"));
    require(static_cast<float>(model.problem.value_scale) == options.value_scale, Status::corrupt_data, name,
            ": sonolux.problem.value_scale is ", model.problem.value_scale, ", the architecture says ",
            options.value_scale);
    require(model.problem.boundary == to_string(options.prior.boundary), Status::corrupt_data, name,
            ": sonolux.problem.boundary is \"", model.problem.boundary, "\", the architecture says \"",
            to_string(options.prior.boundary), "\"");
    return options;
}

std::unique_ptr<UnrolledNetwork> network_from_model(const Model& model, std::string_view source) {
    const std::string name = name_of(model, source);
    const VariationalNetworkOptions options = architecture_of(model, source);
    require_enough_tensors(model, options, name);
    std::unique_ptr<UnrolledNetwork> network;
    try {
        network = make_variational_network(options);
    } catch (const Error& error) {  // fields that are right one by one, and do not go together
        if (error.status() != Status::invalid_argument) throw;
        fail(Status::corrupt_data, name, ": sonolux.architecture: ", error.what());
    }
    const std::span<float> parameters = network->parameters();
    for (const Parameter& parameter : network->layout()) {
        const NamedTensor* tensor = find_tensor(model, parameter.name);
        require(tensor != nullptr, Status::corrupt_data, name, ": there is no tensor \"", parameter.name,
                "\", which the architecture needs (", to_string(parameter.shape), ")");
        require(tensor->values.shape() == parameter.shape, Status::corrupt_data, name, ": tensor \"",
                parameter.name, "\" is ", to_string(tensor->values.shape()), ", the architecture says ",
                to_string(parameter.shape));
        std::copy(tensor->values.begin(), tensor->values.end(), parameters.begin() + parameter.offset);
    }
    for (const NamedTensor& tensor : model.tensors) {
        const auto is_this = [&](const Parameter& parameter) { return parameter.name == tensor.name; };
        require(std::any_of(network->layout().begin(), network->layout().end(), is_this),
                Status::corrupt_data, name, ": tensor \"", tensor.name,
                "\" is not one that the architecture has");
    }
    return network;
}

void set_network(Model& model, const VariationalNetworkOptions& options, const UnrolledNetwork& network) {
    const auto expected = make_variational_network(options);
    bool same = expected->layout().size() == network.layout().size() && expected->steps() == network.steps();
    for (std::size_t i = 0; same && i < network.layout().size(); ++i)
        same = expected->layout()[i].name == network.layout()[i].name &&
               expected->layout()[i].shape == network.layout()[i].shape;
    require(same, Status::size_mismatch, "model \"", model.name,
            "\": the network was not made with the architecture that is to describe it (",
            network.parameters().size(), " parameters, the architecture has ", expected->parameters().size(),
            ")");

    std::vector<NamedTensor> tensors;
    for (const Parameter& parameter : network.layout()) {
        Array<float> values(parameter.shape);
        std::copy_n(network.parameters().begin() + parameter.offset, values.elements(), values.begin());
        tensors.push_back({parameter.name, std::move(values)});
    }
    model.architecture = architecture_to_json(options);
    model.problem.value_scale = shortest(options.value_scale);
    model.problem.boundary = to_string(options.prior.boundary);
    model.tensors = std::move(tensors);
}

}  // namespace sonolux
