// sonolux/sdk/files/zea.cpp
#include <sonolux/sdk/files/zea.hpp>

#include <cmath>

#include <sonolux/sdk/files/channel_data_parts.hpp>
#include <sonolux/sdk/files/zea_fields.hpp>

namespace sonolux {

using namespace zea;

namespace {

constexpr const char* layout_version = "0.1.0";

}  // namespace

void write_zea_scan(Hdf5File& file, const ZeaScan& scan, const TransducerArray& array, const ImageGrid& map) {
    Acquisition a{array, scan.transmissions};
    a.sampling_frequency = scan.sampling_frequency;
    a.centre_frequency = scan.centre_frequency;
    a.start_times.assign(scan.transmissions.size(), scan.start_time);
    a.sound_speed = scan.sound_speed;
    write_fields(file, "scan", scan_fields(a));
    file.set_attribute("scan", peak_time_attribute, scan.peak_time);
    write_fields(file, "probe", probe_fields(a));
    file.write_text("probe/type", probe_type(array));

    Field coordinates{"coordinates", {map.rows, map.columns, 3}, {}, "m", "Pixels: x, y, z."};
    for (Index i = 0; i < map.rows; ++i)
        for (Index j = 0; j < map.columns; ++j)
            for (const double place : {map.x(static_cast<double>(j)), 0.0, map.z(static_cast<double>(i))})
                coordinates.values.push_back(static_cast<float>(place));
    write_fields(file, "data/sos_map", {coordinates});
    file.set_attribute("/", "zea_version", layout_version);
    file.set_attribute("/", "description", "Simulated by Sonolux; frames are samples of a training set.");
}

namespace {

/// Samples of one frame in zea's order, [transmission, time, element, channel].
template <class T>
std::vector<T> frame_in_order(const ChannelData& data, View<const float> values, Index frame,
                              const std::string& path) {
    const Acquisition& a = data.acquisition;
    const Index sent = a.sent(), elements = a.array.size(), times = a.samples,
                channels = a.demodulated() ? 2 : 1;
    std::vector<T> ordered(static_cast<std::size_t>(sent * times * elements * channels));
    for (Index k = 0; k < sent; ++k)
        for (Index e = 0; e < elements; ++e)
            for (Index n = 0; n < times; ++n)
                for (Index c = 0; c < channels; ++c) {
                    const float value = values(frame, k, e, n * channels + c);
                    if constexpr (std::is_same_v<T, std::int16_t>)
                        require(value == std::floor(value) && value >= -32768 && value <= 32767,
                                Status::invalid_argument, path,
                                ": samples of 16 bits must be whole numbers from -32768 to 32767, got ",
                                value, " in frame ", frame, ", transmission ", k + 1, ", element ", e + 1,
                                ", sample ", n);
                    ordered[static_cast<std::size_t>(((k * times + n) * elements + e) * channels + c)] =
                        static_cast<T>(value);
                }
    return ordered;
}

template <class T>
void write_raw(Hdf5File& file, const std::string& name, const ChannelData& data, View<const float> values,
               int deflate) {
    const Acquisition& a = data.acquisition;
    const std::vector<Index> sizes = {data.frames(), a.sent(), a.samples, a.array.size(),
                                      a.demodulated() ? 2 : 1};
    file.make<T>(name, sizes, {.chunk = {1, 1, sizes[2], sizes[3], sizes[4]}, .deflate = deflate});
    for (Index frame = 0; frame < sizes[0]; ++frame) {
        const std::vector<T> ordered = frame_in_order<T>(data, values, frame, file.path());
        file.write_part<T>(name, {frame, 0, 0, 0, 0}, {1, sizes[1], sizes[2], sizes[3], sizes[4]},
                           std::span<const T>(ordered));
    }
    file.set_attribute(name, "unit", "–");
    file.set_attribute(name, "description", "Raw channel data: frame, transmission, time, element, channel.");
}

}  // namespace

void write_zea(const std::string& path, const ChannelData& data, const ZeaWriteOptions& options) {
    const std::string who = path + ": cannot be written: channel data";
    validate(data, who.c_str());
    const Acquisition& a = data.acquisition;
    // zea counts phases from sample 0, we from time 0.
    Array<float> turned;
    View<const float> values = data.values;
    if (a.demodulated()) {
        turned = data.values.clone();
        std::vector<double> shift;
        for (const double start : a.start_times) shift.push_back(-start);
        channel_data::turn_phases(turned, a.demodulation_frequency, shift);
        values = turned;
    }
    Hdf5File file = Hdf5File::create(path);
    const std::string track = "tracks/track_0";
    if (options.storage == ZeaStorage::int16)
        write_raw<std::int16_t>(file, track + "/data/raw_data", data, values, options.deflate);
    else
        write_raw<float>(file, track + "/data/raw_data", data, values, options.deflate);
    std::vector<Field> scan = scan_fields(a);
    if (a.frame_rate > 0) {
        const auto count = static_cast<std::size_t>(data.frames() * a.sent());
        scan.push_back({"time_to_next_transmit",
                        {data.frames(), a.sent()},
                        std::vector<float>(
                            count, static_cast<float>(1 / (a.frame_rate * static_cast<double>(a.sent())))),
                        "s",
                        "Time between transmissions."});
    }
    write_fields(file, track + "/scan", scan);
    file.set_attribute(track + "/scan", peak_time_attribute, a.peak_time);
    file.write_text(track + "/label", options.label);
    write_fields(file, "probe", probe_fields(a));
    file.write_text("probe/type", probe_type(a.array));
    write_exact(file, "custom/sonolux", a);
    file.set_attribute("custom", "description", "The same in float64, and what zea has no field for.");
    file.set_attribute("/", "zea_version", layout_version);
    if (!options.description.empty()) file.set_attribute("/", "description", options.description);
    file.commit();
}

}  // namespace sonolux
