// sonolux/sdk/files/image.cpp
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/files/image_codecs.hpp>

namespace sonolux {
namespace {

constexpr std::uint64_t max_samples = std::uint64_t(1) << 31;

bool starts_with(std::span<const std::byte> bytes, std::string_view magic) noexcept {
    return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

/// [channels, rows, columns] of a plane or a stack.
View<const float> as_stack(View<const float> pixels) noexcept {
    if (pixels.rank() != 2 || !pixels.contiguous()) return pixels;
    return {pixels.data(), {1, pixels.rows(), pixels.columns()}};
}

}  // namespace

void detail::check_claim(std::string_view source, std::uint64_t rows, std::uint64_t columns,
                         std::uint64_t samples, std::uint64_t bits, std::size_t bytes, double best_ratio) {
    require(rows > 0 && columns > 0 && samples > 0, Status::corrupt_data, source, ": an image of ", rows,
            " x ", columns, " pixels with ", samples, " channels");
    const bool too_large = rows > max_samples || columns > max_samples || samples > 65536 ||
                           rows * columns > max_samples || rows * columns * samples > max_samples;
    require(!too_large, Status::unsupported, source, ": an image of ", rows, " x ", columns, " pixels with ",
            samples, " channels, at most 2^31 samples are read");
    const double decoded = static_cast<double>(rows * columns * samples) * static_cast<double>(bits) / 8;
    require(decoded <= best_ratio * static_cast<double>(bytes), Status::corrupt_data, source, ": claims ",
            rows, " x ", columns, " pixels with ", samples, " channels, more than ", bytes,
            " bytes can hold");
}

Image decode_image(std::span<const std::byte> bytes, std::string_view source) {
    using namespace std::string_view_literals;
    require(!bytes.empty(), Status::corrupt_data, source, ": is empty");
    Image image;
    if (starts_with(bytes, "\x89PNG\r\n\x1a\n"sv)) {
        image = detail::decode_png(bytes, source);
    } else if (starts_with(bytes, "\xff\xd8\xff"sv)) {
        image = detail::decode_jpeg(bytes, source);
    } else if (starts_with(bytes, "II*\0"sv) || starts_with(bytes, "MM\0*"sv) ||
               starts_with(bytes, "II+\0"sv) || starts_with(bytes, "MM\0+"sv)) {
        image = detail::decode_tiff(bytes, source);
    } else {
        fail(Status::unsupported, source, ": not a PNG, TIFF or JPEG image");
    }
    for (Index i = 0; i < image.pixels.elements(); ++i)
        if (!std::isfinite(image.pixels.data()[i]))
            fail(Status::corrupt_data, source, ": the pixel at row ", i / image.columns() % image.rows(),
                 ", column ", i % image.columns(), " is not finite");
    return image;
}

Image read_image(const std::string& path) { return decode_image(read_file(path), path); }

std::vector<std::byte> encode_image(View<const float> pixels, ImageFormat format, int bits) {
    require(pixels.rank() == 2 || pixels.rank() == 3, Status::invalid_argument,
            "an image to write must be [rows, columns] or [channels, rows, columns], got ",
            to_string(pixels.shape()));
    require(!pixels.empty(), Status::invalid_argument,
            "an image to write has no pixels: ", to_string(pixels.shape()));
    require(pixels.rank() == 2 || pixels.size(0) == 1 || pixels.size(0) == 3, Status::invalid_argument,
            "an image to write must have 1 or 3 channels, got ", to_string(pixels.shape()));
    require(static_cast<std::uint64_t>(pixels.elements()) <= max_samples, Status::invalid_argument,
            "an image to write has at most 2^31 samples, got ", to_string(pixels.shape()));
    const bool float_allowed = format == ImageFormat::tiff;
    require(bits == 8 || bits == 16 || (bits == 32 && float_allowed), Status::invalid_argument,
            float_allowed ? "a TIFF file is written with 8, 16 or 32 bits, got "
                          : "a PNG file is written with 8 or 16 bits, got ",
            bits);

    Array<float> copy;  // of a tile inside a larger image
    if (pixels.rank() == 2 && !pixels.contiguous()) {
        copy = Array<float>(pixels.shape());
        for (Index row = 0; row < pixels.rows(); ++row)
            std::copy_n(pixels.row(row), pixels.columns(), copy.view().row(row));
        pixels = copy;
    }
    const View<const float> stack = as_stack(pixels);
    for (Index channel = 0; channel < stack.size(0); ++channel)
        for (Index row = 0; row < stack.size(1); ++row)
            for (Index column = 0; column < stack.size(2); ++column)
                if (!std::isfinite(stack(channel, row, column)))
                    fail(Status::invalid_argument, "the pixel to write at row ", row, ", column ", column,
                         " is not finite");
    return format == ImageFormat::png ? detail::encode_png(stack, bits) : detail::encode_tiff(stack, bits);
}

void write_image(const std::string& path, View<const float> pixels, int bits) {
    const std::size_t dot = path.find_last_of("./");
    std::string extension = dot == std::string::npos || path[dot] == '/' ? "" : path.substr(dot);
    for (char& letter : extension)
        if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    const bool png = extension == ".png", tiff = extension == ".tif" || extension == ".tiff";
    require(png || tiff, Status::unsupported, path, ": images are written as .png, .tif or .tiff, not as \"",
            extension, "\"");
    std::vector<std::byte> bytes;
    try {
        bytes = encode_image(pixels, png ? ImageFormat::png : ImageFormat::tiff, bits);
    } catch (const Error& error) {
        throw Error(error.status(), sentence(path, ": ", error.what()));
    }
    write_file_atomically(path, bytes);
}

Image to_grey(const Image& image) {
    Image grey;
    grey.bits = image.bits;
    grey.had_alpha = image.had_alpha;
    grey.format = image.format;
    if (image.channels() == 1) {
        grey.pixels = image.pixels.clone();
        return grey;
    }
    require(image.channels() == 3, Status::invalid_argument, "an image has 1 or 3 channels, got ",
            image.channels());
    // The luma row of the inverse of MATLAB's NTSC matrix; the weights add up to 1, so that grey stays grey.
    constexpr double red = 0.298936021293775, green = 0.587043074451121, blue = 0.114020904255103;
    grey.pixels = Array<float>({1, image.rows(), image.columns()});
    const Index plane = image.rows() * image.columns();
    const float* pixels = image.pixels.data();
    for (Index i = 0; i < plane; ++i)
        grey.pixels.data()[i] = static_cast<float>(red * static_cast<double>(pixels[i]) +
                                                   green * static_cast<double>(pixels[i + plane]) +
                                                   blue * static_cast<double>(pixels[i + 2 * plane]));
    return grey;
}

}  // namespace sonolux
