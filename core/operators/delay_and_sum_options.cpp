// sonolux/core/operators/delay_and_sum_options.cpp
#include <sonolux/core/operators/delay_and_sum_options.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace sonolux {

namespace {

constexpr auto invalid = Status::invalid_argument;

void require_aperture(const char* which, const std::optional<double>& f_number, double taper) {
    if (f_number)
        require(*f_number >= 0.01 && *f_number <= 1000, invalid, "delay and sum: ", which,
                "f_number must be between 0.01 and 1000, got ", *f_number,
                *f_number == 0 ? "; leave it empty for the whole aperture" : "");
    require(taper > 0 && taper <= 1, invalid, "delay and sum: ", which,
            "taper must be above 0 and at most 1, got ", taper);
}

/// Whether a trace lies at its extremes or on rails too often, or always, to be a measurement.
bool stuck(const float* const* frames, Index count, Index samples, const ChannelQuality& quality) {
    float lowest = INFINITY, highest = -INFINITY;
    Index measured = 0;
    for (Index f = 0; f < count; ++f)
        for (Index n = 0; n < samples; ++n) {
            const float value = frames[f][n];
            if (!std::isfinite(value)) continue;
            ++measured;
            lowest = std::min(lowest, value);
            highest = std::max(highest, value);
        }
    if (measured == 0 || lowest == highest) return true;
    Index extreme = 0;
    for (Index f = 0; f < count; ++f)
        for (Index n = 0; n < samples; ++n) {
            const float value = frames[f][n];
            extreme += std::isfinite(value) && (value == lowest || value == highest || !quality.good(value));
        }
    return measured >= 100 && 10 * extreme > measured;
}

}  // namespace

const char* to_string(SampleInterpolation interpolation) noexcept {
    switch (interpolation) {
        case SampleInterpolation::nearest: return "nearest";
        case SampleInterpolation::linear: return "linear";
        case SampleInterpolation::cubic: return "cubic";
    }
    return "unknown";
}

void validate(const DelayAndSumOptions& options, const Acquisition& acquisition) {
    validate(acquisition, "delay and sum");
    require_aperture("", options.f_number, options.taper);
    require_aperture("transmit_", options.transmit_f_number, options.transmit_taper);
    const auto& weights = options.compounding_weights;
    require(weights.empty() || static_cast<Index>(weights.size()) == acquisition.sent(),
            Status::size_mismatch, "delay and sum: there are ", weights.size(), " compounding weights and ",
            acquisition.sent(), " transmissions");
    for (std::size_t k = 0; k < weights.size(); ++k)
        require(weights[k] >= 0 && weights[k] <= 1e6, invalid, "delay and sum: compounding weight ", k + 1,
                " must be between 0 and 1e6, got ", weights[k]);
    require(weights.empty() || *std::max_element(weights.begin(), weights.end()) > 0, invalid,
            "delay and sum: all compounding weights are 0");
    const Index traces = acquisition.sent() * acquisition.array.size();
    require(options.measured.empty() || static_cast<Index>(options.measured.size()) == traces,
            Status::size_mismatch, "delay and sum: there are ", options.measured.size(),
            " measured ranges and ", traces, " traces");
    for (std::size_t i = 0; i < options.measured.size(); ++i) {
        const auto& [first, last] = options.measured[i];
        require(last < first || (first >= 0 && last < acquisition.samples), invalid,
                "delay and sum: measured range of transmission ",
                static_cast<Index>(i) / acquisition.array.size() + 1, ", element ",
                static_cast<Index>(i) % acquisition.array.size() + 1, " must be in the samples 0 to ",
                acquisition.samples - 1, ", got ", first, " to ", last);
    }
}

double window_value(ApertureWindow window, double taper, double u) noexcept {
    if (!(u <= 1)) return 0;
    if (window == ApertureWindow::rectangular) return 1;
    if (window == ApertureWindow::hann) taper = 1;
    const double fallen = (u - (1 - taper)) / taper;
    return fallen <= 0 ? 1 : 0.5 + 0.5 * std::cos(std::numbers::pi * fallen);
}

double receive_weight(const DelayAndSumOptions& options, const ArrayElement& element, Point p) noexcept {
    const Point way = p - element.position, normal = element.normal();
    const double depth = dot(way, normal);
    if (!(depth >= 0)) return 0;
    if (!options.f_number) return 1;
    const double along = std::abs(way.x * normal.z - way.z * normal.x);
    const double half_width = depth / 2 / *options.f_number;
    if (along > half_width) return 0;
    return window_value(options.window, options.taper, half_width > 0 ? along / half_width : 0);
}

std::vector<MeasuredRange> measured_ranges(const ChannelData& data) {
    return measured_ranges(data, channel_quality(data));
}

std::vector<MeasuredRange> measured_ranges(const ChannelData& data, const ChannelQuality& quality) {
    validate(data, "measured ranges");
    require(static_cast<Index>(quality.channels.size()) == data.acquisition.array.size(),
            Status::size_mismatch, "measured ranges: there are states of ", quality.channels.size(),
            " channels, the recording has ", data.acquisition.array.size());
    const Acquisition& a = data.acquisition;
    const Index parts = a.demodulated() ? 2 : 1, numbers = parts * a.samples;
    const Index traces = a.sent() * a.array.size();
    std::vector<MeasuredRange> ranges(static_cast<std::size_t>(traces));
    std::vector<const float*> frames(static_cast<std::size_t>(data.frames()));
    for (Index i = 0; i < traces; ++i) {
        if (quality.channels[static_cast<std::size_t>(i % a.array.size())].dead) continue;
        for (Index f = 0; f < data.frames(); ++f)
            frames[static_cast<std::size_t>(f)] = data.values.data() + (f * traces + i) * numbers;
        if (stuck(frames.data(), data.frames(), numbers, quality)) continue;
        MeasuredRange longest;
        Index begin = 0;
        for (Index n = 0; n <= a.samples; ++n) {
            bool known = n < a.samples;
            for (const float* frame : frames)
                for (Index part = 0; part < parts && known; ++part)
                    known = std::isfinite(frame[parts * n + part]);
            if (known) continue;
            if (n - begin > longest.last - longest.first + 1) longest = {begin, n - 1};
            begin = n + 1;
        }
        ranges[static_cast<std::size_t>(i)] = longest;
    }
    return ranges;
}

}  // namespace sonolux
