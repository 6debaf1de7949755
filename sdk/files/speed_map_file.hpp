// sonolux/sdk/files/speed_map_file.hpp
//
// Maps of the speed of sound, from files.
#pragma once

#include <optional>
#include <string>

#include <sonolux/core/acoustics/image_grid.hpp>
#include <sonolux/core/array.hpp>

namespace sonolux {

struct SpeedMap {
    ImageGrid grid;
    Array<float> sound_speed;  ///< m/s, [rows, columns]
};

/// Where the middles of the outermost pixels of a map lie, m.
struct MapExtent {
    double left = 0, right = 0, top = 0, bottom = 0;
};

/// A map of m/s:
///
///     .npy, .tif, .tiff   [rows, columns]; `extent` says where it lies
///     .h5, .hdf5          data/sos_map of a file in zea's layout, with its coordinates; of several maps,
///     number
///                         `frame`
///
/// Throws Error, the file's name first: file_error, corrupt_data, unsupported (another extension),
/// invalid_argument where there is no extent for a file that needs one, or one for a file that has its own,
/// or a speed is not in [100, 10000] m/s.
[[nodiscard]] SpeedMap read_speed_map(const std::string& path, const std::optional<MapExtent>& extent,
                                      Index frame = 0);

}  // namespace sonolux
