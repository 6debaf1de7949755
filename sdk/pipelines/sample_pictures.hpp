// sonolux/sdk/pipelines/sample_pictures.hpp
//
// Pictures of samples of a training set.
#pragma once

#include <sonolux/sdk/files/canvas.hpp>
#include <sonolux/sdk/files/training_set.hpp>

namespace sonolux {

/// One sample of the set on one canvas: maps in their units with a colour bar and axes in mm, delays in ns
/// for every pair, channel data in dB below the largest for three of the transmissions, over element and us;
/// photographs and their scenes in colour.
/// Throws Error{invalid_argument} if the sample is not there, and as TrainingSet::read does.
[[nodiscard]] Canvas draw_sample(const TrainingSet& set, Index sample);

}  // namespace sonolux
