// tests/sdk/colour_test.cpp
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sonolux/sdk/pipelines/reconstruct.hpp>

#include "tests/support/reconstruct.hpp"

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

Model colour_model() {
    VariationalNetworkOptions options = tiny_architecture();
    options.prior.filters.channels = 3;
    return tiny_model(options);
}

Image photograph(Index channels) {
    Image image;
    image.pixels = tiny_image({channels, 20, 30});
    return image;
}

TEST(OpponentColours, KeepWhiteNoiseWhiteAndComeBack) {
    const Array<float> before = tiny_image({3, 9, 11});
    Array<float> image = before.clone();
    to_opponent_colours(image);
    double energy = 0, opponent_energy = 0;
    for (Index i = 0; i < image.elements(); ++i) {
        energy += double{before.data()[i]} * before.data()[i];
        opponent_energy += double{image.data()[i]} * image.data()[i];
    }
    EXPECT_NEAR(opponent_energy, energy, 1e-5 * energy) << "an orthonormal transform";
    from_opponent_colours(image);
    for (Index i = 0; i < image.elements(); ++i) EXPECT_NEAR(image.data()[i], before.data()[i], 1e-6);

    Array<float> grey({3, 1, 1});
    for (float& value : grey) value = 0.5f;
    to_opponent_colours(grey);
    EXPECT_NEAR(grey(0, 0, 0), 0.5 * std::sqrt(3.0), 1e-6);
    EXPECT_NEAR(grey(1, 0, 0), 0, 1e-7);
    EXPECT_NEAR(grey(2, 0, 0), 0, 1e-7);
}

TEST(ChannelRules, WorkOnThePlanesThatTheyName) {
    const Model model = tiny_model();
    const Image image = photograph(3);
    Array<float> planes = image.pixels.clone();
    to_opponent_colours(planes);
    Array<float> expected = run(model, planes);
    from_opponent_colours(expected);
    const Image opponent = reconstruct(model, image, "photo.png");
    EXPECT_TRUE(same_bits(opponent.pixels, expected)) << "the default";
    const Image separate = reconstruct(model, image, "photo.png", {.channels = ChannelRule::separate});
    EXPECT_TRUE(same_bits(separate.pixels.view()[1], run(model, image.pixels.view()[1])));
    EXPECT_EQ(reconstruct(model, image, "photo.png", {.channels = ChannelRule::luma}).channels(), 1);
    EXPECT_THAT(
        [&] { (void)reconstruct(model, image, "photo.png", {.channels = ChannelRule::refuse}); },
        ThrowsMessage<Error>(HasSubstr("photo.png: has 3 channels, the model \"tiny\" takes 1 (grey)")));
    // A grey image is one plane by any rule.
    const Image grey = reconstruct(model, photograph(1), "grey.png");
    EXPECT_TRUE(same_bits(grey.pixels, run(model, photograph(1).pixels)));
}

TEST(ChannelRules, LeaveTheOutputAloneWhereARunIsRefused) {
    const Model model = tiny_model();
    Reconstructor unbound(model, 20, 30);
    Array<float> out = tiny_image({3, 20, 30});
    const Array<float> before = out.clone();
    ASSERT_EQ(run_channels(unbound, tiny_image({3, 20, 30}), out, ChannelRule::opponent),
              Status::invalid_argument);
    EXPECT_TRUE(same_bits(out, before));
}

TEST(ChannelRules, GiveColourModelsColourImagesOnly) {
    const Model model = colour_model();
    const Image image = photograph(3);
    for (ChannelRule rule : {ChannelRule::opponent, ChannelRule::separate, ChannelRule::refuse})
        EXPECT_TRUE(same_bits(reconstruct(model, image, "photo.png", {.channels = rule}).pixels,
                              run(model, image.pixels)));
    EXPECT_THAT([&] { (void)reconstruct(model, image, "photo.png", {.channels = ChannelRule::luma}); },
                ThrowsMessage<Error>(HasSubstr("photo.png: --channels luma turns the image grey, the model "
                                               "\"tiny\" takes 3 channels together")));
    for (ChannelRule rule : {ChannelRule::opponent, ChannelRule::luma})
        EXPECT_THAT([&] { (void)reconstruct(model, photograph(1), "grey.png", {.channels = rule}); },
                    ThrowsMessage<Error>(
                        HasSubstr("grey.png: has 1 channel, the model \"tiny\" takes 3 together (colour)")));
}

}  // namespace
}  // namespace sonolux
