// sonolux/sdk/runtime/safetensors.hpp
//
// Named arrays in one block of memory: the safetensors format (https://github.com/huggingface/safetensors).
//
//     8 bytes    header length n, little-endian
//     n bytes    JSON: {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, ...,
//                       "__metadata__": {"key": "text", ...}}
//     the rest   the payload: the tensors' bytes, little-endian, row-major, without gaps
//
// A reader trusts nothing in it: every length, offset and product is checked before it is used.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sonolux/core/array.hpp>

namespace sonolux {

struct NamedTensor {
    std::string name;
    Array<float> values;
};

/// What the header of a file says, checked against the file. Refers to the bytes it was read from.
struct SafetensorsHeader {
    struct Entry {
        std::string name;
        Shape shape;
        std::size_t begin = 0;  ///< first byte of the tensor, counted from the start of the payload
    };

    std::string source;                           ///< starts the messages of all errors
    std::vector<Entry> entries;                   ///< by their place in the payload
    std::map<std::string, std::string> metadata;  ///< the strings of "__metadata__"
    std::span<const std::byte> payload;
};

/// The largest header that is read or written.
inline constexpr std::size_t max_safetensors_header = std::size_t(16) << 20;

/// Reads and checks the header: at most 16 MiB of valid JSON, known keys only, no name twice, dtype F32, rank
/// 0 to 4, offsets that agree with the shape and cover the payload without gap or overlap. Throws
/// Error{corrupt_data}, or Error{unsupported} for other dtypes and ranks; the message starts with `source`.
[[nodiscard]] SafetensorsHeader read_safetensors_header(std::span<const std::byte> bytes,
                                                        std::string_view source);

/// Copies one tensor. Throws Error{corrupt_data} if a value is NaN or infinite, naming the tensor and the
/// index.
[[nodiscard]] Array<float> read_tensor(const SafetensorsHeader& header,
                                       const SafetensorsHeader::Entry& entry);

/// All tensors, sorted by name.
[[nodiscard]] std::vector<NamedTensor> read_tensors(const SafetensorsHeader& header);

/// The payload alone: the tensors one after the other, sorted by name.
/// Throws Error{invalid_argument} for a name that is empty, reserved or there twice, and for NaN and
/// infinities.
[[nodiscard]] std::vector<std::byte> safetensors_payload(std::span<const NamedTensor> tensors);

/// The whole file. Depends on the content alone, not on the order of `tensors`; the payload starts at a
/// multiple of 64 bytes. Throws as safetensors_payload does.
[[nodiscard]] std::vector<std::byte> write_safetensors(std::span<const NamedTensor> tensors,
                                                       const std::map<std::string, std::string>& metadata);

}  // namespace sonolux
