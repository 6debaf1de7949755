// sonolux/sdk/runtime/model_architecture.cpp
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <sonolux/sdk/runtime/lens_problem.hpp>
#include <sonolux/sdk/runtime/model_architecture.hpp>

namespace sonolux {
namespace {

std::string name_of(const Model& model, std::string_view source) {
    return source.empty() ? sentence("model \"", model.name, "\"") : std::string(source);
}

const NamedTensor* find_tensor(const Model& model, std::string_view name) {
    for (const NamedTensor& tensor : model.tensors)
        if (tensor.name == name) return &tensor;
    return nullptr;
}

// How many parameters one stage has, or nearly as many.
Index least_parameters(const FilterBankOptions& filters) {
    return Index{filters.count} * filters.channels * (Index{filters.size} * filters.size - 1);
}

Index least_parameters(const FieldsOfExpertsOptions& experts, int sigma_degree) {
    return least_parameters(experts.filters) +
           Index{experts.filters.count} * experts.activation.nodes * (sigma_degree + 1);
}

Index least_parameters(const VariationalNetworkOptions& options) {
    return least_parameters(options.prior, options.sigma_degree);
}

Index least_parameters(const MaskedVariationalOptions& options) {
    const Index each = least_parameters(options.filters) / options.filters.count + options.knots +
                       Index{options.weight_nodes} * options.weight_nodes;
    return options.filters.count * each + options.preconditioner;
}

Index least_parameters(const ShrinkageFieldsOptions& options) {
    if (options.prior == ShrinkagePrior::fields_of_experts)
        return least_parameters(options.experts, options.sigma_degree);
    const ConvolutionalNetworkOptions& network = options.network;
    const Index taps = Index{network.size} * network.size, features = network.features;
    const Index inner = network.layers > 1 ? 2 * features + (network.layers - 2) * features * features : 1;
    return least_parameters(options.experts.filters) + taps * inner;
}

// Making a network takes memory in proportion to what its architecture claims: believe no more than there is.
void require_enough_tensors(const Model& model, const NetworkOptions& options, const std::string& name) {
    Index there = 0;
    for (const NamedTensor& tensor : model.tensors) there += tensor.values.elements();
    const Index needed = std::visit(
        [](const auto& any) { return (any.shared_parameters ? 1 : any.stages) * least_parameters(any); },
        options);
    require(there >= needed, Status::corrupt_data, name, ": the tensors hold ", there,
            " numbers, the architecture needs at least ", needed);
}

std::string boundary_of(const VariationalNetworkOptions& options) {
    return to_string(options.prior.boundary);
}

std::string boundary_of(const ShrinkageFieldsOptions& options) { return to_string(options.border); }

std::string boundary_of(const MaskedVariationalOptions&) { return "valid"; }

std::string boundary_of(const NetworkOptions& options) {
    return std::visit([](const auto& any) { return boundary_of(any); }, options);
}

}  // namespace

NetworkOptions architecture_of(const Model& model, std::string_view source) {
    const std::string name = name_of(model, source);
    const NetworkOptions options =
        architecture_from_json(JsonField(model.architecture, name + ": sonolux.architecture"));
    require(static_cast<float>(model.problem.value_scale) == value_scale(options), Status::corrupt_data, name,
            ": sonolux.problem.value_scale is ", model.problem.value_scale, ", the architecture says ",
            value_scale(options));
    require(model.problem.boundary == boundary_of(options), Status::corrupt_data, name,
            ": sonolux.problem.boundary is \"", model.problem.boundary, "\", the architecture says \"",
            boundary_of(options), "\"");
    require(model.problem.kind != "deblur" || std::holds_alternative<ShrinkageFieldsOptions>(options),
            Status::unsupported, name,
            ": sonolux.problem.kind is \"deblur\", for which the architecture must be ",
            "\"shrinkage_fields\", got ", model.architecture.find("type")->description());
    const bool masked = std::holds_alternative<MaskedVariationalOptions>(options);
    require((model.problem.kind == "sound_speed") == masked, Status::unsupported, name,
            ": sonolux.problem.kind is \"", model.problem.kind, "\", for which the architecture must ",
            masked ? "not be " : "be ", "\"masked_variational_network\", got ",
            model.architecture.find("type")->description());
    const auto* variational = std::get_if<VariationalNetworkOptions>(&options);
    const bool split = variational != nullptr && variational->step == StepRule::split;
    require((model.problem.kind == "lens") == split, Status::unsupported, name,
            ": sonolux.problem.kind is \"", model.problem.kind, "\", for which the architecture must ",
            split ? "not be one" : "be one", " of step \"split\"");
    return options;
}

std::unique_ptr<UnrolledNetwork> network_from_model(const Model& model, std::string_view source) {
    const std::string name = name_of(model, source);
    const NetworkOptions options = architecture_of(model, source);
    require_enough_tensors(model, options, name);
    std::unique_ptr<UnrolledNetwork> network;
    try {
        network = make_network(options);
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
        if (model.problem.kind == "lens" && tensor.name == kernels_tensor) continue;
        const auto is_this = [&](const Parameter& parameter) { return parameter.name == tensor.name; };
        require(std::any_of(network->layout().begin(), network->layout().end(), is_this),
                Status::corrupt_data, name, ": tensor \"", tensor.name,
                "\" is not one that the architecture has");
    }
    return network;
}

void set_network(Model& model, const NetworkOptions& options, const UnrolledNetwork& network) {
    const auto expected = make_network(options);
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
    model.problem.value_scale = shortest(value_scale(options));
    model.problem.boundary = boundary_of(options);
    model.tensors = std::move(tensors);
}

}  // namespace sonolux
