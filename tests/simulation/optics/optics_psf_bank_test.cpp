// tests/simulation/optics/optics_psf_bank_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include <sonolux/simulation/optics/bessel_table.hpp>
#include <sonolux/simulation/optics/psf_bank.hpp>
#include <sonolux/simulation/optics/radial_pixels.hpp>

namespace sonolux {
namespace {

using std::numbers::pi;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

DiffractiveLens small_lens(int levels) {
    DiffractiveLens lens;
    lens.focal_length = 20e-3;
    lens.diameter = 1e-3;
    lens.levels = levels;
    return lens;
}

// The light on a pixel from the exact field, by many points.
double light_on(const RadialOptics& optics, double wavelength, double pixel, Index i, Index j) {
    const detail::GaussLegendre rule(16);
    std::vector<double> radii, weights;
    for (std::size_t u = 0; u < 16; ++u)
        for (std::size_t v = 0; v < 16; ++v) {
            radii.push_back(std::hypot(pixel * (static_cast<double>(i) + rule.nodes[u] / 2),
                                       pixel * (static_cast<double>(j) + rule.nodes[v] / 2)));
            weights.push_back(rule.weights[u] * rule.weights[v] * pixel * pixel / 4);
        }
    const auto field = radial_field(optics, wavelength, radii, 1e-4);
    double light = 0;
    for (std::size_t n = 0; n < radii.size(); ++n) light += weights[n] * std::norm(field[n]);
    return light / (pi * std::pow(optics.profile.back().outer_radius, 2));
}

TEST(OpticsPsfBank, AgreesWithTheExactSumOnItsPixels) {
    const RadialOptics optics = optics_of(small_lens(16));
    PsfBankOptions options;
    options.wavelengths = {450e-9, 453e-9, 550e-9, 660e-9};
    options.size = 64;
    options.allow_coarse_wavelengths = true;
    Context context(make_serial_runner());
    const PsfBank bank = make_psf_bank(optics, options, context);
    for (Index w = 0; w < bank.count(); ++w) {
        const auto wavelength = options.wavelengths[static_cast<std::size_t>(w)];
        const double peak = light_on(optics, wavelength, options.pixel, 0, 0);
        for (const auto& [i, j] :
             {std::pair<Index, Index>{0, 0}, {0, 1}, {-1, 2}, {3, -3}, {9, 5}, {-20, 30}}) {
            // What cut rings neglect is far below their tolerance: 1e-4 of the brightest pixel, and 1 % here.
            const double exact = light_on(optics, wavelength, options.pixel, i, j);
            EXPECT_NEAR(bank.psf(w, 32 + i, 32 + j), exact, 1e-4 * peak + 1e-2 * exact)
                << wavelength << i << j;
        }
    }
}

TEST(OpticsPsfBank, HoldsTheLightThatFallsIntoItsWindow) {
    // An ideal lens: within the square of 2 a there is between the light in circles of a and of sqrt(2) a.
    RadialOptics optics{clear_aperture(1e-3), material_by_name("fused-silica"), 20e-3, 20e-3};
    PsfBankOptions options;
    options.wavelengths = {550e-9};
    options.size = 101;
    options.pixel = 2e-6;
    Context context(make_serial_runner());
    const PsfBank bank = make_psf_bank(optics, options, context);
    double sum = 0;
    for (const float value : bank.psf) sum += value;
    const auto within = [](double a) {
        const double v = 2 * pi * 0.5e-3 * a / (550e-9 * std::hypot(a, 20e-3));
        return 1 - std::pow(::j0(v), 2) - std::pow(::j1(v), 2);
    };
    EXPECT_GT(sum, within(101e-6));
    EXPECT_LT(sum, within(143e-6));
    EXPECT_LT(within(143e-6) - within(101e-6), 7e-3);
}

TEST(OpticsPsfBank, IsTheSameForAnyNumberOfThreads) {
    PsfBankOptions options;
    options.wavelengths = wavelengths_between(500e-9, 520e-9, 5);
    options.size = 33;
    Context one(make_serial_runner()), three(make_openmp_runner(3));
    const PsfBank a = make_psf_bank(optics_of(small_lens(4)), options, one);
    const PsfBank b = make_psf_bank(optics_of(small_lens(4)), options, three);
    EXPECT_TRUE(std::equal(a.psf.begin(), a.psf.end(), b.psf.begin()));
}

TEST(OpticsPsfBank, RefusesWavelengthsThatAreTooFarApart) {
    PsfBankOptions options;
    options.wavelengths = wavelengths_between(400e-9, 700e-9, 31);
    Context context(make_serial_runner());
    EXPECT_THAT(
        [&] { static_cast<void>(make_psf_bank(optics_of(DiffractiveLens{}), options, context)); },
        ThrowsMessage<Error>(HasSubstr("are 10 nm apart: for pixels of 8 um and an aperture of 4 mm the "
                                       "step must be at most 4 wavelength pixel / diameter = 3.2 nm")));
    options.wavelengths = {500e-9, 500e-9};
    EXPECT_THAT(
        [&] { static_cast<void>(make_psf_bank(optics_of(DiffractiveLens{}), options, context)); },
        ThrowsMessage<Error>(HasSubstr("wavelengths must rise from above 0, got 500 nm as number 2")));
}

TEST(OpticsBesselTable, IsTheBesselFunction) {
    const detail::BesselTable table(300);
    for (double x = 0; x < 300; x += 0.0377) EXPECT_NEAR(table(x), std::cyl_bessel_j(1.0, x), 1e-10) << x;
}

TEST(OpticsRadialPixels, IntegrateGaussianLight) {
    // exp(-r^2 / 2 s^2) over a pixel is a product of error functions.
    const double s = 5e-6, pixel = 8e-6, step = 0.4e-6;
    const detail::RadialPixels pixels(16, pixel, step, 10);
    std::vector<double> samples;
    for (Index i = 0; i < pixels.samples(); ++i)
        samples.push_back(std::exp(-std::pow(static_cast<double>(i) * step / s, 2) / 2));
    Array<float> image({16, 16});
    pixels.integrate(samples.data(), image);
    const auto side = [&](Index i) {
        const double x = static_cast<double>(i - 8) * pixel, root = s * std::sqrt(2.0);
        return s * std::sqrt(pi / 2) * (std::erf((x + pixel / 2) / root) - std::erf((x - pixel / 2) / root));
    };
    for (Index i = 0; i < 16; ++i)
        for (Index j = 0; j < 16; ++j)
            EXPECT_NEAR(image(i, j), side(i) * side(j), 1e-5 * s * s) << i << " " << j;
}

}  // namespace
}  // namespace sonolux
