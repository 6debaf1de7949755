// Arrays that are known from the places of their elements.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sonolux/core/acoustics/array_geometry.hpp>

namespace sonolux {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::vector<Point> places_of(const TransducerArray& array) {
    std::vector<Point> places;
    for (const ArrayElement& element : array.elements()) places.push_back(element.position);
    return places;
}

TEST(ArrayGeometry, ALineOfElementsFacesDown) {
    const TransducerArray line = make_linear_array(128, 0.3e-3, 0.27e-3);
    EXPECT_EQ(array_from_positions(places_of(line), 0.27e-3), line);
}

TEST(ArrayGeometry, FindsTheRadiusOfAConvexArrayFromPlacesRoundedToFloat) {
    for (const double radius : {30e-3, 60e-3, 500e-3}) {
        const TransducerArray arc = make_convex_array(128, 0.33e-3, 0.3e-3, radius);
        std::vector<Point> places = places_of(arc);
        for (Point& p : places) p = {double{static_cast<float>(p.x)}, double{static_cast<float>(p.z)}};
        const TransducerArray found = array_from_positions(places, 0.3e-3);
        // Rounding moves elements by 2 nm, against a sagitta of 0.4 mm or more.
        EXPECT_NEAR(found.radius(), radius, 1e-4 * radius);
        EXPECT_NEAR(found.pitch(), arc.pitch(), 1e-9);
        for (Index i = 0; i < arc.size(); ++i) EXPECT_NEAR(found[i].angle, arc[i].angle, 1e-5);
    }
}

TEST(ArrayGeometry, AnArcThatIsNotCentredFacesAwayFromItsCentre) {
    const TransducerArray arc = make_convex_array(64, 0.4e-3, 0.3e-3, 50e-3);
    std::vector<Point> places = places_of(arc);
    for (Point& p : places) p = p + Point{3e-3, 5e-3};
    const TransducerArray found = array_from_positions(places, 0.3e-3);
    EXPECT_EQ(found.radius(), 0);
    for (Index i = 0; i < arc.size(); ++i) EXPECT_NEAR(found[i].angle, arc[i].angle, 1e-9);
}

TEST(ArrayGeometry, OtherElementsFaceAtRightAnglesToTheirNeighbours) {
    // A roof: down to the left at 45 degrees, down to the right at 45 degrees.
    const std::vector<Point> roof = {{-2e-3, 2e-3}, {-1e-3, 1e-3}, {0, 0}, {1e-3, 1e-3}, {2e-3, 2e-3}};
    const TransducerArray found = array_from_positions(roof, 0.5e-3);
    const double eighth = std::atan(1.0);
    EXPECT_NEAR(found[0].angle, eighth, 1e-12);  // rises to the right: faces to the right
    EXPECT_NEAR(found[2].angle, 0, 1e-12);
    EXPECT_NEAR(found[4].angle, -eighth, 1e-12);
}

TEST(ArrayGeometry, RefusesMillimetresByName) {
    const std::vector<Point> places = {{-19, 0}, {0, 0}, {19, 0}};
    EXPECT_THAT([&] { (void)array_from_positions(places, 3e-4); },
                ThrowsMessage<Error>(HasSubstr("got x -19 m, z 0 m; is it in millimetres?")));
}

}  // namespace
}  // namespace sonolux
