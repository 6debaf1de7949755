// Recordings that do not fit together are refused by name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <sonolux/core/acoustics/acquisition.hpp>

namespace sonolux {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Acquisition two_waves() {
    const TransducerArray array = make_linear_array(8, 3e-4, 2.5e-4);
    Acquisition a{array, {plane_wave(array, 0, 1540), plane_wave(array, 0.1, 1540)}};
    a.sampling_frequency = 20e6;
    a.centre_frequency = 5e6;
    a.start_times = {0, 1e-6};
    a.samples = 100;
    return a;
}

void expect_refused(void (*change)(Acquisition&), const char* message) {
    Acquisition a = two_waves();
    change(a);
    EXPECT_THAT([&] { validate(a, "probe.hdf5"); }, ThrowsMessage<Error>(HasSubstr(message)));
}

TEST(Acquisition, TakesWhatFitsTogether) {
    validate(two_waves());
    ChannelData data{two_waves(), Array<float>({3, 2, 8, 100})};
    validate(data);
    EXPECT_EQ(data.frames(), 3);
    data.values(2, 1, 7, 99) = 5;
    EXPECT_EQ(data.frame(2)(1, 7, 99), 5);
}

TEST(Acquisition, SaysWhichFieldIsWrong) {
    expect_refused([](Acquisition& a) { a.transmissions.clear(); }, "there is no transmission");
    expect_refused([](Acquisition& a) { a.start_times.pop_back(); },
                   "probe.hdf5: there are 1 start times and 2 transmissions");
    expect_refused([](Acquisition& a) { a.start_times[1] = std::numeric_limits<double>::quiet_NaN(); },
                   "start time of transmission 2 must be within 1 s of 0, got nan");
    expect_refused([](Acquisition& a) { a.sampling_frequency = 20; }, "is it in MHz");
    expect_refused([](Acquisition& a) { a.sampling_frequency = 4e6; }, "must be above the centre frequency");
    expect_refused([](Acquisition& a) { a.peak_time = 0.4; }, "peak_time must be within 0.001 s of 0");
    expect_refused([](Acquisition& a) { a.samples = 0; }, "samples must be between 1 and");
    expect_refused([](Acquisition& a) { a.sound_speed = 1.54; },
                   "sound_speed must be 0 (unknown) or between");
    expect_refused([](Acquisition& a) { a.transmissions[1].delays.pop_back(); },
                   "probe.hdf5: transmission 2: there are 7 delays, the array has 8 elements");
}

TEST(Acquisition, CountsComplexSamplesTwice) {
    Acquisition a = two_waves();
    a.demodulation_frequency = 5e6;
    validate(ChannelData{a, Array<float>({1, 2, 8, 200})});
    EXPECT_THAT(
        [&] {
            validate(ChannelData{a, Array<float>({1, 2, 8, 100})});
        },
        ThrowsMessage<Error>(HasSubstr("values must be frames x 2 x 8 x 200, got 1 x 2 x 8 x 100")));
}

TEST(Acquisition, KeepsOneClock) {
    Acquisition a = two_waves();
    a.peak_time = 4e-7;
    a.lens_delay = 1e-7;
    EXPECT_DOUBLE_EQ(a.focusing_start(1), 5e-7);
}

}  // namespace
}  // namespace sonolux
