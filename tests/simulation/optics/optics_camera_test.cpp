// tests/simulation/optics/optics_camera_test.cpp
//
// Sensors, light, lifted spectra, and lenses as they come out of the process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include <sonolux/core/check/dot_test.hpp>
#include <sonolux/core/operators/spectral_blur.hpp>
#include <sonolux/simulation/optics/camera.hpp>
#include <sonolux/simulation/optics/fabrication.hpp>
#include <sonolux/simulation/optics/radial_psf.hpp>
#include <sonolux/simulation/optics/spectral_lift.hpp>

namespace sonolux {
namespace {

using std::numbers::pi;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const std::vector<double> visible = wavelengths_between(400e-9, 700e-9, 61);

TEST(OpticsCamera, SeesWhiteAsOneInEveryChannel) {
    const CameraResponse response = camera_response(gaussian_sensor(), black_body(6504), visible);
    const Array<float> matrix = camera_matrix(response, lift_wavelengths());
    for (Index c = 0; c < 3; ++c) {
        float sum = 0;
        for (Index b = 0; b < 31; ++b) sum += matrix(c, b);
        EXPECT_NEAR(sum, 1, 1e-6);
    }
    EXPECT_EQ(*std::max_element(response.white.begin(), response.white.end()), 1);
}

TEST(OpticsCamera, KernelsAddUpTheWavelengthsBetweenBands) {
    // A bank that tells wavelengths apart: all light of wavelength number w is on pixel w of the first row.
    PsfBank bank{{500e-9, 505e-9, 510e-9, 515e-9, 520e-9}, 1e-6, Array<float>({5, 5, 5})};
    for (Index w = 0; w < 5; ++w) bank.psf(w, 0, w) = 1;
    CameraResponse response{bank.wavelengths, {{0.1, 0.2, 0.3, 0.3, 0.1}}, {1}};
    const std::vector<double> bands = {500e-9, 510e-9, 520e-9};
    const Array<float> kernels = camera_kernels(bank, response, bands);
    const float expected[3][5] = {{0.1F, 0.1F, 0, 0, 0}, {0, 0.1F, 0.3F, 0.15F, 0}, {0, 0, 0, 0.15F, 0.1F}};
    for (Index b = 0; b < 3; ++b)
        for (Index w = 0; w < 5; ++w) EXPECT_NEAR(kernels(0, b, 0, w), expected[b][w], 1e-6) << b << w;
    const Array<float> white = white_kernels(bank, response);
    for (Index w = 0; w < 5; ++w)
        EXPECT_NEAR(white(0, 0, w), response.weights[0][static_cast<std::size_t>(w)], 1e-6);
}

TEST(OpticsCamera, AGreyScenePassesAsThroughTheWhiteKernels) {
    DiffractiveLens lens;
    lens.diameter = 1e-3;
    lens.levels = 8;
    PsfBankOptions options;
    options.wavelengths = visible;
    options.size = 31;
    Context context(make_serial_runner());
    const PsfBank bank = make_psf_bank(optics_of(lens), options, context);
    const CameraResponse response = camera_response(gaussian_sensor(), black_body(5500), visible);
    SpectralBlur through_bands(31, 3, 40, 40), through_white(3, 3, 40, 40);
    through_bands.set_kernels(camera_kernels(bank, response, lift_wavelengths()));
    through_white.set_kernels(white_kernels(bank, response));
    EXPECT_LT(dot_test(through_bands), 1e-6);
    Array<float> grey({40, 40}), scene({31, 40, 40}), rgb({3, 40, 40}), a({3, 40, 40}), b({3, 40, 40});
    fill_normal(grey, Philox(5));
    for (Index n = 0; n < scene.elements(); ++n) scene.data()[n] = grey.data()[n % 1600];
    for (Index n = 0; n < rgb.elements(); ++n) rgb.data()[n] = grey.data()[n % 1600];
    context.workspace().reserve(
        std::max(through_bands.workspace_bytes(context), through_white.workspace_bytes(context)));
    through_bands.apply(scene, a, context);
    through_white.apply(rgb, b, context);
    for (Index n = 0; n < a.elements(); ++n) EXPECT_NEAR(a.data()[n], b.data()[n], 1e-5);
}

TEST(OpticsCamera, RefusesTablesThatSayNothing) {
    SpectralTable table = gaussian_sensor();
    table.name = "sensor.csv";
    EXPECT_THAT(
        [&] {
            static_cast<void>(camera_response(table, black_body(6504), {{750e-9, 800e-9}}));
        },
        ThrowsMessage<Error>(
            HasSubstr("sensor.csv: 380 to 730 nm do not overlap the wavelengths 750 to 800 nm")));
    EXPECT_THAT(
        [&] {
            static_cast<void>(camera_response(table, black_body(6504), {{700e-9, 750e-9}}));
        },
        ThrowsMessage<Error>(HasSubstr("sensor.csv: goes from 380 to 730 nm and says nothing of 750 nm")));
    SpectralTable gap = table;
    gap.wavelengths.erase(gap.wavelengths.begin() + 20, gap.wavelengths.begin() + 24);
    for (auto& curve : gap.curves) curve.erase(curve.begin() + 20, curve.begin() + 24);
    EXPECT_THAT([&] { check_table(gap); },
                ThrowsMessage<Error>(HasSubstr("has a gap from 475 to 500 nm, other steps are 5 nm")));
    table.curves[1][7] = std::numeric_limits<double>::quiet_NaN();
    EXPECT_THAT([&] { check_table(table); },
                ThrowsMessage<Error>(HasSubstr("curve 1 has no value, or one below 0, at 415 nm")));
}

TEST(OpticsSensor, NoiseHasTheVarianceOfItsElectrons) {
    Sensor sensor;
    const std::vector<double> white = {0.6, 1, 0.5};
    Array<float> clean({3, 128, 128}), noisy({3, 128, 128});
    std::fill(clean.begin(), clean.end(), 0.4F);
    Context context(make_serial_runner());
    take_photograph(clean, sensor, white, 1, 2, noisy, context);
    for (Index c = 0; c < 3; ++c) {
        double mean = 0, square = 0;
        for (Index i = 0; i < 128; ++i)
            for (Index j = 0; j < 128; ++j) {
                mean += noisy(c, i, j) / 16384.0;
                square += std::pow(noisy(c, i, j) - 0.4, 2) / 16384;
            }
        const double expected = noise_variance(sensor, white[static_cast<std::size_t>(c)], 0.4);
        EXPECT_NEAR(mean, 0.4, 4 * std::sqrt(expected / 16384));
        EXPECT_NEAR(square / expected, 1, 4 * std::sqrt(2 / 16384.0)) << c;
    }
    // The most sensitive channel has 4000 electrons at 0.4, with 100 of read noise in the variance.
    EXPECT_NEAR(noise_variance(sensor, 1, 0.4), 4100 / 1e8, 1e-9);
}

TEST(OpticsSensor, CornersAreDarker) {
    Sensor sensor;
    sensor.vignetting = 0.3;
    const Array<float> factor = vignette(sensor, 11, 21);
    EXPECT_NEAR(factor(0, 0), 0.7, 1e-6);
    EXPECT_NEAR(factor(5, 10), 1, 1e-6);
    sensor.vignetting = 1;
    EXPECT_THAT([&] { check_sensor(sensor); },
                ThrowsMessage<Error>(HasSubstr("vignetting must be 0 to below 1, got 1")));
}

TEST(OpticsLift, SpectraAreReflectances) {
    const View<const float> basis = lift_basis();
    for (Index b = 0; b < 31; ++b) {
        EXPECT_NEAR(basis(0, b) + basis(1, b) + basis(2, b), 1, 1e-5);
        for (Index c = 0; c < 3; ++c) EXPECT_GE(basis(c, b), 0);
    }
    Array<float> rgb({3, 1, 1});
    rgb(0, 0, 0) = 0.2F, rgb(1, 0, 0) = 0.5F, rgb(2, 0, 0) = 0.9F;
    const Array<float> cube = lift(rgb);
    EXPECT_NEAR(cube(30, 0, 0), 0.2, 1e-6);
    EXPECT_NEAR(cube(15, 0, 0), 0.5, 1e-6);
}

TEST(OpticsFabrication, NoiseOfTheHeightScattersLightAsRoughnessDoes) {
    // What is left on the axis is exp(-s^2), s the deviation of the phase (Marechal), for many rings.
    DiffractiveLens lens;
    lens.levels = 16;
    FabricationErrors errors;
    errors.height_noise = 40e-9;
    const double phase = 2 * pi * (lens.material.refractive_index(550e-9) - 1) * 40e-9 / 550e-9;
    const double made = axial_efficiency(optics_of(lens), 550e-9);
    double mean = 0;
    for (std::uint64_t sample = 0; sample < 20; ++sample) {
        RadialOptics optics = optics_of(lens);
        optics.profile = fabricate(lens, errors, 7, sample);
        mean += axial_efficiency(optics, 550e-9) / 20;
    }
    EXPECT_NEAR(mean / made, std::exp(-phase * phase), 5e-3);
}

TEST(OpticsFabrication, MasksWithoutErrorMakeTheDesign) {
    DiffractiveLens lens;
    lens.levels = 8;
    lens.diameter = 1e-3;
    const RadialProfile design = relief_of(lens), made = fabricate(lens, {}, 1, 0);
    for (std::size_t i = 0; i < design.size(); ++i)
        EXPECT_NEAR(made[i].inner_height, design[i].inner_height, 1e-15);
    const HeightMap map = fabricate(lens, {}, 2e-6, 1, 0), expected = map_of(design, 2e-6);
    for (Index n = 0; n < map.height.elements(); ++n)
        EXPECT_NEAR(map.height.data()[n], expected.height.data()[n], 1e-15);
    FabricationErrors errors;
    errors.etch_depth = 0.05;
    EXPECT_LT(axial_efficiency({fabricate(lens, errors, 1, 0)}, 550e-9), axial_efficiency({design}, 550e-9));
    errors.centring = 1e-6;
    EXPECT_NE(fabricate(lens, errors, 2e-6, 1, 0).height(100, 100), map.height(100, 100));
    EXPECT_THAT([&] { static_cast<void>(fabricate(lens, errors, 1, 0)); },
                ThrowsMessage<Error>(HasSubstr("masks out of centre leave no symmetric lens")));
    lens.levels = 6;
    EXPECT_THAT([&] { static_cast<void>(fabricate(lens, errors, 2e-6, 1, 0)); },
                ThrowsMessage<Error>(HasSubstr("6 levels are not made with masks")));
}

}  // namespace
}  // namespace sonolux
