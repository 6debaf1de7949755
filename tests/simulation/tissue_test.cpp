#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include <sonolux/simulation/phantoms/scatterers.hpp>
#include <sonolux/simulation/phantoms/tissue.hpp>

namespace sonolux {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const ImageGrid map_grid = centred_grid(84, 64, 0.6e-3);

TissueOptions only(TissueFamily family) {
    TissueOptions options;
    for (std::size_t f = 0; f < tissue_families.size(); ++f)
        options.weights[f] = tissue_families[f] == family ? 1 : 0;
    return options;
}

bool equal(View<const float> a, View<const float> b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

double covariance(FieldCovariance kind, double r) {
    switch (kind) {
        case FieldCovariance::gaussian: return std::exp(-r * r / 2);
        case FieldCovariance::matern: return (1 + std::sqrt(3.0) * r) * std::exp(-std::sqrt(3.0) * r);
        case FieldCovariance::exponential: break;
    }
    return std::exp(-r);
}

TEST(GaussianField, HasTheMeanAndCovarianceOfItsFormula) {
    const double correlation_length = 2e-3, aspect = 1.5;
    const int fields = 1500;
    for (const FieldCovariance kind :
         {FieldCovariance::gaussian, FieldCovariance::matern, FieldCovariance::exponential}) {
        const std::vector<Point> steps = {{0, 0},      {0, 1e-3},    {0, 2e-3}, {0, 4e-3},
                                          {1.5e-3, 0}, {3e-3, 1e-3}, {9e-3, 0}};
        std::vector<double> products(steps.size());
        double sum = 0;
        for (int n = 0; n < fields; ++n) {
            const GaussianField field(kind, correlation_length, aspect,
                                      Philox(5, 0, static_cast<std::uint64_t>(n)));
            const Point p{7e-3, 3e-3};
            const double here = field(p);
            sum += here;
            for (std::size_t s = 0; s < steps.size(); ++s) products[s] += here * field(p + steps[s]);
        }
        // Five standard errors: products of unit normals have variance 1 + correlation^2.
        EXPECT_NEAR(sum / fields, 0, 5 / std::sqrt(fields));
        for (std::size_t s = 0; s < steps.size(); ++s) {
            const double r = std::hypot(steps[s].z, steps[s].x / aspect) / correlation_length;
            const double expected = covariance(kind, r);
            EXPECT_NEAR(products[s] / fields, expected, 5 * std::sqrt((1 + expected * expected) / fields))
                << to_string(kind) << " at " << r;
        }
    }
}

TEST(GaussianField, IsTheSameAlongARowAsPointByPoint) {
    const GaussianField field(FieldCovariance::exponential, 1e-3, 1, Philox(2));
    std::vector<double> row(500);
    field.row(4e-3, -10e-3, 0.05e-3, 500, row.data());
    for (std::size_t n = 0; n < row.size(); ++n)  // 500 turns of doubles, of waves that are up to 1 high
        EXPECT_NEAR(row[n], field({-10e-3 + 0.05e-3 * static_cast<double>(n), 4e-3}), 1e-11);
}

TEST(TissuePhantom, IsTheSameAgainInAnyOrderAndDiffersByIndexAndSeed) {
    const TissueOptions options;
    const auto speed = [&](std::uint64_t seed, std::uint64_t index) {
        Medium medium = TissuePhantom(options, seed, index).render(map_grid);
        Array<float> map(map_grid.shape());
        std::copy(medium.sound_speed.values().begin(), medium.sound_speed.values().end(), map.data());
        return map;
    };
    const Array<float> seven = speed(1, 7), three = speed(1, 3), again = speed(1, 7);
    EXPECT_TRUE(equal(seven, again));
    EXPECT_FALSE(equal(seven, three));
    EXPECT_FALSE(equal(seven, speed(2, 7)));
}

TEST(TissuePhantom, GivesEachFamilyItsShareOfTheIndices) {
    TissueOptions options;
    options.weights = {1, 0, 2, 0, 1};
    std::array<int, 5> counts{};
    for (std::uint64_t n = 0; n < 4000; ++n)
        ++counts[static_cast<std::size_t>(TissuePhantom(options, 1, n).family())];
    EXPECT_EQ(counts[1] + counts[3], 0);
    EXPECT_NEAR(counts[0], 1000, 5 * std::sqrt(750));  // five standard deviations of a binomial number
    EXPECT_NEAR(counts[2], 2000, 5 * std::sqrt(1000));
}

TEST(TissuePhantom, KeepsToTheRangesOfItsOptions) {
    TissueOptions options;
    options.background.sound_speed = {1490, 1510};
    options.ellipses.contrast = {-50, 50};
    options.speed_limits = {1400, 1650};
    options.heterogeneity.deviation = {0, 20};
    for (const TissueFamily family : tissue_families) {
        options.weights = only(family).weights;
        for (std::uint64_t n = 0; n < 20; ++n) {
            const Medium medium = TissuePhantom(options, 3, n).render(map_grid);
            EXPECT_NO_THROW(validate(medium)) << to_string(family);
            const SpeedRange speeds = speed_range(medium);
            EXPECT_GE(speeds.lowest, 1400 - 1e-3F);
            EXPECT_LE(speeds.highest, 1650 + 1e-3F);
        }
    }
    TissueOptions ellipses = only(TissueFamily::ellipses);
    ellipses.ellipses.count = {2, 5};
    for (std::uint64_t n = 0; n < 200; ++n) {
        const TissuePhantom phantom(ellipses, 3, n);
        ASSERT_GE(phantom.regions().size(), 2u);
        ASSERT_LE(phantom.regions().size(), 4u);
        for (const TissueRegion& region : phantom.regions()) {
            const double contrast = region.tissue.sound_speed - phantom.background().sound_speed;
            EXPECT_LE(std::abs(contrast), 60);
            EXPECT_GE(region.radius, 1e-3);
            EXPECT_LE(region.radius, 8e-3);
            EXPECT_LE(std::abs(region.centre.x), 19e-3);
        }
    }
}

// A set that others test with: a disc of radius 3.81 mm at x = 0, z = 20 mm, 30 m/s faster than 1500 m/s.
TEST(TissuePhantom, RendersADiscWithItsAreaItsPlaceAndItsContrast) {
    TissueOptions options = only(TissueFamily::ellipses);
    options.width = 1e-4;
    options.background.sound_speed = {1500, 1500};
    options.ellipses.count = {1, 1};
    options.ellipses.radius = {3.81e-3, 3.81e-3};
    options.ellipses.aspect = {1, 1};
    options.ellipses.contrast = {30, 30};
    options.supersampling = 8;
    const TissuePhantom phantom(options, 1, 0);
    const Point centre = phantom.regions().front().centre;
    const ImageGrid grid = centred_grid(100, 100, 0.2e-3, centre.z - 10e-3);
    const Medium medium = phantom.render(grid);
    double area = 0, x = 0, z = 0;
    for (Index i = 0; i < grid.rows; ++i)
        for (Index j = 0; j < grid.columns; ++j) {
            const double part = (1 / 1500.0 - 1 / medium.sound_speed(i, j)) / (1 / 1500.0 - 1 / 1530.0);
            const double cell = part * grid.row_spacing * grid.column_spacing;
            area += cell;
            x += cell * grid.x(static_cast<double>(j));
            z += cell * grid.z(static_cast<double>(i));
        }
    const double exact = std::acos(-1.0) * 3.81e-3 * 3.81e-3;
    EXPECT_NEAR(area / exact, 1, 2e-3);  // 8 x 8 points in each cell of the border, and 24-bit speeds
    EXPECT_NEAR(x / area, centre.x, 2e-6);
    EXPECT_NEAR(z / area, centre.z, 2e-6);
    EXPECT_FLOAT_EQ(medium.sound_speed(50, 50), 1530);
    EXPECT_FLOAT_EQ(medium.sound_speed(2, 2), 1500);
}

TEST(TissuePhantom, IsTheSameTissueOnCoarseAndFineGrids) {
    for (const TissueFamily family : tissue_families) {
        const TissuePhantom phantom(only(family), 4, 1);
        const ImageGrid fine = centred_grid(336, 256, 0.15e-3, -0.225e-3);
        const Medium averaged = resample(phantom.render(fine), centred_grid(80, 60, 0.6e-3, 1.2e-3));
        const Medium coarse = phantom.render(centred_grid(80, 60, 0.6e-3, 1.2e-3));
        double squares = 0;
        for (Index i = 0; i < 80; ++i)
            for (Index j = 0; j < 60; ++j)
                squares += std::pow(averaged.sound_speed(i, j) - coarse.sound_speed(i, j), 2);
        // 3 x 3 points of a cell at an edge err by up to a sixth of the contrast, of 100 m/s at most.
        EXPECT_LT(std::sqrt(squares / 4800), 3) << to_string(family);
    }
}

TEST(TissuePhantom, LaysSkinOverFatOverMuscleOverAnOrgan) {
    TissueOptions options = only(TissueFamily::layers);
    options.layers.tilt = {0, 0};
    options.layers.undulation = {0, 0};
    for (std::uint64_t n = 0; n < 50; ++n) {
        const TissuePhantom phantom(options, 6, n);
        const auto within = [&](double z, const TissueRanges& tissue) {
            const double speed = phantom.at({0, z}).sound_speed;
            return speed >= tissue.sound_speed.low && speed <= tissue.sound_speed.high;
        };
        EXPECT_TRUE(within(0.5e-3, options.layers.skin));
        EXPECT_TRUE(within(3e-3, options.layers.fat));
        EXPECT_TRUE(within(49e-3, options.layers.organ));
    }
}

TEST(TissuePhantom, LetsContrastRiseOverTheWidthOfASoftEdge) {
    TissueRegion region;
    region.centre = {1e-3, 20e-3};
    region.radius = 5e-3;
    region.edge = 2e-3;
    EXPECT_DOUBLE_EQ(region.weight({1e-3, 20e-3}), 1);
    EXPECT_NEAR(region.weight({1e-3, 15e-3}), 0.5, 1e-12);
    EXPECT_DOUBLE_EQ(region.weight({1e-3, 16.1e-3}), 1);
    EXPECT_DOUBLE_EQ(region.weight({1e-3, 14e-3}), 0);
    region.stretch = 2;  // half axes 10 mm along x, 2.5 mm along z
    EXPECT_NEAR(region.depth_within({11e-3, 20e-3}), 0, 1e-15);
    EXPECT_NEAR(region.depth_within({1e-3, 22.5e-3}), 0, 1e-15);
    EXPECT_NEAR(region.depth_within({1e-3, 23e-3}), -0.5e-3, 1e-15);
}

TEST(TissuePhantom, RefusesBadOptionsByName) {
    const auto with = [](auto change) {
        return [change] {
            TissueOptions options;
            change(options);
            validate(options);
        };
    };
    EXPECT_NO_THROW(with([](auto&) {})());
    EXPECT_THAT(with([](auto& o) {
                    o.ellipses.radius = {5e-3, 1e-3};
                }),
                ThrowsMessage<Error>(HasSubstr("ellipses.radius is reversed: it goes from 0.005 to 0.001")));
    EXPECT_THAT(
        with([](auto& o) {
            o.layers.fat.sound_speed = {1.45, 1.48};
        }),
        ThrowsMessage<Error>(HasSubstr("layers.fat.sound_speed must be from 300 to 10000 m/s, got 1.45")));
    EXPECT_THAT(with([](auto& o) { o.weights = {}; }), ThrowsMessage<Error>(HasSubstr("no family")));
    EXPECT_THAT(with([](auto& o) { o.width = 38; }), ThrowsMessage<Error>(HasSubstr("width must be from")));
    EXPECT_THAT(with([](auto& o) { o.breast.lesion_fraction = NAN; }),
                ThrowsMessage<Error>(HasSubstr("breast.lesion_fraction")));
    EXPECT_THAT(with([](auto& o) { o.supersampling = 0; }), ThrowsMessage<Error>(HasSubstr("supersampling")));
}

// --- scatterers ---

TEST(Scatterers, ComeAsAPoissonProcessOfTheStatedDensity) {
    ScattererOptions options;
    options.per_cell = 23;  // above and below the parts of 16 that the numbers are drawn in
    options.left = -5e-3, options.right = 5e-3, options.top = 0, options.bottom = 6e-3;
    const TissuePhantom phantom(only(TissueFamily::ellipses), 1, 0);
    double sum = 0, squares = 0;
    const int draws = 40;
    for (int n = 0; n < draws; ++n) {
        std::vector<int> cells(20 * 20);
        for (const PointScatterer& s : draw_scatterers(options, phantom, 9, static_cast<std::uint64_t>(n))) {
            ASSERT_TRUE(s.position.x >= -5e-3 && s.position.x < 5e-3 && s.position.z >= 0 &&
                        s.position.z < 6e-3);
            const auto i = static_cast<int>(s.position.z / 0.3e-3),
                       j = static_cast<int>((s.position.x + 5e-3) / 0.5e-3);
            ++cells[static_cast<std::size_t>(i * 20 + j)];
        }
        for (const int count : cells) sum += count, squares += count * count;
    }
    const double counts = draws * 400, mean = sum / counts, variance = squares / counts - mean * mean;
    EXPECT_NEAR(mean, 23, 5 * std::sqrt(23 / counts));
    EXPECT_NEAR(variance, 23, 5 * 23 * std::sqrt(2 / counts));
}

TEST(Scatterers, AreAsStrongAsTheTissueIsEchogenic) {
    TissueOptions tissue = only(TissueFamily::ellipses);
    tissue.width = 1e-4;
    tissue.ellipses.count = {1, 1};
    tissue.ellipses.radius = {8e-3, 8e-3};
    tissue.ellipses.aspect = {1, 1};
    tissue.ellipses.echogenicity_contrast = {-12, -12};
    const TissuePhantom phantom(tissue, 1, 0);
    double inside = 0, outside = 0, count_inside = 0, count_outside = 0;
    for (const PointScatterer& s : draw_scatterers({}, phantom, 2, 0)) {
        const bool within = phantom.regions().front().depth_within(s.position) >= 0;
        (within ? inside : outside) += s.amplitude * s.amplitude;
        (within ? count_inside : count_outside) += 1;
    }
    ASSERT_GT(count_inside, 5000);
    EXPECT_NEAR(10 * std::log10(inside / count_inside), -12, 5 * 4.34 * std::sqrt(2 / count_inside));
    EXPECT_NEAR(10 * std::log10(outside / count_outside), 0, 5 * 4.34 * std::sqrt(2 / count_outside));
}

TEST(Scatterers, ChangeTheDensityAndKeepTheirSumAndTheirCentre) {
    Medium medium{.grid = centred_grid(20, 20, 1e-3)};
    add_scatterers(medium, {{{0.3e-3, 7.8e-3}, 2.0F}}, 0.01);
    double sum = 0, x = 0, z = 0;
    for (Index i = 0; i < 20; ++i)
        for (Index j = 0; j < 20; ++j) {
            const double change = medium.density(i, j) / 1000 - 1;
            sum += change;
            x += change * medium.grid.x(static_cast<double>(j));
            z += change * medium.grid.z(static_cast<double>(i));
        }
    EXPECT_NEAR(sum, 0.02, 1e-6);  // densities are 24-bit numbers
    EXPECT_NEAR(x / sum, 0.3e-3, 1e-6);
    EXPECT_NEAR(z / sum, 7.8e-3, 2e-6);
    EXPECT_THAT([&] { add_scatterers(medium, {}, 2); }, ThrowsMessage<Error>(HasSubstr("strength")));
    EXPECT_THAT(
        [&] {
            add_scatterers(medium, {{{0, 5e-3}, 1.0F}, {{0, 25e-3}, 1.0F}}, 0.01);
        },
        ThrowsMessage<Error>(HasSubstr("1 of 2 scatterers are outside the grid")));
}

TEST(Scatterers, ChangeTheCompressibilityInTheirPlace) {
    Medium medium{.grid = centred_grid(20, 20, 1e-3)};
    add_compressible_scatterers(medium, {{{0.3e-3, 7.8e-3}, 2.0F}}, 0.01);
    double sum = 0;
    for (Index i = 0; i < 20; ++i)
        for (Index j = 0; j < 20; ++j) sum += std::pow(1540.0 / medium.sound_speed(i, j), 2) - 1;
    EXPECT_NEAR(sum, 0.02, 1e-5);  // speeds are 24-bit numbers, and there are 400
    EXPECT_TRUE(medium.density.constant());
}

TEST(Tissue, RefusesAContrastThatLeavesNoDensity) {
    TissueOptions options;
    options.ellipses.density_contrast = {-1200, 0};
    EXPECT_THAT(
        [&] { validate(options); },
        ThrowsMessage<Error>(HasSubstr("ellipses.density_contrast of -1200 kg/m^3 leaves no density")));
}

TEST(Scatterers, RefuseBadOptionsByName) {
    const auto with = [](auto change) {
        return [change] {
            ScattererOptions options;
            change(options);
            validate(options);
        };
    };
    EXPECT_THAT(with([](auto& o) { o.per_cell = -1; }), ThrowsMessage<Error>(HasSubstr("per_cell")));
    EXPECT_THAT(with([](auto& o) { o.cell_width = 1e-6, o.per_cell = 1000; }),
                ThrowsMessage<Error>(HasSubstr("at most 16777216")));
    EXPECT_THAT(with([](auto& o) { o.left = 0.02; }), ThrowsMessage<Error>(HasSubstr("left and right")));
}

}  // namespace
}  // namespace sonolux
