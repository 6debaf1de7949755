// tests/sdk/train_lens_test.cpp
//
// Trainings for a lens: their samples, and a small one from recipe to model.
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/pipelines/evaluate_lens.hpp>
#include <sonolux/sdk/pipelines/lens_training_data.hpp>
#include <sonolux/sdk/pipelines/train.hpp>
#include <sonolux/sdk/runtime/lens_problem.hpp>
#include <sonolux/sdk/runtime/model_architecture.hpp>
#include <sonolux/simulation/phantoms/coloured_leaves.hpp>
#include <sonolux/solvers/colour_metrics.hpp>

namespace sonolux {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::ThrowsMessage;

class TrainLens : public testing::Test {
protected:
    static void SetUpTestSuite() {
        folder_ = fs::path(testing::TempDir()) / ("sonolux_train_lens_" + std::to_string(::getpid()));
        fs::remove_all(folder_);
        fs::create_directories(folder_ / "pictures");
        const ColouredLeaves leaves(9);
        Context context;
        context.workspace().reserve(leaves.workspace_bytes(64, 72, context));
        Array<float> picture({3, 64, 72});
        for (std::uint64_t n = 0; n < 2; ++n) {
            leaves.render(n, picture, context);
            write_image((folder_ / "pictures" / (std::to_string(n) + ".png")).string(), picture);
        }
    }
    static void TearDownTestSuite() { fs::remove_all(folder_); }

    // A lens of 0.4 mm, whose blur is a few pixels.
    static std::string recipe(const std::string& more = "") {
        const fs::path path = folder_ / "recipe.toml";
        const std::string pictures = (folder_ / "pictures").string();
        std::ofstream(path) << "name = 'tiny'\nlicence = 'none'\nproblem.kind = 'lens'\n"
                            << "lens = {focal_length = 5e-3, diameter = 0.4e-3, levels = 16}\n"
                            << "psf = {size = 41, count = 61}\n"
                            << "network = {stages = 2, filters = 8, filter_size = 3}\n"
                            << "data.photographs = ['" << pictures
                            << "']\ndata.reductions = [1]\ndata.dead_leaves = 3\ndata.dead_leaves_size = "
                               "48\n"
                            << "training = {size = 24, seam = 4, batch = 2, steps = 12, learning_rate = "
                               "0.05}\n"
                            << "validation = {photographs = ['" << pictures
                            << "'], size = 32, samples = 2, every = 4}\n"
                            << "output = {checkpoint_every = 3, log_every = 2}\n"
                            << more;
        return path.string();
    }
    static TrainRequest request(const std::string& path, const char* run) {
        TrainRequest result;
        result.recipe = path;
        result.output = (folder_ / run).string();
        result.threads = 1;
        return result;
    }
    static inline fs::path folder_;
};

TEST_F(TrainLens, SamplesArePeriodicAndAreWhatTheLensMakesOfThem) {
    Context context;
    const LensTrainingRecipe recipe = read_lens_training_recipe(this->recipe(), context);
    const LensScenes scenes = LensScenes::read(recipe.scenes, "", 28, recipe.seed, context);
    EXPECT_EQ(scenes.photographs.size(), 2u);
    EXPECT_EQ(scenes.leaves.size(), 3u);
    // Over the seam neighbours are as alike as anywhere.
    double across = 0, inside = 0;
    Array<float> scene({3, 24, 24}), again({3, 24, 24});
    LensSceneRecipe plain = recipe.scenes;
    plain.black_fraction = 0;
    for (std::uint64_t n = 0; n < 200; ++n) {
        cut_scene(scenes, plain, 4, 1, 7, n, scene);
        for (Index c = 0; c < 3; ++c)
            for (Index i = 0; i < 24; ++i) {
                across += std::abs(scene(c, i, 23) - scene(c, i, 0)) / 2;
                across += std::abs(scene(c, 23, i) - scene(c, 0, i)) / 2;
                inside += std::abs(scene(c, i, 12) - scene(c, i, 13)) / 2;
                inside += std::abs(scene(c, 12, i) - scene(c, 13, i)) / 2;
            }
        cut_scene(scenes, plain, 4, 1, 7, n, again);
        EXPECT_TRUE(std::equal(scene.begin(), scene.end(), again.begin()));
        for (const float value : scene) EXPECT_TRUE(value >= 0 && value <= 1) << value;
    }
    EXPECT_LT(across, 1.3 * inside);

    const ChannelSpectrum spectrum = estimate_spectrum(scenes, recipe);
    LensCase sample(recipe, scenes, spectrum, 24, 7);
    context.workspace().reserve(sample.workspace_bytes(context));
    double captured = 0, started = 0;
    for (std::uint64_t n = 0; n < 20; ++n) {
        sample.make(n, context);
        captured += channel_psnr(sample.observation().data, sample.truth(), 255) / 20;
        started += channel_psnr(sample.start(), sample.truth(), 255) / 20;
    }
    EXPECT_GT(started, captured + 1);
}

TEST_F(TrainLens, SamplesBehindAMosaicAreInterpolated) {
    Context context;
    const LensTrainingRecipe whole = read_lens_training_recipe(this->recipe(), context),
                             mosaic =
                                 read_lens_training_recipe(this->recipe("sensor.mosaic = 'grbg'\n"), context);
    EXPECT_EQ(mosaic.scenes.mosaic_fraction, 1);
    const LensScenes scenes = LensScenes::read(whole.scenes, "", 28, whole.seed, context);
    const ChannelSpectrum spectrum = estimate_spectrum(scenes, whole);
    LensCase clean(whole, scenes, spectrum, 24, 7), seen(mosaic, scenes, spectrum, 24, 7);
    context.workspace().reserve(std::max(clean.workspace_bytes(context), seen.workspace_bytes(context)));
    clean.make(3, context);
    seen.make(3, context);
    const BayerMosaic pattern("grbg");
    for (Index c = 0; c < 3; ++c) {
        for (Index i = 0; i < 24; ++i)
            for (Index j = 0; j < 24; ++j)
                if (pattern.channel(i, j) == c)
                    EXPECT_EQ(seen.observation().data(c, i, j), clean.observation().data(c, i, j));
                else
                    EXPECT_NE(seen.observation().data(c, i, j), clean.observation().data(c, i, j));
    }
}

TEST_F(TrainLens, LeavesAModelThatEvaluates) {
    std::string log;
    TrainRequest asked = request(recipe(), "run");
    asked.log = [&](const std::string& line) { log += line + "\n"; };
    const TrainSummary summary = train(asked);
    ASSERT_TRUE(summary.finished);
    EXPECT_THAT(log, HasSubstr("linear estimate"));
    const std::string marker = "validation before training: ";
    EXPECT_GT(summary.validation_psnr, std::stod(log.substr(log.find(marker) + marker.size())));
    const Model model = load_model_file(summary.model);
    EXPECT_EQ(model.problem.kind, "lens");
    EXPECT_EQ(lens_kernels(model).shape(), Shape({3, 41, 41}));
    EXPECT_EQ(lens_problem(model.problem, "tiny").least_full_well, 10000);
    // Kernels of grey scenes hold all light that comes within their reach.
    double light = 0;
    const View<const float> kernels = lens_kernels(model);
    for (Index n = 0; n < kernels.elements(); ++n) light += double{kernels.data()[n]} / 3;
    EXPECT_NEAR(light, 1, 0.1);
    EvaluateLensOptions options;
    options.data = (folder_ / "pictures").string();
    options.size = 40;
    options.samples = 4;
    options.threads = 1;
    const auto results = evaluate_lens(model, options);
    ASSERT_EQ(results.size(), 3u);
    EXPECT_GT(results[1].psnr, results[0].psnr);
    EXPECT_GT(results[2].psnr, results[1].psnr - 1);
    for (const LensResult& result : results) {
        EXPECT_TRUE(std::isfinite(result.angle) && result.difference > 0);
        EXPECT_NEAR(result.psnr,
                    (result.channel_psnr[0] + result.channel_psnr[1] + result.channel_psnr[2]) / 3, 3);
    }
}

TEST_F(TrainLens, ContinuesToTheSameBits) {
    const TrainSummary whole = train(request(recipe(), "whole"));
    TrainRequest first = request(recipe(), "parts");
    first.stop_after = 5;
    EXPECT_FALSE(train(first).finished);
    TrainRequest second = request(recipe(), "parts");
    second.threads = 2;
    const TrainSummary parts = train(second);
    EXPECT_EQ(parts.resumed_at, 5);
    EXPECT_EQ(read_file(whole.model), read_file(parts.model));
}

TEST_F(TrainLens, RecipesAreRefusedInASentence) {
    Context context;
    const auto refuses = [&](const std::string& more, const char* why) {
        EXPECT_THAT([&] { (void)read_lens_training_recipe(recipe(more), context); },
                    ThrowsMessage<Error>(HasSubstr(why)));
    };
    refuses("sensor.mosaic = 'rggx'\n", "got \"rggx\"");
    refuses("sensor.mosaic = 'rggb'\ndata.mosaic_fraction = 2\n", "mosaic_fraction");
    refuses("data.mosaic_fraction = 0.5\n", "mosaic_fraction");
    refuses("sensr.bits = 8\n", "sensr");
    EXPECT_THAT(
        [&] {
            LensSceneRecipe scenes;
            scenes.photographs = {(folder_ / "pictures").string()};
            scenes.reductions = {4};
            (void)LensScenes::read(scenes, "", 28, 1, context);
        },
        ThrowsMessage<Error>(HasSubstr("at least 28 x 28")));
}

}  // namespace
}  // namespace sonolux
