// How far maps of the speed of sound are to be trusted: what is calculated, what is fitted, what files say.
#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sonolux/core/random.hpp>
#include <sonolux/sdk/pipelines/calibrate_trust.hpp>
#include <sonolux/sdk/runtime/sonolux.hpp>
#include <sonolux/sdk/runtime/sound_speed_reconstructor.hpp>

#include "tests/support/speckle_recording.hpp"
#include "tests/support/tiny_speed_model.hpp"

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

Array<float> filled(const Shape& shape, float value) {
    Array<float> array(shape);
    std::fill(array.begin(), array.end(), value);
    return array;
}

/// Deviations of 4 m/s times 1 and more per ns that is unexplained; frames with 100 % of their delays.
TrustCalibration simple_calibration() {
    TrustCalibration calibration;
    calibration.deviation[0] = std::log(4.0);
    calibration.deviation[1] = 1;
    calibration.whitener[12] = 10;  // of the share that was measured, alone
    calibration.centre[1] = 1;
    calibration.limit = 2;
    calibration.noise_centre = 100;
    calibration.protocol = "made up";
    return calibration;
}

TEST(MapTrust, ResidualIsWhatTheMapLeavesOfTheDelays) {
    const Model model = tiny_speed_model();
    SoundSpeedReconstructor maps(model, {.threads = 1});
    maps.bind();
    const Array<float> delays = tiny_delays(1500, 40);
    Array<float> speed({20, 18}), residual({3, 20, 18}), deviation({20, 18});
    MapTrust trust{.deviation = deviation, .residual = residual};
    ASSERT_EQ(maps.run(delays, {}, speed, {}, &trust), Status::ok);
    // Independently: the operator in seconds, of the map.
    const OperatorPointer op = make_delays_in_seconds(maps.problem());
    Array<float> slowness({20, 18}), told({3, 20, 18});
    for (Index n = 0; n < 360; ++n) slowness.data()[n] = 1 / speed.data()[n];
    Context context(make_serial_runner());
    context.workspace().reserve(op->workspace_bytes(context));
    op->apply(slowness, told, context);
    const Array<float> trusted_ones = trusted(maps.problem());
    double squares = 0;
    Index count = 0;
    for (Index n = 0; n < told.elements(); ++n) {
        if (trusted_ones.data()[n] == 0 || std::isnan(delays.data()[n])) {
            EXPECT_TRUE(std::isnan(residual.data()[n])) << n;
            continue;
        }
        ASSERT_NEAR(residual.data()[n], delays.data()[n] - told.data()[n], 2e-11)
            << n;  // s; single precision
        squares += std::pow(double{residual.data()[n]}, 2);
        ++count;
    }
    ASSERT_GT(count, 300);
    EXPECT_NEAR(trust.unexplained, std::sqrt(squares / static_cast<double>(count)), 1e-13);
    EXPECT_LT(trust.unexplained, maps.report().deviation);
    // Not calibrated: what it does not know it does not say.
    EXPECT_FALSE(maps.calibrated());
    EXPECT_TRUE(std::isnan(trust.score));
    for (const float value : deviation) EXPECT_TRUE(std::isnan(value));
}

TEST(MapTrust, DoesNotChangeTheMapAndIsTheSameOnAnyNumberOfThreads) {
    Model model = speckle_model();
    model.trust = to_json(simple_calibration());
    const auto& geometry = travel_time_problem(model.problem, "test").geometry;
    const OperatorPointer op = make_path_integral(geometry);
    Array<float> delays(op->range());
    Context context(make_serial_runner());
    context.workspace().reserve(op->workspace_bytes(context));
    Array<float> slowness = filled(op->domain(), 1 / 1500.0f);
    for (Index i = 12; i < 20; ++i)
        for (Index j = 10; j < 20; ++j) slowness(i, j) = 1 / 1530.0f;
    op->apply(slowness, delays, context);
    std::vector<Array<float>> deviations, speeds;
    std::vector<double> scores;
    for (const int threads : {1, 3}) {
        SoundSpeedReconstructor maps(model, {.threads = threads});
        maps.bind();
        Array<float>& plain = speeds.emplace_back(op->domain());
        ASSERT_EQ(maps.run(delays, {}, plain), Status::ok);
        Array<float>& judged = speeds.emplace_back(op->domain());
        MapTrust trust{.deviation = deviations.emplace_back(op->domain())};
        ASSERT_EQ(maps.run(delays, {}, judged, {}, &trust), Status::ok);
        scores.push_back(trust.score);
    }
    for (const Array<float>& speed : speeds)
        EXPECT_TRUE(std::equal(speed.begin(), speed.end(), speeds[0].begin()));
    EXPECT_TRUE(std::equal(deviations[0].begin(), deviations[0].end(), deviations[1].begin()));
    EXPECT_EQ(scores[0], scores[1]);
    EXPECT_GT(deviations[0](10, 10), 4);
}

TEST(MapTrust, ScoresFramesByWhatIsMissingAndRefusedOnesWithNothing) {
    Model model = tiny_speed_model();
    model.trust = to_json(simple_calibration());
    SoundSpeedReconstructor maps(model, {.threads = 1});
    maps.bind();
    Array<float> speed({20, 18}), delays = tiny_delays();
    MapTrust trust;
    ASSERT_EQ(maps.run(delays, {}, speed, {}, &trust), Status::ok);
    EXPECT_NEAR(trust.score, 1, 1e-9);  // all is there
    for (Index n = 0; n < delays.elements(); n += 2)
        delays.data()[n] = std::numeric_limits<float>::quiet_NaN();
    ASSERT_EQ(maps.run(delays, {}, speed, {}, &trust), Status::ok);
    const double distance = 10 * (1 - maps.report().measured);  // 5 where half is missing
    EXPECT_NEAR(trust.score, 1 / (1 + distance * distance / 4), 1e-6);
    EXPECT_LT(trust.score, 0.2);
    for (float& delay : delays) delay *= 1e3f;  // in ms
    EXPECT_EQ(maps.run(delays, {}, speed, {}, &trust), Status::invalid_argument);
    EXPECT_EQ(trust.score, 0);
}

/// Frames whose errors are normal with the deviation of a known calibration.
std::vector<TrustFrame> made_up_frames(const TrustCalibration& truth, Index count) {
    std::vector<TrustFrame> frames;
    for (Index i = 0; i < count; ++i) {
        Philox random(4, 0, static_cast<std::uint64_t>(i));
        TrustFrame& frame = frames.emplace_back();
        frame.group = i;
        frame.features = Array<float>({trust_pixel_features, 30, 20});
        frame.errors = Array<float>({30, 20});
        for (float& value : frame.features) value = static_cast<float>(random.uniform());
        for (Index n = 0; n < 600; ++n) frame.features.data()[n] = 1;
        Array<float> deviation({30, 20});
        trust_deviation(truth, frame.features, deviation);
        for (Index n = 0; n < 600; ++n) frame.errors.data()[n] = deviation.data()[n] * random.normal();
        for (double& value : frame.frame.values) value = random.normal();
    }
    return frames;
}

TEST(MapTrust, IsFittedToErrorsSoThatIntervalsHoldWhatTheySay) {
    TrustCalibration truth;
    truth.deviation = {1, 1, 0, -0.5, 0, 0, 0, 2};
    const std::vector<TrustFrame> frames = made_up_frames(truth, 24);
    const TrustFit fit = fit_trust(frames);
    for (std::size_t i = 0; i < fit.held_out.stated.size(); ++i)
        EXPECT_NEAR(fit.held_out.covered[i], fit.held_out.stated[i], 0.02);
    EXPECT_NEAR(fit.held_out.at_90, 0.9, 0.01);
    EXPECT_LT(fit.held_out.spread, 0.05) << "large where errors are";
    // On other frames, against the deviations that they were made with.
    const std::vector<TrustFrame> others = made_up_frames(truth, 30);
    Array<float> stated({30, 20}), known({30, 20});
    for (std::size_t i = 24; i < others.size(); ++i) {
        trust_deviation(fit.calibration, others[i].features, stated);
        trust_deviation(truth, others[i].features, known);
        double squares = 0;
        for (Index n = 0; n < 600; ++n)
            squares += std::pow(std::log(double{stated.data()[n]} / double{known.data()[n]}), 2) / 600;
        EXPECT_LT(std::sqrt(squares), 0.08);  // 0.04 for 13 numbers from 4,800 errors, 0.02 of the pull
    }
    // A frame far off is told.
    FrameFeatures far = frames[0].frame;
    far.values[5] += 30;
    EXPECT_LT(trust_score(fit.calibration, trust_distance(fit.calibration, far)), 0.1);
    const auto kept = std::ranges::count_if(fit.held_out_scores, [](double score) { return score >= 0.5; });
    EXPECT_GE(kept, 21) << "of 24";
    EXPECT_THAT([&] { (void)fit_trust(std::span(frames).first(7)); },
                ThrowsMessage<Error>(HasSubstr("at least 8 frames, got 7")));
}

TEST(MapTrust, CountsPairsForTheAreaUnderTheCurve) {
    EXPECT_EQ(roc_area(std::vector<double>{3, 4}, std::vector<double>{1, 2}), 1);
    EXPECT_EQ(roc_area(std::vector<double>{1, 4}, std::vector<double>{2, 3}), 0.5);
    EXPECT_EQ(roc_area(std::vector<double>{2, 4}, std::vector<double>{2, 3}), 0.625);
    EXPECT_NEAR(normal_interval(0.9), 1.6449, 1e-4);
}

TEST(MapTrust, IsPartOfTheModelFileAndMayBeMissing) {
    Model model = tiny_speed_model();
    EXPECT_TRUE(load_model(save_model(model), "old").trust.is_null());
    model.trust = to_json(simple_calibration());
    const Model read = load_model(save_model(model), "new");
    EXPECT_EQ(trust_calibration_from_json(JsonField(read.trust, "new")), simple_calibration());
    model.trust.set("limit", 0.0);
    EXPECT_THAT([&] { (void)save_model(model); }, ThrowsMessage<Error>(HasSubstr("trust.limit must be")));
    model.trust = to_json(simple_calibration()).set("centre", Json::list().append(1.0));
    EXPECT_THAT([&] { (void)save_model(model); },
                ThrowsMessage<Error>(HasSubstr("trust.centre must be 11 numbers, got 1")));
    model.trust = to_json(simple_calibration()).set("colour", "red");
    EXPECT_THAT([&] { (void)save_model(model); }, ThrowsMessage<Error>(HasSubstr("colour")));
    Model denoiser;
    denoiser.name = "d";
    denoiser.trust = to_json(simple_calibration());
    EXPECT_THAT([&] { (void)save_model(denoiser); },
                ThrowsMessage<Error>(HasSubstr("trust is of models that map the speed of sound")));
}

TEST(MapTrustInC, IsWrittenBesideTheMapAndByTheWrapper) {
    Model model = tiny_speed_model();
    model.trust = to_json(simple_calibration());
    const std::vector<std::byte> file = save_model(model);
    const slx::Model loaded(file.data(), file.size());
    const std::string geometry = loaded.info().geometry;
    slx_plan_options options{};
    options.threads = 1;
    slx::Plan plan(loaded, 20, 18, options);
    plan.bind();
    const Array<float> delays = tiny_delays();
    const std::vector<float> in(delays.begin(), delays.end());
    std::vector<float> speed, deviation;
    slx_frame_report frame{};
    double score = -1;
    ASSERT_TRUE(plan.run_delays(geometry, in, speed, &deviation, &frame, &score));

    SoundSpeedReconstructor maps(model, {.threads = 1});
    maps.bind();
    Array<float> map({20, 18}), stated({20, 18}), left({3, 20, 18});
    MapTrust trust{.deviation = stated, .residual = left};
    ASSERT_EQ(maps.run(delays, {}, map, {}, &trust), Status::ok);
    EXPECT_TRUE(std::equal(speed.begin(), speed.end(), map.begin()));
    EXPECT_TRUE(std::equal(deviation.begin(), deviation.end(), stated.begin()));
    EXPECT_EQ(score, trust.score);
    EXPECT_EQ(frame.uniform_speed, maps.report().uniform_speed);

    std::vector<float> residual(in.size());
    slx_map_trust out{nullptr, residual.data(), 0, 0};
    ASSERT_TRUE(plan.run(slx_delays{geometry.c_str(), in.data(), nullptr, 3, 20, 18},
                         slx_speed_map{speed.data(), nullptr, 20, 18}, &out));
    EXPECT_EQ(out.unexplained, trust.unexplained);
    for (std::size_t n = 0; n < residual.size(); ++n)
        if (!std::isnan(residual[n])) {
            ASSERT_EQ(residual[n], left.data()[n]);
        }

    EXPECT_THROW(plan.run_delays(geometry, std::vector<float>(7), speed), std::invalid_argument);
    EXPECT_THROW(plan.run_delays("another", in, speed), slx::Error);
    plan.set_time_limit(1e-9);
    EXPECT_FALSE(plan.run_delays(geometry, in, speed));
}

}  // namespace
}  // namespace sonolux
