// sonolux/sdk/runtime/model_architecture.hpp
//
// What a model file says about its network, and the network it makes.
//
// The architecture is a JSON object; every field must be there, and no other may be. Variational networks:
//
//     {"type": "variational_network", "stages": 5, "shared_parameters": false, "step": "plain" | "damped" |
//     "split",
//      "momentum": false, "value_scale": 255.0, "sigma_degree": 0, "sigma_reference": 25.0,
//      "prior": EXPERTS}
//
// where "filter_sigma_degree" stands behind "sigma_degree" if it is not 0. Shrinkage fields:
//
//     {"type": "shrinkage_fields", "stages": 5, "shared_parameters": false, "form": "direct" | "residual",
//      "border": "circular" | "replicate" | "taper" | "valid", "border_width": 8, "value_scale": 255.0,
//      "sigma_degree": 0, "sigma_reference": 25.0, "scale_by_sigma": false,
//      "prior": EXPERTS | CONVOLUTIONS}
//
// Variational networks of masked measurements (solvers/masked_variational_network.hpp):
//
//     {"type": "masked_variational_network", "stages": 20, "shared_parameters": false, "filters": FILTERS,
//      "weight_nodes": 8, "knots": 35, "step_knots": 35, "preconditioner": 0}
//
// The learned parts are
//
//     EXPERTS = {"type": "fields_of_experts", "filters": FILTERS,
//                "activation": {"kind": "gaussian_rbf" | "linear_knots", "nodes": 31, "lower": -150.0,
//                               "upper": 150.0, "width": 10.0, "table_lower": -160.0, "table_upper": 160.0,
//                               "segments": 64},
//                "boundary": "zero" | "circular" | "replicate" | "symmetric" | "reflect",
//                "border": "exact" | "cropped", "scale": 1.0}
//     CONVOLUTIONS = {"type": "convolutional_network", "filters": FILTERS, "layers": 6, "features": 32,
//                     "size": 3, "nonlinearity": "elu" | "relu", "boundary": as above}
//     FILTERS = {"kind": "dct" | "free" | "unit_with_mean", "count": 24, "size": 5}
//
// with FILTERS of CONVOLUTIONS those of the denominator.
//
// The tensors of a model are the parameters of its network, named and shaped as UnrolledNetwork::layout() has
// them.
#pragma once

#include <memory>
#include <string_view>

#include <sonolux/sdk/runtime/json.hpp>
#include <sonolux/sdk/runtime/model.hpp>
#include <sonolux/solvers/network_options.hpp>

namespace sonolux {

/// The object above. Numbers are written so that reading them gives the same bits. What a network with such
/// options does not look at (experts, where there are convolutions) is left out, and read as the default.
[[nodiscard]] Json architecture_to_json(const NetworkOptions& options);

/// Reads the object above. Throws Error{corrupt_data} naming the field, the value and what was expected, for
/// unknown and missing fields, wrong types and values out of range; Error{unsupported} for an unknown "type".
[[nodiscard]] NetworkOptions architecture_from_json(const JsonField& architecture);

/// The options of the model's network. `source` (a file name) starts the message of every error; where it is
/// empty, the model's name does. Throws as architecture_from_json does, and Error{corrupt_data} where the
/// model's problem states another value scale or boundary rule than its architecture,
/// Error{unsupported} where the problem is one that such a network does not solve.
[[nodiscard]] NetworkOptions architecture_of(const Model& model, std::string_view source = {});

/// The model's network with the model's parameters. `update(sigma)` must follow before it runs; observations
/// of shrinkage fields need a blur, also where it is the identity. Throws as architecture_of does, and
/// Error{corrupt_data} naming the tensor where one is missing, superfluous, or of another shape than the
/// architecture demands. What it allocates is bounded by the size of the tensors that are there, whatever the
/// architecture claims.
[[nodiscard]] std::unique_ptr<UnrolledNetwork> network_from_model(const Model& model,
                                                                  std::string_view source = {});

/// Writes the architecture and parameters of `network` into `model`, and what its problem says of them (value
/// scale; boundary: the boundary rule of the prior, or the border treatment of shrinkage fields); other
/// fields stay as they are. Throws Error{size_mismatch} if the network was not made with `options`.
void set_network(Model& model, const NetworkOptions& options, const UnrolledNetwork& network);

}  // namespace sonolux
