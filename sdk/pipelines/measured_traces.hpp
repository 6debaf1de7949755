// sonolux/sdk/pipelines/measured_traces.hpp
//
// What of a recording may be used: channels that do not hear, lie on their rails or are NaN are left out of
// images and of filters, and people are told.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <sonolux/core/operators/delay_and_sum_options.hpp>

namespace sonolux {

struct MeasuredTraces {
    /// [transmission * elements + element], for DelayAndSumOptions::measured: measured_ranges.
    std::vector<MeasuredRange> ranges;

    /// "2 of 128 traces are constant, nearly silent, saturated or NaN and left out: elements 3, 4 throughout"
    /// (elements counted from 1, as people and `sonolux inspect` do), or empty.
    std::string remark;
};

/// Looks through all frames. Throws as validate(data) does, and Error{invalid_argument} where fewer than half
/// of the traces were measured; `who` starts the sentence.
[[nodiscard]] MeasuredTraces measured_traces(const ChannelData& data, const char* who);

/// The remark, of a recording that nobody refuses.
[[nodiscard]] std::string left_out_of(const std::vector<MeasuredRange>& ranges, Index elements);

/// Rising numbers as people write them: "3, 17, 64 to 66".
[[nodiscard]] std::string list_of(const std::vector<Index>& numbers);

/// One frame of RF, [transmission, element, sample], with the nearest measured value of the same trace in
/// place of what was not measured, and 0 throughout traces of which nothing was: so that NaN does not ring
/// through a filter. `ranges` is that of MeasuredTraces; `filled` must not overlap the frame.
void fill_unmeasured(std::span<const MeasuredRange> ranges, View<const float> frame,
                     View<float> filled) noexcept;

}  // namespace sonolux
