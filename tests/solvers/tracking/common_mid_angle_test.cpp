// tests/solvers/tracking/common_mid_angle_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numbers>

#include <sonolux/solvers/tracking/common_mid_angle.hpp>

namespace sonolux {
namespace {

using ::testing::HasSubstr;

constexpr double degree = std::numbers::pi / 180;

std::vector<Transmission> plane_waves(const TransducerArray& array, std::initializer_list<double> degrees) {
    std::vector<Transmission> waves;
    for (double angle : degrees) waves.push_back(plane_wave(array, angle * degree, 1540));
    return waves;
}

TEST(CommonMidAngle, PairsAnglesAsPublished) {  // mid-angle 7.5 degrees: (0, 15), (4, 11), (7.5, 7.5)
    const TransducerArray array = make_linear_array(64, 0.3e-3, 0.27e-3);
    std::vector<Transmission> waves = plane_waves(array, {7.5, -4, 0, 4});
    waves.push_back(single_element(array, 3));
    const auto images = common_mid_angle(waves, 7.5 * degree, 15 * degree);
    ASSERT_EQ(images.size(), 3u);  // -4 would be received at 19 degrees
    EXPECT_EQ(images[0].transmission, 2);
    EXPECT_NEAR(images[0].receive_angle, 15 * degree, 1e-12);
    EXPECT_EQ(images[1].transmission, 3);
    EXPECT_NEAR(images[1].receive_angle, 11 * degree, 1e-12);
    EXPECT_EQ(images[2].transmission, 0);
    EXPECT_NEAR(images[2].receive_angle, 7.5 * degree, 1e-12);
    EXPECT_EQ(echo_path(waves, images[1]).transmission, waves[3]);
}

TEST(CommonMidAngle, RefusesDegreesAndTooFewAngles) {
    const TransducerArray array = make_linear_array(64, 0.3e-3, 0.27e-3);
    const auto waves = plane_waves(array, {-10, 0, 10});
    const auto message = [&](double mid, double largest) {
        try {
            (void)common_mid_angle(waves, mid, largest);
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string("accepted");
    };
    EXPECT_THAT(message(7.5, 0.3),
                HasSubstr("mid_angle must be within 1.4 rad, got 7.5 rad; is it in degrees?"));
    EXPECT_THAT(
        message(0, 15),
        HasSubstr(
            "largest_receive_angle must be above 0 and at most 1.4 rad, got 15 rad; is it in degrees?"));
    EXPECT_THAT(message(0.4, 0.3),
                HasSubstr("0 of 3 plane waves can be received within 0.3 rad for the mid-angle 0.4 rad"));
}

TEST(CommonMidAngle, LooksForTheApertureWhereTheEchoGoes) {
    const TransducerArray array = make_linear_array(128, 0.3e-3, 0.27e-3);
    const Point p{0, 20e-3};
    for (double angle : {-0.3, -0.1, 0.0, 0.25}) {
        const ElementRange range = receive_aperture(array, p, angle, 2);
        ASSERT_GT(range.count, 30);
        double mean = 0;
        for (Index e = range.first; e < range.first + range.count; ++e) {
            const Point element = array[e].position;
            EXPECT_LE(std::abs(element.x - (p.x - p.z * std::tan(angle))), 5e-3 + 1e-9);
            // The echo travels from p to the element; a plane wave from there travels the other way.
            mean += std::atan2(p.x - element.x, p.z - element.z) / static_cast<double>(range.count);
        }
        EXPECT_NEAR(mean, angle, 0.012);  // half a pitch, and the mean of angles is not that of tangents
    }
    EXPECT_EQ(receive_aperture(array, {0.1, 5e-3}, 0, 2).count, 0);
}

}  // namespace
}  // namespace sonolux
