// tests/core/mosaic_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sonolux/core/error.hpp>
#include <sonolux/core/mosaic.hpp>

namespace sonolux {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(BayerMosaic, HasEveryPixelOnce) {
    const BayerMosaic mosaic("rggb");
    const Array<float> mask = mosaic.mask(5, 6);
    EXPECT_EQ(mask(0, 0, 0), 1);
    EXPECT_EQ(mask(1, 0, 1), 1);
    EXPECT_EQ(mask(1, 1, 0), 1);
    EXPECT_EQ(mask(2, 1, 1), 1);
    for (Index i = 0; i < 5; ++i)
        for (Index j = 0; j < 6; ++j) EXPECT_EQ(mask(0, i, j) + mask(1, i, j) + mask(2, i, j), 1);
}

TEST(BayerMosaic, RefusesOtherWords) {
    for (const char* word : {"rgbx", "rggg", "rgb", "rggbb", ""})
        EXPECT_THAT([&] { (void)BayerMosaic(word); },
                    ThrowsMessage<Error>(HasSubstr("got \"" + std::string(word) + "\"")));
}

/// Planes are what bilinear interpolation cannot tell from the whole image, away from the border.
TEST(BayerMosaic, InterpolatesPlanesExactly) {
    for (const char* pattern : {"rggb", "bggr", "grbg", "gbrg"}) {
        const BayerMosaic mosaic(pattern);
        Array<float> image({3, 7, 9}), raw({7, 9}), back(image.shape());
        for (Index c = 0; c < 3; ++c)
            for (Index i = 0; i < 7; ++i)
                for (Index j = 0; j < 9; ++j) image(c, i, j) = static_cast<float>(100 * c + 4 * i - 8 * j);
        mosaic.sample(image, raw.view());
        mosaic.interpolate(raw, BoundaryRule::reflect, back.view());
        for (Index c = 0; c < 3; ++c)
            for (Index i = 1; i < 6; ++i)
                for (Index j = 1; j < 8; ++j) ASSERT_EQ(back(c, i, j), image(c, i, j)) << pattern;
    }
}

/// With either rule a pixel beyond the border has the filter that the mosaic goes on with.
TEST(BayerMosaic, KeepsColoursApartAtTheBorder) {
    const BayerMosaic mosaic("gbrg");
    Array<float> image({3, 6, 8}), raw({6, 8}), back(image.shape());
    for (Index c = 0; c < 3; ++c)
        for (Index n = 0; n < 48; ++n) image.data()[48 * c + n] = static_cast<float>(1 + c);
    mosaic.sample(image, raw.view());
    for (const BoundaryRule rule : {BoundaryRule::reflect, BoundaryRule::circular}) {
        mosaic.interpolate(raw, rule, back.view());
        for (Index n = 0; n < image.elements(); ++n) ASSERT_EQ(back.data()[n], image.data()[n]);
    }
}

}  // namespace
}  // namespace sonolux
