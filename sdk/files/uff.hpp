// sonolux/sdk/files/uff.hpp
//
// Writing recordings as the Ultrasound Toolbox (USTB, github.com/unioslo/USTB) does: UFF of version v1.2.0,
// which is HDF5. channel_data_file.hpp reads it.
//
//     channel_data          group with attributes class, name, size, array; its fields are datasets and
//                           groups
//     .../data              [frame, wave, channel, time] (MATLAB sees it reversed), float32; of IQ a group
//                           with real and imag
//     .../sequence_0001...  waves: wavefront, source, delay, sound_speed, apodization
//     .../probe             linear_array, curvilinear_array or probe, with the geometry
//
// USTB's clock is 0 when the wave passes the origin x = z = 0 (or would: beams that converge from everywhere,
// virtual sources behind the array), and counts to the pulse's peak:
//
//     sample n of wave k is at  initial_time + delay_k + n / sampling_frequency
//
// A wave of source s passes s at -|s| / c where s is above z = 0, at +|s| / c otherwise. Phases of IQ count
// on the clock without delay_k.
#pragma once

#include <string>

#include <sonolux/core/acoustics/acquisition.hpp>

namespace sonolux {

struct UffWriteOptions {
    std::string name = "channel_data";  ///< of the recording in the file
    int deflate = 0;                    ///< 0 (none) to 9
};

/// A recording as a new file. UFF has no field for peak_time and lens_delay: they are subtracted from the
/// times of samples, so that beamformers find echoes at the same places, and come back as 0. All numbers are
/// float32. Throws Error{invalid_argument, size_mismatch} as validate(data), Error{file_error}.
void write_uff(const std::string& path, const ChannelData& data, const UffWriteOptions& options = {});

}  // namespace sonolux
