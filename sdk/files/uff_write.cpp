// sonolux/sdk/files/uff_write.cpp
#include <cmath>

#include <fmt/format.h>

#include <sonolux/sdk/files/channel_data_parts.hpp>
#include <sonolux/sdk/files/uff.hpp>

namespace sonolux {

namespace {

/// Objects as USTB's write_object lays them out.
class Writer {
public:
    explicit Writer(Hdf5File& file) : file_(file) {}

    void open_object(const std::string& place, const char* class_name, const std::string& name) {
        file_.make_group(place);
        describe(place, class_name, name);
        file_.set_attribute(place, "size", one_);
        file_.set_attribute(place, "array", 0.0);
    }
    void open_list(const std::string& place, const char* class_name, const std::string& name, Index count) {
        file_.make_group(place);
        describe(place, class_name, name);
        const double size[] = {1, static_cast<double>(count)};
        file_.set_attribute(place, "size", std::span<const double>(size));
        file_.set_attribute(place, "array", 1.0);
    }

    void number(const std::string& object, const char* name, double value) {
        numbers(object, name, {1, 1}, {static_cast<float>(value)});
    }
    /// `sizes` slowest first: MATLAB sees them reversed.
    void numbers(const std::string& object, const char* name, const std::vector<Index>& sizes,
                 const std::vector<float>& values) {
        const std::string place = object + "/" + name;
        file_.write<float>(place, sizes, std::span<const float>(values));
        describe(place, "double", name);
        file_.set_attribute(place, "imaginary", 0.0);
        file_.set_attribute(place, "complex", 0.0);
    }
    void choice(const std::string& object, const char* name, const char* class_name, double value) {
        const std::string place = object + "/" + name;
        const float stored[] = {static_cast<float>(value)};
        file_.write<float>(place, {1, 1}, std::span<const float>(stored));
        describe(place, class_name, name);
    }
    void point(const std::string& object, const char* name, double distance, double azimuth) {
        const std::string place = object + "/" + name;
        open_object(place, "uff.point", name);
        number(place, "distance", distance);
        number(place, "azimuth", azimuth);
        number(place, "elevation", 0);
    }
    void point(const std::string& object, const char* name, Point p) {
        point(object, name, length(p), std::atan2(p.x, p.z));
    }

    void describe(const std::string& place, const char* class_name, const std::string& name) {
        file_.set_attribute(place, "class", class_name, Hdf5Text::fixed);
        file_.set_attribute(place, "name", name, Hdf5Text::fixed);
    }

private:
    Hdf5File& file_;
    const double ones_[2] = {1, 1};
    std::span<const double> one_{ones_};
};

void write_probe(Writer& writer, const std::string& channel_data, const TransducerArray& array) {
    const std::string place = channel_data + "/probe";
    const auto count = static_cast<double>(array.size());
    const double height = 10 * array.element_width();  // as USTB takes it where it is not known
    bool line = array.radius() == 0 && array.size() > 1;
    for (Index i = 0; i < array.size() && line; ++i)
        line = array[i].angle == 0 && std::abs(array[i].position.z) < 1e-9 &&
               std::abs(array[i].position.x - (static_cast<double>(i) - 0.5 * (count - 1)) * array.pitch()) <
                   1e-9;
    writer.open_object(place,
                       array.radius() > 0 ? "uff.curvilinear_array"
                       : line             ? "uff.linear_array"
                                          : "uff.probe",
                       "probe");
    if (array.radius() > 0 || line) {
        writer.number(place, "N", count);
        // USTB's pitch is the chord, ours the arc.
        const double r = array.radius();
        writer.number(place, "pitch", r > 0 ? 2 * r * std::sin(0.5 * array.pitch() / r) : array.pitch());
        if (r > 0) writer.number(place, "radius", r);
        writer.number(place, "element_width", array.element_width());
        writer.number(place, "element_height", height);
    }
    std::vector<float> geometry;
    const auto row = [&](auto&& of) {
        for (const ArrayElement& element : array.elements())
            geometry.push_back(static_cast<float>(of(element)));
    };
    row([](const ArrayElement& e) { return e.position.x; });
    row([](const ArrayElement&) { return 0.0; });
    row([](const ArrayElement& e) { return e.position.z; });
    row([](const ArrayElement& e) { return e.angle; });
    row([](const ArrayElement&) { return 0.0; });
    row([&](const ArrayElement&) { return array.element_width(); });
    row([&](const ArrayElement&) { return height; });
    writer.numbers(place, "geometry", {7, array.size()}, geometry);
}

void write_wave(Writer& writer, const std::string& place, const std::string& name, const Transmission& t,
                double sound_speed, double delay) {
    constexpr double plane = 0, spherical = 1, none = 0, sta = 7;
    writer.open_object(place, "uff.wave", name);
    writer.choice(place, "wavefront", "uff.wavefront", t.wavefront == Wavefront::plane ? plane : spherical);
    if (t.wavefront == Wavefront::plane)
        writer.point(place, "source", std::numeric_limits<double>::infinity(), t.angle);
    else
        writer.point(place, "source", t.focus);
    // USTB completes an origin of 0 for sources and foci by itself, so that it is what it would complete.
    if (t.wavefront == Wavefront::plane)
        writer.point(place, "origin", Point{});
    else
        writer.point(place, "origin", Point{t.focus.x, std::min(t.focus.z, 0.0)});
    const std::string apodization = place + "/apodization";
    writer.open_object(apodization, "uff.apodization", "apodization");
    writer.choice(apodization, "window", "uff.window", t.wavefront == Wavefront::element ? sta : none);
    writer.numbers(apodization, "apodization_vector", {1, static_cast<Index>(t.apodization.size())},
                   {t.apodization.begin(), t.apodization.end()});
    if (t.wavefront == Wavefront::element) writer.point(apodization, "origin", t.focus);
    writer.number(place, "delay", delay);
    writer.number(place, "sound_speed", sound_speed);
}

/// The sizes as MATLAB keeps them: it drops its last indices, our first, where they are 1.
std::vector<Index> matlab_sizes(std::vector<Index> sizes) {
    while (sizes.size() > 2 && sizes.front() == 1) sizes.erase(sizes.begin());
    return sizes;
}

}  // namespace

namespace channel_data {

double passes_source(const Transmission& t, double sound_speed) {
    if (t.wavefront == Wavefront::plane) return 0;
    return (t.focus.z < 0 ? -1 : 1) * length(t.focus) / sound_speed;
}

}  // namespace channel_data

void write_uff(const std::string& path, const ChannelData& data, const UffWriteOptions& options) {
    const std::string who = path + ": cannot be written: channel data";
    validate(data, who.c_str());
    require(!options.name.empty() && options.name.find('/') == std::string::npos, Status::invalid_argument,
            path, ": the name of a recording must be a word, got \"", options.name, "\"");
    const Acquisition& a = data.acquisition;
    Hdf5File file = Hdf5File::create(path);
    Writer writer(file);
    const std::string& place = options.name;
    writer.open_object(place, "uff.channel_data", options.name);
    writer.number(place, "sampling_frequency", a.sampling_frequency);
    writer.number(place, "modulation_frequency", a.demodulation_frequency);
    if (a.sound_speed > 0) writer.number(place, "sound_speed", a.sound_speed);
    if (a.frame_rate > 0) writer.number(place, "PRF", a.frame_rate * static_cast<double>(a.sent()));
    writer.open_object(place + "/pulse", "uff.pulse", "pulse");
    writer.number(place + "/pulse", "center_frequency", a.centre_frequency);
    write_probe(writer, place, a.array);

    const double otherwise = a.sound_speed > 0 ? a.sound_speed : 1540;
    std::vector<double> ustb_start, shift;  // s, on USTB's clock; and from its clock of phases to ours
    for (Index k = 0; k < a.sent(); ++k) {
        const Transmission& t = a.transmissions[static_cast<std::size_t>(k)];
        const double c = t.sound_speed > 0 ? t.sound_speed : otherwise;
        ustb_start.push_back(a.focusing_start(k) - t.focus_time + channel_data::passes_source(t, c));
    }
    const double initial_time = static_cast<double>(static_cast<float>(ustb_start[0]));
    writer.number(place, "initial_time", initial_time);
    const std::string sequence = place + "/sequence";
    if (a.sent() > 1) writer.open_list(sequence, "uff.wave", "sequence", a.sent());
    for (Index k = 0; k < a.sent(); ++k) {
        const Transmission& t = a.transmissions[static_cast<std::size_t>(k)];
        const std::string name = a.sent() > 1 ? fmt::format("sequence_{:04}", k + 1) : "sequence";
        write_wave(writer, a.sent() > 1 ? sequence + "/" + name : sequence, name, t,
                   t.sound_speed > 0 ? t.sound_speed : otherwise,
                   ustb_start[static_cast<std::size_t>(k)] - initial_time);
        shift.push_back(initial_time - a.start_times[static_cast<std::size_t>(k)]);
    }

    const std::vector<Index> sizes = matlab_sizes({data.frames(), a.sent(), a.array.size(), a.samples});
    Hdf5Layout layout;
    if (options.deflate > 0) {
        layout.chunk.assign(sizes.size(), 1);
        layout.chunk[sizes.size() - 2] = a.array.size();
        layout.chunk.back() = a.samples;
        layout.deflate = options.deflate;
    }
    const std::string samples = place + "/data";
    if (!a.demodulated()) {
        file.write<float>(samples, sizes,
                          {data.values.data(), static_cast<std::size_t>(data.values.elements())}, layout);
        writer.describe(samples, "single", "data");
        file.set_attribute(samples, "imaginary", 0.0);
        file.set_attribute(samples, "complex", 0.0);
    } else {
        Array<float> turned = data.values.clone();
        channel_data::turn_phases(turned, a.demodulation_frequency, shift);
        for (const int part : {0, 1}) {
            const std::string half = samples + (part == 0 ? "/real" : "/imag");
            std::vector<float> values;
            values.reserve(static_cast<std::size_t>(turned.elements() / 2));
            for (Index i = part; i < turned.elements(); i += 2) values.push_back(turned.data()[i]);
            file.write<float>(half, sizes, values, layout);
            writer.describe(half, "single", "data");
            file.set_attribute(half, "imaginary", static_cast<double>(part));
        }
        writer.describe(samples, "single", "data");
        file.set_attribute(samples, "complex", 1.0);
    }
    file.set_attribute("/", "version", "v1.2.0", Hdf5Text::listed);
    file.commit();
}

}  // namespace sonolux
