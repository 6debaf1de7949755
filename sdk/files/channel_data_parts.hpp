// sonolux/sdk/files/channel_data_parts.hpp
//
// What the readers of recordings share: which part is wanted, what is known better, the clock of phases.
#pragma once

#include <functional>
#include <numbers>
#include <span>

#include <sonolux/sdk/files/channel_data_file.hpp>
#include <sonolux/sdk/files/hdf5_file.hpp>

namespace sonolux::channel_data {

/// One reader for each format; `path` was found to be of it.
[[nodiscard]] ChannelDataFile read_zea(const Hdf5File& file, const ChannelDataReadOptions& options);
[[nodiscard]] ChannelDataFile read_uff(const Hdf5File& file, const ChannelDataReadOptions& options);
[[nodiscard]] ChannelDataFile read_matlab(const std::string& path, const ChannelDataReadOptions& options);

/// Whether the names in an HDF5 file are those of the format.
[[nodiscard]] bool is_zea(const Hdf5File& file);
[[nodiscard]] bool is_uff(const Hdf5File& file);  ///< of any version

/// To be filled.
[[nodiscard]] inline ChannelDataFile nothing_yet() {
    return {{Acquisition{TransducerArray({ArrayElement{}}, 1e-4)}, {}}};
}

/// A message that begins with the file's name.
template <class... Parts>
[[noreturn]] void refuse(Status status, const std::string& path, const Parts&... parts) {
    fail(status, path, ": ", parts...);
}

/// What is known, else what the file says, else an error that says how to tell it. `name` is the field of
/// AcquisitionKnowledge, `where` what the file would have it in.
[[nodiscard]] double stated(const std::optional<double>& known, const std::optional<double>& in_file,
                            const std::string& path, const char* name, const std::string& where);

/// What `a` knows, and else what `b` knows.
[[nodiscard]] AcquisitionKnowledge first_of(const AcquisitionKnowledge& a, const AcquisitionKnowledge& b);

/// What is known of a file that says by itself what was sent: options.known, and else what the description
/// says, which must not have [samples] or [transmit].
[[nodiscard]] AcquisitionKnowledge knowledge_of(const ChannelDataReadOptions& options);

/// Sizes that a damaged file states must not cost the memory that they ask for. Throws Error{corrupt_data}
/// where they are of more than 4096 numbers for each byte of the file: deflate makes at most 1032.
void require_possible(const std::string& path, const std::string& dataset, const std::vector<Index>& sizes);

/// The wanted frames and transmissions, all of which are there.
struct Selection {
    Index first_frame = 0, frames = 0;
    std::vector<Index> transmissions;
};
[[nodiscard]] Selection select(const ChannelDataReadOptions& options, Index frames, Index transmissions,
                               const std::string& path);

/// Leaves only the wanted transmissions.
void keep(Acquisition& acquisition, const std::vector<Index>& transmissions);

/// An array of what is known: a pitch or width takes the place of the file's. `positions` from left to right.
[[nodiscard]] TransducerArray known_array(const AcquisitionKnowledge& known,
                                          const std::function<TransducerArray()>& in_file, Index elements,
                                          double element_width);

/// Throws where a demodulation frequency is known of samples that are real.
void refuse_demodulation(const AcquisitionKnowledge& known, const std::string& path);

/// Frequencies, speed and times that are known better. Not the array.
void apply(const AcquisitionKnowledge& known, Acquisition& acquisition);

/// How far delays may lie from the wavefront that a file says they make.
[[nodiscard]] inline double delay_tolerance(double centre_frequency) { return 0.125 / centre_frequency; }

/// Turns samples whose phase was counted on another clock, which shows `shift[k]` less than ours in
/// transmission k: x exp(-2 pi i f shift). [frame, transmission, element, 2 samples].
void turn_phases(Array<float>& values, double demodulation_frequency, std::span<const double> shift);

/// When a wave is at its source or focus on USTB's clock, in s (uff.hpp); 0 for plane waves.
[[nodiscard]] double passes_source(const Transmission& transmission, double sound_speed);

/// validate(data), with what the file is called and what it is in front.
void finish(ChannelDataFile& file, const std::string& path);

}  // namespace sonolux::channel_data
