// The contrast test of speed-of-sound maps: one disc, and what is made of forty.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sonolux/sdk/pipelines/disc_test.hpp>
#include <sonolux/sdk/pipelines/shipped_models.hpp>

namespace sonolux {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(DiscTest, FindsADiscThatIsFaster) {
    DiscTestOptions options;
    options.first = 13;  // 20 m/s in 1500 m/s
    options.count = 1;
    options.refine = 0;
    const std::vector<DiscResult> results = run_disc_test(options);
    ASSERT_EQ(results.size(), 1u);
    const DiscResult& r = results[0];
    ASSERT_EQ(r.error, "");
    EXPECT_EQ(r.background, 1500);
    EXPECT_EQ(r.contrast, 20);
    EXPECT_GT(r.found_contrast, 8);
    EXPECT_LT(r.found_contrast, 25);
    EXPECT_NEAR(r.found_background, 1500, 4);
    EXPECT_LT(r.rmse, 6);
    EXPECT_GT(r.valid_share, 0.9);
}

TEST(DiscTest, RecordsWhatAModelCompares) {
    const Model model = open_model(find_model("sound_speed_diverging"));
    DiscTestOptions options;
    options.method = InversionMethod::network;
    options.centre_frequency = 2.5e6;
    options.first = 17;  // 40 m/s in 1500 m/s
    options.count = 1;
    options.refine = 0;
    EXPECT_THAT([&] { (void)run_disc_test(options); },
                ThrowsMessage<Error>(HasSubstr("a network needs a model")));
    options.model = &model;
    const std::vector<DiscResult> results = run_disc_test(options);
    const DiscResult& r = results.at(0);
    ASSERT_EQ(r.error, "");
    EXPECT_EQ(r.contrast, 40);
    EXPECT_GT(r.found_contrast, 12);
    EXPECT_LT(r.found_contrast, 50);
    EXPECT_NEAR(r.found_background, 1500, 6);
    EXPECT_GT(r.valid_share, 0.9);
    EXPECT_LT(r.rmse, 6.1);  // of a map of 1500 m/s everywhere: 40 m/s in a 42nd of the pixels
}

TEST(DiscTest, SumsUpWithoutMapsThatFailed) {
    DiscResult good, better, failed;
    good.contrast = 20;
    good.found_contrast = 10;
    good.rmse = 2;
    better.contrast = -10;
    better.found_contrast = -10;
    better.rmse = 1;
    failed.rmse = 100;
    failed.error = "no speckle";
    const DiscSummary summary = summary_of({good, failed, better});
    EXPECT_EQ(summary.maps, 2);
    EXPECT_EQ(summary.median_rmse, 1.5);
    EXPECT_NEAR(summary.slope, 300.0 / 500, 1e-12);
    EXPECT_THAT(draw_disc_test({good, failed, better}), HasSubstr("<svg"));
}

TEST(DiscTest, HasFortyMaps) {
    DiscTestOptions options;
    options.first = 39;
    options.count = 2;
    EXPECT_THAT([&] { (void)run_disc_test(options); },
                ThrowsMessage<Error>(HasSubstr("among 0 to 39, got 39 to 40")));
}

}  // namespace
}  // namespace sonolux
