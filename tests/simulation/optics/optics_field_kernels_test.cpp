// tests/simulation/optics/optics_field_kernels_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include <sonolux/core/check/dot_test.hpp>
#include <sonolux/core/operators/spectral_blur.hpp>
#include <sonolux/simulation/optics/field_kernels.hpp>

namespace sonolux {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// f/20, seen from up to 9 degrees: enough astigmatism to tell directions apart.
struct Sight {
    MapOptics optics;
    PsfBankOptions options;
    CameraResponse response;
    FieldGridOptions fields;
    Context context{make_openmp_runner(2)};

    Sight() {
        DiffractiveLens lens;
        lens.focal_length = 10e-3;
        lens.diameter = 0.5e-3;
        lens.levels = 8;
        optics = {map_of(relief_of(lens), 2e-6), lens.material, lens.focal_length, 0};
        options.wavelengths = {500e-9, 550e-9, 600e-9};
        options.size = 17;
        options.allow_coarse_wavelengths = true;
        response = camera_response(gaussian_sensor(), black_body(6504), options.wavelengths);
        fields = {400, 400, 3, 3};
    }
};

double largest_difference(View<const float> a, View<const float> b) {
    double largest = 0, peak = 0;
    for (Index n = 0; n < a.elements(); ++n) {
        largest = std::max(largest, std::abs(double{a.data()[n]} - double{b.data()[n]}));
        peak = std::max(peak, double{a.data()[n]});
    }
    return largest / peak;
}

TEST(OpticsFieldKernels, MirrorImagesAreWhatTheirFieldsSee) {
    Sight setup;
    const auto mirrored =
        field_kernels(setup.optics, setup.options, setup.response, setup.fields, setup.context);
    setup.fields.symmetric = false;
    const auto computed =
        field_kernels(setup.optics, setup.options, setup.response, setup.fields, setup.context);
    ASSERT_EQ(mirrored.size(), 9u);
    for (std::size_t g = 0; g < 9; ++g) EXPECT_LT(largest_difference(computed[g], mirrored[g]), 1e-4) << g;
    // The corner is not the middle, nor its own mirror image.
    EXPECT_GT(largest_difference(computed[4], computed[0]), 0.02);
    EXPECT_GT(largest_difference(computed[2], computed[0]), 0.005);
}

TEST(OpticsFieldKernels, MakeABlurThatChangesFromPlaceToPlace) {
    Sight setup;
    setup.fields = {40, 40, 3, 3};
    const auto kernels =
        field_kernels(setup.optics, setup.options, setup.response, setup.fields, setup.context);
    SpectralBlur blur(3, 3, 40, 40);
    blur.set_kernels({kernels.begin(), kernels.end()}, bilinear_windows(3, 3, 40, 40));
    EXPECT_EQ(blur.patches(), 9);
    EXPECT_LT(dot_test(blur), 1e-6);
}

TEST(OpticsFieldKernels, RefusesGridsThatDoNotFit) {
    Sight setup;
    setup.fields.grid_rows = 500;
    EXPECT_THAT(
        [&] {
            (void)field_kernels(setup.optics, setup.options, setup.response, setup.fields, setup.context);
        },
        ThrowsMessage<Error>(
            HasSubstr("a grid of 500 x 3 fields does not fit a sensor of 400 x 400 pixels")));
    setup.fields.grid_rows = 3;
    setup.options.size = 16;
    EXPECT_THAT(
        [&] {
            (void)field_kernels(setup.optics, setup.options, setup.response, setup.fields, setup.context);
        },
        ThrowsMessage<Error>(HasSubstr("need a middle pixel, the size is 16")));
}

}  // namespace
}  // namespace sonolux
