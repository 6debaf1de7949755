#include <sonolux/sdk/pipelines/measured_traces.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace sonolux {

std::string left_out_of(const std::vector<MeasuredRange>& ranges, Index elements) {
    Index out = 0;
    std::vector<Index> of_all;  // elements left out of every transmission, from 1
    const auto traces = static_cast<Index>(ranges.size());
    for (Index e = 0; e < elements; ++e) {
        Index here = 0;
        for (Index i = e; i < traces; i += elements)
            here += ranges[static_cast<std::size_t>(i)].last < ranges[static_cast<std::size_t>(i)].first;
        out += here;
        if (here == traces / elements) of_all.push_back(e + 1);
    }
    if (out == 0) return "";
    std::string text = fmt::format(
        "{} of {} traces are constant, nearly silent, saturated or NaN and left out", out, traces);
    if (!of_all.empty()) text += fmt::format(": elements {} throughout", list_of(of_all));
    return text;
}

std::string list_of(const std::vector<Index>& numbers) {
    std::string text;
    for (std::size_t i = 0; i < numbers.size();) {
        std::size_t last = i;
        while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
        text += (text.empty() ? "" : ", ") + std::to_string(numbers[i]);
        if (last > i) text += (last > i + 1 ? " to " : ", ") + std::to_string(numbers[last]);
        i = last + 1;
    }
    return text;
}

MeasuredTraces measured_traces(const ChannelData& data, const char* who) {
    validate(data, who);
    MeasuredTraces traces{measured_ranges(data), {}};
    const auto all = static_cast<Index>(traces.ranges.size());
    const auto out = std::count_if(traces.ranges.begin(), traces.ranges.end(),
                                   [](const MeasuredRange& range) { return range.last < range.first; });
    require(2 * out <= all, Status::invalid_argument, who, ": ", out, " of ", all,
            " traces were not measured (constant, nearly silent, saturated or NaN); half is needed");
    traces.remark = left_out_of(traces.ranges, data.acquisition.array.size());
    return traces;
}

void fill_unmeasured(std::span<const MeasuredRange> ranges, View<const float> frame,
                     View<float> filled) noexcept {
    const Index samples = frame.shape().last(0);
    for (std::size_t i = 0; i < ranges.size(); ++i) {
        const float* const in = frame.data() + static_cast<Index>(i) * samples;
        float* const out = filled.data() + static_cast<Index>(i) * samples;
        const auto [first, last] = ranges[i];
        if (last < first) {
            std::fill_n(out, samples, 0.0f);
            continue;
        }
        std::fill_n(out, first, in[first]);
        std::copy_n(in + first, last - first + 1, out + first);
        std::fill(out + last + 1, out + samples, in[last]);
    }
}

}  // namespace sonolux
