// tests/simulation/optics/optics_propagation_test.cpp
//
// Propagation by Fourier transforms, against Airy, Gauss, the exact sum over rings, and each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include <sonolux/simulation/optics/propagation.hpp>
#include <sonolux/simulation/optics/radial_pixels.hpp>

namespace sonolux {
namespace {

using std::numbers::pi;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr Propagator both[] = {Propagator::fresnel, Propagator::angular_spectrum};

DiffractiveLens small_lens(int levels) {
    DiffractiveLens lens;
    lens.focal_length = 10e-3;
    lens.diameter = 0.5e-3;
    lens.levels = levels;
    return lens;
}

double largest_difference(View<const float> a, View<const float> b) {
    double largest = 0, peak = 0;
    for (Index i = 0; i < a.rows(); ++i)
        for (Index j = 0; j < a.columns(); ++j) {
            largest = std::max(largest, std::abs(double{a(i, j)} - double{b(i, j)}));
            peak = std::max(peak, double{a(i, j)});
        }
    return largest / peak;
}

TEST(OpticsPropagation, IdealLensIsAnAiryPattern) {
    // Pixels of a hundredth of the pattern's first dark ring (13 um across), every 20th looked at; 500 cells.
    const MapOptics optics{map_of(clear_aperture(1e-3), 2e-6), material_by_name("fused-silica"), 20e-3,
                           20e-3};
    const double wavelength = 550e-9, pixel = 0.1e-6;
    const double area = pi * std::pow(0.5e-3, 2), brightest = std::pow(area / (wavelength * 20e-3), 2);
    for (const Propagator propagator : both) {
        const Array<float> psf = map_psf(optics, wavelength, {pixel, 320}, propagator);
        for (Index i = 0; i < 320; i += 20)
            for (const bool along_x : {false, true}) {
                const double x = static_cast<double>(i - 160) * pixel;
                const double v = 2 * pi * 0.5e-3 * std::abs(x) / (wavelength * std::hypot(x, 20e-3));
                const double airy = v == 0 ? 1 : std::pow(2 * ::j1(v) / v, 2);
                const double light = along_x ? psf(160, i) : psf(i, 160);
                EXPECT_NEAR(light * optics.map.light() / (pixel * pixel) / brightest, airy, 1e-3) << x;
            }
    }
}

TEST(OpticsPropagation, LosesNoLight) {
    // A Gaussian beam exp(-r^2 / w^2), focused: all of it is within the window but for what cells of the
    // width d, each of one amplitude, scatter far away: the variance within them, d^2 / 6 w^2 of the light.
    const double pitch = 2e-6, waist = 0.14e-3;
    MapOptics optics{empty_map(512, pitch), material_by_name("fused-silica"), 20e-3, 20e-3};
    for (Index i = 0; i < 512; ++i)
        for (Index j = 0; j < 512; ++j)
            optics.map.amplitude(i, j) = std::exp(
                -(std::pow(optics.map.middle(i), 2) + std::pow(optics.map.middle(j), 2)) / (waist * waist));
    for (const Propagator propagator : both) {
        const Array<float> psf = map_psf(optics, 550e-9, {4e-6, 65}, propagator);
        double sum = 0;
        for (const float value : psf) sum += value;
        EXPECT_NEAR(sum + pitch * pitch / (6 * waist * waist), 1, 1e-6) << static_cast<int>(propagator);
    }
}

TEST(OpticsPropagation, RefinesTheCellsBeforeAnIdealLensThatIsOutOfFocus) {
    // A Gaussian beam of waist w_0, focused far before the sensor, has there the radius
    // w = w_0 sqrt((1 - z / f)^2 + (z l / pi w_0^2)^2) (A. Siegman 1986, Lasers, chapter 20).
    const double waist = 80e-6, f = 5e-3, z = 20e-3, wavelength = 550e-9, pixel = 12e-6;
    MapOptics optics{empty_map(50, 8e-6), material_by_name("fused-silica"), z, f};
    for (Index i = 0; i < 50; ++i)
        for (Index j = 0; j < 50; ++j)
            optics.map.amplitude(i, j) = std::exp(
                -(std::pow(optics.map.middle(i), 2) + std::pow(optics.map.middle(j), 2)) / (waist * waist));
    const double w = waist * std::hypot(1 - z / f, z * wavelength / (pi * waist * waist));
    for (const Propagator propagator : both) {
        const Array<float> psf = map_psf(optics, wavelength, {pixel, 49}, propagator);
        const double x = 20 * pixel;
        EXPECT_NEAR(psf(24, 24) * pi * w * w / (2 * pixel * pixel), 1, 0.01) << static_cast<int>(propagator);
        EXPECT_NEAR(psf(24, 44) / psf(24, 24) / std::exp(-2 * x * x / (w * w)), 1, 0.02)
            << static_cast<int>(propagator);
    }
}

TEST(OpticsPropagation, AgreesWithTheExactSumOverRings) {
    // A 4-level lens, out of focus and in focus; cells of 1 um stand for its rings.
    const DiffractiveLens lens = small_lens(4);
    const RadialOptics exact = optics_of(lens);
    const MapOptics optics{map_of(exact.profile, 1e-6), lens.material, lens.focal_length, 0};
    PsfBankOptions options;
    options.wavelengths = {480e-9, 550e-9, 640e-9};
    options.size = 48;
    options.pixel = 4e-6;
    options.allow_coarse_wavelengths = true;
    options.tolerance = 1e-3;
    Context context(make_serial_runner());
    const PsfBank bank = make_psf_bank(exact, options, context);
    for (Index w = 0; w < 3; ++w) {
        const double wavelength = options.wavelengths[static_cast<std::size_t>(w)];
        const Array<float> fresnel = map_psf(optics, wavelength, {4e-6, 48});
        const Array<float> spectrum = map_psf(optics, wavelength, {4e-6, 48}, Propagator::angular_spectrum);
        EXPECT_LT(largest_difference(bank.psf.view()[w], fresnel.view()), 5e-3) << wavelength;
        EXPECT_LT(largest_difference(bank.psf.view()[w], spectrum.view()), 5e-3) << wavelength;
        EXPECT_LT(largest_difference(fresnel.view(), spectrum.view()), 2e-3) << wavelength;
    }
}

TEST(OpticsPropagation, SeesTheSameFromAnAngle) {
    // 5 degrees to the side and 3 down. The two share neither grid nor approximation.
    const DiffractiveLens lens = small_lens(0);
    const MapOptics optics{map_of(relief_of(lens), 1e-6), lens.material, lens.focal_length, 0};
    const PsfWindow window{4e-6, 40, std::tan(5 * pi / 180), std::tan(3 * pi / 180)};
    const Array<float> fresnel = map_psf(optics, 550e-9, window);
    const Array<float> spectrum = map_psf(optics, 550e-9, window, Propagator::angular_spectrum);
    EXPECT_LT(largest_difference(spectrum, fresnel), 5e-3);
    // A flat lens has astigmatism, and its focus lies on a sphere: from an angle it is less sharp.
    const Array<float> on_axis = map_psf(optics, 550e-9, {4e-6, 40});
    EXPECT_LT(fresnel(20, 20), 0.97 * on_axis(20, 20));
}

TEST(OpticsPropagation, AnArrayOfAperturesIsTheirInterference) {
    // Two holes of 100 um, 500 um apart, before an ideal lens: Young's fringes of period l f / d = 22 um.
    const MapOptics optics{array_of({clear_aperture(0.1e-3)}, 1, 2, 0.5e-3, 2e-6),
                           material_by_name("fused-silica"), 20e-3, 20e-3};
    const Array<float> psf = map_psf(optics, 550e-9, {1e-6, 64});
    EXPECT_LT(psf(32, 32 + 11), 0.01 * psf(32, 32));
    EXPECT_GT(psf(32, 32 + 22), 0.8 * psf(32, 32));
    EXPECT_GT(psf(32 + 11, 32), 0.9 * psf(32, 32));
}

TEST(OpticsPropagation, BanksOfMapsAreThoseOfTheirProfiles) {
    const DiffractiveLens lens = small_lens(2);
    PsfBankOptions options;
    options.wavelengths = {550e-9, 552e-9};
    options.size = 24;
    Context context(make_openmp_runner(2));
    const MapOptics optics{map_of(relief_of(lens), 1e-6), lens.material, lens.focal_length, 0};
    const PsfBank a = make_psf_bank(optics, options, 0, 0, context);
    const PsfBank b = make_psf_bank(optics_of(lens), options, context);
    for (Index w = 0; w < 2; ++w) EXPECT_LT(largest_difference(b.psf.view()[w], a.psf.view()[w]), 5e-3);
}

TEST(OpticsPropagation, RefusesWhatWouldAlias) {
    const MapOptics optics{map_of(clear_aperture(4e-3), 8e-6), material_by_name("fused-silica"), 50e-3,
                           50e-3};
    EXPECT_EQ(field_grid(optics, 550e-9, {8e-6, 129}, Propagator::fresnel).parts, 2);  // l z / D = 6.9 um
    EXPECT_THAT(
        [&] {
            static_cast<void>(map_psf(optics, 550e-9, {8e-6, 2048}, Propagator::fresnel, 4096));
        },
        ThrowsMessage<Error>(HasSubstr("need cells of at most min(wavelength z / aperture, wavelength z / "
                                       "window) = 1.6")));
    EXPECT_THAT(
        [&] {
            static_cast<void>(map_psf(optics, 550e-9, {8e-6, 129}, Propagator::angular_spectrum, 1024));
        },
        ThrowsMessage<Error>(HasSubstr("or the field aliases; at most 1024 are allowed")));
    const double infinite = std::numeric_limits<double>::infinity();
    EXPECT_THAT(
        [&] {
            static_cast<void>(map_psf(optics, 550e-9, {infinite, 129}));
        },
        ThrowsMessage<Error>(HasSubstr("129 pixels of inf m are none")));
    EXPECT_THAT(
        [&] {
            static_cast<void>(map_psf(optics, 550e-9, {1e30, 129}));
        },
        ThrowsMessage<Error>(HasSubstr("or the field aliases")));
}

TEST(OpticsHeightMap, RefusesWhatIsNoRelief) {
    HeightMap map = map_of(clear_aperture(1e-4), 1e-5);
    map.height(3, 4) = 3e-6;
    EXPECT_THAT([&] { check_map(map, 2e-6); },
                ThrowsMessage<Error>(HasSubstr("cell (3, 4) is 3 um high, it must be 0 to 2 um")));
    EXPECT_THAT([] { check_map(empty_map(4, 1e-6)); }, ThrowsMessage<Error>(HasSubstr("no light passes")));
    EXPECT_THAT([&] { put_relief(map, clear_aperture(1e-4), 1e-5, 0); },
                ThrowsMessage<Error>(HasSubstr("does not fit on a map of 0.1 mm")));
    EXPECT_THAT([] { static_cast<void>(array_of({clear_aperture(1e-4)}, 2, 2, 0.5e-4, 1e-5)); },
                ThrowsMessage<Error>(HasSubstr("apertures of 0.1 mm overlap")));
    EXPECT_THAT([] { static_cast<void>(map_of(clear_aperture(1e-4), 1e-30)); },
                ThrowsMessage<Error>(HasSubstr("0.1 mm in cells of 1e-24 um are 1e+26 along a side")));
    DiffractiveLens lens;
    lens.ring_width = 1e-30;
    EXPECT_THAT([&] { static_cast<void>(relief_of(lens)); },
                ThrowsMessage<Error>(HasSubstr("rings of 1e-30 m are too many for a radius of 0.002 m")));
}

}  // namespace
}  // namespace sonolux
