// sonolux/sdk/files/training_set.hpp
//
// Training sets on the disk: a folder of HDF5 shards, and manifest.json, which says what they hold and how it
// was made.
//
//     manifest.json        generator, version, domain, seed, ranges (the whole recipe), fields, shards and
//     their samples NAME-00000.h5        samples 0 .. shard_samples - 1 NAME-00001.h5        the next ones,
//     and so on
//
// A shard has one dataset for each field, [samples, sizes of the field] of float32, and a group `sonolux`
// with the sample indices, the families of the phantoms and what the manifest says. Whole or not there at
// all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sonolux/core/array.hpp>
#include <sonolux/sdk/files/hdf5_file.hpp>

namespace sonolux {

/// One thing that each sample has.
struct SampleField {
    std::string name;               ///< the dataset's path: "sound_speed", "data/raw_data"
    std::string unit;               ///< "m/s"
    std::string description;        ///< a phrase
    std::vector<Index> sizes;       ///< of one sample, slowest first
    std::vector<std::string> axes;  ///< names of these sizes: "row", "column", "transmission", ...

    [[nodiscard]] Index elements() const noexcept;
    friend bool operator==(const SampleField&, const SampleField&) = default;
};

/// What a set holds and how it was made. All of it is known before the first sample is.
struct SetManifest {
    std::string name;
    std::string domain;
    std::string version, git_hash;  ///< of Sonolux
    std::uint64_t seed = 0;
    Index samples = 0, shard_samples = 1;
    std::vector<std::string> families;  ///< of phantoms, by their number in the shards
    std::vector<SampleField> fields;
    std::string recipe;  ///< TOML, every key written out

    [[nodiscard]] Index shards() const noexcept { return (samples + shard_samples - 1) / shard_samples; }
    [[nodiscard]] Index first_sample(Index shard) const noexcept { return shard * shard_samples; }
    [[nodiscard]] Index samples_in(Index shard) const noexcept {
        return std::min(shard_samples, samples - first_sample(shard));
    }
    /// "NAME-00012.h5"
    [[nodiscard]] std::string file_of(Index shard) const;
    /// Floats of one sample: all its fields, one after the other.
    [[nodiscard]] Index sample_elements() const noexcept;

    friend bool operator==(const SetManifest&, const SetManifest&) = default;
};

inline constexpr const char* manifest_name = "manifest.json";

[[nodiscard]] std::string to_text(const SetManifest& manifest);
/// Throws Error naming the file and the field.
[[nodiscard]] SetManifest read_manifest(const std::string& path);
[[nodiscard]] SetManifest parse_manifest(std::string_view text, const std::string& source);

/// Samples [first, first + size) of a set, while they are made and when they are read.
class SampleBlock {
public:
    SampleBlock() = default;
    /// Room for `count` samples. Throws Error{out_of_memory}.
    SampleBlock(const SetManifest& manifest, Index first, Index count);

    [[nodiscard]] Index first() const noexcept { return first_; }
    [[nodiscard]] Index count() const noexcept { return static_cast<Index>(families.size()); }
    /// All fields of sample n of this block.
    [[nodiscard]] std::span<float> sample(Index n) noexcept;
    [[nodiscard]] std::span<const float> sample(Index n) const noexcept;
    /// One field of sample n.
    [[nodiscard]] std::span<const float> field(Index n, const SetManifest& manifest, std::size_t field) const;

    std::vector<std::uint8_t> families;  ///< [count], numbers in the manifest's list

private:
    Index first_ = 0, elements_ = 0;
    Array<float> values_;
};

/// Writes the first `count` samples of the block, fields and group `sonolux`, into a file that was created.
/// `finished` false marks a checkpoint of a shard.
void write_samples(Hdf5File& file, const SetManifest& manifest, const SampleBlock& block, Index count,
                   bool finished);

/// The samples of a shard or a checkpoint, whose manifest must be `manifest` but for version and commit.
/// Throws Error{corrupt_data} naming file and dataset.
[[nodiscard]] SampleBlock read_samples(const Hdf5File& file, const SetManifest& manifest);

/// A set that is read sample by sample, or one shard of it.
class TrainingSet {
public:
    /// A folder, its manifest.json, or one shard: which then is all there is.
    [[nodiscard]] static TrainingSet open(const std::string& path);

    [[nodiscard]] const SetManifest& manifest() const noexcept { return manifest_; }
    /// Indices of the samples whose shard is there, in order.
    [[nodiscard]] const std::vector<Index>& available() const noexcept { return available_; }
    /// The file that holds a sample. Throws Error{invalid_argument} if it is not there.
    [[nodiscard]] std::string file_of(Index sample) const;
    /// One sample, alone in a block. Throws as `file_of` and `read_samples` do.
    [[nodiscard]] SampleBlock read(Index sample) const;

private:
    SetManifest manifest_;
    std::string folder_, only_file_;
    std::vector<Index> available_;
};

}  // namespace sonolux
