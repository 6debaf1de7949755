// sonolux/core/acoustics/channel_quality.cpp
#include <algorithm>
#include <cmath>
#include <limits>

#include <sonolux/core/acoustics/channel_quality.hpp>

namespace sonolux {

namespace {

constexpr Index enough_runs = 3, most_blocks = 32;

bool is_number(float value) { return value - value == 0; }

/// Ends of the ranges of converters, with a sign.
bool ends_a_range(float value) {
    for (int bits = 8; bits <= 16; ++bits) {
        const float half = std::ldexp(1.0F, bits - 1);
        if (value == -half || value == half - 1) return true;
    }
    return false;
}

struct Extremes {
    float lowest = 0, highest = 0;
    bool any = false, whole = true;  // whole: all are whole numbers
};

Extremes extremes_of(const Array<float>& values) {
    Extremes e{std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()};
    for (const float value : values) {
        if (!is_number(value)) continue;
        e.any = true;
        e.lowest = std::min(e.lowest, value);
        e.highest = std::max(e.highest, value);
        e.whole = e.whole && value == std::floor(value);
    }
    if (!e.any) e.lowest = e.highest = 0;
    return e;
}

/// How often a value comes at least twice in a row in a trace whose samples are `step` apart.
Index runs_of(float value, const float* trace, Index count, Index step) {
    Index runs = 0, length = 0;
    for (Index n = 0; n < count; ++n) {
        length = trace[n * step] == value ? length + 1 : 0;
        if (length == 2) ++runs;
    }
    return runs;
}

/// Sums about the first value, so that a large offset does not cost digits.
struct Sums {
    double count = 0, first = 0, sum = 0, squares = 0;

    void add(double number) noexcept {
        if (count == 0) first = number;
        const double value = number - first;
        ++count;
        sum += value;
        squares += value * value;
    }
    [[nodiscard]] double mean() const noexcept { return count > 0 ? first + sum / count : 0; }
    [[nodiscard]] double deviation() const noexcept {
        return count > 0 ? std::sqrt(std::max(0.0, squares / count - (sum / count) * (sum / count))) : 0;
    }
};

double median_of(std::vector<double> values) {
    if (values.empty()) return 0;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

void set_levels(std::vector<ChannelState>& channels, const std::vector<Sums>& sums, Index count) {
    constexpr double loud = 10;
    const auto blocks = static_cast<std::size_t>(count);
    const auto deviation = [&](std::size_t e, std::size_t block) {
        return sums[e * blocks + block].deviation();
    };
    std::vector<double> middle;
    for (std::size_t block = 0; block < blocks; ++block) {
        std::vector<double> all;
        for (std::size_t e = 0; e < channels.size(); ++e) all.push_back(deviation(e, block));
        middle.push_back(median_of(std::move(all)));
    }
    const double limit = loud * median_of(middle);
    // Where most parts are silent (a simulated target without noise), all of them count.
    const auto counts = [&](std::size_t block) { return limit == 0 || middle[block] <= limit; };
    std::vector<double> loudness;
    for (std::size_t e = 0; e < channels.size(); ++e) {
        double squares = 0;
        for (std::size_t block = 0; block < blocks; ++block)
            if (counts(block)) squares += deviation(e, block) * deviation(e, block);
        loudness.push_back(std::sqrt(squares));
    }
    const double median = median_of(loudness);
    for (std::size_t e = 0; e < channels.size(); ++e)
        channels[e].level = median > 0 ? loudness[e] / median : loudness[e] > 0 ? 1 : 0;
}

}  // namespace

ChannelQuality channel_quality(const ChannelData& data, const ChannelQualityOptions& options) {
    validate(data);
    const Shape& shape = data.values.shape();
    const Index frames = shape[0], sent = shape[1], elements = shape[2], numbers = shape[3];
    const Index parts = data.acquisition.demodulated() ? 2 : 1;
    const auto trace = [&](Index frame, Index k, Index e) {
        return data.values.data() + ((frame * sent + k) * elements + e) * numbers;
    };
    ChannelQuality quality;
    const Extremes extremes = extremes_of(data.values);
    quality.lowest = extremes.lowest;
    quality.highest = extremes.highest;

    const Index samples = numbers / parts, blocks = std::clamp<Index>(samples / 8, 1, most_blocks);
    std::vector<Sums> sums(static_cast<std::size_t>(elements)),
        block_sums(static_cast<std::size_t>(elements * blocks));
    Index low_runs = 0, high_runs = 0;
    for (Index frame = 0; frame < frames; ++frame)
        for (Index k = 0; k < sent; ++k)
            for (Index e = 0; e < elements; ++e) {
                const float* values = trace(frame, k, e);
                for (Index block = 0; block < blocks; ++block)
                    for (Index n = block * samples / blocks * parts;
                         n < (block + 1) * samples / blocks * parts; ++n)
                        if (is_number(values[n])) {
                            sums[static_cast<std::size_t>(e)].add(values[n]);
                            block_sums[static_cast<std::size_t>(e * blocks + block)].add(values[n]);
                        }
                for (Index part = 0; part < parts && extremes.lowest < extremes.highest; ++part) {
                    low_runs += runs_of(extremes.lowest, values + part, samples, parts);
                    high_runs += runs_of(extremes.highest, values + part, samples, parts);
                }
            }
    const auto is_rail = [&](float value, Index runs) {
        return extremes.lowest < extremes.highest && value != 0 &&
               (runs >= enough_runs || (extremes.whole && ends_a_range(value)));
    };
    quality.lowest_is_rail = is_rail(extremes.lowest, low_runs);
    quality.highest_is_rail = is_rail(extremes.highest, high_runs);

    const double per_channel = static_cast<double>(frames * sent * numbers);
    for (const Sums& s : sums) {
        ChannelState state;
        state.missing = 1 - s.count / per_channel;
        state.mean = s.mean();
        state.deviation = s.deviation();
        quality.channels.push_back(state);
    }
    set_levels(quality.channels, block_sums, blocks);
    for (ChannelState& state : quality.channels) {
        state.dead = state.missing == 1 || state.deviation == 0 || state.level < options.dead_below;
        state.offset = std::abs(state.mean) > options.offset_above * state.deviation && state.mean != 0;
        quality.dead += state.dead ? 1 : 0;
        quality.missing += state.missing / static_cast<double>(elements);
    }
    for (Index e = 0; e < elements; ++e) {
        Index on_rail = 0;
        for (Index frame = 0; frame < frames; ++frame)
            for (Index k = 0; k < sent; ++k) {
                const float* values = trace(frame, k, e);
                for (Index n = 0; n < numbers; ++n)
                    on_rail += is_number(values[n]) && !quality.good(values[n]) ? 1 : 0;
            }
        ChannelState& state = quality.channels[static_cast<std::size_t>(e)];
        state.saturated = static_cast<double>(on_rail) / per_channel;
        quality.saturated += state.saturated / static_cast<double>(elements);
    }
    return quality;
}

}  // namespace sonolux
