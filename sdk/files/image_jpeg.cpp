// sonolux/sdk/files/image_jpeg.cpp
//
// JPEG with libjpeg, which leaves the reaction to errors to us: we longjmp, and keep destructors out of its
// way as image_png.cpp does.
#include <csetjmp>
#include <cstddef>
#include <cstdio>

#include <jpeglib.h>

#include <jerror.h>

#include <sonolux/sdk/files/image_codecs.hpp>

namespace sonolux::detail {
namespace {

// An 8 x 8 block takes at least a bit, so 512 samples to the byte; chroma at a 16th of the pixels makes it 1400.
constexpr double best_jpeg_ratio = 4096;

// A progressive file of a few kilobytes may ask for any number of passes over the whole image.
constexpr int most_scans = 200;

struct Reader {
    jpeg_decompress_struct jpeg = {};
    jpeg_error_mgr errors = {};
    jpeg_progress_mgr progress = {};
    std::jmp_buf jump = {};
    char message[JMSG_LENGTH_MAX] = "";

    Reader() = default;
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    ~Reader() { jpeg_destroy_decompress(&jpeg); }
};

[[noreturn]] void give_up(Reader* reader) { std::longjmp(reader->jump, 1); }

void on_error(j_common_ptr jpeg) {
    auto* reader = static_cast<Reader*>(jpeg->client_data);
    jpeg->err->format_message(jpeg, reader->message);
    give_up(reader);
}

// Some warnings are about the file's manners; the others mean that pixels were made up.
void on_message(j_common_ptr jpeg, int level) {
    if (level >= 0) return;  // a trace
    switch (jpeg->err->msg_code) {
        case JWRN_ADOBE_XFORM:
        case JWRN_EXTRANEOUS_DATA:
        case JWRN_JFIF_MAJOR:
        case JWRN_TOO_MUCH_DATA: return;
        default: on_error(jpeg);
    }
}

void on_progress(j_common_ptr jpeg) {
    auto* reader = static_cast<Reader*>(jpeg->client_data);
    if (reader->jpeg.input_scan_number <= most_scans) return;
    std::snprintf(reader->message, sizeof reader->message, "more than %d scans", most_scans);
    give_up(reader);
}

bool start(Reader& reader, std::span<const std::byte> bytes) noexcept {
    reader.jpeg.err = jpeg_std_error(&reader.errors);
    reader.errors.error_exit = on_error;
    reader.errors.emit_message = on_message;
    reader.jpeg.client_data = &reader;
    if (setjmp(reader.jump)) return false;
    jpeg_create_decompress(&reader.jpeg);
    reader.progress.progress_monitor = on_progress;
    reader.jpeg.progress = &reader.progress;
    jpeg_mem_src(&reader.jpeg, reinterpret_cast<const unsigned char*>(bytes.data()),
                 static_cast<unsigned long>(bytes.size()));
    jpeg_read_header(&reader.jpeg, TRUE);
    return true;
}

bool start_pixels(Reader& reader) noexcept {
    if (setjmp(reader.jump)) return false;
    reader.jpeg.dct_method = JDCT_ISLOW;  // the accurate one, and the same bits on every machine
    reader.jpeg.out_color_space = reader.jpeg.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_start_decompress(&reader.jpeg);
    return true;
}

bool read_row(Reader& reader, JSAMPLE* row) noexcept {
    if (setjmp(reader.jump)) return false;
    return jpeg_read_scanlines(&reader.jpeg, &row, 1) == 1;
}

bool finish(Reader& reader) noexcept {
    if (setjmp(reader.jump)) return false;
    jpeg_finish_decompress(&reader.jpeg);
    return true;
}

}  // namespace

Image decode_jpeg(std::span<const std::byte> bytes, std::string_view source) {
    Reader reader;
    const auto check = [&](bool done) {
        require(done, Status::corrupt_data, source, ": corrupt JPEG file: ", reader.message);
    };
    check(start(reader, bytes));
    const Index rows = reader.jpeg.image_height, columns = reader.jpeg.image_width;
    const int stored = reader.jpeg.num_components;
    check_claim(source, reader.jpeg.image_height, reader.jpeg.image_width, static_cast<std::uint64_t>(stored),
                8, bytes.size(), best_jpeg_ratio);
    require(stored == 1 || stored == 3, Status::unsupported, source, ": a JPEG file of ", stored,
            " channels; grey and RGB are read");
    check(start_pixels(reader));
    const Index channels = reader.jpeg.output_components;

    Image image;
    image.format = "jpeg";
    image.pixels = Array<float>({channels, rows, columns});
    std::vector<JSAMPLE> line(static_cast<std::size_t>(columns * channels));
    for (Index row = 0; row < rows; ++row) {
        check(read_row(reader, line.data()));
        for (Index channel = 0; channel < channels; ++channel)
            codes_to_values(line.data() + channel, channels, columns,
                            image.pixels.data() + (channel * rows + row) * columns);
    }
    check(finish(reader));
    return image;
}

}  // namespace sonolux::detail
