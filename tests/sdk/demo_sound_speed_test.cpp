// tests/sdk/demo_sound_speed_test.cpp
#include <unistd.h>

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sonolux/sdk/pipelines/demo_sound_speed.hpp>
#include <sonolux/sdk/pipelines/shipped_models.hpp>

namespace sonolux {
namespace {

std::filesystem::path make_folder(const char* name) {
    std::filesystem::path folder =
        std::filesystem::path(testing::TempDir()) / (name + std::to_string(::getpid()));
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    return folder;
}

TEST(SoundSpeedDemoSlow, ShowsMapsThatAreNearerToTheTruthThanTheBestUniformSpeed) {
    const std::filesystem::path folder = make_folder("sonolux_demo_maps_");
    const std::vector<SoundSpeedDemoResult> results =
        run_sound_speed_demo({.model = models_folder() / "sound_speed_diverging.safetensors",
                              .output = folder,
                              .threads = 0,
                              .progress = {}});
    ASSERT_EQ(results.size(), 2U);
    for (const SoundSpeedDemoResult& result : results) {
        EXPECT_GT(result.valid_share, 0.9) << result.name;
        EXPECT_LT(result.lbfgs.error, result.uniform_error) << result.name;
        EXPECT_LT(result.network.error, 0.95 * result.uniform_error) << result.name;
        for (const auto* method : {&result.lbfgs, &result.network})
            EXPECT_TRUE(std::filesystem::exists(folder / (method->stem + ".png"))) << method->stem;
    }
    EXPECT_EQ(sound_speed_table(results).size(), 3U);
    EXPECT_TRUE(std::filesystem::exists(folder / "speed" / "speed-00001.h5"));
    std::filesystem::remove_all(folder);
}

TEST(SoundSpeedDemo, StopsWhereItIsTold) {
    const std::filesystem::path folder = make_folder("sonolux_demo_stops_");
    EXPECT_THROW((void)run_sound_speed_demo({.model = models_folder() / "sound_speed_diverging.safetensors",
                                             .output = folder,
                                             .threads = 1,
                                             .progress = [](const Progress&) { return false; }}),
                 Error);
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace sonolux
