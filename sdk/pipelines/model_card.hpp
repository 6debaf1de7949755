// sonolux/sdk/pipelines/model_card.hpp
//
// What a model says about itself, for people.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <sonolux/sdk/runtime/model.hpp>

namespace sonolux {

/// "model", "problem", "noise", "parameters", "licence", "training data", ...: what, and its value.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> model_card(const Model& model);

}  // namespace sonolux
