// sonolux/sdk/files/zea_fields.hpp
//
// A recording in the fields of zea, which are float32, and in the exact numbers that Sonolux adds under
// custom/sonolux. Only for zea*.cpp.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sonolux/core/acoustics/acquisition.hpp>
#include <sonolux/sdk/files/hdf5_file.hpp>

namespace sonolux::zea {

struct Field {
    std::string name;
    std::vector<Index> sizes;
    std::vector<float> values;
    const char* unit;
    const char* description;
};

/// scan/..., without the group: everything that is the same in all frames.
[[nodiscard]] std::vector<Field> scan_fields(const Acquisition& acquisition);
/// probe/...
[[nodiscard]] std::vector<Field> probe_fields(const Acquisition& acquisition);

/// "linear" or "curved"
[[nodiscard]] const char* probe_type(const TransducerArray& array);

void write_fields(Hdf5File& file, const std::string& group, const std::vector<Field>& fields);

/// What lens/... fields say: s there and back that it costs against the same way at `sound_speed`.
[[nodiscard]] double lens_delay(double thickness, double lens_sound_speed, double sound_speed);

inline constexpr double speed_otherwise = 1540;  // m/s, where a file says none
inline constexpr const char* peak_time_attribute = "sonolux_pulse_peak_time";

/// The numbers of `acquisition` in float64 under `group`, and from there: none where they are not all there.
void write_exact(Hdf5File& file, const std::string& group, const Acquisition& acquisition);
[[nodiscard]] std::optional<Acquisition> read_exact(const Hdf5File& file, const std::string& group);

}  // namespace sonolux::zea
