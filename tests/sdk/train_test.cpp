#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include <sonolux/core/error.hpp>
#include <sonolux/core/random.hpp>
#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/pipelines/evaluate.hpp>
#include <sonolux/sdk/pipelines/train.hpp>
#include <sonolux/sdk/runtime/model_architecture.hpp>
#include <sonolux/simulation/phantoms/dead_leaves.hpp>

#include "tests/support/paths.hpp"

namespace sonolux {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::ThrowsMessage;

std::string content(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    EXPECT_TRUE(file) << path;
    std::ostringstream bytes;
    bytes << file.rdbuf();
    return bytes.str();
}

/// metrics.csv without its last column, the seconds.
std::string metrics_without_time(const fs::path& folder) {
    std::istringstream lines(content(folder / "metrics.csv"));
    std::string result, line;
    while (std::getline(lines, line)) result += line.substr(0, line.rfind(',')) + "\n";
    return result;
}

class Train : public testing::Test {
protected:
    Train() : folder_(fs::path(testing::TempDir()) / ("sonolux_train_" + std::to_string(::getpid()))) {
        fs::remove_all(folder_);
        fs::create_directories(folder_ / "images");
        const DeadLeaves leaves(DeadLeavesOptions{}, 5);
        Context context(make_serial_runner());
        context.workspace().reserve(leaves.workspace_bytes(48, 48, context));
        for (std::uint64_t i = 0; i < 4; ++i) {
            Array<float> image({48, 48});
            leaves.render(i, image.view(), context);
            for (float& value : image) value /= 255;
            write_image((folder_ / "images" / (std::to_string(i) + ".png")).string(), image.view());
        }
    }
    ~Train() override { fs::remove_all(folder_); }

    /// Writes a recipe of a short run and returns its path.
    std::string recipe(const std::string& more = "", int steps = 40) const {
        const fs::path path = folder_ / "recipe.toml";
        std::ofstream(path)
            << "name = 'tiny'\nlicence = 'none'\n"
            << "network = {stages = 2, filters = 4, filter_size = 3, nodes = 15, segments = 32}\n"
            << "problem.sigma = 25\n"
            << "data.sources = ['" << (folder_ / "images").string() << "']\n"
            << "data.dead_leaves = {weight = 1, images = 2, size = 40}\n"
            << "validation = {sources = ['" << (folder_ / "images").string()
            << "'], images = 2, crop = 40, every = 7}\n"
            << "training = {patch = 20, batch = 8, group = 2, greedy_steps = 8, lbfgs_rounds = 2, "
               "lbfgs_patches = 9, lbfgs_iterations = 3, steps = "
            << steps << "}\n"
            << "output = {checkpoint_every = 3, log_every = 2}\n"
            << more;
        return path.string();
    }

    TrainRequest request(const std::string& recipe_path, const char* run) const {
        TrainRequest result;
        result.recipe = recipe_path;
        result.output = (folder_ / run).string();
        result.threads = 1;
        return result;
    }

    fs::path folder_;
};

TEST_F(Train, LeavesARunDirectoryWithEverythingInIt) {
    std::string log;
    TrainRequest asked = request(recipe(), "run");
    asked.log = [&](const std::string& line) { log += line + "\n"; };
    const TrainSummary summary = train(asked);
    EXPECT_TRUE(summary.finished);
    EXPECT_EQ(summary.steps, 2 * 8 + 40 + 2);
    EXPECT_GT(summary.validation_psnr, 20.2) << "better than the noisy image";
    for (const char* name : {"recipe.toml", "version.txt", "metrics.csv", "events.out.tfevents.sonolux",
                             "checkpoint.safetensors", "model.safetensors", "report.html"})
        EXPECT_TRUE(fs::is_regular_file(folder_ / "run" / name)) << name;
    EXPECT_THAT(log, HasSubstr("validation"));
    EXPECT_THAT(content(folder_ / "run/metrics.csv"),
                testing::StartsWith("step,phase,loss,learning_rate,validation_psnr,seconds\n2,stage 1,"));

    const Model model = load_model_file((folder_ / "run/model.safetensors").string());
    EXPECT_EQ(model.name, "tiny");
    EXPECT_DOUBLE_EQ(model.problem.sigma_min, 25.0 / 255);
    EXPECT_THAT(model.training.recipe, HasSubstr("greedy_steps = 8"));
    EXPECT_EQ(network_from_model(model)->steps(), 2);
}

TEST_F(Train, ContinuesAfterAStopToTheSameBits) {
    const std::string path = recipe();
    train(request(path, "whole"));
    TrainRequest parts = request(path, "parts");
    parts.stop_after = 11;
    TrainSummary summary = train(parts);
    EXPECT_FALSE(summary.finished);
    EXPECT_EQ(summary.steps, 11);
    EXPECT_FALSE(fs::exists(folder_ / "parts/model.safetensors"));
    Index asked_at = 0;
    parts.stop_after = 0;
    parts.threads = 2;
    parts.progress = [&](const Progress& progress) { return (asked_at = progress.done) != 30; };
    summary = train(parts);
    EXPECT_EQ(summary.resumed_at, 11);
    EXPECT_EQ(summary.steps, 30) << "stops where the callback says so, with a checkpoint";
    parts.progress = nullptr;
    summary = train(parts);
    EXPECT_EQ(summary.resumed_at, 30);
    EXPECT_TRUE(summary.finished);
    EXPECT_EQ(content(folder_ / "parts/model.safetensors"), content(folder_ / "whole/model.safetensors"));
    EXPECT_EQ(metrics_without_time(folder_ / "parts"), metrics_without_time(folder_ / "whole"));
}

TEST_F(Train, LearnsFromColourPhotographsInColour) {
    for (int i = 0; i < 4; ++i) {
        const fs::path path = folder_ / "images" / (std::to_string(i) + ".png");
        const Image grey = read_image(path.string());
        Array<float> colour({3, 48, 48});
        for (Index c = 0; c < 3; ++c)
            for (Index k = 0; k < 48 * 48; ++k)
                colour.view()[c].data()[k] = static_cast<float>(c + 1) / 3 * grey.pixels.data()[k];
        write_image(path.string(), colour.view());
    }
    const fs::path path = folder_ / "colour.toml";
    std::ofstream(path) << "name = 'colour'\n"
                        << "network = {channels = 3, stages = 2, filters = 12, filter_size = 3, nodes = 15}\n"
                        << "problem.sigma = 25\ndata.sources = ['" << (folder_ / "images").string() << "']\n"
                        << "validation = {sources = ['" << (folder_ / "images").string()
                        << "'], images = 2, crop = 40, every = 7}\n"
                        << "training = {patch = 20, batch = 8, group = 2, steps = 30}\n";
    TrainRequest parts = request(path.string(), "parts");
    parts.stop_after = 11;
    (void)train(parts);
    parts.stop_after = 0;
    parts.threads = 2;
    (void)train(parts);
    const TrainSummary summary = train(request(path.string(), "whole"));
    EXPECT_GT(summary.validation_psnr, 20.2) << "better than the noisy image";
    EXPECT_EQ(content(folder_ / "parts/model.safetensors"), content(folder_ / "whole/model.safetensors"));
    const Model model = load_model_file(summary.model);
    EXPECT_EQ(network_from_model(model)->channels(), 3);
    EXPECT_THAT(model.training.recipe, HasSubstr("channels = 3"));
    EXPECT_THAT(content(folder_ / "whole/report.html"), HasSubstr("Filters of stage2"));
}

TEST_F(Train, AFinishedRunThatIsAskedForAgainStaysAsItIs) {
    const std::string path = recipe("", 2);
    train(request(path, "run"));
    const std::string model = content(folder_ / "run/model.safetensors");
    fs::remove(folder_ / "run/model.safetensors");  // as if killed just before it was written
    const TrainSummary again = train(request(path, "run"));
    EXPECT_TRUE(again.finished);
    EXPECT_EQ(again.resumed_at, again.total_steps);
    EXPECT_EQ(content(folder_ / "run/model.safetensors"), model);
}

// A denoiser of shrinkage fields for a range of levels: it must be good at both ends, and use what it is
// told.
TEST_F(Train, TeachesShrinkageFieldsARangeOfNoiseLevels) {
    const std::string images = (folder_ / "images").string();
    const std::string path = (folder_ / "range.toml").string();
    std::ofstream(path)
        << "name = 'range'\n"
        << "network = {type = 'shrinkage_fields', stages = 2, filters = 8, filter_size = 3, "
           "nodes = 31, lower = -70, upper = 70, width = 4.67, table_lower = -75, table_upper = 75, "
           "border_treatment = 'replicate', border_width = 4, sigma_degree = 1, "
           "sigma_reference = 20, scale_by_sigma = true}\n"
        << "problem = {sigma = [10, 40], sigmas_per_step = 2}\n"
        << "data = {sources = ['" << images << "'], dead_leaves = {weight = 1, images = 2, "
        << "size = 40}}\nvalidation = {sources = ['" << images << "'], images = 2, crop = 40, every = 30}\n"
        << "training = {patch = 24, batch = 8, group = 2, steps = 60, learning_rate = 0.1}\n";
    const TrainSummary summary = train(request(path, "range"));
    EXPECT_TRUE(summary.finished);
    const Model model = load_model_file((folder_ / "range/model.safetensors").string());
    EXPECT_DOUBLE_EQ(model.problem.sigma_min, 10.0 / 255);
    EXPECT_DOUBLE_EQ(model.problem.sigma_max, 40.0 / 255);

    const Image image = read_image((folder_ / "images/0.png").string());
    const View<const float> truth = image.pixels.view()[0];
    const auto psnr_at = [&](double level, float told) {
        Array<float> noisy({truth.rows(), truth.columns()});
        add_protocol_noise(truth, level, 1, 0, noisy);
        Reconstructor reconstructor(model, truth.rows(), truth.columns(), {.sigma = told});
        reconstructor.bind();
        Array<float> result(noisy.shape());
        EXPECT_EQ(reconstructor.run(noisy, result), Status::ok);
        return std::pair{measure(noisy, truth).psnr, measure(result, truth).psnr};
    };
    for (const double level : {10.0, 23.0, 40.0}) {
        const auto [before, after] = psnr_at(level, static_cast<float>(level));
        EXPECT_GT(after, before + 1) << "sigma " << level;
    }
    EXPECT_GT(psnr_at(10, 10).second, psnr_at(10, 40).second + 1) << "told too much";
    EXPECT_GT(psnr_at(40, 40).second, psnr_at(40, 10).second + 1) << "told too little";
}

TEST_F(Train, RefusesToContinueWithAnotherRecipeAndNamesTheKey) {
    TrainRequest asked = request(recipe(), "run");
    asked.stop_after = 4;
    train(asked);
    recipe("seed = 2\n");  // the last line is in no table, because the tables are inline
    EXPECT_THAT([&] { train(asked); }, ThrowsMessage<Error>(HasSubstr("seed is 1 there and 2 here")));
    recipe("threads = 2\n");
    EXPECT_EQ(train(asked).resumed_at, 4) << "threads do not decide what is trained";
    recipe("seed = 2\n");
    asked.fresh = true;
    EXPECT_EQ(train(asked).resumed_at, 0);
}

TEST_F(Train, RefusesToContinueWithOtherImages) {
    TrainRequest asked = request(recipe(), "run");
    asked.stop_after = 4;
    train(asked);
    fs::remove(folder_ / "images/3.png");
    EXPECT_THAT([&] { train(asked); }, ThrowsMessage<Error>(HasSubstr("was trained on other images")));
}

TEST_F(Train, RefusesADamagedCheckpoint) {
    TrainRequest asked = request(recipe(), "run");
    asked.stop_after = 4;
    train(asked);
    const fs::path path = folder_ / "run/checkpoint.safetensors";
    const std::string good = content(path);
    const auto write = [&](const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; };
    for (std::size_t size : {std::size_t{0}, std::size_t{7}, good.size() / 2, good.size() - 1}) {
        write(good.substr(0, size));
        EXPECT_THAT([&] { train(asked); }, ThrowsMessage<Error>(HasSubstr("checkpoint.safetensors"))) << size;
    }
    std::string flipped = good;
    flipped[good.size() - 5] = static_cast<char>(flipped[good.size() - 5] ^ 1);
    write(flipped);
    EXPECT_THAT([&] { train(asked); }, ThrowsMessage<Error>(HasSubstr("SHA-256")));
}

TEST_F(Train, SaysWhatIsMissing) {
    TrainRequest asked = request((folder_ / "nothing.toml").string(), "run");
    EXPECT_THAT([&] { train(asked); }, ThrowsMessage<Error>(HasSubstr("nothing.toml")));
    asked.recipe = recipe("initial_model = '$SONOLUX_DATA/nothing.safetensors'\n");
    asked.data = "/no/data";
    EXPECT_THAT([&] { train(asked); }, ThrowsMessage<Error>(HasSubstr("/no/data/nothing.safetensors")));
}

TEST_F(Train, StartsFromAnotherModelIfAsked) {
    train(request(recipe("", 30), "first"));
    const std::string model = (folder_ / "first/model.safetensors").string();
    TrainRequest asked = request(recipe("initial_model = '" + model + "'\n", 30), "second");
    std::string log;
    asked.log = [&](const std::string& line) { log += line + "\n"; };
    asked.stop_after = 1;
    const TrainSummary first = train(request(recipe("", 30), "first"));
    recipe("initial_model = '" + model + "'\n", 30);
    train(asked);
    char before[64];
    std::snprintf(before, sizeof before, "validation before training: %.3f dB", first.validation_psnr);
    EXPECT_THAT(log, HasSubstr(before));
}

/// Starts `sonolux train`, silently.
pid_t start(const std::string& recipe, const std::string& output, const char* threads) {
    std::vector<std::string> words{sonolux_program(), "train", recipe, "--output", output,
                                   "--threads",       threads};
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t silence;
    posix_spawn_file_actions_init(&silence);
    posix_spawn_file_actions_addopen(&silence, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&silence, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child = 0;
    EXPECT_EQ(::posix_spawn(&child, sonolux_program(), &silence, nullptr, arguments.data(), environ), 0);
    posix_spawn_file_actions_destroy(&silence);
    return child;
}

int wait_for(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST_F(Train, SurvivesKillsAtRandomMomentsToTheSameBits) {
    const std::string path = recipe("", 250);
    const auto begun = std::chrono::steady_clock::now();
    ASSERT_EQ(wait_for(start(path, (folder_ / "whole").string(), "1")), 0);
    const auto whole = std::chrono::steady_clock::now() - begun;

    Philox random(std::random_device{}());
    int killed = 0;
    for (int attempt = 0; killed < 6 && attempt < 40; ++attempt) {
        const pid_t child = start(path, (folder_ / "killed").string(), attempt % 2 == 0 ? "2" : "1");
        std::this_thread::sleep_for(whole * random.uniform(0.02, 0.4));
        ::kill(child, SIGKILL);
        const int status = wait_for(child);
        ASSERT_TRUE(status == 0 || status == -SIGKILL)
            << "status " << status << " after " << killed << " kills";
        if (status == 0) break;
        ++killed;
    }
    EXPECT_GE(killed, 2) << "too quick to be killed: make the run longer";
    ASSERT_EQ(wait_for(start(path, (folder_ / "killed").string(), "2")), 0);
    EXPECT_EQ(content(folder_ / "killed/model.safetensors"), content(folder_ / "whole/model.safetensors"));
    EXPECT_EQ(metrics_without_time(folder_ / "killed"), metrics_without_time(folder_ / "whole"));
    for (const auto& entry : fs::directory_iterator(folder_ / "killed"))
        EXPECT_EQ(entry.path().string().find("partial"), std::string::npos)
            << entry.path() << " was left behind";
}

TEST_F(Train, OneRunDirectoryHasOneTraining) {
    const std::string path = recipe("", 100000);
    const fs::path output = folder_ / "run";
    const pid_t child = start(path, output.string(), "1");
    while (!fs::exists(output / "metrics.csv")) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_THAT([&] { train(request(path, "run")); },
                ThrowsMessage<Error>(HasSubstr("another training runs there")));
    ::kill(child, SIGINT);
    EXPECT_EQ(wait_for(child), 0) << "Ctrl-C ends a training in order";
    EXPECT_TRUE(fs::exists(output / "checkpoint.safetensors"));
}

}  // namespace
}  // namespace sonolux
