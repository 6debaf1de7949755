// What is wrong with channels is found, and nothing is found where nothing is wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include <sonolux/core/acoustics/channel_quality.hpp>
#include <sonolux/core/random.hpp>

namespace sonolux {
namespace {

using ::testing::ElementsAre;

constexpr Index elements = 8, samples = 200;

/// Band-limited noise: a normal number under 5 MHz, of deviation about 700.
ChannelData noise(bool iq = false) {
    const TransducerArray array = make_linear_array(elements, 3e-4, 2.5e-4);
    Acquisition a{array, {plane_wave(array, 0, 1540), plane_wave(array, 0.1, 1540)}};
    a.sampling_frequency = 20e6;
    a.centre_frequency = 5e6;
    if (iq) a.demodulation_frequency = 5e6;
    a.start_times = {0, 0};
    a.samples = samples;
    ChannelData data{a, Array<float>({2, 2, elements, iq ? 2 * samples : samples})};
    fill_normal(data.values, Philox(3));
    for (Index i = 0; i < data.values.elements(); ++i)
        data.values.data()[i] = std::round(700 * (i % 4 < 2 ? 1.0F : -1.0F) * data.values.data()[i]);
    return data;
}

std::vector<Index> dead_of(const ChannelQuality& quality) {
    std::vector<Index> dead;
    for (std::size_t e = 0; e < quality.channels.size(); ++e)
        if (quality.channels[e].dead) dead.push_back(static_cast<Index>(e));
    return dead;
}

TEST(ChannelQuality, FindsNothingWrongWithGoodChannels) {
    for (const bool iq : {false, true}) {
        const ChannelQuality q = channel_quality(noise(iq));
        EXPECT_FALSE(q.lowest_is_rail);
        EXPECT_FALSE(q.highest_is_rail);
        EXPECT_EQ(q.saturated, 0);
        EXPECT_EQ(q.missing, 0);
        EXPECT_EQ(q.dead, 0);
        for (const ChannelState& c : q.channels) {
            EXPECT_FALSE(c.offset);
            EXPECT_NEAR(c.deviation, 700, 60);
        }
    }
}

TEST(ChannelQuality, FindsClippedSamples) {
    ChannelData data = noise();
    Index clipped = 0;
    for (float& value : data.values) {
        clipped += std::abs(value) >= 1000 ? 1 : 0;
        value = std::clamp(value, -1000.0F, 1000.0F);  // no power of two: only the runs tell
    }
    const ChannelQuality q = channel_quality(data);
    EXPECT_TRUE(q.lowest_is_rail);
    EXPECT_TRUE(q.highest_is_rail);
    EXPECT_EQ(q.highest, 1000);
    const auto all = static_cast<double>(data.values.elements());
    EXPECT_NEAR(q.saturated, static_cast<double>(clipped) / all, 1e-12);
    EXPECT_FALSE(q.good(-1000));
    EXPECT_TRUE(q.good(999));
}

TEST(ChannelQuality, KnowsTheEndsOfConverters) {
    ChannelData data = noise();
    data.values(0, 0, 3, 17) = 32767;  // once
    EXPECT_TRUE(channel_quality(data).highest_is_rail);
    data.values(0, 0, 3, 17) = 20000;
    EXPECT_FALSE(channel_quality(data).highest_is_rail);
    data.values(0, 0, 3, 17) = 32767;
    data.values(0, 0, 3, 18) = 0.5F;  // the samples are no integers, so no converter's
    EXPECT_FALSE(channel_quality(data).highest_is_rail);
}

TEST(ChannelQuality, FindsDeadChannels) {
    ChannelData data = noise();
    for (Index frame = 0; frame < 2; ++frame)
        for (Index k = 0; k < 2; ++k)
            for (Index n = 0; n < samples; ++n) {
                data.values(frame, k, 2, n) = 0;
                data.values(frame, k, 5, n) *= 0.004F;  // crosstalk
                data.values(frame, k, 6, n) = std::numeric_limits<float>::quiet_NaN();
            }
    const ChannelQuality q = channel_quality(data);
    EXPECT_EQ(q.dead, 3);
    EXPECT_THAT(dead_of(q), ElementsAre(2, 5, 6));
    EXPECT_EQ(q.channels[6].missing, 1);
    EXPECT_NEAR(q.missing, 1.0 / elements, 1e-12);
}

TEST(ChannelQuality, AreNotDeceivedByTheBurstOfTheTransmitter) {
    ChannelData data = noise();
    for (Index frame = 0; frame < 2; ++frame)
        for (Index k = 0; k < 2; ++k)
            for (Index e = 0; e < elements; ++e)
                for (Index n = 0; n < samples; ++n)
                    data.values(frame, k, e, n) *= n < 20 ? 100.0F : e == 3 ? 0.02F : 1.0F;
    const ChannelQuality q = channel_quality(data);
    EXPECT_GT(q.channels[3].deviation, 0.5 * q.channels[2].deviation);  // nearly all of it is the burst
    EXPECT_NEAR(q.channels[3].level, 0.02, 0.005);
    EXPECT_THAT(dead_of(q), ElementsAre(3));
}

TEST(ChannelQuality, TakeNoElementForDeadBecauseItsEchoComesLater) {
    ChannelData data = noise();
    for (float& value : data.values) value = 0;
    for (Index e = 0; e < elements; ++e)
        for (Index n = 0; n < 6; ++n) data.values(0, 0, e, 20 + 15 * e + n) = n % 2 == 0 ? 100.0F : -100.0F;
    EXPECT_EQ(channel_quality(data).dead, 0);
}

TEST(ChannelQuality, FindsOffsetsAndMissingSamples) {
    ChannelData data = noise();
    for (Index frame = 0; frame < 2; ++frame)
        for (Index k = 0; k < 2; ++k)
            for (Index n = 0; n < samples; ++n) data.values(frame, k, 4, n) += 1e6F;
    data.values(0, 1, 1, 20) = std::numeric_limits<float>::infinity();
    const ChannelQuality q = channel_quality(data);
    EXPECT_TRUE(q.channels[4].offset);
    EXPECT_NEAR(q.channels[4].mean, 1e6, 100);
    EXPECT_NEAR(q.channels[4].deviation, 700, 60);  // digits were kept
    EXPECT_FALSE(q.channels[3].offset);
    EXPECT_NEAR(q.channels[1].missing, 1.0 / (4 * samples), 1e-12);
    EXPECT_FALSE(q.good(data.values(0, 1, 1, 20)));
}

TEST(ChannelQuality, OfSilenceIsThatAllChannelsAreDead) {
    ChannelData data = noise();
    for (float& value : data.values) value = 0;
    const ChannelQuality q = channel_quality(data);
    EXPECT_EQ(q.dead, elements);
    EXPECT_EQ(q.saturated, 0);
    EXPECT_FALSE(q.highest_is_rail);
}

}  // namespace
}  // namespace sonolux
