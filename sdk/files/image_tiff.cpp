// sonolux/sdk/files/image_tiff.cpp
//
// TIFF with libtiff, from and to memory.
#include <tiffio.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>

#include <sonolux/sdk/files/image_codecs.hpp>

namespace sonolux::detail {
namespace {

// LZW is the best of the common ones: strings of up to 4096 bytes in 12 bits. Zstandard and LZMA can do
// better on constant images, which we then refuse.
constexpr double best_tiff_ratio = 2731;

/// The bytes of a file in memory, and the position of its reader or writer.
struct Memory {
    std::span<const std::byte> input;
    std::vector<std::byte> output;
    bool writing = false;
    std::uint64_t position = 0;
    char message[300] = "";

    [[nodiscard]] std::uint64_t size() const noexcept { return writing ? output.size() : input.size(); }
};

tmsize_t on_read(thandle_t handle, void* data, tmsize_t size) {
    auto* memory = static_cast<Memory*>(handle);
    if (size < 0 || memory->position >= memory->size()) return 0;
    const std::uint64_t count =
        std::min<std::uint64_t>(static_cast<std::uint64_t>(size), memory->size() - memory->position);
    const std::byte* first = memory->writing ? memory->output.data() : memory->input.data();
    std::memcpy(data, first + memory->position, count);
    memory->position += count;
    return static_cast<tmsize_t>(count);
}

tmsize_t on_write(thandle_t handle, void* data, tmsize_t size) {
    auto* memory = static_cast<Memory*>(handle);
    if (!memory->writing || size < 0) return 0;
    const std::uint64_t end = memory->position + static_cast<std::uint64_t>(size);
    try {
        if (end > memory->output.size()) memory->output.resize(end);
    } catch (...) {
        return 0;
    }
    std::memcpy(memory->output.data() + memory->position, data, static_cast<std::size_t>(size));
    memory->position = end;
    return size;
}

toff_t on_seek(thandle_t handle, toff_t offset, int whence) {
    auto* memory = static_cast<Memory*>(handle);
    if (whence == SEEK_SET) memory->position = offset;
    if (whence == SEEK_CUR) memory->position += offset;
    if (whence == SEEK_END) memory->position = memory->size() + offset;
    return memory->position;
}

int on_close(thandle_t) { return 0; }

toff_t on_size(thandle_t handle) { return static_cast<Memory*>(handle)->size(); }

int on_error(TIFF*, void* user, const char* module, const char* format, std::va_list arguments) {
    auto* memory = static_cast<Memory*>(user);
    if (memory->message[0] != '\0') return 1;  // the first error is the cause
    char text[200];
    std::vsnprintf(text, sizeof text, format, arguments);
    std::snprintf(memory->message, sizeof memory->message, "%s: %s", module != nullptr ? module : "libtiff",
                  text);
    return 1;
}

int on_warning(TIFF*, void*, const char*, const char*, std::va_list) {
    return 1;
}  // unknown tags and the like

struct Close {
    void operator()(TIFF* tiff) const noexcept { TIFFClose(tiff); }
    void operator()(TIFFOpenOptions* options) const noexcept { TIFFOpenOptionsFree(options); }
};

/// Errors go to `memory`, not to handlers that the whole process shares.
std::unique_ptr<TIFF, Close> open(Memory& memory, const char* mode, tmsize_t max_allocation) {
    const std::unique_ptr<TIFFOpenOptions, Close> options(TIFFOpenOptionsAlloc());
    require(options != nullptr, Status::out_of_memory, "no memory for a TIFF file");
    TIFFOpenOptionsSetErrorHandlerExtR(options.get(), on_error, &memory);
    TIFFOpenOptionsSetWarningHandlerExtR(options.get(), on_warning, &memory);
    if (max_allocation > 0) TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), max_allocation);
    return std::unique_ptr<TIFF, Close>(TIFFClientOpenExt("image", mode, &memory, on_read, on_write, on_seek,
                                                          on_close, on_size, nullptr, nullptr,
                                                          options.get()));
}

struct Layout {
    std::uint32_t rows = 0, columns = 0;
    std::uint16_t samples = 1, bits = 1, sample_format = SAMPLEFORMAT_UINT, planar = PLANARCONFIG_CONTIG;
    std::uint16_t photometric = PHOTOMETRIC_MINISBLACK, compression = COMPRESSION_NONE, extra_count = 0;
    const std::uint16_t* extra = nullptr;
};

Layout read_layout(TIFF* tiff, std::string_view source) {
    Layout layout;
    const bool sized = TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &layout.columns) == 1 &&
                       TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &layout.rows) == 1;
    require(sized, Status::corrupt_data, source, ": corrupt TIFF file: it has no size");
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &layout.samples);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &layout.bits);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &layout.sample_format);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &layout.planar);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &layout.compression);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &layout.extra_count, &layout.extra);
    if (TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &layout.photometric) != 1)
        layout.photometric = layout.samples >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK;
    return layout;
}

/// 1 or 3: the channels that are colours. Throws for what we do not read.
Index colour_channels(Layout& layout, TIFF* tiff, std::string_view source) {
    if (layout.photometric == PHOTOMETRIC_YCBCR && layout.compression == COMPRESSION_JPEG) {
        TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
        layout.photometric = PHOTOMETRIC_RGB;
    }
    const bool grey =
        layout.photometric == PHOTOMETRIC_MINISBLACK || layout.photometric == PHOTOMETRIC_MINISWHITE;
    require(grey || layout.photometric == PHOTOMETRIC_RGB, Status::unsupported, source,
            ": a TIFF file of photometric interpretation ", layout.photometric, "; grey and RGB are read");
    const bool integer =
        layout.sample_format == SAMPLEFORMAT_UINT || layout.sample_format == SAMPLEFORMAT_VOID;
    const bool known = (integer && (layout.bits == 8 || layout.bits == 16)) ||
                       (layout.sample_format == SAMPLEFORMAT_IEEEFP && layout.bits == 32);
    require(known, Status::unsupported, source, ": a TIFF file with ", layout.bits, "-bit samples of format ",
            layout.sample_format, "; 8 and 16 bits unsigned and 32 bits float are read");
    const Index channels = grey ? 1 : 3;
    require(layout.samples >= channels && layout.samples <= channels + 1, Status::unsupported, source,
            ": a TIFF file of ", layout.samples, " channels; grey and RGB are read, with or without alpha");
    return channels;
}

/// Copies the part of a decoded strip or tile that lies in the image. `codes` holds rows of `width` pixels of
/// `samples` interleaved samples, and its first pixel is (row, column) of the image.
template <class Code>
void place(const std::byte* codes, Index samples, Index width, Index row, Index column, Index rows,
           Index first_channel, Index channels, View<float> pixels) {
    const auto* first = reinterpret_cast<const Code*>(codes);
    const Index columns = std::min(width, pixels.size(2) - column);
    for (Index channel = 0; channel < channels; ++channel)
        for (Index r = 0; r < rows; ++r)
            codes_to_values(first + r * width * samples + channel, samples, columns,
                            pixels[first_channel + channel].row(row + r) + column);
}

}  // namespace

Image decode_tiff(std::span<const std::byte> bytes, std::string_view source) {
    Memory memory;
    memory.input = bytes;
    const auto corrupt = [&]() {
        fail(Status::corrupt_data, source,
             ": corrupt TIFF file: ", memory.message[0] != '\0' ? memory.message : "it ends too early");
    };
    // No strip, tile or directory needs more memory than the whole file can decode to.
    const double largest =
        std::min(best_tiff_ratio * static_cast<double>(bytes.size()) + 1e6, 8.0 * (1u << 31));
    const auto tiff = open(memory, "rm", static_cast<tmsize_t>(largest));
    if (tiff == nullptr) corrupt();

    Layout layout = read_layout(tiff.get(), source);
    check_claim(source, layout.rows, layout.columns, layout.samples, layout.bits, bytes.size(),
                best_tiff_ratio);
    const Index channels = colour_channels(layout, tiff.get(), source);
    const Index rows = layout.rows, columns = layout.columns, samples = layout.samples;
    const bool separate = layout.planar == PLANARCONFIG_SEPARATE;

    const bool tiled = TIFFIsTiled(tiff.get()) != 0;
    std::uint32_t block_rows = layout.rows, block_columns = layout.columns;
    if (tiled) {
        TIFFGetField(tiff.get(), TIFFTAG_TILELENGTH, &block_rows);
        TIFFGetField(tiff.get(), TIFFTAG_TILEWIDTH, &block_columns);
    } else {
        TIFFGetFieldDefaulted(tiff.get(), TIFFTAG_ROWSPERSTRIP, &block_rows);
        block_rows = std::min(block_rows, layout.rows);
    }
    const Index block_samples = separate ? 1 : samples, sample_bytes = layout.bits / 8;
    check_claim(source, block_rows, block_columns, static_cast<std::uint64_t>(block_samples), layout.bits,
                bytes.size(), 2 * best_tiff_ratio);
    const Index row_bytes = Index(block_columns) * block_samples * sample_bytes;
    const std::uint64_t block_bytes = tiled ? TIFFTileSize64(tiff.get()) : TIFFStripSize64(tiff.get());
    if (block_bytes != static_cast<std::uint64_t>(row_bytes) * block_rows) corrupt();

    Image image;
    image.format = "tiff";
    image.bits = layout.bits;
    image.had_alpha = samples > channels;
    image.pixels = Array<float>({channels, rows, columns});
    std::vector<std::byte> block(block_bytes);
    for (Index plane = 0; plane < (separate ? channels : 1); ++plane)
        for (Index row = 0; row < rows; row += block_rows)
            for (Index column = 0; column < columns; column += block_columns) {
                const Index used_rows = std::min<Index>(block_rows, rows - row);
                const auto wanted =
                    static_cast<tmsize_t>((tiled ? Index(block_rows) : used_rows) * row_bytes);
                const auto x = static_cast<std::uint32_t>(column), y = static_cast<std::uint32_t>(row);
                const auto sample = static_cast<std::uint16_t>(plane);
                const tmsize_t got =
                    tiled ? TIFFReadEncodedTile(tiff.get(), TIFFComputeTile(tiff.get(), x, y, 0, sample),
                                                block.data(), wanted)
                          : TIFFReadEncodedStrip(tiff.get(), TIFFComputeStrip(tiff.get(), y, sample),
                                                 block.data(), wanted);
                if (got != wanted || memory.message[0] != '\0') corrupt();
                const Index first = separate ? plane : 0, count = separate ? 1 : channels;
                const auto place_block = layout.bits == 8    ? place<std::uint8_t>
                                         : layout.bits == 16 ? place<std::uint16_t>
                                                             : place<float>;
                place_block(block.data(), block_samples, block_columns, row, column, used_rows, first, count,
                            image.pixels);
            }
    if (layout.photometric == PHOTOMETRIC_MINISWHITE)
        for (float& value : image.pixels) value = 1 - value;
    return image;
}

namespace {

template <class Code>
std::vector<std::byte> encode(View<const float> pixels) {
    const Index channels = pixels.size(0), rows = pixels.size(1), columns = pixels.size(2);
    std::vector<Code> codes = interleaved_codes<Code>(pixels);
    Memory memory;
    memory.writing = true;
    {
        const auto tiff = open(memory, codes.size() * sizeof(Code) > 0xf0000000u ? "w8m" : "wm", 0);
        require(tiff != nullptr, Status::internal_error, "TIFF file cannot be made: ", memory.message);
        TIFFSetField(tiff.get(), TIFFTAG_IMAGEWIDTH, static_cast<std::uint32_t>(columns));
        TIFFSetField(tiff.get(), TIFFTAG_IMAGELENGTH, static_cast<std::uint32_t>(rows));
        TIFFSetField(tiff.get(), TIFFTAG_SAMPLESPERPIXEL, static_cast<int>(channels));
        TIFFSetField(tiff.get(), TIFFTAG_BITSPERSAMPLE, static_cast<int>(8 * sizeof(Code)));
        TIFFSetField(tiff.get(), TIFFTAG_SAMPLEFORMAT,
                     std::is_floating_point_v<Code> ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT);
        TIFFSetField(tiff.get(), TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
        TIFFSetField(tiff.get(), TIFFTAG_PHOTOMETRIC,
                     channels == 1 ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_RGB);
        TIFFSetField(tiff.get(), TIFFTAG_COMPRESSION, COMPRESSION_NONE);
        TIFFSetField(tiff.get(), TIFFTAG_ROWSPERSTRIP, TIFFDefaultStripSize(tiff.get(), 0));
        for (Index row = 0; row < rows; ++row) {
            const int written = TIFFWriteScanline(tiff.get(), codes.data() + row * columns * channels,
                                                  static_cast<std::uint32_t>(row), 0);
            require(written == 1, Status::internal_error, "TIFF file cannot be made: ", memory.message);
        }
        require(TIFFFlush(tiff.get()) == 1, Status::internal_error,
                "TIFF file cannot be made: ", memory.message);
    }
    return std::move(memory.output);
}

}  // namespace

std::vector<std::byte> encode_tiff(View<const float> pixels, int bits) {
    if (bits == 32) return encode<float>(pixels);
    return bits == 16 ? encode<std::uint16_t>(pixels) : encode<std::uint8_t>(pixels);
}

}  // namespace sonolux::detail
