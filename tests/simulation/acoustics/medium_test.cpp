#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include <sonolux/core/random.hpp>
#include <sonolux/simulation/acoustics/medium.hpp>

namespace sonolux {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Array<float> sampled(const ImageGrid& grid, double (*value)(double z, double x)) {
    Array<float> map(grid.shape());
    for (Index i = 0; i < grid.rows; ++i)
        for (Index j = 0; j < grid.columns; ++j)
            map(i, j) =
                static_cast<float>(value(grid.z(static_cast<double>(i)), grid.x(static_cast<double>(j))));
    return map;
}

Array<float> noise(const ImageGrid& grid) {
    Array<float> map(grid.shape());
    fill_normal(map, Philox(3));
    return map;
}

TEST(Medium, RefusesValuesThatAreNoMediumByNameAndPlace) {
    const ImageGrid grid = centred_grid(3, 4, 1e-3);
    const auto with = [&](auto change) {
        return [&grid, change] {
            Medium medium{.grid = grid};
            change(medium);
            validate(medium);
        };
    };
    const auto one_odd = [&](float usual, float odd) {
        Array<float> map(grid.shape());
        for (float& value : map) value = usual;
        map(1, 2) = odd;
        return map;
    };
    EXPECT_NO_THROW(with([](Medium&) {})());
    EXPECT_THAT(with([&](Medium& m) { m.sound_speed = one_odd(1500, 0); }),
                ThrowsMessage<Error>(
                    HasSubstr("sound_speed must be from 200 to 20000 m/s, got 0 in row 1, column 2")));
    EXPECT_THAT(with([&](Medium& m) { m.sound_speed = one_odd(1500, NAN); }),
                ThrowsMessage<Error>(HasSubstr("got nan in row 1, column 2")));
    EXPECT_THAT(with([](Medium& m) { m.sound_speed = 1.54F; }),
                ThrowsMessage<Error>(HasSubstr("mm/us are 1000 m/s")));
    EXPECT_THAT(
        with([](Medium& m) { m.density = 1.05F; }),
        ThrowsMessage<Error>(HasSubstr("density is 1.04999995 kg/m^3 where sound_speed is 1540 m/s")));
    EXPECT_THAT(with([&](Medium& m) { m.density = one_odd(1000, -1); }),
                ThrowsMessage<Error>(HasSubstr("density must be from 0.05")));
    EXPECT_THAT(
        with([&](Medium& m) { m.attenuation = one_odd(0, -0.5F); }),
        ThrowsMessage<Error>(HasSubstr("attenuation must be from 0 to 1000 dB/(MHz^y cm), got -0.5")));
    EXPECT_THAT(with([](Medium& m) { m.attenuation_power = std::nan(""); }),
                ThrowsMessage<Error>(HasSubstr("attenuation_power")));
    EXPECT_THAT(with([](Medium& m) { m.nonlinearity = std::numeric_limits<float>::infinity(); }),
                ThrowsMessage<Error>(HasSubstr("nonlinearity")));
    EXPECT_THAT(with([](Medium& m) {
                    m.sound_speed = Array<float>({4, 3});
                }),
                ThrowsMessage<Error>(HasSubstr("sound_speed is 4 x 3, the grid is 3 x 4")));
    EXPECT_NO_THROW(with([](Medium& m) { m.sound_speed = 343.0F, m.density = 1.2F; })());  // air
}

TEST(Resample, LeavesAMapOnItsOwnGridAsItIs) {
    const ImageGrid grid = centred_grid(5, 8, 0.3e-3, 1e-3);
    const Array<float> map = noise(grid), again = resample(map, grid, grid);
    for (Index n = 0; n < map.elements(); ++n) EXPECT_FLOAT_EQ(map.data()[n], again.data()[n]);
}

TEST(Resample, KeepsLinearMapsToAnySpacing) {
    const auto plane = [](double z, double x) { return 2 + 30 * z - 70 * x; };
    const ImageGrid from = centred_grid(40, 50, 1e-3);
    const Array<float> map = sampled(from, plane);
    for (double spacing : {0.37e-3, 1e-3, 1.7e-3, 4.3e-3}) {
        const ImageGrid to = centred_grid(6, 7, spacing, 5e-3);
        const Array<float> result = resample(map, from, to), expected = sampled(to, plane);
        for (Index n = 0; n < result.elements(); ++n)
            EXPECT_NEAR(result.data()[n], expected.data()[n], 1e-6)
                << spacing;  // float rounding of values near 5
    }
}

TEST(Resample, AveragesWhatIsFinerThanTheGrid) {
    const ImageGrid from = centred_grid(64, 64, 1e-3);
    Array<float> checkerboard(from.shape());
    for (Index i = 0; i < 64; ++i)
        for (Index j = 0; j < 64; ++j) checkerboard(i, j) = (i + j) % 2 == 0 ? 1.0F : -1.0F;
    const ImageGrid to{12, 12, 5e-3, 5e-3, 4e-3, -28e-3};
    for (float value : resample(checkerboard, from, to)) EXPECT_LT(std::abs(value), 0.05);
}

// A cell is as wide as the spacing, cells cover the plane, so sums times areas agree.
TEST(Resample, KeepsTheIntegralOfAMapThatEndsInZeros) {
    const ImageGrid from = centred_grid(40, 40, 1e-3);
    Array<float> map = noise(from);
    for (Index i = 0; i < 40; ++i)
        for (Index j = 0; j < 40; ++j)
            if (std::min({i, j, 39 - i, 39 - j}) < 5) map(i, j) = 0;
    const ImageGrid to{16, 16, 2.5e-3, 2.5e-3, 0.75e-3, from.first_x + 0.75e-3};
    double before = 0, after = 0;
    for (float value : map) before += value;
    for (float value : resample(map, from, to)) after += 2.5 * 2.5 * value;
    EXPECT_NEAR(after, before, 1e-3);
}

TEST(Resample, AveragesSlownessAndNotSpeed) {
    const ImageGrid from = centred_grid(20, 4, 0.5e-3);
    Array<float> speeds(from.shape());
    for (Index i = 0; i < 20; ++i)
        for (Index j = 0; j < 4; ++j) speeds(i, j) = i % 2 == 0 ? 1000.0F : 3000.0F;
    const Medium layered{.grid = from, .sound_speed = std::move(speeds)};
    const Medium coarse = resample(layered, {3, 2, 2e-3, 0.1e-3, 3e-3, 0});
    // 4 of 8 half cells each: 1 / (1/2 (1/1000 + 1/3000)) = 1500 m/s, while the mean of speeds is 2000.
    for (Index i = 0; i < 3; ++i) EXPECT_NEAR(coarse.sound_speed(i, 0), 1500, 1e-2);
    EXPECT_TRUE(coarse.density.constant());
}

TEST(Resample, RefusesOrExtendsBeyondTheMap) {
    const ImageGrid from = centred_grid(4, 4, 1e-3);
    const Array<float> map = sampled(from, [](double z, double) { return 1 + z; });
    const ImageGrid half_a_cell{5, 4, 1e-3, 1e-3, -0.5e-3, from.first_x},
        more{6, 4, 1e-3, 1e-3, -1e-3, from.first_x};
    EXPECT_NO_THROW((void)resample(map, from, half_a_cell));
    EXPECT_THAT(
        [&] { (void)resample(map, from, more); },
        ThrowsMessage<Error>(HasSubstr("from z = -0.001 to 0.004 m, the map only from 0 to 0.003 m")));
    const Array<float> extended = resample(map, from, more, Outside::extend);
    EXPECT_FLOAT_EQ(extended(0, 2), map(0, 2));
    EXPECT_FLOAT_EQ(extended(5, 2), map(3, 2));
    const Array<float> far = resample(map, from, {2, 2, 5e-3, 5e-3, 0.1, 0.1}, Outside::extend);
    EXPECT_FLOAT_EQ(far(0, 0), map(3, 3));
}

}  // namespace
}  // namespace sonolux
