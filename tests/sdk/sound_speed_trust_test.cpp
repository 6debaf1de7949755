// `sonolux evaluate --calibrate` and what a calibrated model says then, on a small set of rays.
#include <fstream>

#include <sonolux/sdk/files/zea.hpp>
#include <sonolux/sdk/pipelines/delay_trials.hpp>
#include <sonolux/sdk/pipelines/evaluate_trust.hpp>
#include <sonolux/sdk/pipelines/simulate.hpp>

#include "tests/support/command_line.hpp"
#include "tests/support/speckle_recording.hpp"

namespace sonolux {
namespace {

using ::testing::HasSubstr;

/// 64 elements of 0.3 mm, the geometry of speckle_model.
void simulate_rays(const std::string& folder, int samples) {
    std::ofstream(folder + ".toml")
        << "name = 'rays'\ndomain = 'ray'\nseed = 5\nset = {samples = " << samples << ", shard_samples = 8}\n"
        << "grid = {rows = 34, columns = 32, spacing = 0.6e-3}\n"
        << "phantom = {families = ['inclusions'], width = 19.2e-3, depth = 20.4e-3, supersampling = 1}\n"
        << "array = {elements = 64, pitch = 0.3e-3}\n"
        << "ray = {first = [13, 43], second = [23, 53], spacing = 0.45e-3, near = 4e-3, far = 1e-3, side = "
           "1e-3, receive_every = 8}\n";
    SimulateRequest request;
    request.recipe = folder + ".toml";
    request.output = folder;
    request.threads = 1;
    ASSERT_TRUE(simulate(request).finished);
}

TEST(DelayTrials, OfTheSameGeometryAndTissueAreTheDelaysThemselves) {
    const TravelTimeProblem problem = travel_time_problem(speckle_model().problem, "test");
    Context context(make_serial_runner());
    const DelayModel model(problem, context), wider(with_pitch(problem, 1.1), context);
    Array<float> speed({34, 32}), delays({2, 34, 32}), other({2, 34, 32});
    std::fill(speed.begin(), speed.end(), 1500.0f);
    model.delays_of(speed, delays, context);
    wider.delays_of(speed, other, context);
    const RaySource a = problem.geometry.measurements[0][0].source,
                    b = problem.geometry.measurements[0][1].source;
    const auto expected = [&](double ratio, Index i, Index j) {
        const Point p = problem.geometry.map.point(static_cast<double>(i), static_cast<double>(j));
        return (length(p - Point{ratio * a.origin.x, 0}) - length(p - Point{ratio * b.origin.x, 0})) / 1500;
    };
    for (Index i = 12; i < 34; i += 5)
        for (Index j = 8; j < 16; j += 3) {  // 3 ns of rays that are sampled, of up to 1.8 us
            EXPECT_NEAR(delays(0, i, j), expected(1, i, j), 3e-9) << i << " " << j;
            EXPECT_NEAR(other(0, i, j), expected(1.1, i, j), 3e-9) << i << " " << j;
        }
    EXPECT_EQ(sources_of(problem), 4);
    const TravelTimeProblem swapped = with_swapped_sources(problem, 0, 3);
    EXPECT_EQ(swapped.geometry.measurements[0][0].source, problem.geometry.measurements[1][1].source);
    EXPECT_EQ(swapped.geometry.measurements[1][1].source, a);
    EXPECT_EQ(swapped.geometry.measurements[0][1].source, b);
    EXPECT_THROW((void)with_swapped_sources(problem, 0, 4), Error);
}

class CalibrateSpeed : public CommandLine {};

TEST_F(CalibrateSpeed, WritesAModelThatStatesDeviationsAndTellsFramesOfAnotherProbe) {
    simulate_rays(file("set"), 24);
    write_file_atomically(file("m.safetensors"), save_model(speckle_model()));
    const Outcome calibrated = run("evaluate m.safetensors --data set --calibrate c.safetensors --threads 1");
    ASSERT_EQ(calibrated.status, 0) << calibrated.err;
    EXPECT_THAT(calibrated.out, HasSubstr("calibrated on 24 frames of set"));
    const Model model = load_model_file(file("c.safetensors"));
    ASSERT_FALSE(model.trust.is_null());

    simulate_rays(file("again"), 24);
    const TrustEvaluation trust = evaluate_trust(model, {.set = file("again"), .threads = 1, .progress = {}});
    EXPECT_NEAR(trust.reliability.at_90, 0.9, 0.05);
    EXPECT_LE(trust.frames[0].flagged, 0.2);
    for (const FrameScores& frames : trust.frames) {
        if (frames.kind == "noise" || frames.kind == "another pitch") {
            EXPECT_GT(frames.roc_area, 0.95) << frames.kind;
        }
        EXPECT_EQ(frames.scores.size(), 24u);
    }

    const Outcome evaluated = run("evaluate c.safetensors --data set --samples 8 --csv c.csv --threads 1");
    ASSERT_EQ(evaluated.status, 0) << evaluated.err;
    EXPECT_THAT(evaluated.out, HasSubstr("area under ROC"));
    EXPECT_THAT(run("evaluate m.safetensors --data set --samples 3 --calibrate c.safetensors --threads 1"),
                FailsWith(1, "a calibration needs at least 8 frames, got 3"));
    EXPECT_THROW(
        (void)evaluate_trust(load_model_file(file("m.safetensors")), {.set = file("set"), .progress = {}}),
        Error);

    // The same model, on a recording.
    write_zea(file("a.hdf5"), speckle());
    const Outcome mapped = run("reconstruct c.safetensors a.hdf5 map.png --threads 1");
    ASSERT_EQ(mapped.status, 0) << mapped.err;
    EXPECT_THAT(mapped.out, HasSubstr("standard deviation"));
    EXPECT_THAT(mapped.out, HasSubstr("score of the frame"));
}

TEST_F(CalibrateSpeed, TimesModelsOnDelaysOfTheirOwn) {
    write_file_atomically(file("m.safetensors"), save_model(speckle_model()));
    const Outcome outcome = run("benchmark m.safetensors --seconds 0 --threads 2");
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("speckle, 2 measurements x 34 x 32, 0.000 GFLOP of filters a frame"));
    EXPECT_THAT(outcome.out, HasSubstr("map and trust        2"));
}

}  // namespace
}  // namespace sonolux
