// From RF to a map of the speed of sound: an inclusion in simulated speckle. The simulator finds arrivals by
// the eikonal equation, the inversion uses straight rays on another grid.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include <sonolux/core/random.hpp>
#include <sonolux/sdk/pipelines/sound_speed.hpp>
#include <sonolux/simulation/acoustics/echo.hpp>
#include <sonolux/simulation/acoustics/pulse.hpp>

namespace sonolux {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr double background = 1530, contrast = 25;
bool inside(Point p) { return length(p - Point{0, 14e-3}) < 4e-3; }

/// Seven elements of 96 send; speckle down to 29 mm.
struct Recording {
    ImageGrid map = centred_grid(43, 48, 0.6e-3);
    Acquisition acquisition{.array = make_linear_array(96, 0.3e-3, 0.27e-3), .transmissions = {}};
    Array<float> rf;

    Recording() {
        Context context;
        const Pulse pulse({5e6, 4, 0.6});
        for (const Index e : {17, 27, 37, 47, 57, 67, 77})
            acquisition.transmissions.push_back(single_element(acquisition.array, e));
        acquisition.sampling_frequency = 40e6;
        acquisition.centre_frequency = 5e6;
        acquisition.start_times.assign(7, 0);
        acquisition.samples = 1900;
        acquisition.peak_time = pulse.peak_time();
        acquisition.sound_speed = 1500;
        const ImageGrid fine = centred_grid(101, 111, 0.3e-3);
        Array<float> speed(fine.shape());
        for (Index i = 0; i < fine.rows; ++i)
            for (Index j = 0; j < fine.columns; ++j)
                speed(i, j) = static_cast<float>(
                    background +
                    (inside(fine.point(static_cast<double>(i), static_cast<double>(j))) ? contrast : 0));
        Scatterers scatterers;
        Philox random(3, 1, 0);
        for (int n = 0; n < 22000; ++n) {
            const double x = random.uniform(-15.5e-3, 15.5e-3), z = random.uniform(1.5e-3, 29e-3);
            scatterers.positions.push_back({x, z});
            scatterers.reflectivity.push_back(random.normal());
        }
        EchoOptions options;
        options.samples = acquisition.samples;
        const EchoSimulator simulator(acquisition.array,
                                      {.grid = fine, .sound_speed = speed, .attenuation = {}}, pulse, options,
                                      context);
        rf = Array<float>({7, 96, acquisition.samples});
        simulator.simulate(acquisition.transmissions, scatterers, rf, context);
    }

    [[nodiscard]] SoundSpeedPipelineOptions options() const {
        SoundSpeedPipelineOptions o;
        o.map = map;
        o.delays.pairs.margins.side = 2e-3;
        return o;
    }
};

const Recording& recording() {
    static const Recording made;
    return made;
}

struct Quality {
    double contrast = 0, background = 0;
};

Quality quality_of(const SoundSpeedFrame& frame, const ImageGrid& map) {
    double in = 0, out = 0;
    int count_in = 0, count_out = 0;
    for (Index i = 0; i < map.rows; ++i)
        for (Index j = 0; j < map.columns; ++j) {
            const Point p = map.point(static_cast<double>(i), static_cast<double>(j));
            const double far = length(p - Point{0, 14e-3}), speed = 1 / double{frame.slowness(i, j)};
            if (far < 3e-3) {
                in += speed;
                ++count_in;
            } else if (far > 5.5e-3 && far < 8e-3) {
                out += speed;
                ++count_out;
            }
        }
    return {in / count_in - out / count_out, out / count_out};
}

TEST(SoundSpeedPipeline, FindsAnInclusionAndAbsoluteSpeeds) {
    Context context(make_serial_runner());  // waiting for other threads would take longest
    SoundSpeedPipeline pipeline(recording().acquisition, recording().rf, recording().options(), context);
    EXPECT_NEAR(pipeline.measurement().options().sound_speed, background, 5)
        << "found, beginning at 1500 m/s";
    SoundSpeedFrame frame = pipeline.make_frame();
    ASSERT_EQ(pipeline.run(recording().rf, frame, context), Status::ok);
    const Quality once = quality_of(frame, pipeline.map());
    EXPECT_GT(once.contrast, 0.4 * contrast);
    EXPECT_NEAR(once.background, background, 6);

    // With images formed by the map, echoes behind the inclusion are where they belong.
    for (int round = 0; round < 2; ++round) {
        pipeline.refine(frame, context);
        ASSERT_EQ(pipeline.run(recording().rf, frame, context), Status::ok);
    }
    const Quality refined = quality_of(frame, pipeline.map());
    EXPECT_GT(refined.contrast, once.contrast);
    EXPECT_NEAR(refined.contrast, contrast, 0.35 * contrast);
    EXPECT_GT(draw_sound_speed(pipeline, frame, "test", context).columns(), 300);
    EXPECT_GT(draw_pair_delays(pipeline, frame, "test").columns(), 300);
}

TEST(SoundSpeedPipeline, SaysWhereTheSpeedOfItsImagesHadNotSettled) {
    Context context(make_serial_runner());
    const auto settles = [&](bool find_speed) {
        SoundSpeedPipelineOptions options = recording().options();
        options.delays.pairs.sound_speed = 1400;
        options.delays.most_rounds = 1;
        options.delays.find_speed = find_speed;
        const SoundSpeedPipeline pipeline(recording().acquisition, recording().rf, std::move(options),
                                          context);
        EXPECT_EQ(pipeline.rounds(), 1);
        return pipeline.settled();
    };
    EXPECT_FALSE(settles(true));
    EXPECT_TRUE(settles(false)) << "nothing was to settle";
}

TEST(SoundSpeedPipeline, StopsInTheMiddleOfAnInversionWhereItIsTold) {
    Context context(make_serial_runner());
    SoundSpeedPipeline pipeline(recording().acquisition, recording().rf, recording().options(), context);
    SoundSpeedFrame frame = pipeline.make_frame();
    Index iterations = 0;
    context.set_progress([&](const Progress&) { return ++iterations < 20; });
    EXPECT_EQ(pipeline.run(recording().rf, frame, context), Status::cancelled);
    EXPECT_EQ(iterations, 20);
    EXPECT_EQ(frame.record.log.reason(), StopReason::stopped_by_caller);
    EXPECT_TRUE(std::any_of(frame.sound_speed.begin(), frame.sound_speed.end(), [](float speed) {
        return std::isfinite(speed);
    })) << "as far as it had come";

    // Past a deadline that comes during the inversion; and nothing of it stays for the next frame.
    context.clear_cancel();
    iterations = 0;
    context.set_progress([&](const Progress&) {
        if (++iterations == 10) context.set_deadline(Context::Clock::now());
        return true;
    });
    EXPECT_EQ(pipeline.run(recording().rf, frame, context), Status::deadline_exceeded);
    EXPECT_EQ(iterations, 10);
    context.set_deadline(Context::Clock::time_point::max());
    EXPECT_EQ(pipeline.run(recording().rf, frame, context), Status::ok);
    EXPECT_GT(iterations, 100);
}

TEST(SoundSpeedPipeline, HasATikhonovInversionToo) {
    Context context(make_serial_runner());
    SoundSpeedPipelineOptions options = recording().options();
    options.method = InversionMethod::tikhonov;
    SoundSpeedPipeline pipeline(recording().acquisition, recording().rf, std::move(options), context);
    SoundSpeedFrame frame = pipeline.make_frame();
    ASSERT_EQ(pipeline.run(recording().rf, frame, context), Status::ok);
    EXPECT_GT(quality_of(frame, pipeline.map()).contrast, 0.2 * contrast);
}

TEST(SoundSpeedPipeline, RefusesFramesAndMasksOfAnotherSize) {
    Context context;
    Acquisition iq = recording().acquisition;
    iq.demodulation_frequency = 5e6;
    EXPECT_THAT([&] { SoundSpeedPipeline(iq, recording().rf, recording().options(), context); },
                ThrowsMessage<Error>(HasSubstr("samples must be RF, these are demodulated with 5000000 Hz")));
    SoundSpeedPipelineOptions options = recording().options();
    options.delays.pairs.beamforming.measured.resize(3);
    EXPECT_THAT(
        [&] { SoundSpeedPipeline(recording().acquisition, recording().rf, std::move(options), context); },
        ThrowsMessage<Error>(HasSubstr("there are 3 measured ranges and 672 traces")));
    EXPECT_THAT(
        [&] {
            SoundSpeedPipeline(recording().acquisition, Array<float>({7, 96, 100}), recording().options(),
                               context);
        },
        ThrowsMessage<Error>(HasSubstr("samples of RF, 7 x 96 x 1900, got 7 x 96 x 100")));
}

TEST(SoundSpeedPipeline, RefusesARecordingOfNoise) {
    Context context(make_serial_runner());
    SoundSpeedPipeline pipeline(recording().acquisition, recording().rf, recording().options(), context);
    SoundSpeedFrame frame = pipeline.make_frame();
    Array<float> noise(recording().rf.shape());
    fill_normal(noise, Philox(1));
    const Status status = pipeline.run(noise, frame, context);
    EXPECT_EQ(status, Status::corrupt_data);
    EXPECT_TRUE(std::isnan(frame.sound_speed(20, 20)));
    EXPECT_TRUE(std::isnan(frame.residual(0, 20, 20)));
    EXPECT_THAT([&] { pipeline.explain(status, frame); },
                ThrowsMessage<Error>(HasSubstr("% of the delays could be measured")));
}

}  // namespace
}  // namespace sonolux
