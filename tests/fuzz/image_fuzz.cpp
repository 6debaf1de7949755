// tests/fuzz/image_fuzz.cpp
//
// An image file: PNG, TIFF or JPEG, as its first bytes say.
#include <algorithm>
#include <cmath>

#include <sonolux/sdk/files/image.hpp>

#include "tests/fuzz/fuzz.hpp"

using namespace sonolux;

namespace {

bool same_pixels(const Image& a, const Image& b) {
    return a.pixels.shape() == b.pixels.shape() &&
           std::equal(a.pixels.begin(), a.pixels.end(), b.pixels.begin());
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::expect_manners({Status::corrupt_data, Status::unsupported}, [&] {
        const Image image = decode_image(fuzz::bytes_of(data, size), fuzz::source);
        fuzz::expect(image.channels() == 1 || image.channels() == 3, "an image has 1 or 3 channels");
        fuzz::expect(image.rows() >= 1 && image.columns() >= 1, "an image has pixels");
        fuzz::expect(image.bits == 8 || image.bits == 16 || image.bits == 32, "bits are 8, 16 or 32");
        for (const float value : image.pixels) {
            fuzz::expect(std::isfinite(value), "pixels are finite");
            fuzz::expect(image.bits == 32 || (value >= 0 && value <= 1), "codes are values from 0 to 1");
        }
        // Codes of 8 and 16 bits, and floats, survive being written.
        const auto read_back = [&](ImageFormat format) {
            return decode_image(encode_image(image.pixels, format, image.bits), "copy");
        };
        fuzz::expect(same_pixels(read_back(ImageFormat::tiff), image), "TIFF keeps every pixel");
        if (image.bits < 32)
            fuzz::expect(same_pixels(read_back(ImageFormat::png), image), "PNG keeps every pixel");
    });
    return 0;
}
