// tests/fuzz/make_seeds.cpp
//
// Writes what the fuzzers start from into the folders model, model_header, image, kernel, recipe and
// recording of FOLDER: files as Sonolux writes them, as its users have them, and images of kinds that it only
// reads.
#include <filesystem>

#include <sonolux/sdk/files/image.hpp>

#include "tests/fuzz/seed_models.hpp"
#include "tests/support/image_files.hpp"
#include "tests/support/mat_writer.hpp"

namespace {

namespace fs = std::filesystem;
using namespace sonolux;

void put_models(const fs::path& folder) {
    for (const Model& model : fuzz::seed_models()) {
        write_file_atomically((folder / "model" / model.name).string(), save_model(model));
        write_file_atomically((folder / "model_header" / model.name).string(), fuzz::header_text(model));
    }
}

void put_images(const fs::path& folder) {
    const auto put_file = [&](const char* name, const Bytes& bytes) {
        write_file_atomically((folder / "image" / name).string(), bytes);
    };
    const Array<float> grey = tiny_image({1, 9, 11}), colour = tiny_image({3, 6, 7});
    put_file("grey8.png", encode_image(grey, ImageFormat::png, 8));
    put_file("colour16.png", encode_image(colour, ImageFormat::png, 16));
    put_file("palette.png",
             png_file(3, 2, 2, 3, Raw{0, 0x18, 0, 0x90}, Raw{255, 0, 0, 0, 255, 0, 0, 0, 255}, Raw{9, 128}));
    put_file("interlaced.png",
             png_file(2, 2, 8, 4, Raw{0, 1, 255, 0, 2, 255, 0, 3, 255, 4, 255}, {}, {}, true));
    put_file("grey.tif", encode_image(grey, ImageFormat::tiff, 8));
    put_file("colour16.tif", encode_image(colour, ImageFormat::tiff, 16));
    put_file("float.tif", encode_image(grey, ImageFormat::tiff, 32));
    std::vector<std::uint16_t> codes(256);
    for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<std::uint16_t>(i / 3);
    for (const int compression : {COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE, COMPRESSION_PACKBITS}) {
        const auto tiled = [&](TIFF* tiff) {
            TIFFSetField(tiff, TIFFTAG_COMPRESSION, compression);
            TIFFSetField(tiff, TIFFTAG_TILEWIDTH, 16);
            TIFFSetField(tiff, TIFFTAG_TILELENGTH, 16);
            TIFFWriteEncodedTile(tiff, 0, codes.data(), 512);
        };
        put_file(("tiled" + std::to_string(compression) + ".tif").c_str(),
                 tiff_file("wb", 13, 12, 1, 16, tiled));
    }
    put_file("planes.tif", tiff_file("w8b", 8, 4, 3, 8, [&](TIFF* tiff) {
                 TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_SEPARATE);
                 TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 3);
                 for (std::uint32_t strip = 0; strip < 6; ++strip)
                     TIFFWriteEncodedStrip(tiff, strip, codes.data(), strip % 2 == 0 ? 24 : 8);
             }));
    put_file("colour.jpg", small_jpeg());
    put_file("grey.jpg", small_jpeg(1));
    put_file("progressive.jpg", small_jpeg(3, true));
}

void put_kernels(const fs::path& folder) {
    const auto put_text = [&](const char* name, std::string_view text) {
        write_file_atomically((folder / "kernel" / name).string(), std::as_bytes(std::span(text)));
    };
    put_text("box.txt", "# a box\n1 1 1\n1\t1 1\n1 1 1\n");
    put_text("even.csv", "\xef\xbb\xbf+0.25, 1e-3, 0; -0.002\r\n.5, 0, 0, 0\r\n");
    put_text("nan.txt", "nan inf\n-1 0x1p3\n");
    for (const char* type : {"<f4", ">f8", "|u1", "<i2"}) {
        std::string header = "{'descr': '" + std::string(type) +
                             "', 'fortran_order': " + (type[1] == 'u' ? "True" : "False") +
                             ", 'shape': (2, 3), }";
        header.resize(128 - 10 - 1, ' ');
        std::string bytes("\x93NUMPY\x01\x00\x76\x00", 10);
        bytes += header + "\n";
        for (int i = 0; i < 6 * (type[2] - '0'); ++i) bytes += static_cast<char>(40 + i);
        put_text((std::string("array_") + type[1] + type[2] + ".npy").c_str(), bytes);
    }
    const Array<float> grey = tiny_image({1, 5, 4});
    write_file_atomically((folder / "kernel/grey.png").string(), encode_image(grey, ImageFormat::png, 16));
    write_file_atomically((folder / "kernel/float.tif").string(), encode_image(grey, ImageFormat::tiff, 32));
}

void put_recordings(const fs::path& folder) {
    constexpr std::size_t elements = 8;
    for (const bool compressed : {false, true}) {
        const std::string name = compressed ? "compressed.mat" : "plain.mat";
        MatWriter file((folder / "recording" / name).string(), MAT_FT_MAT5, compressed);
        file.put(MatWriter::array<std::int16_t>("RF", {32, elements, 2},
                                                std::vector<std::int16_t>(32 * elements * 2, 7)));
        file.put_struct(
            "param",
            {{"fs", MatWriter::number("a", 20e6)},
             {"fc", MatWriter::number("a", 5e6)},
             {"pitch", MatWriter::number("a", 3e-4)},
             {"c", MatWriter::number("a", 1540)},
             {"t0", MatWriter::number("a", 0)},
             {"TXdelay", MatWriter::array<double>("a", {1, elements}, std::vector<double>(elements))}});
    }
}

void copy_files(const fs::path& from, const std::string& extension, const fs::path& to) {
    for (const auto& entry : fs::directory_iterator(from))
        if (entry.path().extension() == extension)
            fs::copy_file(entry.path(), to / entry.path().filename(), fs::copy_options::overwrite_existing);
}

}  // namespace

int main(int argument_count, char** arguments) {
    if (argument_count != 2) {
        std::fprintf(stderr, "usage: make_seeds FOLDER\n");
        return 2;
    }
    try {
        const fs::path folder = arguments[1], models = fs::path(SLX_SOURCE_DIR) / "models";
        for (const char* reader : {"model", "model_header", "image", "kernel", "recipe", "recording"})
            fs::create_directories(folder / reader);
        put_models(folder);
        put_images(folder);
        put_kernels(folder);
        put_recordings(folder);
        copy_files(models, ".safetensors", folder / "model");
        copy_files(models / "recipes", ".toml", folder / "recipe");
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "make_seeds: %s\n", error.what());
        return 1;
    }
}
