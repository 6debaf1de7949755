// sonolux/sdk/pipelines/model_pictures.hpp
//
// What a model has learned, as pictures: the filters of each stage and the functions behind them.
#pragma once

#include <optional>
#include <vector>

#include <sonolux/sdk/files/canvas.hpp>
#include <sonolux/sdk/runtime/model.hpp>

namespace sonolux {

struct StagePictures {
    std::string stage;  ///< "stage1"
    Canvas filters;     ///< of shrinkage fields: also those of the denominator
    std::optional<Canvas>
        activations;  ///< in the network's units: of value_scale for white. None of convolutions
};

/// One element for each stage that has parameters of its own.
///
/// `sigma` is the noise level in units of 1/255 at which a network that takes it as an input is drawn; 0
/// takes the middle (geometric mean) of the model's range. Throws as network_from_model does, and
/// Error{invalid_argument} for a sigma outside the model's range.
[[nodiscard]] std::vector<StagePictures> draw_stages(const Model& model, double sigma = 0);

}  // namespace sonolux
