// sonolux/sdk/files/zea.cpp
#include <sonolux/sdk/files/zea.hpp>

#include <cmath>
#include <limits>

namespace sonolux {

namespace {

constexpr const char* layout_version = "0.1.0";
constexpr double at_the_element = -1e-6;  // m

class Writer {
public:
    explicit Writer(Hdf5File& file) : file_(file) {}

    void number(const std::string& name, double value, const char* unit, const char* description) {
        put(name, {}, {static_cast<float>(value)}, unit, description);
    }
    void put(const std::string& name, const std::vector<Index>& sizes, const std::vector<float>& values,
             const char* unit, const char* description) {
        file_.write<float>(name, sizes, std::span<const float>(values));
        file_.set_attribute(name, "unit", unit);
        file_.set_attribute(name, "description", description);
    }

private:
    Hdf5File& file_;
};

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

}  // namespace

void write_zea_scan(Hdf5File& file, const ZeaScan& scan, const TransducerArray& array, const ImageGrid& map) {
    std::vector<float> delays, weights, starts, distances, origins, angles, azimuths;
    const auto push = [](std::vector<float>& values, double value) {
        values.push_back(static_cast<float>(value));
    };
    for (const Transmission& transmission : scan.transmissions) {
        validate(transmission, array);
        for (const double delay : transmission.delays) push(delays, delay);
        for (const double weight : transmission.apodization) push(weights, weight);
        push(starts, scan.start_time);
        push(azimuths, 0);
        Point origin = origin_of(transmission, array);
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
    const auto sent = static_cast<Index>(scan.transmissions.size());
    Writer writer(file);
    writer.number("scan/sampling_frequency", scan.sampling_frequency, "Hz", "Sampling frequency.");
    writer.number("scan/center_frequency", scan.centre_frequency, "Hz", "Centre frequency of the pulse.");
    writer.number("scan/demodulation_frequency", scan.centre_frequency, "Hz",
                  "Frequency to demodulate with: the samples are RF.");
    writer.number("scan/sound_speed", scan.sound_speed, "m/s", "What images are usually formed with.");
    writer.put("scan/initial_times", {sent}, starts, "s", "First sample, from the first element's firing.");
    writer.put("scan/t0_delays", {sent, array.size()}, delays, "s", "When each element fires.");
    writer.put("scan/tx_apodizations", {sent, array.size()}, weights, "–",
               "How strongly each element fires.");
    writer.put("scan/focus_distances", {sent}, distances, "m",
               "Infinite: plane wave. Negative: source behind the array.");
    writer.put("scan/transmit_origins", {sent, 3}, origins, "m",
               "Where each beam leaves the array: x, y, z.");
    writer.put("scan/polar_angles", {sent}, angles, "rad", "Direction of each beam, from z towards x.");
    writer.put("scan/azimuth_angles", {sent}, azimuths, "rad", "Direction out of the plane.");
    file.set_attribute("scan", "sonolux_pulse_peak_time", scan.peak_time);

    std::vector<float> elements, coordinates;
    for (const ArrayElement& element : array.elements())
        for (const double place : {element.position.x, 0.0, element.position.z}) push(elements, place);
    writer.put("probe/probe_geometry", {array.size(), 3}, elements, "m", "Elements: x, y, z.");
    writer.number("probe/element_width", array.element_width(), "m", "Width of an element.");
    writer.number("probe/probe_center_frequency", scan.centre_frequency, "Hz", "Centre frequency.");
    file.write_text("probe/type", array.radius() > 0 ? "curved" : "linear");

    for (Index i = 0; i < map.rows; ++i)
        for (Index j = 0; j < map.columns; ++j)
            for (const double place : {map.x(static_cast<double>(j)), 0.0, map.z(static_cast<double>(i))})
                push(coordinates, place);
    writer.put("data/sos_map/coordinates", {map.rows, map.columns, 3}, coordinates, "m", "Pixels: x, y, z.");
    file.set_attribute("/", "zea_version", layout_version);
    file.set_attribute("/", "description", "Simulated by Sonolux; frames are samples of a training set.");
}

}  // namespace sonolux
