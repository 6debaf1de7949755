// A map from a convex probe that nobody named a grid for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include <sonolux/core/random.hpp>
#include <sonolux/sdk/pipelines/sound_speed.hpp>
#include <sonolux/simulation/acoustics/echo.hpp>
#include <sonolux/simulation/acoustics/pulse.hpp>

namespace sonolux {
namespace {

constexpr double speed_of_all = 1520;

struct Convex {
    Acquisition acquisition{.array = make_convex_array(64, 0.3e-3, 0.27e-3, 40e-3), .transmissions = {}};
    Array<float> rf;

    Convex() {
        Context context(make_serial_runner());
        const Pulse pulse({5e6, 4, 0.6});
        for (const Index e : {12, 22, 32, 42, 52})
            acquisition.transmissions.push_back(single_element(acquisition.array, e));
        acquisition.sampling_frequency = 40e6;
        acquisition.centre_frequency = 5e6;
        acquisition.start_times.assign(5, 0);
        acquisition.samples = 1150;
        acquisition.peak_time = pulse.peak_time();
        acquisition.sound_speed = 1500;
        const ImageGrid grid = centred_grid(95, 110, 0.3e-3, -2.4e-3);
        Array<float> speed(grid.shape());
        std::fill(speed.begin(), speed.end(), static_cast<float>(speed_of_all));
        Scatterers scatterers;
        Philox random(5, 1, 0);
        for (int n = 0; n < 16000; ++n) {
            const double x = random.uniform(-15e-3, 15e-3), z = random.uniform(1.5e-3, 24e-3);
            scatterers.positions.push_back({x, z});
            scatterers.reflectivity.push_back(static_cast<float>(random.normal()));
        }
        EchoOptions options;
        options.samples = acquisition.samples;
        const EchoSimulator simulator(acquisition.array,
                                      {.grid = grid, .sound_speed = speed, .attenuation = {}}, pulse, options,
                                      context);
        rf = Array<float>({5, 64, acquisition.samples});
        simulator.simulate(acquisition.transmissions, scatterers, rf, context);
    }
};

TEST(SoundSpeedOfConvexProbes, HasADefaultMapThatCoversTheSector) {
    Acquisition a{.array = make_convex_array(128, 0.48e-3, 0.45e-3, 60e-3), .transmissions = {}};
    a.transmissions.push_back(single_element(a.array, 64));
    a.start_times = {0};
    a.sampling_frequency = 40e6;
    a.samples = 4000;
    const ImageGrid map = default_map(a, 1540);
    const ArrayElement& end = a.array[127];
    EXPECT_TRUE(map.covers(end.position)) << "rays begin in the map, not beside or above it";
    EXPECT_NEAR(map.first_z, end.position.z, 1e-9);
    EXPECT_NEAR(map.z(static_cast<double>(map.rows - 1)), 50e-3, 2 * map.row_spacing);
    // The sector's corner: 50 mm along the normal of the last element.
    EXPECT_NEAR(map.x(static_cast<double>(map.columns - 1)), end.position.x + 50e-3 * std::sin(end.angle),
                map.column_spacing);
}

TEST(SoundSpeedOfConvexProbes, IsThatOfAUniformMedium) {
    const Convex made;
    Context context(make_serial_runner());
    SoundSpeedPipeline pipeline(made.acquisition, made.rf, {}, context);
    SoundSpeedFrame frame = pipeline.make_frame();
    pipeline.explain(pipeline.run(made.rf, frame, context), frame);
    EXPECT_NEAR(1 / frame.record.uniform_slowness, speed_of_all, 3);
    double sum = 0;
    Index count = 0;
    for (const float speed : frame.sound_speed)
        if (std::isfinite(speed)) {
            sum += double{speed};
            ++count;
        }
    ASSERT_GT(count, 300);
    EXPECT_NEAR(sum / static_cast<double>(count), speed_of_all, 4);
    EXPECT_LT(count, frame.sound_speed.elements()) << "beside the sector there are no rays";
}

}  // namespace
}  // namespace sonolux
