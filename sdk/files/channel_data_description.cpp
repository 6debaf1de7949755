// sonolux/sdk/files/channel_data_description.cpp
#include <sonolux/sdk/files/channel_data_description.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

#include <sonolux/core/acoustics/wavefront_fit.hpp>

namespace sonolux::channel_data {

Description Description::read(const std::string& path) {
    RecipeTable keys = RecipeTable::read(path);
    for (const char* key : {"samples.variable", "array.kind", "transmit.kind", "transmit.delays",
                            "recording.clock", "recording.phase_clock"})
        (void)keys.text(key, "");
    (void)keys.texts("samples.axes", std::vector<std::string>{});
    for (const char* key :
         {"array.pitch", "array.element_width", "array.radius", "pulse.centre_frequency", "pulse.peak_time",
          "transmit.sound_speed", "recording.sampling_frequency", "recording.demodulation_frequency",
          "recording.sound_speed", "recording.lens_delay", "recording.frame_rate"})
        (void)keys.number(key, 0);
    for (const char* key : {"transmit.angles", "transmit.angles_degrees", "transmit.x", "transmit.z",
                            "transmit.first", "transmit.last", "transmit.elements", "recording.start_time"})
        (void)keys.numbers(key, std::vector<double>{});
    keys.reject_unknown();
    return Description(RecipeTable::read(path));
}

std::optional<double> Description::number(const char* key, double lowest, double highest) {
    if (!table_.has(key)) return {};
    return table_.number(key, {}, lowest, highest);
}

std::optional<std::string> Description::variable() {
    if (!table_.has("samples.variable")) return {};
    return table_.text("samples.variable", {});
}

std::optional<std::vector<Axis>> Description::axes() {
    if (!table_.has("samples.axes")) return {};
    constexpr std::pair<const char*, Axis> all[] = {{"time", Axis::time},
                                                    {"element", Axis::element},
                                                    {"transmission", Axis::transmission},
                                                    {"frame", Axis::frame}};
    std::vector<Axis> axes;
    for (const std::string& name : table_.texts("samples.axes", {})) {
        const auto* found = std::find_if(std::begin(all), std::end(all),
                                         [&](const auto& axis) { return name == axis.first; });
        require(found != std::end(all), Status::invalid_argument, table_.where("samples.axes"),
                " must be some of \"time\", \"element\", \"transmission\", \"frame\", got \"", name, "\"");
        require(std::find(axes.begin(), axes.end(), found->second) == axes.end(), Status::invalid_argument,
                table_.where("samples.axes"), " names \"", name, "\" twice");
        axes.push_back(found->second);
    }
    const auto has = [&](Axis axis) { return std::find(axes.begin(), axes.end(), axis) != axes.end(); };
    require(has(Axis::time) && has(Axis::element), Status::invalid_argument, table_.where("samples.axes"),
            " must name \"time\" and \"element\"");
    return axes;
}

AcquisitionKnowledge Description::known() {
    AcquisitionKnowledge known;
    if (table_.has("array")) {
        const std::string kind = table_.one_of("array.kind", "linear", {"linear", "convex"});
        known.pitch = number("array.pitch", 1e-5, 5e-3);
        known.element_width = number("array.element_width", 1e-6, 5e-2);
        if (kind == "convex") known.radius = table_.number("array.radius", {}, 2e-3, 1);
        require(known.pitch.has_value() || !known.radius, Status::invalid_argument,
                table_.where("array.radius"), " needs array.pitch too");
    }
    known.centre_frequency = number("pulse.centre_frequency", 1e4, 1e9);
    known.peak_time = number("pulse.peak_time", -1e-3, 1e-3);
    known.sampling_frequency = number("recording.sampling_frequency", 1e4, 1e9);
    known.demodulation_frequency = number("recording.demodulation_frequency", 1e4, 1e9);
    known.sound_speed = number("recording.sound_speed", 100, 10000);
    known.lens_delay = number("recording.lens_delay", -1e-4, 1e-4);
    known.frame_rate = number("recording.frame_rate", 0, 1e6);
    return known;
}

std::vector<double> Description::start_times() {
    if (!table_.has("recording.start_time")) return {};
    return table_.numbers("recording.start_time", {}, -1, 1);
}

Clock Description::clock() {
    const std::string clock =
        table_.one_of("recording.clock", "first_element", {"first_element", "delays", "origin"});
    return clock == "delays" ? Clock::delays : clock == "origin" ? Clock::origin : Clock::first_element;
}

bool Description::phases_from_sample_0() {
    return table_.one_of("recording.phase_clock", "time_0", {"time_0", "sample_0"}) == "sample_0";
}

std::optional<std::string> Description::delays_variable() {
    if (!table_.has("transmit.delays")) return {};
    return table_.text("transmit.delays", {});
}

std::vector<Index> Description::elements_of(const char* key, const TransducerArray& array) {
    std::vector<Index> elements;
    for (const double number : table_.numbers(key, {})) {
        require(number == std::floor(number) && number >= 1 && number <= static_cast<double>(array.size()),
                Status::invalid_argument, table_.where(key), " must be elements from 1 to ", array.size(),
                ", got ", number);
        elements.push_back(static_cast<Index>(number) - 1);
    }
    return elements;
}

std::vector<double> Description::angles() {
    if (!table_.has("transmit.angles_degrees")) return table_.numbers("transmit.angles", {}, -1.4, 1.4);
    require(!table_.has("transmit.angles"), Status::invalid_argument, table_.where("transmit.angles_degrees"),
            " and transmit.angles say the same; one is enough");
    std::vector<double> angles = table_.numbers("transmit.angles_degrees", {}, -80, 80);
    for (double& angle : angles) angle *= std::numbers::pi / 180;
    return angles;
}

std::vector<Transmission> Description::transmissions(const TransducerArray& array, double tolerance,
                                                     const std::vector<double>& delays,
                                                     std::vector<double>& early) {
    const std::string kind =
        table_.one_of("transmit.kind", {}, {"plane", "diverging", "focused", "elements", "delays"});
    std::vector<Transmission> sent;
    if (kind == "elements") {
        if (!table_.has("transmit.elements"))
            sent = synthetic_aperture(array);
        else
            for (const Index element : elements_of("transmit.elements", array))
                sent.push_back(single_element(array, element));
        early.assign(sent.size(), 0.0);
        return sent;
    }
    const double speed = table_.number("transmit.sound_speed", {}, 100, 10000);
    if (kind == "delays") {
        require(delays_variable().has_value(), Status::invalid_argument, table_.where("transmit.delays"),
                " is missing; it must name the matrix of delays, transmissions x elements in s");
        return transmissions_of_delays(array, delays, {}, speed, tolerance, early,
                                       table_.where("transmit.delays"));
    }
    // What fires: of each transmission, or the same of all.
    std::vector<Index> first = {0}, last = {array.size() - 1};
    if (table_.has("transmit.first")) first = elements_of("transmit.first", array);
    if (table_.has("transmit.last")) last = elements_of("transmit.last", array);
    std::vector<double> a, x, z;
    if (kind == "plane")
        a = angles();
    else
        x = table_.numbers("transmit.x", {}, -1, 1), z = table_.numbers("transmit.z", {}, -1, 1);
    const std::size_t count = std::max({a.size(), x.size(), z.size(), first.size(), last.size()});
    const auto of = [&](const auto& list, std::size_t k, const char* key) {
        require(list.size() == 1 || list.size() == count, Status::invalid_argument, table_.where(key),
                " has ", list.size(), " values for ", count, " transmissions");
        return list[list.size() == 1 ? 0 : k];
    };
    for (std::size_t k = 0; k < count; ++k) {
        const Index begin = of(first, k, "transmit.first"), end = of(last, k, "transmit.last");
        require(begin <= end, Status::invalid_argument, table_.where("transmit.first"), " must be at most ",
                "transmit.last, got ", begin + 1, " and ", end + 1);
        std::vector<double> weights = aperture_weights(array.size(), begin, end - begin + 1);
        try {
            if (kind == "plane") {
                sent.push_back(plane_wave(array, of(a, k, "transmit.angles"), speed, std::move(weights)));
                continue;
            }
            const Point point{of(x, k, "transmit.x"), of(z, k, "transmit.z")};
            sent.push_back(kind == "focused" ? focused_beam(array, point, speed, std::move(weights))
                                             : diverging_wave(array, point, speed, std::move(weights)));
        } catch (const Error& error) {
            throw Error(error.status(), table_.where("transmit") + ": " + error.what());
        }
    }
    early.assign(sent.size(), 0.0);
    return sent;
}

std::vector<Transmission> transmissions_of_delays(const TransducerArray& array,
                                                  const std::vector<double>& delays,
                                                  const std::vector<double>& weights, double sound_speed,
                                                  double tolerance, std::vector<double>& early,
                                                  const std::string& who) {
    const auto elements = static_cast<std::size_t>(array.size());
    require(!delays.empty() && delays.size() % elements == 0, Status::size_mismatch, who,
            ": must be transmissions x ", elements, " elements, has ", delays.size(), " delays");
    require(weights.empty() || weights.size() == delays.size(), Status::size_mismatch, who, ": there are ",
            delays.size(), " delays and ", weights.size(), " weights");
    std::vector<Transmission> sent;
    early.clear();
    for (std::size_t k = 0; k < delays.size() / elements; ++k) {
        Transmission t;
        for (std::size_t e = 0; e < elements; ++e) {
            const double delay = delays[k * elements + e];
            const bool silent = std::isnan(delay);
            t.delays.push_back(silent ? 0 : delay);
            t.apodization.push_back(silent ? 0 : weights.empty() ? 1 : weights[k * elements + e]);
        }
        early.push_back(start_at_first_element(t));
        sent.push_back(wavefront_of_delays(array, std::move(t.delays), std::move(t.apodization), sound_speed,
                                           tolerance, sentence(who, ": transmission ", k + 1)));
    }
    return sent;
}

}  // namespace sonolux::channel_data
