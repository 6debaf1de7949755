// sonolux/sdk/files/image_png.cpp
//
// PNG with libpng, which reports errors by longjmp. So everything that calls libpng is a noexcept function of
// its own without destructors between setjmp and the call; what needs a destructor belongs to its caller.
#include <png.h>

#include <bit>
#include <csetjmp>
#include <cstdio>
#include <cstring>

#include <sonolux/sdk/files/image_codecs.hpp>

namespace sonolux::detail {
namespace {

constexpr double deflate_ratio = 1040;  // deflate cannot do better than 1032 to 1

struct Reader {
    std::span<const std::byte> bytes;
    std::size_t position = 0;
    char message[200] = "";
    png_structp png = nullptr;
    png_infop info = nullptr;

    Reader() = default;
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
};

struct Writer {
    std::vector<std::byte>* bytes = nullptr;
    bool out_of_memory = false;
    char message[200] = "";
    png_structp png = nullptr;
    png_infop info = nullptr;

    Writer() = default;
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
    ~Writer() { png_destroy_write_struct(&png, &info); }
};

template <class Owner>
void on_error(png_structp png, png_const_charp text) {
    auto* owner = static_cast<Owner*>(png_get_error_ptr(png));
    std::snprintf(owner->message, sizeof owner->message, "%s", text);
    png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}  // odd profiles and dates: nothing that concerns pixels

void on_read(png_structp png, png_bytep data, std::size_t size) {
    auto* reader = static_cast<Reader*>(png_get_io_ptr(png));
    if (size > reader->bytes.size() - reader->position) png_error(png, "the file ends too early");
    std::memcpy(data, reader->bytes.data() + reader->position, size);
    reader->position += size;
}

void on_write(png_structp png, png_bytep data, std::size_t size) {
    auto* writer = static_cast<Writer*>(png_get_io_ptr(png));
    const auto* first = reinterpret_cast<const std::byte*>(data);
    try {
        writer->bytes->insert(writer->bytes->end(), first, first + size);
        return;
    } catch (...) {
        writer->out_of_memory = true;
    }
    png_error(png, "out of memory");
}

void on_flush(png_structp) {}

/// What the file stores, before any conversion.
struct Header {
    png_uint_32 rows = 0, columns = 0;
    int bits = 0, colour_type = 0, channels = 0;
    bool transparent = false;
    std::size_t row_bytes = 0;  // after conversion to 1 or 3 channels of 8 or 16 bits
};

bool read_header(Reader& reader, Header& header) noexcept {
    if (setjmp(png_jmpbuf(reader.png))) return false;
    png_set_read_fn(reader.png, &reader, on_read);
    png_set_user_limits(reader.png, 0x7fffffff, 0x7fffffff);
    png_read_info(reader.png, reader.info);
    png_get_IHDR(reader.png, reader.info, &header.columns, &header.rows, &header.bits, &header.colour_type,
                 nullptr, nullptr, nullptr);
    header.channels = png_get_channels(reader.png, reader.info);
    header.transparent = (header.colour_type & PNG_COLOR_MASK_ALPHA) != 0 ||
                         png_get_valid(reader.png, reader.info, PNG_INFO_tRNS) != 0;
    return true;
}

bool start_conversion(Reader& reader, Header& header) noexcept {
    if (setjmp(png_jmpbuf(reader.png))) return false;
    if (header.colour_type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(reader.png);
    if (header.colour_type == PNG_COLOR_TYPE_GRAY && header.bits < 8)
        png_set_expand_gray_1_2_4_to_8(reader.png);
    if (header.bits == 16 && std::endian::native == std::endian::little) png_set_swap(reader.png);
    png_set_strip_alpha(reader.png);
    png_set_interlace_handling(reader.png);
    png_read_update_info(reader.png, reader.info);
    header.channels = png_get_channels(reader.png, reader.info);
    header.bits = png_get_bit_depth(reader.png, reader.info);
    header.row_bytes = png_get_rowbytes(reader.png, reader.info);
    return true;
}

bool read_rows(Reader& reader, png_bytepp rows) noexcept {
    if (setjmp(png_jmpbuf(reader.png))) return false;
    png_read_image(reader.png, rows);
    png_read_end(reader.png, nullptr);
    return true;
}

bool write_rows(Writer& writer, View<const float> pixels, int bits, png_bytepp rows) noexcept {
    if (setjmp(png_jmpbuf(writer.png))) return false;
    png_set_write_fn(writer.png, &writer, on_write, on_flush);
    png_set_user_limits(writer.png, 0x7fffffff, 0x7fffffff);
    png_set_IHDR(writer.png, writer.info, static_cast<png_uint_32>(pixels.size(2)),
                 static_cast<png_uint_32>(pixels.size(1)), bits,
                 pixels.size(0) == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(writer.png, writer.info);
    if (bits == 16 && std::endian::native == std::endian::little) png_set_swap(writer.png);
    png_write_image(writer.png, rows);
    png_write_end(writer.png, nullptr);
    return true;
}

template <class Code>
std::vector<std::byte> encode(View<const float> pixels) {
    const std::vector<Code> codes = interleaved_codes<Code>(pixels);
    std::vector<png_bytep> rows;
    for (Index row = 0; row < pixels.size(1); ++row) {
        const Code* first = codes.data() + row * pixels.size(2) * pixels.size(0);
        rows.push_back(reinterpret_cast<png_bytep>(const_cast<Code*>(first)));  // libpng only reads them
    }
    std::vector<std::byte> bytes;
    Writer writer;
    writer.bytes = &bytes;
    writer.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &writer, on_error<Writer>, on_warning);
    if (writer.png != nullptr) writer.info = png_create_info_struct(writer.png);
    require(writer.info != nullptr, Status::out_of_memory, "no memory to write a PNG file");
    const bool written = write_rows(writer, pixels, static_cast<int>(8 * sizeof(Code)), rows.data());
    require(written, writer.out_of_memory ? Status::out_of_memory : Status::internal_error,
            "PNG file cannot be made: ", writer.message);
    return bytes;
}

}  // namespace

Image decode_png(std::span<const std::byte> bytes, std::string_view source) {
    Reader reader;
    reader.bytes = bytes;
    reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, on_error<Reader>, on_warning);
    if (reader.png != nullptr) reader.info = png_create_info_struct(reader.png);
    require(reader.info != nullptr, Status::out_of_memory, source, ": no memory to read a PNG file");
    const auto check = [&](bool done) {
        require(done, Status::corrupt_data, source, ": corrupt PNG file: ", reader.message);
    };

    Header header;
    check(read_header(reader, header));
    check_claim(source, header.rows, header.columns, static_cast<std::uint64_t>(header.channels),
                static_cast<std::uint64_t>(header.bits), bytes.size(), deflate_ratio);
    check(start_conversion(reader, header));
    const Index channels = header.channels, row_count = header.rows, columns = header.columns;
    const std::size_t sample_bytes = header.bits == 16 ? 2 : 1;
    const bool converted =
        (channels == 1 || channels == 3) && (header.bits == 8 || header.bits == 16) &&
        header.row_bytes == header.columns * static_cast<std::size_t>(channels) * sample_bytes;
    require(converted, Status::unsupported, source, ": a PNG file of ", channels, " channels with ",
            header.bits, " bits");

    std::vector<png_byte> codes(header.row_bytes * header.rows);
    std::vector<png_bytep> rows(header.rows);
    for (std::size_t row = 0; row < rows.size(); ++row) rows[row] = codes.data() + row * header.row_bytes;
    check(read_rows(reader, rows.data()));

    Image image;
    image.format = "png";
    image.bits = header.bits;
    image.had_alpha = header.transparent;
    image.pixels = Array<float>({channels, row_count, columns});
    for (Index channel = 0; channel < channels; ++channel)
        for (Index row = 0; row < row_count; ++row) {
            float* out = image.pixels.data() + (channel * row_count + row) * columns;
            const png_byte* first = rows[static_cast<std::size_t>(row)];
            if (header.bits == 16)
                codes_to_values(reinterpret_cast<const std::uint16_t*>(first) + channel, channels, columns,
                                out);
            else
                codes_to_values(first + channel, channels, columns, out);
        }
    return image;
}

std::vector<std::byte> encode_png(View<const float> pixels, int bits) {
    return bits == 16 ? encode<std::uint16_t>(pixels) : encode<std::uint8_t>(pixels);
}

}  // namespace sonolux::detail
