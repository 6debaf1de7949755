// tests/simulation/optics/optics_radial_psf_test.cpp
//
// Symmetric diffractive optics against what textbooks say of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include <sonolux/simulation/optics/radial_psf.hpp>

namespace sonolux {
namespace {

using std::numbers::pi;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// The lens of the figures: f 100 mm, D 8 mm, 550 nm, fused silica.
DiffractiveLens long_lens(int order, int levels) {
    DiffractiveLens lens;
    lens.focal_length = 0.1;
    lens.diameter = 8e-3;
    lens.order = order;
    lens.levels = levels;
    lens.parabolic = true;
    return lens;
}

// Seen as the theory of these figures does.
RadialOptics paraxial_optics(const DiffractiveLens& lens) {
    RadialOptics optics = optics_of(lens);
    optics.paraxial = true;
    return optics;
}

TEST(OpticsMaterial, HasThePublishedIndices) {
    // Malitson 1965, table 1, at 486.13, 589.29 and 656.27 nm; Schott's n_d of N-BK7 (587.56 nm).
    const Material& silica = material_by_name("fused-silica");
    EXPECT_NEAR(silica.refractive_index(486.1327e-9), 1.46313, 1e-5);
    EXPECT_NEAR(silica.refractive_index(589.2938e-9), 1.45840, 1e-5);
    EXPECT_NEAR(silica.refractive_index(656.2725e-9), 1.45637, 1e-5);
    EXPECT_NEAR(material_by_name("n-bk7").refractive_index(587.5618e-9), 1.51680, 1e-5);
}

TEST(OpticsMaterial, IsNotUsedOutsideItsMeasurements) {
    EXPECT_THAT([] { static_cast<void>(material_by_name("pmma").refractive_index(400e-9)); },
                ThrowsMessage<Error>(HasSubstr(
                    "pmma: the refractive index is known from 436.8 to 1052 nm, asked for 400 nm")));
    EXPECT_THAT([] { static_cast<void>(material_by_name("glass")); },
                ThrowsMessage<Error>(HasSubstr("no material \"glass\"; there are fused-silica, pmma")));
}

TEST(OpticsLens, IsAsHighAsItsMaterialAsksFor) {
    DiffractiveLens lens;
    EXPECT_NEAR(full_height(lens), 1.196e-6, 1e-9);
    lens.material = material_by_name("pmma");
    EXPECT_NEAR(full_height(lens), 1.117e-6, 1e-9);
    lens.material = material_by_name("noa61");
    EXPECT_NEAR(full_height(lens), 0.978e-6, 1e-9);
}

TEST(OpticsLens, RefusesWhatCannotBeMade) {
    DiffractiveLens lens;
    lens.largest_height = 1e-6;
    EXPECT_THAT([&] { static_cast<void>(relief_of(lens)); },
                ThrowsMessage<Error>(HasSubstr("is 1.19588385 um high, and at most 1 um can be made")));
    lens = {};
    lens.levels = 1;
    EXPECT_THAT([&] { static_cast<void>(relief_of(lens)); },
                ThrowsMessage<Error>(HasSubstr("levels must be 0 (continuous) or 2 to 4096, got 1")));
    lens = {};
    lens.diameter = 0;
    EXPECT_THAT([&] { static_cast<void>(relief_of(lens)); },
                ThrowsMessage<Error>(HasSubstr("the diameter must be above 0 m, got 0")));
    EXPECT_THAT([] { static_cast<void>(relief_of([](double r) { return 1e-3 * r; }, 4e-3, 1e-6, 1e-6)); },
                ThrowsMessage<Error>(HasSubstr("it must be 0 to 1 um")));
    EXPECT_THAT(
        [] {
            check_profile({{0, 1e-3, 0, 0}, {2e-3, 3e-3, 0, 0}});
        },
        ThrowsMessage<Error>(HasSubstr("ring 1 goes from 0.002 to 0.003 m, it must begin at 0.001 m")));
}

TEST(OpticsRadial, IdealLensIsAnAiryPatternToRounding) {
    const double wavelength = 550e-9, z = 0.1, radius = 4e-3;
    RadialOptics optics{clear_aperture(2 * radius), material_by_name("fused-silica"), z, z};
    std::vector<double> radii;
    for (int i = 0; i < 400; ++i) radii.push_back(0.25e-6 * i);
    const auto field = radial_field(optics, wavelength, radii);
    const double peak = std::pow(pi * radius * radius / (wavelength * z), 2);
    for (std::size_t i = 0; i < radii.size(); ++i) {
        const double x = radii[i], r2 = x * x + z * z;
        const double v = 2 * pi * radius * x / (wavelength * std::sqrt(r2));
        // The obliquity (z / R)^2 and the spreading (z / R)^2 of the sphere about the pupil's centre.
        const double airy =
            v == 0 ? 1 : std::pow(2 * std::cyl_bessel_j(1.0, v) / v, 2) * std::pow(z * z / r2, 2);
        EXPECT_NEAR(std::norm(field[i]) / peak, airy, 1e-12) << x;
    }
}

TEST(OpticsRadial, EncircledEnergyOfAnIdealLensIsRayleighs) {
    // Within the radius v (Born and Wolf, section 8.5.2): 1 - J_0(v)^2 - J_1(v)^2.
    const double wavelength = 550e-9, z = 0.1, radius = 4e-3, end = 60e-6;
    RadialOptics optics{clear_aperture(2 * radius), material_by_name("fused-silica"), z, z};
    const int cells = 1500;
    std::vector<double> radii;  // Simpson's rule
    for (int i = 0; i <= 2 * cells; ++i) radii.push_back(end * i / (2 * cells));
    const auto field = radial_field(optics, wavelength, radii);
    double energy = 0;
    for (std::size_t i = 0; i < radii.size(); ++i) {
        const double weight = i == 0 || i + 1 == radii.size() ? 1 : i % 2 ? 4 : 2;
        energy += weight * std::norm(field[i]) * 2 * pi * radii[i];
    }
    energy *= end / (6 * cells) / (pi * radius * radius);
    const double v = 2 * pi * radius * end / (wavelength * std::hypot(end, z));
    EXPECT_NEAR(energy, 1 - std::pow(::j0(v), 2) - std::pow(::j1(v), 2), 1e-6);
}

TEST(OpticsRadial, FocusMovesInverselyToTheWavelength) {
    // f l_0 / l, within 0.05 %: the maximum on the axis, found by golden section.
    for (const double wavelength : {420e-9, 500e-9, 550e-9, 610e-9, 700e-9}) {
        RadialOptics optics = paraxial_optics(long_lens(1, 0));
        const double expected = 0.1 * 550e-9 / wavelength;
        const auto dim = [&](double z) {
            optics.distance = z;
            const double axis = 0;
            return -std::norm(radial_field(optics, wavelength, {&axis, 1}).front());
        };
        double low = 0.995 * expected, high = 1.005 * expected;
        const double golden = (std::sqrt(5.0) - 1) / 2;
        while (high - low > 1e-7) {
            const double a = high - golden * (high - low), b = low + golden * (high - low);
            (dim(a) < dim(b) ? high : low) = dim(a) < dim(b) ? b : a;
        }
        EXPECT_NEAR((low + high) / 2 / expected, 1, 5e-4) << wavelength;
    }
}

TEST(OpticsRadial, AxialEfficiencyIsTheSincOfTheDetuning) {
    for (const int order : {1, 7})
        for (const double wavelength : {420e-9, 460e-9, 500e-9, 550e-9, 580e-9, 610e-9, 650e-9, 700e-9}) {
            DiffractiveLens lens = long_lens(order, 0);
            const int k = static_cast<int>(std::lround(order * 550e-9 / wavelength));
            RadialOptics optics = paraxial_optics(lens);
            optics.distance = order * lens.wavelength * lens.focal_length / (k * wavelength);
            const double theory = order_efficiency(lens, wavelength, k);
            // The outermost zone is cut off by the aperture: one of 145, or one of 20.8.
            EXPECT_NEAR(axial_efficiency(optics, wavelength), theory, order == 1 ? 1.5e-3 : 5e-3)
                << "order " << order << ", " << wavelength;
            // With whole zones the theory is exact.
            const double zones = std::floor(std::pow(4e-3, 2) / (0.2 * order * 550e-9));
            lens.diameter = 2 * std::sqrt(0.2 * order * 550e-9 * zones);
            optics.profile = relief_of(lens);
            EXPECT_NEAR(axial_efficiency(optics, wavelength), theory, 1e-9)
                << "order " << order << ", " << wavelength;
        }
}

TEST(OpticsRadial, LevelsCostWhatTheySay) {
    for (const auto& [levels, theory] : {std::pair{2, 0.4053}, {4, 0.8106}, {8, 0.9496}, {16, 0.9872}})
        EXPECT_NEAR(axial_efficiency(paraxial_optics(long_lens(1, levels)), 550e-9), theory, 2e-3) << levels;
}

TEST(OpticsRadial, HarmonicLensFocusesManyColoursAtOnePlace) {
    // Before dispersion at 7 550 / k nm: with the index of silica, where m l_0 (n(l) - 1) / (n(l_0) - 1) = k
    // l does not move the focus, only its efficiency.
    const DiffractiveLens lens = long_lens(7, 0);
    for (const auto& [k, wavelength] :
         {std::pair{6, 641.6667e-9}, {7, 550e-9}, {8, 481.25e-9}, {9, 427.7778e-9}}) {
        RadialOptics optics = paraxial_optics(lens);
        const double here = axial_efficiency(optics, wavelength);
        EXPECT_NEAR(here, order_efficiency(lens, wavelength, k), 3e-3) << k;
        EXPECT_GT(here, 0.9) << k;
        optics.distance *= 1.01;
        EXPECT_LT(axial_efficiency(optics, wavelength), 0.1 * here) << k;
    }
}

TEST(OpticsRadial, OnlyTheSphericalDesignIsFreeOfAberration) {
    // Along its whole diameter r^2 / 2 f differs from sqrt(r^2 + f^2) - f by r^4 / 8 f^3, at the edge
    // 0.058 wavelengths. Spread over the aperture as rho^4, that has the variance 4 / 45 of its square
    // (Born and Wolf, section 9.3), of which the axis loses (2 pi)^2 times.
    DiffractiveLens lens = long_lens(1, 0);
    const double aberration = std::pow(4e-3, 4) / (8 * std::pow(0.1, 3)) / 550e-9;
    EXPECT_NEAR(axial_efficiency(optics_of(lens), 550e-9), 1 - std::pow(2 * pi * aberration, 2) * 4 / 45,
                2e-4);
    lens.parabolic = false;
    EXPECT_NEAR(axial_efficiency(optics_of(lens), 550e-9), 1, 1e-9);
}

TEST(OpticsRadial, RefusesOpticsThatCannotBe) {
    RadialOptics optics = optics_of(DiffractiveLens{});
    optics.distance = 0;
    const double axis = 0;
    EXPECT_THAT(
        [&] {
            static_cast<void>(radial_field(optics, 550e-9, {&axis, 1}));
        },
        ThrowsMessage<Error>(HasSubstr("the distance must be above 0 m, got 0")));
}

}  // namespace
}  // namespace sonolux
