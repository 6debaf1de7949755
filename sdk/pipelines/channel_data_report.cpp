// sonolux/sdk/pipelines/channel_data_report.cpp
#include <sonolux/sdk/pipelines/channel_data_report.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include <sonolux/sdk/pipelines/measured_traces.hpp>

namespace sonolux {

namespace {

constexpr double degrees = 180 / std::numbers::pi;

std::string describe_array(const TransducerArray& array) {
    const Point first = array[0].position, last = array[array.size() - 1].position;
    bool level = true;
    for (const ArrayElement& element : array.elements())
        level = level && element.angle == 0 && std::abs(element.position.z - first.z) < 1e-6;
    std::string text = fmt::format("{}, {} element{}",
                                   array.radius() > 0 ? "convex"
                                   : level            ? "linear"
                                                      : "free",
                                   array.size(), array.size() == 1 ? "" : "s");
    if (array.size() > 1) text += fmt::format(" {:.4g} mm apart", 1e3 * array.pitch());
    text += fmt::format(", {:.4g} mm wide", 1e3 * array.element_width());
    if (array.radius() > 0) text += fmt::format(", radius {:.4g} mm", 1e3 * array.radius());
    return text + fmt::format("; x {:.4g} to {:.4g} mm", 1e3 * first.x, 1e3 * last.x);
}

/// "3, 17, 64 to 66", counted from 1.
template <class Wanted>
std::string numbers_where(const std::vector<ChannelState>& channels, Wanted&& wanted) {
    std::vector<Index> numbers;
    for (std::size_t i = 0; i < channels.size(); ++i)
        if (wanted(channels[i])) numbers.push_back(static_cast<Index>(i) + 1);
    return list_of(numbers);
}

std::string describe_kinds(const Acquisition& a) {
    std::string text;
    for (const Wavefront kind :
         {Wavefront::plane, Wavefront::diverging, Wavefront::focused, Wavefront::element}) {
        const auto count = std::count_if(a.transmissions.begin(), a.transmissions.end(),
                                         [&](const Transmission& t) { return t.wavefront == kind; });
        if (count == 0) continue;
        const char* name = kind == Wavefront::plane       ? "plane wave"
                           : kind == Wavefront::diverging ? "diverging wave"
                           : kind == Wavefront::focused   ? "focused beam"
                                                          : "single element";
        text += fmt::format("{}{} {}{}", text.empty() ? "" : ", ", count, name, count == 1 ? "" : "s");
    }
    return text;
}

double shown_speed(const Acquisition& a) { return a.sound_speed > 0 ? a.sound_speed : 1540; }

std::string describe_sampling(const Acquisition& a) {
    std::string text = fmt::format("{} samples at {:.5g} MHz", a.samples, 1e-6 * a.sampling_frequency);
    if (a.demodulated())
        text += fmt::format(", IQ demodulated with {:.4g} MHz", 1e-6 * a.demodulation_frequency);
    else if (a.sampling_frequency < 2 * a.centre_frequency)
        text += ", RF, below twice the centre frequency: band-pass sampled";
    else
        text += ", RF";
    const double deepest =
        0.5 * shown_speed(a) * (a.focusing_start(0) + static_cast<double>(a.samples) / a.sampling_frequency);
    return text + fmt::format("; to {:.4g} mm at {:.5g} m/s", 1e3 * deepest, shown_speed(a));
}

std::string describe_wave(const Transmission& t, const TransducerArray& array) {
    switch (t.wavefront) {
        case Wavefront::plane: return fmt::format("{:.4g} degrees", degrees * t.angle);
        case Wavefront::element:
            for (Index i = 0; i < array.size(); ++i)
                if (t.apodization[static_cast<std::size_t>(i)] != 0) return fmt::format("element {}", i + 1);
            return "";
        default: return fmt::format("x {:.4g} mm, z {:.4g} mm", 1e3 * t.focus.x, 1e3 * t.focus.z);
    }
}

std::string describe_aperture(const Transmission& t) {
    std::size_t first = t.apodization.size(), last = 0, count = 0;
    for (std::size_t i = 0; i < t.apodization.size(); ++i)
        if (t.apodization[i] != 0) {
            first = std::min(first, i);
            last = i;
            ++count;
        }
    if (count == t.apodization.size()) return "all";
    if (count == 1) return std::to_string(first + 1);
    return fmt::format("{} to {}{}", first + 1, last + 1, count == last - first + 1 ? "" : " in part");
}

}  // namespace

std::vector<std::pair<std::string, std::string>> describe_channel_data(const ChannelDataFile& file,
                                                                       const ChannelQuality& q) {
    const Acquisition& a = file.data.acquisition;
    std::vector<std::pair<std::string, std::string>> lines;
    const auto say = [&](const char* name, std::string text) { lines.emplace_back(name, std::move(text)); };
    say("format",
        file.format + (file.part.empty() ? "" : ", " + file.part) + ", samples are " + file.stored_type);
    std::string frames = fmt::format("{} of {}", file.data.frames(), file.frames);
    if (a.frame_rate > 0) frames += fmt::format(", {:.6g} in a second", a.frame_rate);
    say("frames", frames);
    say("array", describe_array(a.array));
    say("transmissions", fmt::format("{} of {}: {}", a.sent(), file.transmissions, describe_kinds(a)));
    say("pulse", fmt::format("{:.4g} MHz, peak {:.4g} us after its beginning", 1e-6 * a.centre_frequency,
                             1e6 * a.peak_time));
    say("sampling", describe_sampling(a));
    if (a.lens_delay != 0) say("lens", fmt::format("costs {:.4g} us, there and back", 1e6 * a.lens_delay));
    say("sound speed", a.sound_speed > 0 ? fmt::format("{:.5g} m/s", a.sound_speed) : "not stated");
    say("values", fmt::format("{:.5g} to {:.5g}", q.lowest, q.highest));
    std::string rails = q.lowest_is_rail && q.highest_is_rail
                            ? fmt::format(", at {:.5g} and {:.5g}", q.lowest, q.highest)
                        : q.lowest_is_rail  ? fmt::format(", at {:.5g}", q.lowest)
                        : q.highest_is_rail ? fmt::format(", at {:.5g}", q.highest)
                                            : "";
    say("saturated", fmt::format("{:.3g} % of the samples{}", 100 * q.saturated, rails));
    const auto share = [](const ChannelState& c) { return c.saturated > 0.01; };
    if (const std::string worst = numbers_where(q.channels, share); !worst.empty())
        say("  over 1 %", "elements " + worst);
    say("not a number", fmt::format("{:.3g} % of the samples", 100 * q.missing));
    const std::string dead = numbers_where(q.channels, [](const ChannelState& c) { return c.dead; });
    say("dead elements", dead.empty() ? "none" : fmt::format("{}: {}", q.dead, dead));
    const std::string offset = numbers_where(q.channels, [](const ChannelState& c) { return c.offset; });
    if (!offset.empty()) say("with an offset", offset);
    const std::string out = left_out_of(measured_ranges(file.data, q), a.array.size());
    say("of images", out.empty() ? "all traces" : out);
    for (const std::string& remark : file.remarks) say("note", remark);
    return lines;
}

std::vector<std::string> transmission_columns() {
    return {"transmission", "wave", "from, to or at", "fires", "last delay in us", "first sample at us"};
}

std::vector<std::vector<std::string>> describe_transmissions(const Acquisition& a) {
    constexpr Index all = 12, ends = 6;
    std::vector<std::vector<std::string>> rows;
    for (Index k = 0; k < a.sent(); ++k) {
        if (a.sent() > all && k == ends) {
            rows.emplace_back(transmission_columns().size(), "...");
            k = a.sent() - ends;
        }
        const Transmission& t = a.transmissions[static_cast<std::size_t>(k)];
        rows.push_back({std::to_string(k + 1), to_string(t.wavefront), describe_wave(t, a.array),
                        describe_aperture(t),
                        fmt::format("{:.4g}", 1e6 * *std::max_element(t.delays.begin(), t.delays.end())),
                        fmt::format("{:.5g}", 1e6 * a.start_times[static_cast<std::size_t>(k)])});
    }
    return rows;
}

}  // namespace sonolux
