#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/training_set.hpp>
#include <sonolux/sdk/pipelines/sample_pictures.hpp>
#include <sonolux/sdk/pipelines/simulate.hpp>
#include <sonolux/sdk/pipelines/simulation_recipe.hpp>

namespace sonolux {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr const char* small_maps = R"(
name = "small"
domain = "maps"
seed = 3
set.samples = 11
set.shard_samples = 6
grid.rows = 12
grid.columns = 10
grid.spacing = 3e-3
phantom.supersampling = 1
)";

class Simulate : public ::testing::Test {
protected:
    void SetUp() override {
        const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
        folder_ =
            fs::path(::testing::TempDir()) / sentence("sonolux_simulate_", test->name(), "_", ::getpid());
        fs::remove_all(folder_);
        fs::create_directories(folder_);
        write_file_atomically(path("recipe.toml"), small_maps);
    }
    void TearDown() override { fs::remove_all(folder_); }

    [[nodiscard]] std::string path(const std::string& name) const { return (folder_ / name).string(); }

    [[nodiscard]] SimulateRequest request(const std::string& output, int threads = 1) const {
        SimulateRequest request;
        request.recipe = path("recipe.toml");
        request.output = path(output);
        request.threads = threads;
        return request;
    }

    void expect_same_files(const std::string& a, const std::string& b) const {
        for (const char* name : {"manifest.json", "small-00000.h5", "small-00001.h5"}) {
            ASSERT_TRUE(fs::exists(folder_ / a / name)) << a << "/" << name;
            ASSERT_TRUE(fs::exists(folder_ / b / name)) << b << "/" << name;
            EXPECT_EQ(read_file((folder_ / a / name).string()), read_file((folder_ / b / name).string()))
                << name;
        }
        for (const auto& entry : fs::directory_iterator(folder_ / b))
            EXPECT_TRUE(fs::exists(folder_ / a / entry.path().filename()))
                << entry.path() << " is left behind";
    }

    fs::path folder_;
};

TEST_F(Simulate, MakesTheSameBitsOnAnyNumberOfThreadsAndProcesses) {
    const SimulateSummary once = simulate(request("once"));
    EXPECT_TRUE(once.finished);
    EXPECT_EQ(once.samples_made, 11);
    EXPECT_EQ(once.shards_made, 2);
    (void)simulate(request("threads", 2));
    expect_same_files("once", "threads");
    for (const Index process : {3, 2, 1}) {
        SimulateRequest part = request("processes", 2);
        part.process = process;
        part.processes = 3;
        EXPECT_EQ(simulate(part).shards, process == 3 ? 0 : 1);
    }
    expect_same_files("once", "processes");
    const SimulateSummary again = simulate(request("once"));
    EXPECT_EQ(again.samples_made, 0);
    EXPECT_TRUE(again.finished);
}

TEST_F(Simulate, GoesOnWhereItWasStopped) {
    (void)simulate(request("once"));
    int reports = 0, runs = 0;
    bool finished = false;
    for (; !finished && runs < 20; ++runs) {
        SimulateRequest stopped = request("stopped");
        stopped.progress = [&](const Progress&) { return ++reports % 2 != 0; };
        const SimulateSummary summary = simulate(stopped);
        finished = summary.finished;
        if (runs == 0) {
            EXPECT_TRUE(fs::exists(path("stopped/small-00000.h5.unfinished")));
        }
    }
    EXPECT_TRUE(finished);
    EXPECT_GT(runs, 2);
    expect_same_files("once", "stopped");
}

TEST_F(Simulate, GoesOnToTheSameBitsAfterAKill) {
    (void)simulate(request("once"));
    const pid_t child = fork();
    if (child == 0) {
        SimulateRequest killed = request("killed");
        killed.save_every = 0;
        int reports = 0;
        killed.progress = [&](const Progress&) {
            if (++reports == 2) kill(getpid(), SIGKILL);
            return true;
        };
        (void)simulate(killed);
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    EXPECT_TRUE(fs::exists(path("killed/small-00000.h5.unfinished")));
    EXPECT_FALSE(fs::exists(path("killed/small-00000.h5")));
    // What a kill in the middle of a write leaves.
    write_file_atomically(path("killed/small-00000.h5.unfinished.partial-1-1"), "half a file");
    const SimulateSummary summary = simulate(request("killed", 2));
    EXPECT_LT(summary.samples_made, 11);
    expect_same_files("once", "killed");
}

TEST_F(Simulate, WritesSamplesThatAreReadBackOneByOne) {
    (void)simulate(request("set"));
    const SimulationRecipe recipe = read_simulation_recipe(path("recipe.toml"));
    const TrainingSet set = TrainingSet::open(path("set"));
    EXPECT_EQ(set.available().size(), 11u);
    EXPECT_EQ(set.manifest().recipe, recipe.resolved);
    for (const Index index : {0, 5, 6, 10}) {
        const TissuePhantom phantom(recipe.setup.phantoms, 3, static_cast<std::uint64_t>(index));
        const Medium medium = phantom.render(recipe.setup.grid);
        const SampleBlock sample = set.read(index);
        EXPECT_EQ(set.manifest().families[sample.families[0]], to_string(phantom.family()));
        const std::span<const float> speed = sample.field(0, set.manifest(), 0);
        EXPECT_TRUE(std::equal(speed.begin(), speed.end(), medium.sound_speed.values().begin())) << index;
    }
    const TrainingSet shard = TrainingSet::open(path("set/small-00001.h5"));
    EXPECT_THAT(shard.available(), ElementsAre(6, 7, 8, 9, 10));
    const SampleBlock one = shard.read(8), same = set.read(8);
    EXPECT_TRUE(std::equal(one.sample(0).begin(), one.sample(0).end(), same.sample(0).begin()));
    EXPECT_THAT([&] { (void)shard.read(2); },
                ThrowsMessage<Error>(HasSubstr("there is no sample 2; there are 5 samples from 6 to 10")));
}

TEST_F(Simulate, DrawsASample) {
    (void)simulate(request("set"));
    const Canvas canvas = draw_sample(TrainingSet::open(path("set")), 4);
    EXPECT_GT(canvas.rows(), 256);
    EXPECT_GT(canvas.columns(), 4 * 256);
}

TEST_F(Simulate, RefusesAFolderOfAnotherRecipeByTheKeyThatDiffers) {
    (void)simulate(request("set"));
    write_file_atomically(path("recipe.toml"), std::string(small_maps) + "phantom.width = 0.02\n");
    EXPECT_THAT([&] { (void)simulate(request("set")); },
                ThrowsMessage<Error>(HasSubstr("manifest.json: belongs to another recipe than " +
                                               path("recipe.toml") +
                                               ": phantom.width is 0.038 there and 0.02 here")));
}

TEST_F(Simulate, RefusesAShardThatAnotherProcessMakes) {
    fs::create_directories(path("set"));
    const int held = open(path("set/small-00000.h5.lock").c_str(), O_RDWR | O_CREAT, 0666);
    ASSERT_EQ(flock(held, LOCK_EX | LOCK_NB), 0);
    EXPECT_THAT(
        [&] { (void)simulate(request("set")); },
        ThrowsMessage<Error>(HasSubstr("small-00000.h5: cannot be locked: another process is making it")));
    close(held);
}

TEST_F(Simulate, RefusesADamagedCheckpointByName) {
    fs::create_directories(path("set"));
    write_file_atomically(path("set/small-00000.h5.unfinished"), "not HDF5");
    EXPECT_THAT([&] { (void)simulate(request("set")); },
                ThrowsMessage<Error>(HasSubstr("small-00000.h5.unfinished: ")));
}

TEST_F(Simulate, RefusesProcessesThatAreNone) {
    SimulateRequest wrong = request("set");
    wrong.process = 4;
    wrong.processes = 3;
    EXPECT_THAT([&] { (void)simulate(wrong); }, ThrowsMessage<Error>(HasSubstr("got 4/3")));
}

TEST(SimulationRecipe, RefusesBadInputByLineAndKey) {
    const auto with = [](const std::string& more) {
        return [more] { (void)parse_simulation_recipe(small_maps + more, "r.toml"); };
    };
    EXPECT_NO_THROW(with("")());
    EXPECT_THAT(with("phantom.ellipses.radius = [5e-3, 1e-3]"),
                ThrowsMessage<Error>(HasSubstr(
                    "r.toml:11: phantom.ellipses.radius is reversed: it goes from 0.005 to 0.001")));
    EXPECT_THAT(with("phantom.ellipses.raduis = 1e-3"),
                ThrowsMessage<Error>(HasSubstr("unknown key \"phantom.ellipses.raduis\"; did you mean "
                                               "\"phantom.ellipses.radius\"?")));
    EXPECT_THAT(with("phantom.families = [\"elipses\"]"),
                ThrowsMessage<Error>(HasSubstr("phantom.families must be some of \"ellipses\"")));
    EXPECT_THAT(with("phantom.weights = [1, 2]"),
                ThrowsMessage<Error>(HasSubstr("has 2 numbers for 5 families")));
    EXPECT_THAT(with("phantom.layers.fat.sound_speed = [1.43, 1.48]"),
                ThrowsMessage<Error>(HasSubstr("layers.fat.sound_speed must be from 300 to 10000 m/s")));
    EXPECT_THAT(with("grid.top = 20"),
                ThrowsMessage<Error>(HasSubstr("grid.top must be a number from -1 to 1")));
    EXPECT_THAT([] { (void)parse_simulation_recipe("name = \"a/b\"", "r.toml"); },
                ThrowsMessage<Error>(HasSubstr("r.toml:1: name must be a word")));
    EXPECT_THAT([] { (void)parse_simulation_recipe("name = \"a\"\ndomain = \"rays\"", "r.toml"); },
                ThrowsMessage<Error>(HasSubstr("r.toml:2: domain must be ")));
    const auto sized = [](const std::string& sizes) {
        return
            [sizes] { (void)parse_simulation_recipe("name = \"a\"\ndomain = \"maps\"\n" + sizes, "r.toml"); };
    };
    EXPECT_THAT(sized("set.samples = 0"),
                ThrowsMessage<Error>(HasSubstr("set.samples must be an integer from 1")));
    EXPECT_THAT(
        sized("set.samples = 100000\nset.shard_samples = 100000\ngrid.rows = 4000\ngrid.columns = 4000"),
        ThrowsMessage<Error>(HasSubstr("a shard is at most 1.07 GB")));
    EXPECT_THAT(sized("set.samples = 100000000\nset.shard_samples = 1"),
                ThrowsMessage<Error>(HasSubstr("more than 10000 files")));
}

TEST(SetManifest, IsTheSameAfterItWasWrittenAndRead) {
    const SetManifest manifest = manifest_of(parse_simulation_recipe(small_maps, "r.toml"));
    EXPECT_EQ(parse_manifest(to_text(manifest), "m.json"), manifest);
    EXPECT_EQ(manifest.shards(), 2);
    EXPECT_EQ(manifest.samples_in(1), 5);
    EXPECT_EQ(manifest.sample_elements(), 4 * 120);
    std::string text = to_text(manifest);
    text.replace(text.find("\"seed\": 3"), 9, "\"seed\": \"\"");
    EXPECT_THAT([&] { (void)parse_manifest(text, "m.json"); },
                ThrowsMessage<Error>(HasSubstr("m.json: set.seed must be an integer")));
}

}  // namespace
}  // namespace sonolux
