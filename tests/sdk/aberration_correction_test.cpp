// B-mode formed again with the map that was found: a bright point below a layer of fat with a wavy border, in
// simulated speckle, through delays, inversion and beamforming. The simulator finds arrivals by the eikonal
// equation on 0.3 mm, the inversion uses straight rays on 0.6 mm.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include <sonolux/core/random.hpp>
#include <sonolux/sdk/pipelines/sound_speed.hpp>
#include <sonolux/simulation/acoustics/echo.hpp>
#include <sonolux/simulation/acoustics/pulse.hpp>

namespace sonolux {
namespace {

constexpr Point target{0.6e-3, 20e-3};

double speed_at(Point p) {
    const double border = 7e-3 + 1.5e-3 * std::sin(2 * std::numbers::pi * (p.x + 2e-3) / 11e-3);
    return p.z < border ? 1440 : 1570;
}

/// Seven elements of 96 send; speckle down to 27 mm, and the point 40 times as strong as its scatterers.
ChannelData recording() {
    Context context(make_serial_runner());
    const Pulse pulse({5e6, 4, 0.6});
    ChannelData data{{make_linear_array(96, 0.3e-3, 0.27e-3), {}}, {}};
    Acquisition& a = data.acquisition;
    for (const Index e : {17, 27, 37, 47, 57, 67, 77}) a.transmissions.push_back(single_element(a.array, e));
    a.sampling_frequency = 40e6;
    a.centre_frequency = 5e6;
    a.start_times.assign(7, 0);
    a.samples = 1750;
    a.peak_time = pulse.peak_time();
    a.sound_speed = 1540;
    const ImageGrid fine = centred_grid(96, 111, 0.3e-3);
    Array<float> speed(fine.shape());
    for (Index i = 0; i < fine.rows; ++i)
        for (Index j = 0; j < fine.columns; ++j)
            speed(i, j) =
                static_cast<float>(speed_at(fine.point(static_cast<double>(i), static_cast<double>(j))));
    Scatterers scatterers;
    Philox random(6, 1, 0);
    for (int n = 0; n < 18000; ++n) {
        const double x = random.uniform(-15.5e-3, 15.5e-3), z = random.uniform(1.5e-3, 27e-3);
        scatterers.positions.push_back({x, z});
        scatterers.reflectivity.push_back(random.normal());
    }
    scatterers.positions.push_back(target);
    scatterers.reflectivity.push_back(40);
    EchoOptions options;
    options.samples = a.samples;
    const EchoSimulator simulator(a.array, {.grid = fine, .sound_speed = speed, .attenuation = {}}, pulse,
                                  options, context);
    data.values = Array<float>({1, 7, 96, a.samples});
    simulator.simulate(a.transmissions, scatterers, data.values.view()[0], context);
    return data;
}

struct Spot {
    double width = 0, peak = 0;  // m at -6 dB across; dB above what lies beside it
    Point place;
};

/// Of the brightest echo within 2.5 mm of the target; widths between samples by lines.
Spot spot_of(const Array<float>& b_mode, const ImageGrid& grid) {
    Index row = 0, column = 0;
    float most = -1e9f;
    for (Index i = 0; i < grid.rows; ++i)
        for (Index j = 0; j < grid.columns; ++j)
            if (length(grid.point(static_cast<double>(i), static_cast<double>(j)) - target) < 2.5e-3 &&
                b_mode(i, j) > most) {
                most = b_mode(i, j);
                row = i;
                column = j;
            }
    // The largest of the rows about the peak: a tilted spot is as wide as it is.
    const auto across = [&](Index j) {
        float value = -1e9f;
        const Index near = static_cast<Index>(0.4e-3 / grid.row_spacing);
        for (Index i = std::max<Index>(0, row - near); i <= std::min(grid.rows - 1, row + near); ++i)
            value = std::max(value, b_mode(i, j));
        return double{value};
    };
    const auto half = [&](Index step) {
        Index j = column;
        while (j + step >= 0 && j + step < grid.columns && across(j + step) > most - 6) j += step;
        if (j + step < 0 || j + step >= grid.columns) return std::abs(static_cast<double>(j - column));
        const double inside = across(j), outside = across(j + step);
        return std::abs(static_cast<double>(j - column)) + (inside - (most - 6)) / (inside - outside);
    };
    double beside = 0;
    Index count = 0;
    for (Index j = 0; j < grid.columns; ++j)
        if (const double far = std::abs(grid.x(static_cast<double>(j)) - grid.x(static_cast<double>(column)));
            far > 2e-3 && far < 5e-3) {
            beside += std::pow(10, b_mode(row, j) / 10);
            ++count;
        }
    return {(half(-1) + half(1)) * grid.column_spacing,
            most - 10 * std::log10(beside / static_cast<double>(count)),
            grid.point(static_cast<double>(row), static_cast<double>(column))};
}

TEST(AberrationCorrection, MakesAPointBelowALayerSharperAndPutsItWhereItIs) {
    const ChannelData data = recording();
    Context context(make_serial_runner());
    SoundSpeedPipelineOptions options;
    options.map = centred_grid(42, 48, 0.6e-3);
    options.delays.pairs.margins.side = 2e-3;
    SoundSpeedPipeline pipeline(data.acquisition, data.frame(0), std::move(options), context);
    SoundSpeedFrame frame = pipeline.make_frame();
    ASSERT_EQ(pipeline.run(data.frame(0), frame, context), Status::ok);
    const ImageGrid& grid = pipeline.measurement().image_grid();
    const Spot before = spot_of(compounded_b_mode(frame.delays.images, context), grid);
    const Spot after = spot_of(compounded_b_mode(pipeline.corrected_images(frame, context), context), grid);
    RecordProperty("before_um", static_cast<int>(1e6 * before.width));
    RecordProperty("after_um", static_cast<int>(1e6 * after.width));
    // Measured: 570 to 448 um at -6 dB, 18.2 to 23.2 dB above what lies beside it, 1.13 to 1.03 mm from its
    // place.
    EXPECT_LT(after.width, 0.85 * before.width);
    EXPECT_GT(after.peak, before.peak);
    EXPECT_LT(length(after.place - target), length(before.place - target));
}

}  // namespace
}  // namespace sonolux
