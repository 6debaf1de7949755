// tests/programs/sound_speed_allocation_tests.cpp
//
// A program of its own, because it takes the place of malloc: frames of channel data become maps of the speed
// of sound without a single allocation.
#include <gtest/gtest.h>

#include <sonolux/core/random.hpp>
#include <sonolux/sdk/pipelines/sound_speed.hpp>
#include <sonolux/sdk/runtime/sound_speed_reconstructor.hpp>
#include <sonolux/simulation/acoustics/echo.hpp>
#include <sonolux/simulation/acoustics/pulse.hpp>

#include "tests/support/counted_allocations.hpp"
#include "tests/support/speckle_recording.hpp"

namespace sonolux {
namespace {

TEST(SoundSpeedAllocation, DoesNotHappenFrameAfterFrame) {
    const Pulse pulse({5e6, 4, 0.6});
    Acquisition a{.array = make_linear_array(48, 0.3e-3, 0.27e-3), .transmissions = {}};
    for (const Index e : {9, 19, 29, 39}) a.transmissions.push_back(single_element(a.array, e));
    a.sampling_frequency = 40e6;
    a.centre_frequency = 5e6;
    a.start_times.assign(4, 0);
    a.samples = 1300;
    a.peak_time = pulse.peak_time();
    a.sound_speed = 1500;
    Array<float> rf({4, 48, a.samples});
    {
        Context context(make_serial_runner());
        const ImageGrid grid = centred_grid(61, 61, 0.4e-3);
        Array<float> speed(grid.shape());
        std::fill(speed.begin(), speed.end(), 1510.0F);
        Scatterers scatterers;
        Philox random(2, 0, 0);
        for (int n = 0; n < 7000; ++n) {
            const double x = random.uniform(-8e-3, 8e-3), z = random.uniform(1.5e-3, 20e-3);
            scatterers.positions.push_back({x, z});
            scatterers.reflectivity.push_back(random.normal());
        }
        EchoOptions options;
        options.samples = a.samples;
        const EchoSimulator simulator(a.array, {.grid = grid, .sound_speed = speed, .attenuation = {}}, pulse,
                                      options, context);
        simulator.simulate(a.transmissions, scatterers, rf, context);
    }
    for (const InversionMethod method : {InversionMethod::lbfgs, InversionMethod::tikhonov})
        for (const int threads : {1, 2}) {
            Context context(make_openmp_runner(threads));
            SoundSpeedPipelineOptions options;
            options.method = method;
            options.map = centred_grid(28, 24, 0.6e-3, 0.3e-3);
            options.delays.pairs.margins = {.near = 3e-3, .far = 1e-3, .side = 1e-3};
            options.delays.find_speed = false;
            SoundSpeedPipeline pipeline(a, rf, std::move(options), context);
            SoundSpeedFrame frame = pipeline.make_frame();
            ASSERT_EQ(pipeline.run(rf, frame, context), Status::ok);  // the first run starts the threads
            const long before = allocations;
            bool all_right = true;
            for (int i = 0; i < 10; ++i) all_right &= pipeline.run(rf, frame, context) == Status::ok;
            EXPECT_EQ(allocations, before) << threads << " threads";
            EXPECT_TRUE(all_right);
        }
}

TEST(SoundSpeedAllocation, DoesNotHappenWhereANetworkSaysHowFarItsMapsAreToBeTrusted) {
    Model model = speckle_model();
    model.trust = to_json(TrustCalibration{});
    for (const int threads : {1, 2}) {
        SoundSpeedReconstructor maps(model, {.threads = threads});
        maps.bind();
        const Shape range{maps.measurements(), maps.rows(), maps.columns()},
            domain{maps.rows(), maps.columns()};
        const OperatorPointer op = make_path_integral(maps.problem().geometry);
        Array<float> slowness(domain), delays(range), speed(domain), deviation(domain), residual(range);
        std::fill(slowness.begin(), slowness.end(), 1 / 1500.0F);
        for (Index j = 8; j < 20; ++j) slowness(14, j) = 1 / 1540.0F;
        Context context(make_serial_runner());
        context.workspace().reserve(op->workspace_bytes(context));
        op->apply(slowness, delays, context);
        MapTrust trust{.deviation = deviation, .residual = residual};
        ASSERT_EQ(maps.run(delays, {}, speed, {}, &trust), Status::ok);
        const long before = allocations;
        bool all_right = true;
        for (int i = 0; i < 10; ++i) all_right &= maps.run(delays, {}, speed, {}, &trust) == Status::ok;
        EXPECT_EQ(allocations, before) << threads << " threads";
        EXPECT_TRUE(all_right);
    }
}

}  // namespace
}  // namespace sonolux
