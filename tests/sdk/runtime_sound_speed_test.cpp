// tests/sdk/runtime_sound_speed_test.cpp
#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sonolux/sdk/runtime/sonolux.h>
#include <sonolux/sdk/runtime/reconstructor.hpp>
#include <sonolux/sdk/runtime/sound_speed_reconstructor.hpp>

#include "tests/support/tiny_speed_model.hpp"

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

std::string why(const SoundSpeedReconstructor& maps) {
    char text[400];
    maps.explain(text, sizeof text);
    return text;
}

bool same_bits(const Array<float>& a, const Array<float>& b) {
    return a.shape() == b.shape() && std::equal(a.begin(), a.end(), b.begin());
}

TEST(SoundSpeedReconstructor, FindsTheSpeedOfAUniformMediumAndSaysWhatItSaw) {
    SoundSpeedReconstructor maps(tiny_speed_model(), {.threads = 1});
    maps.bind();
    Array<float> speed({20, 18}), support({20, 18});
    ASSERT_EQ(maps.run(tiny_delays(1480, 0), {}, speed, support), Status::ok) << why(maps);
    // The two forms of the operator, rows here and sums along rays inside, differ by 0.5 % of a difference.
    EXPECT_NEAR(maps.report().uniform_speed, 1480, 8);
    EXPECT_NEAR(maps.report().measured, 1, 1e-9);
    for (float c : speed) EXPECT_NEAR(c, 1480, 40);
    EXPECT_EQ(support(0, 0), 0);  // above the near margin
    EXPECT_GT(support(10, 9), 0.6);
}

TEST(SoundSpeedReconstructor, ShowsADiscWhereItIs) {  // even untrained: gradient descent
    SoundSpeedReconstructor maps(tiny_speed_model(12), {.threads = 1});
    maps.bind();
    Array<float> speed({20, 18});
    ASSERT_EQ(maps.run(tiny_delays(1500, 60), {}, speed), Status::ok) << why(maps);
    EXPECT_GT(speed(10, 9), speed(10, 2) + 3);
    EXPECT_GT(speed(10, 9), speed(17, 9) + 3);
}

TEST(SoundSpeedReconstructor, HasTheSameBitsOnAnyNumberOfThreadsAndFromAFile) {
    const Model model = tiny_speed_model();
    const std::vector<std::byte> file = save_model(model);
    Array<float> one({20, 18}), two({20, 18});
    const Array<float> delays = tiny_delays();
    SoundSpeedReconstructor first(model, {.threads = 1});
    SoundSpeedReconstructor second(load_model(file, "file"), {.threads = 3});
    EXPECT_EQ(first.geometry(), second.geometry());
    first.bind();
    std::vector<std::byte> memory(second.workspace_bytes() + 64);
    std::byte* aligned = memory.data() + (64 - reinterpret_cast<std::uintptr_t>(memory.data()) % 64) % 64;
    second.bind({aligned, second.workspace_bytes()});
    ASSERT_EQ(first.run(delays, {}, one), Status::ok);
    ASSERT_EQ(second.run(delays, {}, two), Status::ok);
    EXPECT_TRUE(same_bits(one, two));
}

TEST(SoundSpeedReconstructor, TakesNanAndMaskForTheSameThing) {
    SoundSpeedReconstructor maps(tiny_speed_model(), {.threads = 1});
    maps.bind();
    Array<float> delays = tiny_delays(), masked = tiny_delays(), mask(delays.shape());
    for (Index i = 0; i < delays.elements(); ++i) {
        mask.data()[i] = i % 3 != 0 ? 1.0f : 0.0f;
        if (mask.data()[i] == 0) {
            delays.data()[i] = std::numeric_limits<float>::quiet_NaN();
            masked.data()[i] = 1e30f;  // whatever
        }
    }
    Array<float> one({20, 18}), two({20, 18});
    ASSERT_EQ(maps.run(delays, {}, one), Status::ok) << why(maps);
    ASSERT_EQ(maps.run(masked, mask, two), Status::ok) << why(maps);
    EXPECT_TRUE(same_bits(one, two));
    EXPECT_NEAR(maps.report().measured, 0.67, 0.05);
}

TEST(SoundSpeedReconstructor, RefusesBadFramesBySentenceAndLeavesTheMapAsItWas) {
    SoundSpeedReconstructor maps(tiny_speed_model(), {.threads = 1});
    Array<float> speed({20, 18}), delays = tiny_delays();
    std::fill(speed.begin(), speed.end(), -7.0f);
    EXPECT_EQ(maps.run(delays, {}, speed), Status::invalid_argument);
    EXPECT_THAT(why(maps), HasSubstr("bind comes before run"));
    maps.bind();
    EXPECT_EQ(maps.run(Array<float>({2, 20, 18}), {}, speed), Status::size_mismatch);
    EXPECT_THAT(why(maps), HasSubstr("3 x 20 x 18"));

    Array<float> scaled(delays.shape());
    for (const float unit : {1e3f, 1e6f, 1e-3f, -1.0f}) {  // ms, us, something else, first and second swapped
        for (Index i = 0; i < delays.elements(); ++i) scaled.data()[i] = unit * delays.data()[i];
        EXPECT_EQ(maps.run(scaled, {}, speed), Status::invalid_argument) << unit;
        EXPECT_THAT(why(maps), HasSubstr("are they in seconds")) << unit;
    }
    Array<float> nothing(delays.shape());
    EXPECT_EQ(maps.run(delays, nothing, speed), Status::invalid_argument);
    EXPECT_THAT(why(maps), HasSubstr("at least 2 % of the delays must be measured, got 0 %"));
    nothing.data()[5] = 0.5f;
    EXPECT_EQ(maps.run(delays, nothing, speed), Status::invalid_argument);
    EXPECT_THAT(why(maps), HasSubstr("the mask must be 0 or 1"));
    for (float& d : delays)
        if (!std::isnan(d)) d = std::numeric_limits<float>::infinity();
    EXPECT_EQ(maps.run(delays, {}, speed), Status::invalid_argument);
    EXPECT_THAT(why(maps), HasSubstr("got infinity"));
    for (float c : speed) EXPECT_EQ(c, -7);
}

TEST(SoundSpeedReconstructor, GivesTheLastFinishedStageWhenItIsStopped) {
    const Model model = tiny_speed_model();
    int after = 2;
    SoundSpeedReconstructor maps(
        model, {.threads = 1, .progress = [&](const Progress& progress) { return progress.done < after; }});
    maps.bind();
    const Array<float> delays = tiny_delays();
    Array<float> stopped({20, 18}), whole({20, 18}), late({20, 18});
    EXPECT_EQ(maps.run(delays, {}, stopped), Status::cancelled);
    after = 100;
    ASSERT_EQ(maps.run(delays, {}, whole), Status::ok);
    EXPECT_FALSE(same_bits(stopped, whole));
    for (float c : stopped) EXPECT_NEAR(c, 1500, 100);
    maps.set_time_limit(1e-9);
    EXPECT_EQ(maps.run(delays, {}, late), Status::deadline_exceeded);
    for (float c : late) EXPECT_NEAR(c, 1500, 100);
}

TEST(SoundSpeedModel, IsNoModelOfImagesNorTheOtherWayRound) {
    EXPECT_THAT([] { Reconstructor images(tiny_speed_model(), 20, 18); },
                ThrowsMessage<Error>(HasSubstr("sound_speed")));
    Model model = tiny_speed_model();
    model.problem.kind = "denoise";
    EXPECT_THAT(
        [&] { (void)network_from_model(model); },
        ThrowsMessage<Error>(HasSubstr("the architecture must not be \"masked_variational_network\"")));
    model = tiny_speed_model();
    model.problem.geometry = Json();
    EXPECT_THROW((void)save_model(model), Error);
}

TEST(SoundSpeedModel, RefusesParametersThatNoNetworkCanHave) {
    Model model = tiny_speed_model();
    for (NamedTensor& tensor : model.tensors)
        if (tensor.name == "stage2.ranges") tensor.values.data()[0] = 0;
    EXPECT_THAT([&] { SoundSpeedReconstructor maps(model); },
                ThrowsMessage<Error>(HasSubstr("the range of a learned function must be above 0, got 0")));
}

TEST(SoundSpeedInC, RunsDelaysToAMapAndRefusesThoseOfAnotherGeometry) {
    const std::vector<std::byte> file = save_model(tiny_speed_model());
    slx_error error;
    slx_model* model = nullptr;
    ASSERT_EQ(slx_model_create_from_memory(file.data(), file.size(), &model, &error), SLX_OK) << error.text;
    slx_model_info info{};
    info.size = sizeof info;
    ASSERT_EQ(slx_model_get_info(model, &info, &error), SLX_OK) << error.text;
    EXPECT_STREQ(info.problem, "sound_speed");
    EXPECT_EQ(info.measurements, 3u);
    ASSERT_EQ(info.rows, 20u);
    ASSERT_EQ(info.columns, 18u);
    ASSERT_NE(info.geometry, nullptr);
    const std::string geometry = info.geometry;

    slx_plan_options options{};
    options.size = sizeof options;
    options.rows = 20;
    options.columns = 19;
    options.threads = 1;
    slx_plan* plan = nullptr;
    EXPECT_EQ(slx_plan_create(model, &options, &plan, &error), SLX_SIZE_MISMATCH);
    EXPECT_THAT(error.text, HasSubstr("20 x 18, got 20 x 19"));
    options.columns = 18;
    ASSERT_EQ(slx_plan_create(model, &options, &plan, &error), SLX_OK) << error.text;
    slx_model_destroy(model);
    ASSERT_EQ(slx_plan_bind(plan, nullptr, 0, &error), SLX_OK) << error.text;
    EXPECT_GT(slx_plan_workspace_bytes(plan), 0u);

    const Array<float> delays = tiny_delays();
    Array<float> speed({20, 18}), support({20, 18}), expected({20, 18});
    slx_delays in{geometry.c_str(), delays.data(), nullptr, 3, 20, 18};
    const slx_speed_map out{speed.data(), support.data(), 20, 18};
    slx_frame_report frame{};
    ASSERT_EQ(slx_plan_run_delays(plan, &in, &out, &frame, &error), SLX_OK) << error.text;
    SoundSpeedReconstructor maps(tiny_speed_model(), {.threads = 1});
    maps.bind();
    ASSERT_EQ(maps.run(delays, {}, expected), Status::ok);
    EXPECT_TRUE(same_bits(speed, expected));
    EXPECT_NEAR(frame.uniform_speed, 1500, 15);
    EXPECT_NEAR(frame.measured, 1, 1e-6);

    std::string other = geometry;
    other[5] = other[5] == 'a' ? 'b' : 'a';
    in.geometry = other.c_str();
    EXPECT_EQ(slx_plan_run_delays(plan, &in, &out, nullptr, &error), SLX_INVALID_ARGUMENT);
    EXPECT_THAT(error.text, HasSubstr("another geometry"));
    in.geometry = nullptr;
    EXPECT_EQ(slx_plan_run_delays(plan, &in, &out, nullptr, &error), SLX_INVALID_ARGUMENT);
    in.geometry = geometry.c_str();
    in.measurements = 4;
    EXPECT_EQ(slx_plan_run_delays(plan, &in, &out, nullptr, &error), SLX_SIZE_MISMATCH);
    EXPECT_THAT(error.text, HasSubstr("in must be 3 x 20 x 18"));
    const slx_input image{delays.data(), 20, 18, 18};
    const slx_output result{speed.data(), 20, 18, 18};
    EXPECT_EQ(slx_plan_run(plan, &image, &result, &error), SLX_UNSUPPORTED);
    EXPECT_EQ(slx_plan_set_sigma(plan, 3, &error), SLX_UNSUPPORTED);
    slx_plan_destroy(plan);
}

}  // namespace
}  // namespace sonolux
