// sonolux/sdk/pipelines/train_lens.hpp
//
// Trains a network that recovers images through a lens, as a recipe with [problem] kind = "lens" says. The
// run directory is that of train.hpp.
#pragma once

#include <sonolux/sdk/pipelines/train.hpp>

namespace sonolux {

/// Throws as train does.
TrainSummary train_lens(const TrainRequest& request);

}  // namespace sonolux
