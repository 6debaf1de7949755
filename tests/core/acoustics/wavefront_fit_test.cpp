// Delays and the wavefronts that they make.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sonolux/core/acoustics/wavefront_fit.hpp>

namespace sonolux {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr double tolerance = 25e-9;  // s, an eighth of a period of 5 MHz

const TransducerArray& linear() {
    static const TransducerArray array = make_linear_array(64, 0.3e-3, 0.25e-3);
    return array;
}

Transmission found(const TransducerArray& array, const Transmission& sent, double sound_speed) {
    return wavefront_of_delays(array, sent.delays, sent.apodization, sound_speed, tolerance, "file");
}

TEST(WavefrontFit, RecognisesWhatDelaysMake) {
    for (const TransducerArray& array : {linear(), make_convex_array(64, 0.4e-3, 0.3e-3, 50e-3)}) {
        const std::vector<Transmission> sent = {plane_wave(array, 0, 1540),
                                                plane_wave(array, -0.3, 1480),
                                                diverging_wave(array, {2e-3, -9e-3}, 1540),
                                                diverging_wave(array, {0, -40e-3}, 1500),
                                                focused_beam(array, {-4e-3, 25e-3}, 1540),
                                                single_element(array, 17)};
        for (const Transmission& t : sent) {
            const Transmission f = found(array, t, t.sound_speed > 0 ? t.sound_speed : 1540);
            EXPECT_EQ(f.wavefront, t.wavefront);
            EXPECT_NEAR(f.angle, t.angle, 1e-9);
            EXPECT_NEAR(f.focus.x, t.focus.x, 1e-8);
            EXPECT_NEAR(f.focus.z, t.focus.z, 1e-8);
            EXPECT_NEAR(f.focus_time, t.focus_time, 1e-13);
            EXPECT_EQ(f.sound_speed, t.sound_speed);
        }
    }
}

TEST(WavefrontFit, RecognisesApertures) {
    const Transmission part = focused_beam(linear(), {-5e-3, 20e-3}, 1540, aperture_weights(64, 3, 24));
    const Transmission f = found(linear(), part, 1540);
    EXPECT_EQ(f.wavefront, Wavefront::focused);
    EXPECT_NEAR(f.focus.z, 20e-3, 1e-8);
}

TEST(WavefrontFit, SaysWhereDelaysMakeNoWavefront) {
    std::vector<double> delays(64, 0.0), weights(64, 1.0);
    for (std::size_t i = 0; i < 64; i += 2) delays[i] = 1e-6;
    EXPECT_THAT(
        [&] { (void)wavefront_of_delays(linear(), delays, weights, 1540, tolerance, "a.mat"); },
        ThrowsMessage<Error>(HasSubstr("a.mat: the delays are of no plane, diverging or focused wave")));
}

std::vector<Transmission> claims_of(const std::vector<Transmission>& sent) {
    std::vector<Transmission> claims = sent;
    for (Transmission& t : claims) t.focus_time = t.sound_speed = 0;
    return claims;
}

TEST(WavefrontFit, CompletesWhatAFileSays) {
    const std::vector<Transmission> sent = {plane_wave(linear(), 0.1, 1540),
                                            diverging_wave(linear(), {0, -9e-3}, 1540),
                                            single_element(linear(), 3)};
    std::vector<Transmission> t = claims_of(sent);
    complete_wavefronts(t, linear(), 1540, tolerance, {}, "file");
    for (std::size_t k = 0; k < sent.size(); ++k) {
        EXPECT_NEAR(t[k].focus_time, sent[k].focus_time, 1e-15);
        EXPECT_EQ(t[k].sound_speed, sent[k].sound_speed);
    }
}

TEST(WavefrontFit, FindsTheOneSpeedThatAllDelaysAreFor) {
    const std::vector<Transmission> sent = {plane_wave(linear(), -0.2, 1540), plane_wave(linear(), 0, 1540),
                                            plane_wave(linear(), 0.2, 1540)};
    std::vector<Transmission> t = claims_of(sent);
    complete_wavefronts(t, linear(), 1450, tolerance, {}, "file");
    for (const Transmission& wave : t) EXPECT_NEAR(wave.sound_speed, 1540, 1e-6);
}

TEST(WavefrontFit, RefusesSwappedAnglesAndNamesBoth) {
    std::vector<Transmission> swapped =
        claims_of({plane_wave(linear(), 0.20, 1540), plane_wave(linear(), 0.25, 1540),
                   plane_wave(linear(), -0.1, 1540)});
    std::swap(swapped[0].angle, swapped[1].angle);
    EXPECT_THAT(
        [&] {
            complete_wavefronts(swapped, linear(), 1540, tolerance, {"t0_delays", "polar_angles"}, "a");
        },
        ThrowsMessage<Error>(AllOf(HasSubstr("a: t0_delays and polar_angles of transmission 1 contradict"),
                                   HasSubstr("polar_angles say a plane wave at 0.25 rad (14.3"),
                                   HasSubstr("the delays are those of a plane wave at 0.2 rad"))));
    std::vector<Transmission> mirrored = claims_of({plane_wave(linear(), 0.20, 1540)});
    mirrored[0].angle = -0.20;
    EXPECT_THAT([&] { complete_wavefronts(mirrored, linear(), 0, tolerance, {}, "a"); },
                ThrowsMessage<Error>(HasSubstr("contradict")));
}

TEST(WavefrontFit, CountsDelaysFromTheFirstActiveElement) {
    Transmission t;
    t.delays = {5e-6, 2e-6, 3e-6, 1e-6};
    t.apodization = {0, 1, 1, 0};
    EXPECT_DOUBLE_EQ(start_at_first_element(t), 2e-6);
    EXPECT_EQ(t.delays[0], 0);
    EXPECT_EQ(t.delays[1], 0);
    EXPECT_DOUBLE_EQ(t.delays[2], 1e-6);
}

}  // namespace
}  // namespace sonolux
