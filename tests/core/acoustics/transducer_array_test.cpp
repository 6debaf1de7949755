// tests/core/acoustics/transducer_array_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include <sonolux/core/acoustics/transducer_array.hpp>

namespace sonolux {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

TEST(ImageGrid, PlacesTheMiddlesOfPixels) {
    const ImageGrid grid = centred_grid(84, 64, 0.6e-3);
    EXPECT_DOUBLE_EQ(grid.x(0), -18.9e-3);
    EXPECT_DOUBLE_EQ(grid.x(63), 18.9e-3);
    EXPECT_DOUBLE_EQ(grid.z(83), 49.8e-3);
    EXPECT_NEAR(grid.column(18.9e-3), 63, 1e-12);
    EXPECT_TRUE(grid.covers({-18.9e-3, 49.8e-3}));  // corners, whatever rounding makes of them
    EXPECT_FALSE(grid.covers({-18.9e-3 - 1e-6, 1e-3}));
    EXPECT_FALSE(grid.covers({nan, 1e-3}));
}

TEST(ImageGrid, RefusesMillimetresByName) {
    EXPECT_NO_THROW(validate(centred_grid(84, 64, 0.6e-3)));
    EXPECT_THAT(
        [] { validate(centred_grid(84, 64, 0.6)); },
        ThrowsMessage<Error>(AllOf(HasSubstr("row_spacing"), HasSubstr("got 0.6 m; is it in millimetres?"))));
    EXPECT_THAT([] { validate(centred_grid(1, 64, 1e-3), "map"); },
                ThrowsMessage<Error>(HasSubstr("map: rows must be at least 2, got 1")));
    EXPECT_THROW(validate(centred_grid(8, 8, nan)), Error);
}

TEST(LinearArray, IsCentredAndFacesDown) {
    const TransducerArray array = make_linear_array(128, 0.3e-3, 0.27e-3);
    EXPECT_EQ(array.size(), 128);
    EXPECT_NEAR(array[0].position.x, -19.05e-3, 1e-15);
    EXPECT_NEAR(array[127].position.x, 19.05e-3, 1e-15);
    EXPECT_EQ(array[64].position.z, 0);
    EXPECT_EQ(array[5].angle, 0);
    EXPECT_NEAR(array.pitch(), 0.3e-3, 1e-15);
    EXPECT_NEAR(array.kerf(), 0.03e-3, 1e-15);
    EXPECT_EQ(array.radius(), 0);
    EXPECT_EQ(make_linear_array(1, 0.3e-3, 0.27e-3)[0].position, Point{});
}

TEST(ConvexArray, LiesOnItsArcAndLooksAwayFromTheCentre) {
    const double radius = 60e-3, pitch = 0.47e-3;
    const TransducerArray array = make_convex_array(128, pitch, 0.4e-3, radius);
    const Point centre{0, -radius};
    for (Index i = 0; i < array.size(); ++i) {
        const Point outwards = array[i].position - centre;
        EXPECT_NEAR(length(outwards), radius, 1e-15);
        EXPECT_NEAR(dot(outwards, array[i].normal()), radius, 1e-15);
        EXPECT_LE(array[i].position.z, 0);
    }
    EXPECT_NEAR(array[127].angle, 63.5 * pitch / radius, 1e-14);  // pitch along the arc
    EXPECT_EQ(array[0].position.x, -array[127].position.x);
    EXPECT_EQ(array.pitch(), pitch);
    EXPECT_EQ(make_convex_array(3, pitch, pitch, radius)[1].position, Point{});
}

TEST(TransducerArray, RefusesWhatCannotBeAProbe) {
    EXPECT_THAT([] { (void)make_linear_array(128, 0.3, 0.27); },
                ThrowsMessage<Error>(AllOf(HasSubstr("pitch must be between 1e-05 m and 0.005 m"),
                                           HasSubstr("got 0.3 m; is it in millimetres?"))));
    EXPECT_THAT([] { (void)make_linear_array(0, 3e-4, 3e-4); }, ThrowsMessage<Error>(HasSubstr("elements")));
    EXPECT_THAT([] { (void)make_linear_array(8, 3e-4, 3.1e-4); },
                ThrowsMessage<Error>(HasSubstr("element_width must be above 0 m and at most the pitch")));
    EXPECT_THROW((void)make_linear_array(8, nan, 1e-4), Error);
    EXPECT_THAT([] { (void)make_convex_array(128, 5e-4, 4e-4, 60); },
                ThrowsMessage<Error>(HasSubstr("got 60 m; is it in millimetres?")));
    EXPECT_THAT([] { (void)make_convex_array(128, 5e-4, 4e-4, 10e-3); },
                ThrowsMessage<Error>(HasSubstr("must be less than pi / 2")));
    EXPECT_THAT(
        [] {
            TransducerArray({{{-19.05, 0}, 0}, {{19.05, 0}, 0}}, 3e-4);
        },
        ThrowsMessage<Error>(HasSubstr("element 1 must be within 1 m")));
    EXPECT_THAT(
        [] {
            TransducerArray({{{0, 0}, 0}, {{-1e-3, 0}, 0}}, 3e-4);
        },
        ThrowsMessage<Error>(HasSubstr("x must increase from element to element")));
    EXPECT_THAT(
        [] {
            (void)TransducerArray({{{0, 0}, 30}}, 3e-4);
        },
        ThrowsMessage<Error>(HasSubstr("got 30 rad")));
}

}  // namespace
}  // namespace sonolux
