// sonolux/sdk/files/zea.hpp
//
// Channel data in the layout of zea (version 0.1; github.com/tue-bmd/zea): HDF5 with the groups data, scan
// and probe, whose frames are samples of a training set here.
//
//     data/raw_data             [frames, transmissions, time, elements, 1]
//     data/sos_map/values       [frames, rows, columns], m/s: the true speed of sound
//     data/sos_map/coordinates  [rows, columns, 3]: x, y, z in m
//     scan/...                  what was sent, and when
//     probe/...                 where the elements are
#pragma once

#include <vector>

#include <sonolux/core/acoustics/transmission.hpp>
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

}  // namespace sonolux
