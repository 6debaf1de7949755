// tests/solvers/colour_metrics_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include <sonolux/core/random.hpp>
#include <sonolux/core/srgb.hpp>
#include <sonolux/solvers/colour_metrics.hpp>
#include <sonolux/solvers/slanted_edge.hpp>

namespace sonolux {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// The 34 pairs of Sharma, Wu and Dalal 2005, table 1.
constexpr double pairs[34][7] = {
    {50, 2.6772, -79.7751, 50, 0, -82.7485, 2.0425},
    {50, 3.1571, -77.2803, 50, 0, -82.7485, 2.8615},
    {50, 2.8361, -74.02, 50, 0, -82.7485, 3.4412},
    {50, -1.3802, -84.2814, 50, 0, -82.7485, 1},
    {50, -1.1848, -84.8006, 50, 0, -82.7485, 1},
    {50, -0.9009, -85.5211, 50, 0, -82.7485, 1},
    {50, 0, 0, 50, -1, 2, 2.3669},
    {50, -1, 2, 50, 0, 0, 2.3669},
    {50, 2.49, -0.001, 50, -2.49, 0.0009, 7.1792},
    {50, 2.49, -0.001, 50, -2.49, 0.001, 7.1792},
    {50, 2.49, -0.001, 50, -2.49, 0.0011, 7.2195},
    {50, 2.49, -0.001, 50, -2.49, 0.0012, 7.2195},
    {50, -0.001, 2.49, 50, 0.0009, -2.49, 4.8045},
    {50, -0.001, 2.49, 50, 0.001, -2.49, 4.8045},
    {50, -0.001, 2.49, 50, 0.0011, -2.49, 4.7461},
    {50, 2.5, 0, 50, 0, -2.5, 4.3065},
    {50, 2.5, 0, 73, 25, -18, 27.1492},
    {50, 2.5, 0, 61, -5, 29, 22.8977},
    {50, 2.5, 0, 56, -27, -3, 31.903},
    {50, 2.5, 0, 58, 24, 15, 19.4535},
    {50, 2.5, 0, 50, 3.1736, 0.5854, 1},
    {50, 2.5, 0, 50, 3.2972, 0, 1},
    {50, 2.5, 0, 50, 1.8634, 0.5757, 1},
    {50, 2.5, 0, 50, 3.2592, 0.335, 1},
    {60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644},
    {63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.263},
    {61.2901, 3.7196, -5.3901, 61.4292, 2.248, -4.962, 1.8731},
    {35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645},
    {22.7233, 20.0904, -46.694, 23.0331, 14.973, -42.5619, 2.0373},
    {36.4612, 47.858, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146},
    {90.8027, -2.0831, 1.441, 91.1528, -1.6435, 0.0447, 1.4441},
    {90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381},
    {6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377},
    {2.0776, 0.0795, -1.135, 0.9033, -0.0636, -0.5514, 0.9082},
};

TEST(ColourMetrics, Ciede2000HasThePublishedValues) {
    for (const auto& p : pairs) {
        const Lab x{p[0], p[1], p[2]}, y{p[3], p[4], p[5]};
        EXPECT_NEAR(ciede2000(x, y), p[6], 1e-4) << p[1] << " " << p[4];  // printed with four digits
        EXPECT_NEAR(ciede2000(y, x), p[6], 1e-4);
    }
}

TEST(ColourMetrics, LabOfWhiteAndOfTheRedPrimary) {
    const Lab white = lab_from_srgb_light(1, 1, 1);
    EXPECT_NEAR(white.L, 100, 1e-4);
    EXPECT_NEAR(white.a, 0, 2e-2);
    EXPECT_NEAR(white.b, 0, 2e-2);
    const Lab red = lab_from_srgb_light(1, 0, 0);  // as every colour calculator has it
    EXPECT_NEAR(red.L, 53.24, 1e-2);
    EXPECT_NEAR(red.a, 80.09, 2e-2);
    EXPECT_NEAR(red.b, 67.20, 2e-2);
}

TEST(ColourMetrics, SrgbCodesAreThoseOfTheStandard) {
    EXPECT_NEAR(linear_to_srgb(0.2140411), 0.5, 1e-6);
    EXPECT_NEAR(linear_to_srgb(0.002), 0.02584, 1e-6);
    for (const double light : {-0.3, 0.0, 0.001, 0.3, 1.0, 1.7})
        EXPECT_NEAR(srgb_to_linear(linear_to_srgb(light)), light, 1e-7);
}

TEST(ColourMetrics, SpectralAngleIsThatBetweenVectors) {
    Array<float> truth({2, 1, 3}), image({2, 1, 3});
    truth(0, 0, 0) = 1, image(0, 0, 0) = 2;                      // 0 degrees, twice as bright
    truth(0, 0, 1) = 1, image(0, 0, 1) = 1, image(1, 0, 1) = 1;  // 45 degrees
    truth(0, 0, 2) = 1e-4F, image(1, 0, 2) = 1;                  // too dark to count
    EXPECT_NEAR(spectral_angle(image, truth), 22.5, 1e-5);
    EXPECT_NEAR(spectral_angle(image, truth, 0), 45, 1e-5);
    EXPECT_TRUE(std::isnan(spectral_angle(image, truth, 10)));
}

TEST(ColourMetrics, AnImageThatIsNotANumberHasNoGoodFigure) {
    Array<float> truth({3, 4, 5});
    std::fill(truth.begin(), truth.end(), 0.5F);
    Array<float> image = truth.clone();
    image(1, 2, 3) = std::numeric_limits<float>::quiet_NaN();
    const ColourDifference difference = colour_difference(image, truth);
    EXPECT_TRUE(std::isnan(difference.mean) && std::isnan(difference.percentile95));
    EXPECT_TRUE(std::isnan(spectral_angle(image, truth)));
    EXPECT_TRUE(std::isnan(channel_psnr(image, truth)) && std::isnan(srgb_psnr(image, truth)));
}

TEST(ColourMetrics, PsnrOfAKnownError) {
    Array<float> truth({3, 8, 8}), image({3, 8, 8});
    std::fill(truth.begin(), truth.end(), 0.5F);
    std::fill(image.begin(), image.end(), 0.6F);
    EXPECT_NEAR(channel_psnr(image, truth), 20, 1e-4);
    image(0, 0, 0) = 100;
    EXPECT_NEAR(channel_psnr(image, truth, 1, 1), 20, 1e-4);
    const double step = linear_to_srgb(0.6) - linear_to_srgb(0.5);
    EXPECT_NEAR(srgb_psnr(image, truth, 1), -20 * std::log10(step), 1e-4);
    EXPECT_THAT(
        [&] { static_cast<void>(channel_psnr(image, truth, 1, 4)); },
        ThrowsMessage<Error>(HasSubstr("nothing is left of an image 3 x 8 x 8 without a border of 4")));
    EXPECT_THAT(
        [&] {
            static_cast<void>(spectral_angle(image, Array<float>({3, 8, 9})));
        },
        ThrowsMessage<Error>(HasSubstr("the image is 3 x 8 x 8, the truth 3 x 8 x 9")));
}

TEST(ColourMetrics, ColourMatrixIsFound) {
    Array<float> from({20, 3}), to({20, 2});
    fill_normal(from, Philox(1));
    const float matrix[2][3] = {{1, -0.5F, 0.25F}, {0.1F, 2, 0}};
    for (Index p = 0; p < 20; ++p)
        for (Index o = 0; o < 2; ++o)
            for (Index c = 0; c < 3; ++c) to(p, o) += matrix[o][c] * from(p, c);
    const Array<float> found = fit_colour_matrix(from, to);
    for (Index o = 0; o < 2; ++o)
        for (Index c = 0; c < 3; ++c) EXPECT_NEAR(found(o, c), matrix[o][c], 1e-5);
    for (Index p = 0; p < 20; ++p) from(p, 2) = from(p, 0);
    EXPECT_THAT([&] { static_cast<void>(fit_colour_matrix(from, to)); },
                ThrowsMessage<Error>(HasSubstr("they span 2 of 3 channels")));
}

// An edge of the given slope blurred by a Gaussian: an error function, integrated over pixels by points.
Array<float> edge(double slope, double sigma) {
    Array<float> plane({80, 60});
    for (Index i = 0; i < 80; ++i)
        for (Index j = 0; j < 60; ++j)
            for (int u = 0; u < 4; ++u)
                for (int v = 0; v < 4; ++v) {
                    const double x = static_cast<double>(j) + (v + 0.5) / 4 - 0.5 - 30 -
                                     slope * (static_cast<double>(i) + (u + 0.5) / 4 - 0.5 - 40);
                    plane(i, j) += static_cast<float>(
                        (0.5 + 0.4 * std::erf(x / std::hypot(1, slope) / (sigma * std::sqrt(2.0)))) / 16);
                }
    return plane;
}

TEST(SlantedEdge, FindsTheModulationOfAGaussianBlur) {
    // exp(-2 pi^2 sigma^2 f^2) sinc(f) falls to 1/2 there; the window and the bins cost 3 %.
    for (const double sigma : {0.6, 1.2, 2.5})
        for (const double slope : {0.09, -0.12}) {
            double low = 0, high = 1;
            for (int step = 0; step < 60; ++step) {
                const double f = (low + high) / 2, turn = std::numbers::pi * f;
                (std::exp(-2 * turn * turn * sigma * sigma) * std::sin(turn) / turn > 0.5 ? low : high) = f;
            }
            const EdgeMtf mtf = slanted_edge_mtf(edge(slope, sigma));
            EXPECT_NEAR(mtf.mtf50 / low, 1, 0.03) << sigma << " " << slope;
            EXPECT_NEAR(mtf.slope, slope, 2e-3);
        }
}

TEST(SlantedEdge, RefusesWhatIsNoSlantedEdge) {
    EXPECT_THAT([] { static_cast<void>(slanted_edge_mtf(edge(0, 1))); },
                ThrowsMessage<Error>(HasSubstr("is not slanted by a pixel in all")));
    // Rows of this slope have two distances in turn, whatever their number.
    EXPECT_THAT([] { static_cast<void>(slanted_edge_mtf(edge(0.5, 1))); },
                ThrowsMessage<Error>(HasSubstr("leaves bins of a quarter of a pixel empty")));
    EXPECT_THAT(
        [] {
            static_cast<void>(slanted_edge_mtf(Array<float>({40, 40})));
        },
        ThrowsMessage<Error>(HasSubstr("there is no edge in the plane")));
    EXPECT_THAT(
        [] {
            static_cast<void>(slanted_edge_mtf(Array<float>({9, 40})));
        },
        ThrowsMessage<Error>(HasSubstr("at least 10 x 16 pixels, got 9 x 40")));
}

}  // namespace
}  // namespace sonolux
