// `sonolux evaluate --calibrate` and what a calibrated model says then, on a small set of rays.
#include <cmath>
#include <fstream>
#include <map>

#include <sonolux/sdk/files/box_chart.hpp>
#include <sonolux/sdk/files/zea.hpp>
#include <sonolux/sdk/pipelines/delay_trials.hpp>
#include <sonolux/sdk/pipelines/evaluate_trust.hpp>
#include <sonolux/sdk/pipelines/simulate.hpp>
#include <sonolux/sdk/pipelines/speed_methods.hpp>

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

TEST_F(CalibrateSpeed, ReportsHowErrorsGrowWithWhatGoesWrongForEachMethod) {
    simulate_rays(file("set"), 4);
    write_file_atomically(file("m.safetensors"), save_model(speckle_model()));
    const Outcome outcome =
        run("evaluate m.safetensors --data set --missing 0 --delay-noise 0 --robustness --report out "
            "--threads 1");
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    for (const char* method : {"uniform", "tikhonov", "lbfgs", "network"})
        EXPECT_THAT(outcome.out, HasSubstr(method));
    EXPECT_THAT(read_text_file(file("out/report.html")), HasSubstr("Root mean square error of each map"));
    std::ifstream csv(file("out/robustness.csv"));
    std::string line;
    std::map<std::string, double> errors;  // "noise,40,ns,lbfgs"
    while (std::getline(csv, line)) {
        const std::size_t last = line.rfind(',');
        if (line.starts_with("what")) continue;
        errors[line.substr(0, line.find(' ') < last ? line.find(' ') : last)] =
            std::stod(line.substr(last + 1));
    }
    EXPECT_EQ(errors.size(), 3u * (7 + 5 + 5 + 5));
    for (const char* method : {"network", "lbfgs", "tikhonov"}) {
        const auto of = [&](const char* what) { return errors.at(sentence(what, ",", method)); };
        EXPECT_EQ(of("missing,0,%"), of("noise,0,ns")) << "both as they are";
        EXPECT_NEAR(of("missing,0,%"), of("background,0,m/s"), 0.05);  // rounding of delays made again
        EXPECT_NEAR(of("pitch,0,%"), of("background,0,m/s"), 1e-9);
        EXPECT_GT(of("pitch,2,%"), 1.5 * of("pitch,0,%"));  // 2 % of 1500 m/s
        EXPECT_GT(of("missing,90,%"), of("missing,0,%"));
    }
    EXPECT_THAT(run("evaluate m.safetensors --data set --robustness"),
                FailsWith(2, "--robustness needs --report"));
}

TEST(SpeedQuality, IsWhatItsFormulasSay) {
    Array<float> truth({20, 20}), found({20, 20});
    for (Index i = 0; i < 20; ++i)
        for (Index j = 0; j < 20; ++j) {
            const bool inside = i >= 8 && i < 12 && j >= 8 && j < 12;
            truth(i, j) = inside ? 1540 : 1500;
            found(i, j) = (inside ? 1522.0f : 1502.0f) + (j % 2 == 0 ? 3.0f : -3.0f);
        }
    const SpeedQuality quality = quality_of(found, truth);
    EXPECT_NEAR(quality.rmse, std::sqrt((16 * (18 * 18 + 9) + 384 * (2 * 2 + 9)) / 400.0), 1e-4);
    EXPECT_NEAR(quality.mae, (16 * 18 + 384 * 3) / 400.0, 1e-4);
    EXPECT_NEAR(quality.contrast, 0.5, 1e-6);  // 20 of 40 m/s
    EXPECT_NEAR(quality.contrast_to_noise, 20 / std::sqrt(18.0), 1e-3);
    EXPECT_NEAR(quality_of(truth, truth).ssim, 1, 1e-6);
    EXPECT_LT(quality.ssim, 1);
    std::fill(truth.begin(), truth.end(), 1500.0f);
    EXPECT_TRUE(std::isnan(quality_of(found, truth).contrast));
    EXPECT_TRUE(std::isnan(quality_of(found, truth).contrast_to_noise));
}

TEST(BoxChart, DrawsQuartilesAndWhatLiesFarOff) {
    const std::string svg = svg_box_chart(
        std::vector<BoxSeries>{{"a < b", {1, 2, 3, 4, 5, 30, NAN}}, {"none", {}}}, "title", "m/s");
    EXPECT_THAT(svg, HasSubstr("a &lt; b"));
    EXPECT_THAT(svg, HasSubstr("<circle"));  // 30
    EXPECT_EQ(quantile_of({4, 1, 3, 2}, 0.5), 2.5);
    EXPECT_EQ(quantile_of({4, 1, 3, 2}, 1), 4);
}

TEST_F(CalibrateSpeed, TimesModelsOnDelaysOfTheirOwn) {
    write_file_atomically(file("m.safetensors"), save_model(speckle_model()));
    const Outcome outcome = run("benchmark m.safetensors --seconds 0 --threads 2");
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("speckle, 2 measurements x 34 x 32, 0.000 GFLOP of filters a frame"));
    // One where the build has no OpenMP.
    EXPECT_THAT(outcome.out, HasSubstr(sentence("map and trust        ", make_openmp_runner(2)->threads())));
}

}  // namespace
}  // namespace sonolux
