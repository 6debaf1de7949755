// What is wrong with channels is found, and nothing is found where nothing is wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include <sonolux/core/acoustics/channel_quality.hpp>
#include <sonolux/core/random.hpp>

namespace sonolux {
namespace {

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
        EXPECT_EQ(q.weights(), std::vector<double>(elements, 1.0));
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
    const Array<float> mask = sample_mask(data, q);
    double kept = 0;
    for (const float good : mask) kept += good;
    EXPECT_EQ(kept, all - static_cast<double>(clipped));
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
    EXPECT_EQ(q.weights(), (std::vector<double>{1, 1, 0, 1, 1, 0, 0, 1}));
    EXPECT_EQ(q.channels[6].missing, 1);
    EXPECT_NEAR(q.missing, 1.0 / elements, 1e-12);
    const Array<float> mask = sample_mask(data, q);
    EXPECT_EQ(mask(1, 1, 5, 9), 0);
    EXPECT_EQ(mask(1, 1, 4, 9), 1);
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
    EXPECT_EQ(q.weights(), (std::vector<double>{1, 1, 1, 0, 1, 1, 1, 1}));
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
    EXPECT_EQ(sample_mask(data, q)(0, 1, 1, 20), 0);
}

TEST(ChannelQuality, OfSilenceIsThatAllChannelsAreDead) {
    ChannelData data = noise();
    for (float& value : data.values) value = 0;
    const ChannelQuality q = channel_quality(data);
    EXPECT_EQ(q.dead, elements);
    EXPECT_EQ(q.saturated, 0);
    EXPECT_FALSE(q.highest_is_rail);
}

TEST(ChannelQuality, OfIqMasksSamplesWithOneBadPart) {
    ChannelData data = noise(true);
    data.values(0, 0, 1, 21) = std::numeric_limits<float>::quiet_NaN();  // imaginary part of sample 10
    const Array<float> mask = sample_mask(data, channel_quality(data));
    EXPECT_EQ(mask.shape(), (Shape{2, 2, elements, samples}));
    EXPECT_EQ(mask(0, 0, 1, 10), 0);
    EXPECT_EQ(mask(0, 0, 1, 11), 1);
}

}  // namespace
}  // namespace sonolux
