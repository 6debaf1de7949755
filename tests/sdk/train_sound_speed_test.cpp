// tests/sdk/train_sound_speed_test.cpp
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/training_set.hpp>
#include <sonolux/sdk/pipelines/simulate.hpp>
#include <sonolux/sdk/pipelines/sound_speed_data.hpp>
#include <sonolux/sdk/pipelines/train.hpp>
#include <sonolux/sdk/runtime/sound_speed_reconstructor.hpp>

namespace sonolux {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::ThrowsMessage;

class TrainSoundSpeed : public testing::Test {
protected:
    // One set for all tests: 32 elements over 20 x 18 pixels.
    static void SetUpTestSuite() {
        folder_ = fs::path(testing::TempDir()) / ("sonolux_train_sound_speed_" + std::to_string(::getpid()));
        fs::remove_all(folder_);
        fs::create_directories(folder_);
        std::ofstream(folder_ / "set.toml")
            << "name = 'rays'\ndomain = 'ray'\nseed = 3\nset = {samples = 20, shard_samples = 8}\n"
            << "grid = {rows = 20, columns = 18, spacing = 1e-3}\n"
            << "phantom = {families = ['inclusions'], width = 18e-3, depth = 20e-3, supersampling = 1}\n"
            << "array = {elements = 32, pitch = 0.6e-3}\n"
            << "ray = {first = [7, 13, 21], second = [13, 19, 27], spacing = 0.7e-3, near = 1e-3, far = "
               "1e-3, "
               "side = 0.5e-3}\n";
        SimulateRequest request;
        request.recipe = (folder_ / "set.toml").string();
        request.output = (folder_ / "set").string();
        request.threads = 1;
        ASSERT_TRUE(simulate(request).finished);
    }
    static void TearDownTestSuite() { fs::remove_all(folder_); }

    /// Two more samples on the same geometry.
    static DelaySource simulated(const std::string& name, const std::string& phantom, const char* solver) {
        std::ofstream(folder_ / (name + ".toml"))
            << "name = '" << name << "'\ndomain = 'ray'\nset = {samples = 2, shard_samples = 2}\n"
            << "grid = {rows = 20, columns = 18, spacing = 1e-3}\n"
            << "phantom = {families = ['inclusions'], width = 18e-3, depth = 20e-3, supersampling = 1, "
            << phantom << "}\narray = {elements = 32, pitch = 0.6e-3}\n"
            << "ray = {first = [7, 13, 21], second = [13, 19, 27], spacing = 0.7e-3, near = 1e-3, far = "
               "1e-3, "
            << "side = 0.5e-3, solver = '" << solver << "'}\n";
        SimulateRequest request;
        request.recipe = (folder_ / (name + ".toml")).string();
        request.output = (folder_ / name).string();
        request.threads = 1;
        EXPECT_TRUE(simulate(request).finished);
        DelaySource source;
        source.path = request.output;
        return source;
    }

    static std::string recipe(const std::string& more = "", const std::string& first = "7, 13, 21",
                              const std::string& geometry = "") {
        const fs::path path = folder_ / "recipe.toml";
        const std::string set = (folder_ / "set").string();
        std::ofstream(path)
            << "name = 'tiny'\nlicence = 'none'\nproblem.kind = 'sound_speed'\n"
            << "network = {stages = 3, filters = 3, filter_size = 4, weight_nodes = 3, knots = 9, step_knots "
               "= "
               "5}\n"
            << "array = {elements = 32, pitch = 0.6e-3}\n"
            << "geometry = {rows = 20, columns = 18, spacing = 1e-3, near = 1e-3, far = 1e-3, side = 0.5e-3, "
            << geometry << "first = [" << first << "], second = [13, 19, 27]}\n"
            << "data = {sets = ['" << set << "', '" << set
            << "'], per_batch = [3, 1], first_sample = [0, 10], "
            << "samples = [10, 4], least_missing = [0.1, 0], most_missing = [0.9, 0], patch_nodes = 4, "
               "curriculum_steps = 3}\n"
            << "validation = {sets = ['" << set << "'], first_sample = 14, every = 4}\n"
            << "training = {steps = 25, learning_rate = 5e-3, knot_smoothness = 0.01, range_early_every = "
               "5}\n"
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

TEST_F(TrainSoundSpeed, LeavesAModelThatRunsBetterThanBefore) {
    std::string log;
    TrainRequest asked = request(recipe(), "run");
    asked.log = [&](const std::string& line) { log += line + "\n"; };
    const TrainSummary summary = train(asked);
    ASSERT_TRUE(summary.finished);
    EXPECT_EQ(summary.steps, 25);
    EXPECT_THAT(summary.validation, HasSubstr("m/s"));
    const std::string marker = "validation before training: ";
    ASSERT_THAT(log, HasSubstr(marker));
    const double before = std::stod(log.substr(log.find(marker) + marker.size()));
    EXPECT_LT(-summary.validation_psnr, before);

    const Model model = load_model_file(summary.model);
    SoundSpeedReconstructor maps(model, {.threads = 1});
    maps.bind();
    const TrainingSet set = TrainingSet::open((folder_ / "set").string());
    const SampleBlock block = set.read(15);
    const std::span<const float> truth = block.field(0, set.manifest(), 0);
    const std::span<const float> delays = block.field(0, set.manifest(), 1);
    Array<float> speed({20, 18});
    ASSERT_EQ(maps.run({delays.data(), {3, 20, 18}}, {}, speed), Status::ok);
    double squares = 0;
    for (Index i = 0; i < 360; ++i)
        squares += std::pow(double{speed.data()[i]} - truth[static_cast<std::size_t>(i)], 2);
    EXPECT_LT(std::sqrt(squares / 360), 60);  // m/s: contrasts are up to that
    EXPECT_THAT(read_file((folder_ / "run/metrics.csv").string()).size(), testing::Gt(50u));
}

TEST_F(TrainSoundSpeed, ContinuesAfterAStopToTheSameBitsOnAnyNumberOfThreads) {
    const std::string path = recipe();
    const TrainSummary whole = train(request(path, "whole"));
    TrainRequest parts = request(path, "parts");
    parts.stop_after = 7;  // between two moves of the knots
    EXPECT_FALSE(train(parts).finished);
    parts.stop_after = 0;
    parts.threads = 3;
    const TrainSummary rest = train(parts);
    EXPECT_EQ(rest.resumed_at, 7);
    EXPECT_EQ(read_file(rest.model), read_file(whole.model));
}

TEST_F(TrainSoundSpeed, LetsRangesFollowTheData) {
    std::string text;
    {
        std::ifstream file(recipe());
        text.assign(std::istreambuf_iterator<char>(file), {});
    }
    const std::size_t begin = text.find("validation = ");
    text.erase(begin, text.find('\n', begin) - begin);  // which keeps the best, that may be an early one
    std::ofstream(folder_ / "ranges.toml") << text;
    const TrainSummary summary = train(request((folder_ / "ranges.toml").string(), "ranges"));
    const Model model = load_model_file(summary.model);
    for (const NamedTensor& tensor : model.tensors)
        if (tensor.name.ends_with(".ranges")) {
            EXPECT_NE(tensor.values.data()[0], 4) << tensor.name;  // where they began
            EXPECT_GT(tensor.values.data()[1], 0.05) << tensor.name;
        }
}

TEST_F(TrainSoundSpeed, RefusesSetsOfAnotherGeometryByName) {
    EXPECT_THAT([&] { train(request(recipe("", "8, 13, 21"), "other")); },
                ThrowsMessage<Error>(HasSubstr("pairs/x says that source 1 of pair 1")));
    std::ofstream(folder_ / "wrong.toml") << "name = 'wrong'\nproblem.kind = 'sound_speed'\ndata.sets = ['"
                                          << (folder_ / "set").string() << "']\n";
    EXPECT_THAT([&] { train(request((folder_ / "wrong.toml").string(), "wrong")); },
                ThrowsMessage<Error>(HasSubstr("field \"sound_speed\"")));
}

TEST_F(TrainSoundSpeed, RefusesWhatTheRecipeMisspells) {
    EXPECT_THAT([&] { train(request(recipe("problem.stesp = 3\n"), "misspelt")); },
                ThrowsMessage<Error>(HasSubstr("unknown key \"problem.stesp\"")));
}

TEST_F(TrainSoundSpeed, TakesAwayAsMuchAsItSaysInPatches) {
    SoundSpeedRecipe read = read_sound_speed_recipe(recipe());
    Context context(make_serial_runner());
    const SoundSpeedSetup setup(read.problem, {}, context);
    DelaySource source = read.sources[0];
    source.augmentation = {0.6, 0.6, 4, 0};
    const DelaySamples samples(source, setup.problem, 3);
    EXPECT_EQ(samples.count(), 3);
    DelayCase one(setup), again(setup);
    context.workspace().reserve(one.workspace_bytes(context));
    one.make(samples, 1, 5, 120, 9, context);
    EXPECT_NEAR(one.observation().measured, 0.4, 0.12);  // of what is trusted: patches fall where they fall
    again.make(samples, 1, 5, 120, 9, context);
    EXPECT_TRUE(
        std::equal(one.truth().data(), one.truth().data() + one.truth().elements(), again.truth().data()));
    // Neighbours are missing together: far fewer changes along rows than of single readings.
    const View<const float> mask = one.observation().mask;
    Index changes = 0, missing = 0;
    for (Index i = 5; i < 15; ++i)
        for (Index j = 5; j < 13; ++j) {
            changes += mask[0](i, j) != mask[0](i, j + 1);
            missing += mask[0](i, j) == 0;
        }
    EXPECT_GT(missing, 0);
    EXPECT_LT(changes, 20);  // of 80; single readings would change at 0.48 of places
    double squares = 0;
    for (Index i = 0; i < mask.elements(); ++i)
        squares += std::pow(double{one.observation().data.data()[i]}, 2);
    EXPECT_NEAR(squares / static_cast<double>(one.whitening().measured), 1, 1e-4);
}

// Readings in seconds of a sample that was whitened.
std::vector<double> readings_of(const DelayCase& one, const SoundSpeedSetup& setup) {
    const View<const float> data = one.observation().data, response = setup.whitening->response();
    std::vector<double> readings;
    for (Index n = 0; n < data.elements(); ++n)
        readings.push_back(one.whitening().deviation * data.data()[n] +
                           one.whitening().level * response.data()[n]);
    return readings;
}

TEST_F(TrainSoundSpeed, AddsWhatDelaysOfASetHaveThatThoseOfItsMapsHaveNotAndItsGaps) {
    SoundSpeedRecipe read = read_sound_speed_recipe(recipe());
    Context context(make_serial_runner());
    const SoundSpeedSetup setup(read.problem, {}, context);
    DelaySource source = read.sources[0];
    source.augmentation = {};
    const DelaySamples samples(source, setup.problem, 4);
    // One sample alone, so that it is known which is drawn, and rays that bend, which the operator's do not.
    const DelaySamples others(simulated("bent", "inclusions = {contrast = [-80, 80]}", "eikonal"),
                              setup.problem, 1);
    const DelayResiduals residuals(others, setup, context);
    ASSERT_EQ(residuals.count(), 1);

    source.augmentation.residual = 2;
    const DelaySamples disturbed(source, setup.problem, 4);
    DelayCase plain(setup, &residuals), with(setup, &residuals);
    context.workspace().reserve(plain.workspace_bytes(context));
    plain.make(samples, 2, 5, 120, 9, context);
    with.make(disturbed, 2, 5, 120, 9, context);

    // Delays of the other map by the operator, in seconds.
    Array<float> slowness(setup.forward->domain()), expected(setup.forward->range());
    for (Index n = 0; n < slowness.elements(); ++n)
        slowness.data()[n] = static_cast<float>(setup.problem.operator_norm / others.speed(0).data()[n]);
    setup.forward->apply(slowness, expected, context);
    const std::vector<double> before = readings_of(plain, setup), after = readings_of(with, setup);
    double factor = 0, largest = 0;
    for (std::size_t n = 0; n < before.size(); ++n) {
        const auto i = static_cast<Index>(n);
        const double residual = others.delays(0).data()[i] - double{expected.data()[i]};
        if (std::abs(residual) > largest && with.observation().mask.data()[i] != 0) {
            largest = std::abs(residual);
            factor = (after[n] - before[n]) / residual;
        }
    }
    EXPECT_GT(factor, 0);
    EXPECT_LE(factor, 2);
    for (std::size_t n = 0; n < before.size(); ++n) {
        const auto i = static_cast<Index>(n);
        const bool there =
            std::isfinite(others.delays(0).data()[i]) && plain.observation().mask.data()[i] != 0;
        ASSERT_EQ(with.observation().mask.data()[i], there ? 1 : 0);
        if (!there) continue;
        ASSERT_NEAR(after[n] - before[n], factor * (others.delays(0).data()[i] - double{expected.data()[i]}),
                    1e-2 * largest);
    }
}

TEST_F(TrainSoundSpeed, FindsNoResidualInUniformMediaWhereEchoesCountToo) {
    // Path integrals of a uniform slowness, which is what images formed with its speed leave of any.
    const DelaySource source = simulated("uniform", "inclusions = {contrast = [0, 0]}", "straight");
    const SoundSpeedRecipe read = read_sound_speed_recipe(recipe("", "7, 13, 21", "receive_every = 4, "));
    Context context(make_serial_runner());
    const SoundSpeedSetup setup(read.problem, {}, context);
    ASSERT_FALSE(read.problem.receive.empty());
    const DelaySamples samples(source, setup.problem, 2);
    const DelayResiduals residuals(samples, setup, context);
    for (Index i = 0; i < 2; ++i) {
        Index measured = 0;
        for (Index n = 0; n < setup.trust.elements(); ++n) {
            if (std::isnan(residuals.of(i).data()[n])) continue;
            ASSERT_NEAR(residuals.of(i).data()[n], 0, 1e-11);  // s, of delays of microseconds
            ++measured;
        }
        EXPECT_EQ(measured, setup.readings);
    }
}

TEST_F(TrainSoundSpeed, RefusesResidualsThatNoSetAsksForOrThatComeFromNowhere) {
    std::string text;
    {
        std::ifstream file(recipe());
        text.assign(std::istreambuf_iterator<char>(file), {});
    }
    const auto refused = [&](const char* more, const char* why) {
        std::string changed = text;
        changed.insert(changed.find("curriculum_steps"), more);
        std::ofstream(folder_ / "residuals.toml") << changed;
        EXPECT_THAT([&] { train(request((folder_ / "residuals.toml").string(), "residuals")); },
                    ThrowsMessage<Error>(HasSubstr(why)));
    };
    refused("residual = [1, 0], ", "must name the set that data.residual adds residuals of");
    refused("residuals = 'rays', ", "names a set, but data.residual is 0 for all sets");
}

}  // namespace
}  // namespace sonolux
