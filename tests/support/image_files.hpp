// tests/support/image_files.hpp
//
// Image files made by hand or by the libraries themselves, of kinds that our writers do not write.
#pragma once

#include <tiffio.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <jpeglib.h>

#include <gtest/gtest.h>

#include <sonolux/core/shape.hpp>
#include <sonolux/sdk/files/atomic_file.hpp>

namespace sonolux {

using Bytes = std::vector<std::byte>;

inline void put(Bytes& bytes, const void* data, std::size_t size) {
    bytes.insert(bytes.end(), static_cast<const std::byte*>(data),
                 static_cast<const std::byte*>(data) + size);
}

inline void put_word(Bytes& bytes, std::uint32_t word) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::byte>(word >> shift));
}

using Raw = std::basic_string<unsigned char>;

/// A PNG file made by hand from the specification: `raw` holds the scan lines, each behind its filter byte.
inline Bytes png_file(std::uint32_t columns, std::uint32_t rows, int bits, int colour_type, const Raw& raw,
                      const Raw& palette = {}, const Raw& transparency = {}, bool interlaced = false) {
    Bytes bytes;
    put(bytes, "\x89PNG\r\n\x1a\n", 8);
    const auto chunk = [&](const char* name, const Bytes& content) {
        put_word(bytes, static_cast<std::uint32_t>(content.size()));
        const std::size_t start = bytes.size();
        put(bytes, name, 4);
        put(bytes, content.data(), content.size());
        put_word(bytes,
                 static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(bytes.data() + start),
                                                  static_cast<uInt>(bytes.size() - start))));
    };
    Bytes header;
    put_word(header, columns);
    put_word(header, rows);
    for (const int value : {bits, colour_type, 0, 0, interlaced ? 1 : 0})
        header.push_back(static_cast<std::byte>(value));
    chunk("IHDR", header);
    const auto content = [](const Raw& text) {
        Bytes copy;
        put(copy, text.data(), text.size());
        return copy;
    };
    if (!palette.empty()) chunk("PLTE", content(palette));
    if (!transparency.empty()) chunk("tRNS", content(transparency));
    uLongf size = compressBound(static_cast<uLong>(raw.size()));
    Bytes compressed(size);
    compress(reinterpret_cast<Bytef*>(compressed.data()), &size, raw.data(), static_cast<uLong>(raw.size()));
    compressed.resize(size);
    chunk("IDAT", compressed);
    chunk("IEND", {});
    return bytes;
}

inline Bytes read_back(const std::filesystem::path& path) {
    Bytes bytes = read_file(path.string());
    std::filesystem::remove(path);
    return bytes;
}

/// A TIFF file written by libtiff with the options that `set_up` asks for; write(tiff) puts the pixels.
inline Bytes tiff_file(const char* mode, std::uint32_t columns, std::uint32_t rows, int samples, int bits,
                       const std::function<void(TIFF*)>& write) {
    const auto path =
        std::filesystem::path(::testing::TempDir()) / ("sonolux_" + std::to_string(getpid()) + ".tif");
    TIFF* tiff = TIFFOpen(path.c_str(), mode);
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, columns);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, rows);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, samples);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, bits);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, samples < 3 ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_RGB);
    write(tiff);
    TIFFClose(tiff);
    return read_back(path);
}

/// A JPEG file of quality 95 from interleaved 8-bit samples.
inline Bytes jpeg_file(Index columns, Index rows, int channels, const Raw& samples, bool progressive) {
    jpeg_compress_struct jpeg;
    jpeg_error_mgr errors;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    unsigned char* memory = nullptr;
    unsigned long size = 0;
    jpeg_mem_dest(&jpeg, &memory, &size);
    jpeg.image_width = static_cast<JDIMENSION>(columns);
    jpeg.image_height = static_cast<JDIMENSION>(rows);
    jpeg.input_components = channels;
    jpeg.in_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 95, TRUE);
    if (progressive) jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    for (Index row = 0; row < rows; ++row) {
        auto* line = const_cast<unsigned char*>(samples.data() + row * columns * channels);
        jpeg_write_scanlines(&jpeg, &line, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    Bytes bytes;
    put(bytes, memory, size);
    std::free(memory);
    return bytes;
}

inline Bytes small_jpeg(int channels = 3, bool progressive = false) {
    Raw samples;
    for (int i = 0; i < 24 * 17; ++i)
        for (int channel = 0; channel < channels; ++channel)
            samples += static_cast<unsigned char>(40 + 5 * (i % 24) + 3 * (i / 24) + 20 * channel);
    return jpeg_file(24, 17, channels, samples, progressive);
}

}  // namespace sonolux
