// sonolux/core/acoustics/channel_quality.hpp
//
// What is wrong with the channels of a recording: converters that were driven to their rails, elements that
// do not hear, samples that are no numbers, constant offsets. What of it may be used, `measured_ranges`
// (core/operators/delay_and_sum_options.hpp) says.
#pragma once

#include <vector>

#include <sonolux/core/acoustics/acquisition.hpp>

namespace sonolux {

struct ChannelQualityOptions {
    double dead_below = 0.1;     ///< channels of a lower level do not hear
    double offset_above = 0.25;  ///< of a channel's own deviation: a larger mean is an offset
};

/// One element, over all frames and transmissions.
struct ChannelState {
    double deviation = 0;  ///< root mean square about the mean, over the samples that are numbers
    double mean = 0;

    /// How loud the channel is: its deviation against that of the median channel, over those of up to 32
    /// equal parts of the time in which the median channel is at most 10 times as loud as in the median part.
    /// So the burst that a probe sends into all of its cables does not make an element hear.
    double level = 0;

    double saturated = 0;  ///< share of the samples that are on a rail
    double missing = 0;    ///< share of the samples that are NaN or infinite
    bool dead = false;     ///< no samples, no deviation, or a low level
    bool offset = false;   ///< the mean is no accident
};

struct ChannelQuality {
    std::vector<ChannelState> channels;  ///< [element]
    float lowest = 0, highest = 0;       ///< of all samples that are numbers; both 0 if there is none

    /// Whether the lowest or highest value is where a converter ends: it lies in at least 3 runs of 2 or more
    /// samples in a row, or it is the end of a range of 8 to 16 bits, and the samples are whole numbers.
    bool lowest_is_rail = false, highest_is_rail = false;

    double saturated = 0, missing = 0;  ///< shares of all samples
    Index dead = 0;                     ///< how many channels

    /// Whether one number of the recording may be used: no rail, no NaN.
    [[nodiscard]] bool good(float value) const noexcept {
        const bool rail = (lowest_is_rail && value == lowest) || (highest_is_rail && value == highest);
        return value - value == 0 && !rail;
    }
};

/// A recording of one value throughout has no rails: it has dead channels. For IQ, real and imaginary part
/// count as samples. Throws as validate(data).
[[nodiscard]] ChannelQuality channel_quality(const ChannelData& data,
                                             const ChannelQualityOptions& options = {});

}  // namespace sonolux
