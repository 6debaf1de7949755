// sonolux/sdk/files/tensorboard.hpp
//
// TensorBoard event files: curves of a training run that https://www.tensorflow.org/tensorboard draws.
//
// A file is a sequence of records
//
//     8 bytes    length n of the data, little-endian
//     4 bytes    masked CRC-32C of these 8 bytes
//     n bytes    a protocol-buffer message "Event": wall time, step, and a scalar or the file's version
//     4 bytes    masked CRC-32C of the data
//
// with mask(c) = rotate_right(c, 15) + 0xa282ead8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

namespace sonolux {

/// CRC-32C (Castagnoli; RFC 3720, appendix B.4): 0xe3069283 for the nine bytes "123456789".
[[nodiscard]] std::uint32_t crc32c(std::span<const std::byte> bytes) noexcept;

/// Appends scalars to one event file. Errors are Error{file_error} naming the file.
class TensorboardWriter {
public:
    /// Continues the file after its first `keep` bytes, dropping the rest; 0 or a file shorter than that
    /// starts it anew. TensorBoard reads any file whose name contains "tfevents".
    explicit TensorboardWriter(std::filesystem::path path, std::uintmax_t keep = 0);

    /// One point of the curve `tag`; `wall_time` in seconds since 1970.
    void add_scalar(std::string_view tag, double value, std::int64_t step, double wall_time);

    /// Hands everything to the disk (fsync) and returns the file's size, for `keep`.
    std::uintmax_t flush();

private:
    void write_record(std::string_view data);

    struct Close {
        void operator()(std::FILE* file) const noexcept { std::fclose(file); }
    };

    std::filesystem::path path_;
    std::unique_ptr<std::FILE, Close> file_;
    std::uintmax_t size_ = 0;
};

}  // namespace sonolux
