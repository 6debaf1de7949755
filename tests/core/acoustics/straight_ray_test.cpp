// tests/core/acoustics/straight_ray_test.cpp
//
// Lengths in pixels against closed forms. Pixels here are 0.5 mm x 0.4 mm unless a test says otherwise.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <numbers>

#include <sonolux/core/acoustics/straight_ray.hpp>
#include <sonolux/core/array.hpp>
#include <sonolux/core/random.hpp>

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

const ImageGrid grid{40, 50, 0.4e-3, 0.5e-3, 0, -12.25e-3};  // x edges -12.5..12.5 mm, z edges -0.2..15.8 mm

double total(const std::vector<PixelChord>& chords) {
    double sum = 0;
    for (const auto& chord : chords) sum += chord.length;
    return sum;
}

/// The part of a segment inside a box, by clipping against its four sides (Liang and Barsky): for each pixel
/// by itself, without following the ray from pixel to pixel.
double length_in_box(Point from, Point to, double left, double right, double top, double bottom) {
    double enter = 0, leave = 1;
    const auto clip = [&](double start, double step, double low, double high) {
        if (step == 0) {
            if (start < low || start >= high) leave = -1;
            return;
        }
        const double a = (low - start) / step, b = (high - start) / step;
        enter = std::max(enter, std::min(a, b));
        leave = std::min(leave, std::max(a, b));
    };
    clip(from.x, to.x - from.x, left, right);
    clip(from.z, to.z - from.z, top, bottom);
    return std::max(0.0, leave - enter) * length(to - from);
}

TEST(StraightRay, LengthsAreThoseOfTheSegmentClippedToEachPixel) {
    Philox random(1);
    for (int ray = 0; ray < 200; ++ray) {
        const Point from{random.uniform(-14e-3, 14e-3), random.uniform(-2e-3, 17e-3)};
        Point to{random.uniform(-14e-3, 14e-3), random.uniform(-2e-3, 17e-3)};
        if (ray % 10 == 0) to.x = from.x;
        if (ray % 10 == 1) to.z = from.z;
        std::map<Index, double> found;
        for (const auto& [pixel, part] : straight_ray(grid, from, to)) {
            EXPECT_EQ(found.count(pixel), 0u) << "a pixel is visited once";
            found[pixel] = part;
        }
        const double h = 0.5 * grid.column_spacing, v = 0.5 * grid.row_spacing;
        for (Index i = 0; i < grid.rows; ++i)
            for (Index j = 0; j < grid.columns; ++j) {
                const Point middle = grid.point(static_cast<double>(i), static_cast<double>(j));
                // 1e-12 of the map's diagonal of 30 mm
                EXPECT_NEAR(found[i * grid.columns + j],
                            length_in_box(from, to, middle.x - h, middle.x + h, middle.z - v, middle.z + v),
                            3e-14)
                    << "ray " << ray << " pixel " << i << ", " << j;
            }
    }
}

TEST(StraightRay, DiagonalsThroughCornersGiveEachPixelItsDiagonal) {
    const ImageGrid square = centred_grid(32, 32, 1e-3, 0.5e-3);  // edges x -16..16 mm, z 0..32 mm
    for (int way = 0; way < 4; ++way) {
        const double left = way % 2 ? 16e-3 : -16e-3, top = way / 2 ? 32e-3 : 0;
        const auto chords = straight_ray(square, {left, top}, {-left, 32e-3 - top});
        double largest = 0;
        for (const auto& chord : chords)
            if (chord.length > 1e-12) {
                largest = std::max(largest, chord.length);
                EXPECT_NEAR(chord.length, 1e-3 * std::numbers::sqrt2, 1e-15);
            }
        EXPECT_NEAR(total(chords), 32e-3 * std::numbers::sqrt2, 32e-3 * 1e-12);
    }
}

TEST(StraightRay, LengthsAddUpToTheWholeSegment) {
    Philox random(2);
    for (int ray = 0; ray < 1000; ++ray) {
        const Point from{random.uniform(-12.5e-3, 12.5e-3), random.uniform(-0.2e-3, 15.8e-3)};
        const Point to{random.uniform(-12.5e-3, 12.5e-3), random.uniform(-0.2e-3, 15.8e-3)};
        EXPECT_NEAR(total(straight_ray(grid, from, to)), length(to - from), 1e-12 * length(to - from));
    }
}

TEST(StraightRay, ALineBetweenPixelsBelongsToTheOneBelowOrToTheRightBothWays) {
    const ImageGrid square = centred_grid(4, 4, 1e-3, 0.5e-3);
    for (bool back : {false, true}) {
        Point from{-2e-3, 2e-3}, to{2e-3, 2e-3};
        if (back) std::swap(from, to);
        const auto chords = straight_ray(square, from, to);
        ASSERT_EQ(chords.size(), 4u);
        for (const auto& chord : chords) EXPECT_EQ(chord.pixel / 4, 2);
    }
    EXPECT_EQ(straight_ray(square, {-2e-3, 4e-3}, {2e-3, 4e-3}).size(), 4u);  // the last line: the last row
    EXPECT_TRUE(straight_ray(square, {-2e-3, 4.1e-3}, {2e-3, 4.1e-3}).empty());
}

TEST(StraightRay, TimeThroughALayerIsItsPathTimesItsSlowness) {
    // Two layers that meet at z = 8 mm, a pixel's edge: the ray's parts are known in closed form.
    const ImageGrid square = centred_grid(200, 200, 0.1e-3, 0.05e-3);
    Array<float> slowness(square.shape());
    const float upper = 1 / 1450.0f, lower = 1 / 1580.0f;
    for (Index i = 0; i < 200; ++i)
        for (Index j = 0; j < 200; ++j) slowness(i, j) = i < 80 ? upper : lower;
    const Point from{-9e-3, 0}, to{7e-3, 19e-3};
    const double whole = length(to - from);
    const double expected =
        whole * (8.0 / 19 * static_cast<double>(upper) + 11.0 / 19 * static_cast<double>(lower));
    EXPECT_NEAR(straight_ray_time(square, slowness, from, to), expected, 1e-12 * expected);
    EXPECT_EQ(straight_ray_times(square, slowness, from, {to, to})[1],
              straight_ray_time(square, slowness, from, to));
}

TEST(StraightRay, RefusesBadInputByName) {
    const ImageGrid square = centred_grid(10, 10, 1e-3);
    Array<float> slowness(square.shape());
    for (float& value : slowness) value = 1500;
    EXPECT_THAT(
        [&] { (void)straight_ray_times(square, slowness, {}, {}); },
        ThrowsMessage<Error>(HasSubstr("slowness at row 0, column 0 must be between 0.0001 and 0.01 s/m, "
                                       "got 1500 (is it a speed in m/s?)")));
    for (float& value : slowness) value = 1 / 1500.0f;
    EXPECT_THAT(
        [&] {
            (void)straight_ray_times(square, slowness, {}, {{0, 1e-3}, {0, 10e-3}});
        },
        ThrowsMessage<Error>(HasSubstr("point 1 at x 0 m, z 0.01 m is outside the map")));
    Array<float> other({10, 9});
    EXPECT_THAT([&] { (void)straight_ray_times(square, other, {}, {}); },
                ThrowsMessage<Error>(HasSubstr("the slowness map is 10 x 9, the grid 10 x 10")));
    EXPECT_TRUE(straight_ray(square, {0, 0}, {std::numeric_limits<double>::quiet_NaN(), 1e-3}).empty());
}

}  // namespace
}  // namespace sonolux
