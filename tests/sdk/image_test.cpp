#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tiffio.h>
#include <unistd.h>
#include <zlib.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>

#include <jpeglib.h>

#include <sonolux/core/error.hpp>
#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/image.hpp>

#include "tests/support/data.hpp"
#include "tests/support/image_files.hpp"

namespace sonolux {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// Values that are multiples of 1/highest, different everywhere.
Array<float> codes(Index channels, Index rows, Index columns, int highest) {
    Array<float> pixels({channels, rows, columns});
    for (Index i = 0; i < pixels.elements(); ++i)
        pixels.data()[i] = static_cast<float>(i * 2741 % (highest + 1)) / static_cast<float>(highest);
    return pixels;
}

void expect_equal(View<const float> a, View<const float> b) {
    ASSERT_EQ(to_string(a.shape()), to_string(b.shape()));
    for (Index i = 0; i < a.elements(); ++i) ASSERT_EQ(a.data()[i], b.data()[i]) << "element " << i;
}

TEST(Image, WhatIsWrittenIsReadBackToTheBit) {
    for (const Index channels : {1, 3})
        for (const auto& [rows, columns] :
             {std::pair<Index, Index>{1, 1}, {1, 7}, {9, 1}, {13, 31}, {64, 100}})
            for (const int bits : {8, 16}) {
                const Array<float> pixels = codes(channels, rows, columns, (1 << bits) - 1);
                for (const ImageFormat format : {ImageFormat::png, ImageFormat::tiff}) {
                    const Image image = decode_image(encode_image(pixels, format, bits), "memory");
                    expect_equal(image.pixels, pixels);
                    EXPECT_EQ(image.bits, bits);
                    EXPECT_FALSE(image.had_alpha);
                    EXPECT_EQ(image.format, format == ImageFormat::png ? "png" : "tiff");
                }
            }
    Array<float> floats = codes(3, 5, 6, 977);
    floats(0, 0, 0) = -12.5f;
    floats(1, 0, 0) = 1e30f;
    const Image image = decode_image(encode_image(floats, ImageFormat::tiff, 32), "memory");
    expect_equal(image.pixels, floats);
    EXPECT_EQ(image.bits, 32);
}

TEST(Image, WritingClipsAndRounds) {
    Array<float> pixels({1, 6});
    const float values[] = {-0.5f, 0.49f / 255, 0.51f / 255, 254.49f / 255, 1.5f, 1e30f};
    std::copy(std::begin(values), std::end(values), pixels.begin());
    const Image image = decode_image(encode_image(pixels, ImageFormat::png, 8), "memory");
    const float expected[] = {0, 0, 1, 254, 255, 255};
    for (Index i = 0; i < 6; ++i) EXPECT_EQ(image.pixels(0, 0, i), expected[i] / 255) << i;
}

TEST(Image, ATileOfALargerImageIsWrittenAsItIs) {
    const Array<float> large = codes(1, 10, 12, 255);
    const Image image =
        decode_image(encode_image(large.view()[0].block(2, 3, 4, 5), ImageFormat::png, 8), "memory");
    ASSERT_EQ(image.pixels.shape(), (Shape{1, 4, 5}));
    EXPECT_EQ(image.pixels(0, 3, 4), large(0, 5, 7));
}

TEST(Image, ReadsEveryKindOfPng) {
    const auto expect = [](const Bytes& file, int bits, bool alpha, Index channels,
                           std::vector<float> values) {
        const Image image = decode_image(file, "memory");
        EXPECT_EQ(image.bits, bits);
        EXPECT_EQ(image.had_alpha, alpha);
        EXPECT_EQ(image.channels(), channels);
        ASSERT_EQ(image.pixels.elements(), static_cast<Index>(values.size()));
        for (std::size_t i = 0; i < values.size(); ++i)
            EXPECT_FLOAT_EQ(image.pixels.data()[i], values[i]) << i;
    };
    // Two pixels in a row; channels one after the other in the expectation.
    expect(png_file(2, 1, 1, 0, {0, 0x40}), 8, false, 1, {0, 1});
    expect(png_file(2, 1, 2, 0, {0, 0x60}), 8, false, 1, {1 / 3.0f, 2 / 3.0f});
    expect(png_file(2, 1, 4, 0, {0, 0x3c}), 8, false, 1, {0.2f, 0.8f});
    expect(png_file(2, 1, 8, 0, {0, 51, 255}), 8, false, 1, {0.2f, 1});
    expect(png_file(2, 1, 16, 0, {0, 0x33, 0x33, 0x00, 0x01}), 16, false, 1, {0.2f, 1 / 65535.0f});
    expect(png_file(2, 1, 8, 4, {0, 51, 0, 255, 128}), 8, true, 1, {0.2f, 1});
    expect(png_file(2, 1, 16, 4, {0, 0x33, 0x33, 0, 0, 0, 1, 0xff, 0xff}), 16, true, 1, {0.2f, 1 / 65535.0f});
    expect(png_file(2, 1, 8, 2, {0, 0, 51, 102, 153, 204, 255}), 8, false, 3, {0, 0.6f, 0.2f, 0.8f, 0.4f, 1});
    expect(png_file(2, 1, 8, 6, {0, 0, 51, 102, 7, 153, 204, 255, 0}), 8, true, 3,
           {0, 0.6f, 0.2f, 0.8f, 0.4f, 1});
    expect(png_file(2, 1, 16, 6, {0, 0, 0, 0x33, 0x33, 0, 1, 9, 9, 0, 2, 0, 3, 0xff, 0xff, 0, 0}), 16, true,
           3, {0, 2 / 65535.0f, 0.2f, 3 / 65535.0f, 1 / 65535.0f, 1});
    const Raw palette = {0, 51, 102, 153, 204, 255};
    expect(png_file(2, 1, 8, 3, {0, 1, 0}, palette), 8, false, 3, {0.6f, 0, 0.8f, 0.2f, 1, 0.4f});
    expect(png_file(2, 1, 1, 3, {0, 0x80}, palette), 8, false, 3, {0.6f, 0, 0.8f, 0.2f, 1, 0.4f});
    expect(png_file(2, 1, 8, 3, {0, 1, 0}, palette, {128}), 8, true, 3, {0.6f, 0, 0.8f, 0.2f, 1, 0.4f});
    expect(png_file(2, 1, 8, 0, {0, 51, 255}, {}, {0, 51}), 8, true, 1, {0.2f, 1});
}

TEST(Image, ReadsInterlacedPng) {
    // Adam7 (PNG specification, section 8.2): start and step of the columns and rows of each pass.
    constexpr int passes[7][4] = {{0, 8, 0, 8}, {4, 8, 0, 8}, {0, 4, 4, 8}, {2, 4, 0, 4},
                                  {0, 2, 2, 4}, {1, 2, 0, 2}, {0, 1, 1, 2}};
    const int columns = 13, rows = 11;
    const auto code = [](int row, int column) { return static_cast<unsigned char>(row * 17 + column * 3); };
    Raw raw;
    for (const auto& [x, x_step, y, y_step] : passes)
        for (int row = y; row < rows; row += y_step) {
            if (x < columns) raw += static_cast<unsigned char>(0);
            for (int column = x; column < columns; column += x_step) raw += code(row, column);
        }
    const Image image = decode_image(png_file(columns, rows, 8, 0, raw, {}, {}, true), "memory");
    for (int row = 0; row < rows; ++row)
        for (int column = 0; column < columns; ++column)
            EXPECT_EQ(image.pixels(0, row, column), static_cast<float>(code(row, column)) / 255.0f);
}

TEST(Image, ReadsTilesPlanesAndByteOrdersOfTiff) {
    std::vector<std::uint16_t> samples(40 * 37);
    for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<std::uint16_t>(i * 41);
    const auto expected = [&](Index row, Index column) {
        return static_cast<float>(samples[static_cast<std::size_t>(row * 40 + column)]) / 65535.0f;
    };
    for (const char* mode : {"w", "wb", "wl", "w8"})
        for (const int compression : {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE}) {
            const Image image =
                decode_image(tiff_file(mode, 40, 37, 1, 16,
                                       [&](TIFF* tiff) {
                                           TIFFSetField(tiff, TIFFTAG_COMPRESSION, compression);
                                           TIFFSetField(tiff, TIFFTAG_TILEWIDTH, 16);
                                           TIFFSetField(tiff, TIFFTAG_TILELENGTH, 32);
                                           for (std::uint32_t y = 0; y < 37; y += 32)
                                               for (std::uint32_t x = 0; x < 40; x += 16) {
                                                   std::uint16_t tile[32 * 16] = {};
                                                   for (std::uint32_t i = 0; i < 32 * 16; ++i)
                                                       if (y + i / 16 < 37 && x + i % 16 < 40)
                                                           tile[i] = samples[(y + i / 16) * 40 + x + i % 16];
                                                   TIFFWriteTile(tiff, tile, x, y, 0, 0);
                                               }
                                       }),
                             "memory");
            ASSERT_EQ(image.pixels.shape(), (Shape{1, 37, 40}));
            for (Index row = 0; row < 37; ++row)
                for (Index column = 0; column < 40; ++column)
                    ASSERT_EQ(image.pixels(0, row, column), expected(row, column)) << mode << compression;
        }

    // RGB and alpha in planes of their own, strips of 3 rows, white where the code is highest.
    const Bytes planes = tiff_file("w", 5, 7, 4, 8, [&](TIFF* tiff) {
        const std::uint16_t extra = EXTRASAMPLE_UNASSALPHA;
        TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &extra);
        TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_SEPARATE);
        TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 3);
        for (std::uint16_t plane = 0; plane < 4; ++plane)
            for (std::uint32_t row = 0; row < 7; ++row) {
                std::uint8_t line[5];
                for (unsigned column = 0; column < 5; ++column)
                    line[column] = static_cast<std::uint8_t>(plane * 50 + row * 5 + column);
                TIFFWriteScanline(tiff, line, row, plane);
            }
    });
    const Image colour = decode_image(planes, "memory");
    ASSERT_EQ(colour.pixels.shape(), (Shape{3, 7, 5}));
    EXPECT_TRUE(colour.had_alpha);
    for (Index channel = 0; channel < 3; ++channel)
        for (Index row = 0; row < 7; ++row)
            EXPECT_EQ(colour.pixels(channel, row, 4),
                      static_cast<float>(channel * 50 + row * 5 + 4) / 255.0f);

    const Image inverted =
        decode_image(tiff_file("w", 2, 1, 1, 8,
                               [](TIFF* tiff) {
                                   TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
                                   std::uint8_t line[] = {255, 51};
                                   TIFFWriteScanline(tiff, line, 0, 0);
                               }),
                     "memory");
    EXPECT_FLOAT_EQ(inverted.pixels(0, 0, 0), 0.0f);
    EXPECT_FLOAT_EQ(inverted.pixels(0, 0, 1), 0.8f);
}

TEST(Image, ReadsJpeg) {
    for (const bool progressive : {false, true})
        for (const int channels : {1, 3}) {
            const Image image = decode_image(small_jpeg(channels, progressive), "memory");
            ASSERT_EQ(image.pixels.shape(), (Shape{channels, 17, 24}));
            EXPECT_EQ(image.format, "jpeg");
            for (Index channel = 0; channel < channels; ++channel)  // a smooth ramp at quality 95: 4 codes
                for (Index i = 0; i < 24 * 17; ++i)
                    EXPECT_NEAR(255 * image.pixels(channel, i / 24, i % 24),
                                static_cast<double>(40 + 5 * (i % 24) + 3 * (i / 24) + 20 * channel), 4.0);
        }
    EXPECT_THAT([] { (void)decode_image(small_jpeg(4), "photo.jpg"); },
                ThrowsMessage<Error>("photo.jpg: a JPEG file of 4 channels; grey and RGB are read"));
}

TEST(Image, ATruncatedFileIsAnErrorWhereverItEnds) {
    const Array<float> pixels = codes(3, 11, 9, 255);
    const Bytes files[] = {encode_image(pixels, ImageFormat::png, 16),
                           encode_image(pixels, ImageFormat::tiff, 32), small_jpeg(), small_jpeg(3, true)};
    for (const Bytes& file : files)
        for (std::size_t size = 0; size < file.size(); ++size) {
            const Bytes part(file.begin(),
                             file.begin() + static_cast<std::ptrdiff_t>(size));  // its end is seen by ASan
            try {
                (void)decode_image(part, "photo");
                ADD_FAILURE() << "read " << size << " of " << file.size() << " bytes";
            } catch (const Error& error) {
                EXPECT_THAT(error.what(), HasSubstr("photo: "));
            }
        }
}

TEST(Image, ADamagedFileIsAnErrorOrAnotherImageButNeverACrash) {
    const Array<float> pixels = codes(1, 6, 5, 255);
    const Bytes files[] = {encode_image(pixels, ImageFormat::png, 8),
                           encode_image(pixels, ImageFormat::tiff, 8), small_jpeg(1)};
    for (const Bytes& file : files)
        for (std::size_t i = 0; i < file.size(); ++i)
            for (const auto mask : {std::byte{0x01}, std::byte{0x80}, std::byte{0xff}}) {
                Bytes damaged = file;
                damaged[i] ^= mask;
                try {
                    const Image image = decode_image(damaged, "photo");
                    EXPECT_GT(image.pixels.elements(), 0);
                } catch (const Error&) {
                }
            }
}

TEST(Image, AFewBytesCannotAskForGigabytes) {
    EXPECT_THAT(
        [] {
            (void)decode_image(png_file(20000, 20000, 8, 2, {0, 1, 2, 3}), "bomb.png");
        },
        ThrowsMessage<Error>(AllOf(HasSubstr("bomb.png: claims 20000 x 20000 pixels with 3 channels"),
                                   HasSubstr("bytes can hold"))));
    EXPECT_THAT(
        [] {
            (void)decode_image(png_file(2000000000, 2, 8, 0, {0, 1}), "bomb.png");
        },
        ThrowsMessage<Error>(HasSubstr("at most 2^31 samples are read")));
    EXPECT_THAT([] { (void)decode_image(png_file(0, 5, 8, 0, {0}), "empty.png"); },
                ThrowsMessage<Error>(HasSubstr("empty.png: corrupt PNG file: ")));
    const auto bomb = [] {
        return tiff_file("w", 40000, 40000, 1, 8, [](TIFF* tiff) {
            TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 40000);
            std::uint8_t line[8] = {};
            TIFFWriteRawStrip(tiff, 0, line, 8);
        });
    };
    EXPECT_THAT([&] { (void)decode_image(bomb(), "bomb.tif"); },
                ThrowsMessage<Error>(HasSubstr("bomb.tif: claims 40000 x 40000 pixels")));
}

TEST(Image, OtherFilesAreRefusedByName) {
    const auto bytes = [](std::string_view text) { return std::as_bytes(std::span(text)); };
    EXPECT_THAT([&] { (void)decode_image({}, "a.png"); }, ThrowsMessage<Error>("a.png: is empty"));
    EXPECT_THAT([&] { (void)decode_image(bytes("GIF89a and so on"), "a.png"); },
                ThrowsMessage<Error>("a.png: not a PNG, TIFF or JPEG image"));
    EXPECT_THAT([] { (void)read_image("no/such/image.png"); },
                ThrowsMessage<Error>("no/such/image.png: cannot be opened: No such file or directory"));
    Array<float> pixels({1, 2, 3});
    Bytes file = encode_image(pixels, ImageFormat::tiff, 32);
    const float bad = NAN;
    std::memcpy(file.data() + 8 + 4 * 4, &bad, 4);  // libtiff puts the first strip behind the 8-byte header
    EXPECT_THAT([&] { (void)decode_image(file, "a.tif"); },
                ThrowsMessage<Error>("a.tif: the pixel at row 1, column 1 is not finite"));
    const Bytes bilevel = tiff_file("w", 8, 1, 1, 1, [](TIFF* tiff) {
        std::uint8_t line = 0x55;
        TIFFWriteScanline(tiff, &line, 0, 0);
    });
    EXPECT_THAT([&] { (void)decode_image(bilevel, "fax.tif"); },
                ThrowsMessage<Error>(HasSubstr("fax.tif: a TIFF file with 1-bit samples")));
}

TEST(Image, WhatCannotBeWrittenIsRefusedAndLeavesNothing) {
    const auto path =
        std::filesystem::path(::testing::TempDir()) / ("sonolux_refused_" + std::to_string(getpid()));
    const auto refuses = [&](View<const float> pixels, const char* extension, int bits, const char* why) {
        EXPECT_THAT([&] { write_image(path.string() + extension, pixels, bits); },
                    ThrowsMessage<Error>(AllOf(HasSubstr(path.string() + extension + ": "), HasSubstr(why))));
        EXPECT_FALSE(std::filesystem::exists(path.string() + extension));
    };
    Array<float> pixels({2, 3});
    refuses(pixels, ".jpg", 8, "images are written as .png, .tif or .tiff, not as \".jpg\"");
    refuses(pixels, "", 8, "not as \"\"");
    refuses(pixels, ".png", 32, "a PNG file is written with 8 or 16 bits, got 32");
    refuses(pixels, ".tif", 12, "a TIFF file is written with 8, 16 or 32 bits, got 12");
    refuses(Array<float>({2, 3, 4}), ".png", 8, "must have 1 or 3 channels, got 2 x 3 x 4");
    refuses(Array<float>({0, 4}), ".png", 8, "has no pixels: 0 x 4");
    refuses(Array<float>(Shape{4}), ".png", 8, "must be [rows, columns] or [channels, rows, columns], got 4");
    pixels(1, 2) = NAN;
    refuses(pixels, ".png", 8, "the pixel to write at row 1, column 2 is not finite");
}

TEST(Image, GreyIsTheLumaOfMatlab) {
    Image image;
    image.bits = 16;
    image.pixels = Array<float>({3, 1, 4});
    for (Index channel = 0; channel < 3; ++channel) image.pixels(channel, 0, channel) = 1;
    for (Index channel = 0; channel < 3; ++channel) image.pixels(channel, 0, 3) = 0.7f;
    const Image grey = to_grey(image);
    EXPECT_EQ(grey.pixels.shape(), (Shape{1, 1, 4}));
    EXPECT_EQ(grey.bits, 16);
    EXPECT_NEAR(grey.pixels(0, 0, 0), 0.2989, 5e-5);  // the four digits of MATLAB's documentation
    EXPECT_NEAR(grey.pixels(0, 0, 1), 0.5870, 5e-5);
    EXPECT_NEAR(grey.pixels(0, 0, 2), 0.1140, 5e-5);
    EXPECT_FLOAT_EQ(grey.pixels(0, 0, 3), 0.7f);
    expect_equal(to_grey(grey).pixels, grey.pixels);
}

TEST(Image, OtherReadersSeeTheSamePixels) {
    const char* python = std::getenv("SONOLUX_PEERS_PYTHON");
    if (python == nullptr) GTEST_SKIP() << "SONOLUX_PEERS_PYTHON names no Python with Pillow and NumPy";
    const std::string interpreter = std::string("'") + python + "'";
    if (std::system((interpreter + " -c 'import PIL.Image, numpy' 2>/dev/null").c_str()) != 0)
        GTEST_SKIP() << python << " has no Pillow or NumPy";
    const auto folder =
        std::filesystem::path(::testing::TempDir()) / ("sonolux_peer_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    const Array<float> colour = codes(3, 7, 5, 255), grey = codes(1, 7, 5, 65535);
    write_image((folder / "colour.png").string(), colour, 8);
    write_image((folder / "colour.TIFF").string(), colour, 8);
    write_image((folder / "grey.png").string(), grey, 16);
    write_image((folder / "grey.tif").string(), grey, 16);
    write_image((folder / "float.tif").string(), grey, 32);
    const std::string script =
        "import sys, numpy as n\n"
        "from PIL import Image\n"
        "read = lambda name: n.asarray(Image.open(sys.argv[1] + \"/\" + name)).astype(float)\n"
        "i = n.arange(105) * 2741 % 256\n"
        "for name in (\"colour.png\", \"colour.TIFF\"):\n"
        "    assert (read(name) == i.reshape(3, 7, 5).transpose(1, 2, 0)).all(), name\n"
        "i = (n.arange(35) * 2741 % 65536).reshape(7, 5)\n"
        "for name in (\"grey.png\", \"grey.tif\"): assert (read(name) == i).all(), name\n"
        "assert (read(\"float.tif\") == (i.astype(n.float32) / n.float32(65535))).all()\n";
    EXPECT_EQ(std::system((interpreter + " -c '" + script + "' '" + folder.string() + "'").c_str()), 0);
    std::filesystem::remove_all(folder);
}

TEST(Image, ReadsPhotographs) {
    const auto colour = data_folder() / "restoration/bsds_color/train",
               grey = data_folder() / "restoration/train400_gray";
    SLX_NEEDS(colour);
    SLX_NEEDS(grey);
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(colour)) {
        if (entry.path().extension() != ".jpg" || ++count > 10) continue;
        const Image image = read_image(entry.path().string());
        EXPECT_EQ(image.channels(), 3);
        EXPECT_EQ(image.rows() * image.columns(), 481 * 321);
    }
    for (const auto& entry : std::filesystem::directory_iterator(grey)) {
        if (entry.path().extension() != ".png" || ++count > 20) continue;
        EXPECT_EQ(read_image(entry.path().string()).pixels.shape(), (Shape{1, 180, 180}));
    }
    EXPECT_GT(count, 11);
}

}  // namespace
}  // namespace sonolux
