// tests/sdk/lens_tolerance_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>

#include <sonolux/sdk/pipelines/lens_tolerance.hpp>

namespace sonolux {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

ToleranceOptions quick() {
    ToleranceOptions options;
    options.lens.diameter = 1e-3;
    options.psf.wavelengths = wavelengths_between(420e-9, 680e-9, 27);
    options.psf.size = 31;
    options.rows = 64;
    options.scenes = 1;
    options.draws = 3;
    return options;
}

TEST(LensTolerance, RoughLensesAreRecoveredWorse) {
    ToleranceOptions options = quick();
    options.levels = {4, 16};
    options.height_noise = {0, 100e-9};
    Context context(make_serial_runner());
    const auto points = lens_tolerance(options, context);
    ASSERT_EQ(points.size(), 4u);
    for (const std::size_t at : {0, 2}) {
        EXPECT_LT(points[at + 1].mean, points[at].mean - 0.5) << points[at].levels;
        EXPECT_LE(points[at + 1].lowest, points[at + 1].mean);
        EXPECT_GE(points[at + 1].highest, points[at + 1].mean);
        EXPECT_EQ(points[at].lowest, points[at].highest);
    }
    const std::string chart = tolerance_chart(points);
    EXPECT_THAT(chart, HasSubstr("16 levels"));
    EXPECT_THAT(chart, HasSubstr("height noise in nm"));
}

TEST(LensTolerance, RefusesNothingToDo) {
    ToleranceOptions options = quick();
    options.draws = 0;
    Context context(make_serial_runner());
    EXPECT_THAT([&] { static_cast<void>(lens_tolerance(options, context)); },
                ThrowsMessage<Error>(HasSubstr("0 draws of 1 scenes are none")));
}

// The figure of docs/results.md: 20 lenses for each point.
TEST(LensToleranceSlow, FresnelLens) {
    ToleranceOptions options;
    options.psf.wavelengths = wavelengths_between(400e-9, 700e-9, 61);  // twice the rule's step, for time
    options.psf.allow_coarse_wavelengths = true;
    options.rows = 160;
    options.scenes = 1;
    Context context(make_openmp_runner(2));
    const auto points = lens_tolerance(options, context);
    for (const TolerancePoint& point : points)
        std::printf("    %3d levels, %3.0f nm: %6.2f dB (%.2f to %.2f)\n", point.levels,
                    point.height_noise * 1e9, point.mean, point.lowest, point.highest);
    std::FILE* file = std::fopen((::testing::TempDir() + "/lens_tolerance.svg").c_str(), "w");
    ASSERT_NE(file, nullptr);
    std::fputs(tolerance_chart(points).c_str(), file);
    std::fclose(file);
    for (std::size_t at = 0; at < points.size(); at += 4) EXPECT_LT(points[at + 3].mean, points[at].mean);
}

}  // namespace
}  // namespace sonolux
