// tests/core/acoustics/echo_image_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include <sonolux/core/acoustics/echo_image.hpp>
#include <sonolux/core/check/dot_test.hpp>

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

// 30 degrees to either side of a convex array of 40 mm radius, from its face to 40 mm.
SectorGrid sector() { return {41, 31, 40e-3, 1e-3, -M_PI / 6, M_PI / 90, {0, -40e-3}}; }
ImageGrid around() { return {60, 71, 0.8e-3, 0.9e-3, -6e-3, -31e-3}; }

TEST(EchoImage, MakesDecibelsOfComplexPixels) {
    Array<float> pixels({2, 2, 2}), magnitude({2, 2}), decibels({2, 2});
    std::ranges::copy(std::initializer_list<float>{3, 4, 0, 0, 0, 0.5f, nan, 1}, pixels.begin());
    envelope(pixels, magnitude);
    EXPECT_EQ(magnitude(0, 0), 5);
    EXPECT_EQ(largest_magnitude(magnitude), 5);
    log_compress(magnitude, decibels, 5, -60);
    EXPECT_EQ(decibels(0, 0), 0);
    EXPECT_EQ(decibels(0, 1), -60);
    EXPECT_NEAR(decibels(1, 0), -20, 1e-5);
    EXPECT_TRUE(std::isnan(decibels(1, 1)));
    EXPECT_THAT([&] { log_compress(magnitude, decibels, 0, -60); },
                ThrowsMessage<Error>(HasSubstr("reference must be above 0 and finite, got 0")));
    EXPECT_THAT([&] { log_compress(magnitude, decibels, 1, 60); },
                ThrowsMessage<Error>(HasSubstr("floor must be between -200 and 0 dB, got 60")));
}

TEST(ScanConversion, ReproducesRangeAndAngle) {  // both are linear in the sector, so bilinear is exact
    const ScanConversion convert(sector(), around());
    Array<float> ranges({41, 31}), angles({41, 31}), image({60, 71});
    for (Index i = 0; i < 41; ++i)
        for (Index j = 0; j < 31; ++j) {
            ranges(i, j) = static_cast<float>(40e-3 + 1e-3 * static_cast<double>(i));
            angles(i, j) = static_cast<float>(-M_PI / 6 + M_PI / 90 * static_cast<double>(j));
        }
    Context context;
    for (const Array<float>* field : {&ranges, &angles}) {
        convert.apply(*field, image, context);
        Index counted = 0;
        for (Index i = 0; i < 60; ++i)
            for (Index j = 0; j < 71; ++j) {
                const Point p = around().point(static_cast<double>(i), static_cast<double>(j));
                const double range = std::hypot(p.x, p.z + 40e-3), angle = std::atan2(p.x, p.z + 40e-3);
                const bool in = range >= 40e-3 && range <= 80e-3 && std::abs(angle) <= M_PI / 6;
                EXPECT_EQ(convert.inside(i, j), in) << i << " " << j;
                EXPECT_NEAR(image(i, j), !in ? 0 : field == &ranges ? range : angle, 1e-7);
                counted += in;
            }
        EXPECT_GT(counted, 1000);
    }
}

TEST(ScanConversion, AdjointIsExact) { EXPECT_LT(dot_test(ScanConversion(sector(), around())), 1e-6); }

TEST(ScanConversion, RefusesByName) {
    const auto expect_refused = [](void (*change)(SectorGrid&), const char* message) {
        SectorGrid s = sector();
        change(s);
        EXPECT_THAT([&] { ScanConversion(s, around()); }, ThrowsMessage<Error>(HasSubstr(message)));
    };
    expect_refused([](SectorGrid& s) { s.first_angle = -30; }, "are they in degrees?");
    expect_refused([](SectorGrid& s) { s.range_spacing = 0; }, "range_spacing must be above 0");
    expect_refused([](SectorGrid& s) { s.angles = 1; }, "at least 2 x 2, got 41 x 1");
    expect_refused([](SectorGrid& s) { s.first_range = 0.5; }, "no pixel of the grid is in the sector");
}

}  // namespace
}  // namespace sonolux
