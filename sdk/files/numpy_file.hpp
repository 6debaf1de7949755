// sonolux/sdk/files/numpy_file.hpp
//
// Arrays as NumPy saves them (.npy).
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include <sonolux/core/view.hpp>

namespace sonolux {

/// The numbers of a .npy file, in row-major order whatever the order in the file.
struct NumpyArray {
    std::vector<Index> sizes;  ///< slowest dimension first; empty for a single number
    std::vector<double> values;
};

/// Whether these bytes begin as a .npy file does.
[[nodiscard]] bool looks_like_numpy(std::span<const std::byte> bytes) noexcept;

/// Decodes versions 1 to 3 of the format (NumPy enhancement proposal 1): float16 is not read; float32,
/// float64 and integers of 8 to 32 bits are, of either byte order. `source` (a file name) starts the message
/// of every error. Throws Error{corrupt_data} for a file that is damaged, or shorter or longer than its
/// header says, and Error{unsupported} for other types, which it names.
[[nodiscard]] NumpyArray decode_numpy(std::span<const std::byte> bytes, std::string_view source);

/// Version 1.0, little-endian float32, row-major: what numpy.load gives as an array of that shape.
[[nodiscard]] std::vector<std::byte> encode_numpy(std::span<const float> values,
                                                  std::span<const Index> sizes);

}  // namespace sonolux
