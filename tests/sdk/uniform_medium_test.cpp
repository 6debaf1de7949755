// The self-test on a uniform medium: simulated speckle of 1510 m/s passes, and what is made wrong with it is
// found and named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sonolux/sdk/files/zea.hpp>
#include <sonolux/sdk/pipelines/measured_traces.hpp>
#include <sonolux/sdk/pipelines/uniform_medium.hpp>

#include "tests/support/command_line.hpp"
#include "tests/support/speckle_recording.hpp"

namespace sonolux {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::ThrowsMessage;

const ChannelData& recording() {
    static const ChannelData made = speckle();
    return made;
}

UniformMediumReport report_on(const ChannelData& data, double known, const UniformMediumLimits& limits = {}) {
    Context context(make_serial_runner());
    SoundSpeedPipelineOptions options;
    options.delays.pairs.beamforming.measured = measured_traces(data, "test").ranges;
    SoundSpeedPipeline pipeline(data.acquisition, data.frame(0), std::move(options), context);
    SoundSpeedFrame frame = pipeline.make_frame();
    pipeline.explain(pipeline.run(data.frame(0), frame, context), frame);
    return check_uniform_medium(pipeline, frame, known, limits);
}

std::vector<std::string> failures_of(const UniformMediumReport& report) {
    std::vector<std::string> names;
    for (const auto& check : report.checks)
        if (!check.passed) names.push_back(check.what + ": " + check.found);
    return names;
}

TEST(UniformMedium, PassesWhereTheSpeedIsKnownAndWhereItIsNot) {
    for (const double known : {speckle_speed, 0.0}) {
        const UniformMediumReport report = report_on(recording(), known);
        EXPECT_THAT(failures_of(report), ElementsAre());
        EXPECT_TRUE(report.passed());
        EXPECT_EQ(report.known, known > 0);
        EXPECT_NEAR(report.speed_found, speckle_speed, 2);
        EXPECT_NEAR(report.reference_speed, speckle_speed, 2);
        ASSERT_EQ(report.pairs.size(), 3u);
        EXPECT_EQ(report.pairs[2].first, 2);
        EXPECT_EQ(report.pairs[2].second, 3);
        EXPECT_GT(report.pairs[0].scatter, 0) << "speckle";
        EXPECT_TRUE(report.elements_out.empty());
    }
}

TEST(UniformMedium, FindsAnotherSpeedThanTheOneThatIsSaid) {
    const UniformMediumReport report = report_on(recording(), speckle_speed + 20);
    EXPECT_FALSE(report.passed());
    EXPECT_NEAR(report.speed_found - report.reference_speed, -20, 2);
    EXPECT_NEAR(report.map_bias, -20, 3);
    ASSERT_FALSE(failures_of(report).empty());
    EXPECT_THAT(failures_of(report)[0], HasSubstr("uniform speed found: 15"));
}

TEST(UniformMedium, FindsATransmissionWhoseTimeIsWrong) {
    ChannelData late{recording().acquisition, recording().values.clone()};
    late.acquisition.start_times[0] += 20e-9;  // said to be later than it was: its echoes come late
    const UniformMediumReport right = report_on(recording(), speckle_speed),
                              wrong = report_on(late, speckle_speed);
    EXPECT_FALSE(wrong.passed());
    // The first pair compares it with the second transmission, the last has nothing to do with it. The places
    // of echoes count on a uniform speed, so that not all of 20 ns need arrive.
    EXPECT_NEAR(wrong.pairs[0].bias - right.pairs[0].bias, 20e-9, 5e-9);
    EXPECT_LT(std::abs(wrong.pairs[2].bias), std::abs(wrong.pairs[0].bias));
}

TEST(UniformMedium, NamesElementsThatDoNotHear) {
    ChannelData data{recording().acquisition, recording().values.clone()};
    for (Index k = 0; k < 4; ++k)
        for (const Index e : {7, 30, 31, 32})
            for (Index n = 0; n < data.acquisition.samples; ++n) data.values(0, k, e, n) = 0;
    const UniformMediumReport report = report_on(data, speckle_speed);
    EXPECT_THAT(report.elements_out, ElementsAre(7, 30, 31, 32));
    EXPECT_THAT(failures_of(report), ElementsAre("elements left out: 4 of 64: 8, 31 to 33"));
    EXPECT_TRUE(report_on(data, speckle_speed, {.elements_out = 0.1}).passed());
}

TEST(UniformMedium, RefusesLimitsAndSpeedsThatCannotBe) {
    EXPECT_THAT([] { (void)report_on(recording(), 1.51); },
                ThrowsMessage<Error>(HasSubstr("between 300 and 10000 m/s, got 1.51")));
    EXPECT_THAT([] { (void)report_on(recording(), 0, {.pair_bias = 0}); },
                ThrowsMessage<Error>(HasSubstr("the limit pair_bias must be above 0, got 0")));
}

class UniformMediumCommand : public CommandLine {};

TEST_F(UniformMediumCommand, PrintsItsLimitsAndFailsBeyondThem) {
    write_zea(file("a.hdf5"), recording());
    const Outcome good = run("reconstruct lbfgs a.hdf5 map.png --uniform 1510");
    EXPECT_EQ(good.status, 0) << good.err;
    EXPECT_THAT(good.out, HasSubstr("pair 3 (3-4), scatter"));
    EXPECT_THAT(good.out, HasSubstr("at least 70 %"));
    EXPECT_THAT(good.out, Not(HasSubstr("FAILS")));
    EXPECT_TRUE(std::filesystem::exists(file("map.png")));
    EXPECT_EQ(run("reconstruct lbfgs a.hdf5 map.png --uniform unknown").status, 0);
    const Outcome bad = run("reconstruct lbfgs a.hdf5 map.png --uniform 1540");
    EXPECT_EQ(bad.status, 1);
    EXPECT_THAT(bad.err, HasSubstr("a.hdf5: the self-test failed in "));
    EXPECT_THAT(bad.out, HasSubstr("FAILS"));
    EXPECT_THAT(run("reconstruct lbfgs a.hdf5 map.png --uniform 1.54"),
                FailsWith(2, "--uniform must be a speed between 300 and 10000 m/s, or unknown"));
    EXPECT_THAT(run("reconstruct lbfgs a.hdf5 map.png --uniform 1540 --refine 1"),
                FailsWith(2, "goes without --refine"));
}

}  // namespace
}  // namespace sonolux
