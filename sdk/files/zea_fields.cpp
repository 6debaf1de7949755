// sonolux/sdk/files/zea_fields.cpp
#include <cmath>
#include <limits>

#include <sonolux/sdk/files/zea_fields.hpp>

namespace sonolux::zea {

namespace {

constexpr double at_the_element = -1e-6;  // m; 0 would be a plane wave

/// The middle of the elements that fire.
Point origin_of(const Transmission& transmission, const TransducerArray& array) {
    Point sum;
    double count = 0;
    for (Index e = 0; e < array.size(); ++e)
        if (transmission.apodization[static_cast<std::size_t>(e)] != 0) {
            sum = sum + array[e].position;
            ++count;
        }
    return 1 / count * sum;
}

Field number(const char* name, double value, const char* unit, const char* description) {
    return {name, {}, {static_cast<float>(value)}, unit, description};
}

void push(Field& field, double value) { field.values.push_back(static_cast<float>(value)); }

}  // namespace

std::vector<Field> scan_fields(const Acquisition& a) {
    const Index sent = a.sent(), elements = a.array.size();
    Field delays{"t0_delays", {sent, elements}, {}, "s", "When each element fires."};
    Field weights{"tx_apodizations", {sent, elements}, {}, "–", "How strongly each element fires."};
    Field starts{"initial_times", {sent}, {}, "s", "First sample, from the first element's firing."};
    Field distances{
        "focus_distances", {sent}, {}, "m", "Infinite: plane wave. Negative: source behind the array."};
    Field origins{"transmit_origins", {sent, 3}, {}, "m", "Where each beam leaves the array: x, y, z."};
    Field angles{"polar_angles", {sent}, {}, "rad", "Direction of each beam, from z towards x."};
    Field azimuths{"azimuth_angles", {sent}, {}, "rad", "Direction out of the plane."};
    for (std::size_t k = 0; k < a.transmissions.size(); ++k) {
        const Transmission& transmission = a.transmissions[k];
        validate(transmission, a.array);
        for (const double delay : transmission.delays) push(delays, delay);
        for (const double weight : transmission.apodization) push(weights, weight);
        push(starts, a.start_times[k]);
        push(azimuths, 0);
        Point origin = origin_of(transmission, a.array);
        double distance = std::numeric_limits<double>::infinity(), angle = transmission.angle;
        if (transmission.wavefront == Wavefront::plane) {
            origin = {};
        } else if (transmission.wavefront == Wavefront::element) {
            distance = at_the_element;
            angle = 0;
        } else {
            const bool focused = transmission.wavefront == Wavefront::focused;
            const Point way = focused ? transmission.focus - origin : origin - transmission.focus;
            distance = focused ? length(way) : -length(way);
            angle = std::atan2(way.x, way.z);
        }
        push(distances, distance);
        push(angles, angle);
        for (const double place : {origin.x, 0.0, origin.z}) push(origins, place);
    }
    std::vector<Field> fields = {
        number("sampling_frequency", a.sampling_frequency, "Hz", "Sampling frequency."),
        number("center_frequency", a.centre_frequency, "Hz", "Centre frequency of the pulse."),
        a.demodulated() ? number("demodulation_frequency", a.demodulation_frequency, "Hz",
                                 "Frequency that the samples were demodulated with.")
                        : number("demodulation_frequency", a.centre_frequency, "Hz",
                                 "Frequency to demodulate with: the samples are RF.")};
    if (a.sound_speed > 0)
        fields.push_back(number("sound_speed", a.sound_speed, "m/s", "What images are usually formed with."));
    for (Field* field : {&starts, &delays, &weights, &distances, &origins, &angles, &azimuths})
        fields.push_back(std::move(*field));
    return fields;
}

std::vector<Field> probe_fields(const Acquisition& a) {
    Field elements{"probe_geometry", {a.array.size(), 3}, {}, "m", "Elements: x, y, z."};
    for (const ArrayElement& element : a.array.elements())
        for (const double place : {element.position.x, 0.0, element.position.z}) push(elements, place);
    std::vector<Field> fields = {
        std::move(elements), number("element_width", a.array.element_width(), "m", "Width of an element."),
        number("probe_center_frequency", a.centre_frequency, "Hz", "Centre frequency.")};
    if (a.lens_delay != 0) {
        // A delay has no thickness: one that is slow (or fast, where the lens gains time) and as thick as it
        // takes.
        const double c = a.sound_speed > 0 ? a.sound_speed : speed_otherwise;
        const double lens = a.lens_delay > 0 ? c / 1.54 : 1.6 * c;
        fields.push_back(number("lens_sound_speed", lens, "m/s", "Speed of sound in the lens."));
        fields.push_back(number("lens_thickness", 0.5 * a.lens_delay / (1 / lens - 1 / c), "m",
                                "Thickness of a lens that costs as much time."));
    }
    return fields;
}

const char* probe_type(const TransducerArray& array) { return array.radius() > 0 ? "curved" : "linear"; }

double lens_delay(double thickness, double lens_sound_speed, double sound_speed) {
    return 2 * thickness * (1 / lens_sound_speed - 1 / sound_speed);
}

void write_fields(Hdf5File& file, const std::string& group, const std::vector<Field>& fields) {
    for (const Field& field : fields) {
        const std::string name = group + "/" + field.name;
        file.write<float>(name, field.sizes, std::span<const float>(field.values));
        file.set_attribute(name, "unit", field.unit);
        file.set_attribute(name, "description", field.description);
    }
}

namespace {

// The numbers of an acquisition in one order, for writing and reading alike.

constexpr Index numbers_of_acquisition = 8, numbers_of_element = 3, numbers_of_transmission = 6;

std::vector<double> numbers_of(const Acquisition& a) {
    return {a.sampling_frequency, a.centre_frequency, a.demodulation_frequency, a.peak_time, a.lens_delay,
            a.sound_speed,        a.frame_rate,       a.array.element_width()};
}

void write_numbers(Hdf5File& file, const std::string& name, const std::vector<Index>& sizes,
                   const std::vector<double>& values, const char* description) {
    file.write<double>(name, sizes, std::span<const double>(values));
    file.set_attribute(name, "unit", "–");
    file.set_attribute(name, "description", description);
}

}  // namespace

void write_exact(Hdf5File& file, const std::string& group, const Acquisition& a) {
    write_numbers(file, group + "/acquisition", {numbers_of_acquisition}, numbers_of(a),
                  "Sampling, centre and demodulation frequency in Hz, peak time and lens delay in s, sound "
                  "speed in m/s, frame rate in Hz, width of an element in m.");
    std::vector<double> elements, sent, delays, weights;
    for (const ArrayElement& element : a.array.elements())
        elements.insert(elements.end(), {element.position.x, element.position.z, element.angle});
    for (const Transmission& t : a.transmissions) {
        sent.insert(sent.end(), {static_cast<double>(t.wavefront), t.angle, t.focus.x, t.focus.z,
                                 t.focus_time, t.sound_speed});
        delays.insert(delays.end(), t.delays.begin(), t.delays.end());
        weights.insert(weights.end(), t.apodization.begin(), t.apodization.end());
    }
    write_numbers(file, group + "/elements", {a.array.size(), numbers_of_element}, elements,
                  "Elements: x and z in m, angle in rad.");
    write_numbers(file, group + "/curvature", {2},
                  {a.array.radius(), a.array.radius() > 0 ? a.array.pitch() : 0},
                  "Radius and pitch of a convex array in m; 0 for others.");
    write_numbers(file, group + "/transmissions", {a.sent(), numbers_of_transmission}, sent,
                  "Wavefront (0 plane, 1 diverging, 2 focused, 3 element), angle in rad, focus x and z in m, "
                  "time there in s, speed that delays are for in m/s.");
    write_numbers(file, group + "/delays", {a.sent(), a.array.size()}, delays, "Delays in s.");
    write_numbers(file, group + "/apodizations", {a.sent(), a.array.size()}, weights, "Weights.");
    write_numbers(file, group + "/start_times", {a.sent()}, a.start_times, "First sample in s.");
}

std::optional<Acquisition> read_exact(const Hdf5File& file, const std::string& group) {
    for (const char* name :
         {"acquisition", "elements", "curvature", "transmissions", "delays", "apodizations", "start_times"})
        if (!file.has(group + "/" + name)) return {};
    const std::vector<Index> sizes = file.content(group + "/delays").sizes;
    if (sizes.size() != 2 || sizes[0] < 1 || sizes[1] < 1) return {};
    const Index sent = sizes[0], count = sizes[1];
    const auto read = [&](const char* name, const std::vector<Index>& expected) {
        return file.read<double>(group + "/" + name, expected);
    };
    const std::vector<double> all = read("acquisition", {numbers_of_acquisition}),
                              places = read("elements", {count, numbers_of_element}),
                              curvature = read("curvature", {2}),
                              waves = read("transmissions", {sent, numbers_of_transmission}),
                              delays = read("delays", sizes), weights = read("apodizations", sizes);
    for (const std::vector<double>* numbers : {&all, &places, &curvature, &waves})
        for (const double number : *numbers)
            if (!std::isfinite(number)) return {};
    std::vector<ArrayElement> elements;
    for (auto p = places.begin(); p != places.end(); p += numbers_of_element)
        elements.push_back({{p[0], p[1]}, p[2]});
    Acquisition a{curvature[0] > 0 ? make_convex_array(count, curvature[1], all[7], curvature[0])
                                   : TransducerArray(std::move(elements), all[7])};
    for (Index k = 0; k < sent; ++k) {
        const double* wave = waves.data() + k * numbers_of_transmission;
        if (!(wave[0] >= 0 && wave[0] <= 3)) return {};
        Transmission t{
            static_cast<Wavefront>(wave[0]), wave[1], {wave[2], wave[3]}, wave[4], wave[5], {}, {}};
        t.delays.assign(delays.begin() + k * count, delays.begin() + (k + 1) * count);
        t.apodization.assign(weights.begin() + k * count, weights.begin() + (k + 1) * count);
        a.transmissions.push_back(std::move(t));
    }
    a.start_times = read("start_times", {sent});
    a.sampling_frequency = all[0], a.centre_frequency = all[1], a.demodulation_frequency = all[2];
    a.peak_time = all[3], a.lens_delay = all[4], a.sound_speed = all[5], a.frame_rate = all[6];
    return a;
}

}  // namespace sonolux::zea
