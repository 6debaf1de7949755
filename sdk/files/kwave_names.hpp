// sonolux/sdk/files/kwave_names.hpp
//
// How k-Wave's programs want datasets: three sizes, of which unused ones are 1, and two texts that say what
// they hold.
#pragma once

#include <string>

#include <sonolux/sdk/files/hdf5_file.hpp>

namespace sonolux::kwave {

template <class T>
void describe(Hdf5File& file, const std::string& name, bool complex = false) {
    file.set_attribute(name, "data_type", std::is_floating_point_v<T> ? "float" : "long", Hdf5Text::fixed);
    file.set_attribute(name, "domain_type", complex ? "complex" : "real", Hdf5Text::fixed);
}

template <class T>
void write(Hdf5File& file, const std::string& name, const std::vector<Index>& sizes,
           std::span<const T> values, bool complex = false) {
    file.write<T>(name, sizes, values);
    describe<T>(file, name, complex);
}

inline void write(Hdf5File& file, const std::string& name, double value) {
    const float single = static_cast<float>(value);
    write<float>(file, name, {1, 1, 1}, {&single, 1});
}

inline void write(Hdf5File& file, const std::string& name, Index value) {
    const auto number = static_cast<std::uint64_t>(value);
    write<std::uint64_t>(file, name, {1, 1, 1}, {&number, 1});
}

/// What the root of a file says: file_type is "input" or "output".
void write_header(Hdf5File& file, const char* file_type, int minor_version, const std::string& description);

}  // namespace sonolux::kwave
