// sonolux/sdk/files/zea.hpp
//
// Writing channel data in the layout of zea (version 0.1; github.com/tue-bmd/zea): HDF5 with the groups data,
// scan and probe. channel_data_file.hpp reads it. The frames of training sets are their samples:
//
//     data/raw_data             [frames, transmissions, time, elements, 1]
//     data/sos_map/values       [frames, rows, columns], m/s: the true speed of sound
//     data/sos_map/coordinates  [rows, columns, 3]: x, y, z in m
//     scan/...                  what was sent, and when
//     probe/...                 where the elements are
#pragma once

#include <string>
#include <vector>

#include <sonolux/core/acoustics/acquisition.hpp>
#include <sonolux/sdk/files/hdf5_file.hpp>

namespace sonolux {

inline constexpr const char* zea_raw_data = "data/raw_data";
inline constexpr const char* zea_sound_speed_map = "data/sos_map/values";

/// What the frames of a file have in common.
struct ZeaScan {
    std::vector<Transmission> transmissions;
    double sampling_frequency = 0, centre_frequency = 0;  ///< Hz
    double start_time = 0;   ///< s from the first element's firing to the first sample
    double sound_speed = 0;  ///< m/s, that images are usually formed with
    double peak_time = 0;    ///< s from the beginning of the pulse to the middle of its envelope
};

/// Writes everything but the values of frames: data/sos_map/coordinates, scan and probe. Angles are from z
/// towards x in rad. zea tells transmissions apart by their focus distance: infinite for plane waves,
/// negative for sources behind the array. A single element is a source 1 um behind itself, because 0 would be
/// a plane wave.
void write_zea_scan(Hdf5File& file, const ZeaScan& scan, const TransducerArray& array, const ImageGrid& map);

enum class ZeaStorage { float32, int16 };

struct ZeaWriteOptions {
    ZeaStorage storage = ZeaStorage::float32;
    int deflate = 0;             ///< 0 (none) to 9
    std::string label = "sent";  ///< of the track
    std::string description = {};
};

/// A recording as one track of a new file: tracks/track_0/{data/raw_data, scan}, probe. zea keeps float32;
/// what it rounds, and what it has no field for, is under custom/sonolux besides, so that reading gives the
/// same acquisition to the last bit. So are samples, but for IQ whose phases zea counts from sample 0: they
/// are turned, and come back to rounding.
///
/// Throws Error{invalid_argument, size_mismatch} as validate(data), Error{invalid_argument} for samples that
/// are no integers of 16 bits where these are asked for (NaN is none), Error{file_error}.
void write_zea(const std::string& path, const ChannelData& data, const ZeaWriteOptions& options = {});

}  // namespace sonolux
