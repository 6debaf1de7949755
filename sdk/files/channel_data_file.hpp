// sonolux/sdk/files/channel_data_file.hpp
//
// Recordings of ultrasound probes, from the files that people have them in:
//
//     zea     HDF5, of github.com/tue-bmd/zea: before 0.1, 0.1 and later, with one or several tracks
//     UFF     HDF5, of the Ultrasound Toolbox (USTB): versions 1.0 to 1.2
//     MATLAB  version 5 and 7.3: a matrix of samples, described by a struct `param` as MUST and PyMUST have
//             it, or by a file in TOML
//
// The format is found from the content, and the clock and phases of each are converted to those of
// Acquisition. docs/channel_data.md says how.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sonolux/core/acoustics/acquisition.hpp>

namespace sonolux {

/// What the reader knows better than the file, or knows and the file does not say. Takes the place of the
/// file's; SI units.
struct AcquisitionKnowledge {
    std::optional<double> pitch;          ///< m: elements on a line, this far apart
    std::optional<double> radius;         ///< m: with a pitch, elements on an arc
    std::optional<double> element_width;  ///< m

    std::optional<double> sampling_frequency, centre_frequency, demodulation_frequency;  ///< Hz
    std::optional<double> sound_speed;                                                   ///< m/s
    std::optional<double> start_time;  ///< s from the firing of the first element to sample 0, of all
    std::optional<double> peak_time, lens_delay;  ///< s
    std::optional<double> frame_rate;             ///< Hz
};

struct ChannelDataReadOptions {
    Index first_frame = 0;
    Index frames = -1;                 ///< how many from there; -1: all that follow
    std::vector<Index> transmissions;  ///< which, counted from 0, rising; empty: all

    /// zea: label or number of a track. UFF: name of the recording. MATLAB: name of the matrix. Empty: the
    /// only one, or the first.
    std::string part;

    /// A file in TOML that says what the file does not: docs/channel_data.md. Empty, for MATLAB: NAME.toml
    /// beside NAME.mat, else acquisition.toml beside it, if there is one.
    std::string description;

    AcquisitionKnowledge known;
};

/// What a file holds, and how it was understood.
struct ChannelDataFile {
    ChannelData data;
    std::string format = {};       ///< "zea 0.1.8", "UFF v1.2.0", "MATLAB"
    std::string part = {};         ///< the track, recording or matrix that was read
    std::string stored_type = {};  ///< "int16", "float32", ...
    Index frames = 0;              ///< in the file, of which `data` may be some
    Index transmissions = 0;
    std::vector<std::string> remarks = {};  ///< what was assumed or left out: sentences
};

/// Throws Error, the file's name first: file_error (cannot be read), corrupt_data (damaged; a value that
/// cannot be, fields that contradict each other), unsupported (a format, version or probe that Sonolux does
/// not read, which it names), invalid_argument (options that ask for what is not there; something that the
/// file does not say and `known` does not either), size_mismatch (sizes of fields), out_of_memory.
///
/// Delays, and angles or foci, must agree to an eighth of the centre frequency's period.
[[nodiscard]] ChannelDataFile read_channel_data_file(const std::string& path,
                                                     const ChannelDataReadOptions& options = {});

/// The recording alone.
[[nodiscard]] ChannelData read_channel_data(const std::string& path,
                                            const ChannelDataReadOptions& options = {});

/// Whether a file looks like one that read_channel_data reads, by its first bytes and, for HDF5, the names in
/// it. Never throws; false where it cannot be read.
[[nodiscard]] bool looks_like_channel_data(const std::string& path) noexcept;

}  // namespace sonolux
