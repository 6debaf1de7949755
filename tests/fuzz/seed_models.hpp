// tests/fuzz/seed_models.hpp
//
// Tiny models, one of each kind of network, for the fuzzers of models to start from.
#pragma once

#include <string>
#include <vector>

#include "tests/support/tiny_model.hpp"

namespace sonolux::fuzz {

[[nodiscard]] inline std::vector<Model> seed_models() {
    VariationalNetworkOptions range = tiny_architecture();
    range.sigma_degree = 1;
    range.shared_parameters = true;
    range.step = StepRule::damped;
    range.momentum = true;
    range.prior.filters.kind = FilterKind::free;
    range.prior.boundary = BoundaryRule::reflect;
    ActivationOptions& knots = range.prior.activation;
    knots.kind = ActivationKind::linear_knots;
    knots.table_lower = knots.lower;
    knots.table_upper = knots.upper;
    knots.segments = 4 * (knots.nodes - 1);

    ShrinkageFieldsOptions shrinkage;
    shrinkage.stages = 2;
    shrinkage.experts.filters = {FilterKind::dct, 4, 3};
    shrinkage.experts.activation.nodes = 15;
    ShrinkageFieldsOptions convolutions = shrinkage;
    convolutions.prior = ShrinkagePrior::convolutional_network;
    convolutions.network.layers = 3;
    convolutions.network.features = 4;

    std::vector<Model> models;
    for (const NetworkOptions& options : {NetworkOptions(tiny_architecture()), NetworkOptions(range),
                                          NetworkOptions(shrinkage), NetworkOptions(convolutions)}) {
        models.push_back(tiny_model(options));
        models.back().name = sentence("seed", models.size());
    }
    return models;
}

/// The JSON that stands in the header of the model's file.
[[nodiscard]] inline std::string header_text(const Model& model) {
    const std::vector<std::byte> file = save_model(model);
    return read_safetensors_header(file, model.name).metadata.at("sonolux");
}

}  // namespace sonolux::fuzz
