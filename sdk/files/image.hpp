// sonolux/sdk/files/image.hpp
//
// Photographs on disk: PNG, TIFF and JPEG, as arrays of code values between 0 and 1.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sonolux/core/array.hpp>

namespace sonolux {

/// Pixels and what the file said about them.
struct Image {
    /// [channels, rows, columns], 1 channel (grey) or 3 (red, green, blue).
    ///
    /// Linear in the file's code values, never in light: an 8-bit code c is c/255, a 16-bit code c/65535, a
    /// float is itself. No gamma, colour profile or orientation tag is applied.
    Array<float> pixels;

    int bits = 8;            ///< per sample: 8, 16, or 32 for float; 1, 2 and 4 are read as 8
    bool had_alpha = false;  ///< the file had transparency, which was dropped
    std::string format;      ///< "png", "tiff" or "jpeg"

    [[nodiscard]] Index channels() const noexcept { return pixels.shape()[0]; }
    [[nodiscard]] Index rows() const noexcept { return pixels.shape()[1]; }
    [[nodiscard]] Index columns() const noexcept { return pixels.shape()[2]; }
};

enum class ImageFormat { png, tiff };

/// Decodes an image; its first bytes decide the format. `source` (a file name) starts the message of every
/// error.
///
///   PNG    all kinds: grey, palette and RGB, 1 to 16 bits, with or without alpha, interlaced or not
///   TIFF   grey and RGB, 8 and 16 bits and float32, strips and tiles, extra channels dropped; the first page
///   JPEG   grey and colour (not CMYK)
///
/// Throws Error{corrupt_data} for a file that is empty, truncated or damaged, has zero size, claims more
/// pixels than its bytes can hold, or holds NaN; Error{unsupported} for other formats and kinds, and above
/// 2^31 samples.
[[nodiscard]] Image decode_image(std::span<const std::byte> bytes, std::string_view source);

/// Reads a file. Throws as decode_image does, and Error{file_error} if it cannot be read.
[[nodiscard]] Image read_image(const std::string& path);

/// Encodes [rows, columns] or [channels, rows, columns] with 1 or 3 channels. PNG has 8 or 16 `bits`, TIFF 8,
/// 16 or 32 (float, neither clipped nor rounded). Codes are round(value * (2^bits - 1)), values clipped to
/// [0, 1] before. Throws Error{invalid_argument} for other shapes and bits, no pixels, and NaN or infinite
/// values.
[[nodiscard]] std::vector<std::byte> encode_image(View<const float> pixels, ImageFormat format, int bits);

/// Writes a file atomically (write_file_atomically), in the format of its extension: .png, .tif or .tiff.
/// Throws as encode_image does, Error{unsupported} for other extensions, Error{file_error} if it cannot be
/// written.
void write_image(const std::string& path, View<const float> pixels, int bits = 8);

/// Luma of ITU-R BT.601 as MATLAB's rgb2gray has it, 0.2989 R + 0.5870 G + 0.1140 B, not rounded. A grey
/// image is copied. Result [1, rows, columns]; bits, alpha and format stay.
[[nodiscard]] Image to_grey(const Image& image);

}  // namespace sonolux
