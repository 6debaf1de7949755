// sonolux/sdk/files/image_codecs.hpp
//
// What the three decoders and the two encoders share. Not installed.
#pragma once

#include <cstdint>

#include <sonolux/core/error.hpp>
#include <sonolux/sdk/files/image.hpp>

namespace sonolux::detail {

[[nodiscard]] Image decode_png(std::span<const std::byte> bytes, std::string_view source);
[[nodiscard]] Image decode_tiff(std::span<const std::byte> bytes, std::string_view source);
[[nodiscard]] Image decode_jpeg(std::span<const std::byte> bytes, std::string_view source);

/// `pixels` is [channels, rows, columns] and finite, `bits` is one of the format's.
[[nodiscard]] std::vector<std::byte> encode_png(View<const float> pixels, int bits);
[[nodiscard]] std::vector<std::byte> encode_tiff(View<const float> pixels, int bits);

/// Throws for an image of no pixels, of more than 2^31 samples, or of more than `bytes` could encode at a
/// ratio of `best_ratio` (decoded to encoded bytes): so a few bytes cannot ask for gigabytes.
void check_claim(std::string_view source, std::uint64_t rows, std::uint64_t columns, std::uint64_t samples,
                 std::uint64_t bits, std::size_t bytes, double best_ratio);

/// Codes to values: out[i] = codes[i * stride] / highest code; floats as they are.
template <class Code>
void codes_to_values(const Code* codes, Index stride, Index count, float* out) noexcept {
    for (Index i = 0; i < count; ++i) {
        const Code code = codes[i * stride];
        if constexpr (std::is_floating_point_v<Code>)
            out[i] = code;
        else
            out[i] = static_cast<float>(code) / static_cast<float>(static_cast<Code>(~Code{0}));
    }
}

/// Values to codes: codes[i * stride] = round(clip(values[i], 0, 1) * highest code); floats as they are.
template <class Code>
void values_to_codes(const float* values, Index count, Code* codes, Index stride) noexcept {
    for (Index i = 0; i < count; ++i) {
        if constexpr (std::is_floating_point_v<Code>) {
            codes[i * stride] = values[i];
        } else {
            constexpr double highest = static_cast<Code>(~Code{0});
            const double clipped = values[i] < 0 ? 0.0 : values[i] > 1 ? 1.0 : static_cast<double>(values[i]);
            codes[i * stride] = static_cast<Code>(clipped * highest + 0.5);
        }
    }
}

/// The rows of an image as interleaved codes.
template <class Code>
[[nodiscard]] std::vector<Code> interleaved_codes(View<const float> pixels) {
    const Index channels = pixels.size(0), rows = pixels.size(1), columns = pixels.size(2);
    std::vector<Code> codes(static_cast<std::size_t>(pixels.elements()));
    for (Index channel = 0; channel < channels; ++channel)
        for (Index row = 0; row < rows; ++row)
            values_to_codes(pixels[channel].row(row), columns,
                            codes.data() + row * columns * channels + channel, channels);
    return codes;
}

}  // namespace sonolux::detail
