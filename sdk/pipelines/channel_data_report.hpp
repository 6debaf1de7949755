// sonolux/sdk/pipelines/channel_data_report.hpp
//
// A recording in words and pictures.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <sonolux/core/acoustics/channel_quality.hpp>
#include <sonolux/sdk/files/canvas.hpp>
#include <sonolux/sdk/files/channel_data_file.hpp>

namespace sonolux {

/// What was read, as lines of a name and a text with units: array, pulse, sampling, frames, state of the
/// channels, what was assumed.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> describe_channel_data(
    const ChannelDataFile& file, const ChannelQuality& quality);

/// One row for each transmission: number, wave, direction or place, elements that fire, longest delay, first
/// sample; of more than 12 the first 6 and the last 6, a row of dots between. The header is
/// `transmission_columns`.
[[nodiscard]] std::vector<std::vector<std::string>> describe_transmissions(const Acquisition& acquisition);
[[nodiscard]] std::vector<std::string> transmission_columns();

/// The first, middle and last transmission of the first frame: dB below the largest value, over element and
/// time in us, and depth in mm at the sound speed (1540 m/s where none is stated, which the label says).
[[nodiscard]] Canvas draw_channels(const ChannelDataFile& file);

/// The elements, where they face, and what is sent: planes' directions, foci and virtual sources, in mm.
[[nodiscard]] Canvas draw_geometry(const Acquisition& acquisition);

}  // namespace sonolux
