// tests/sdk/lens_focus_test.cpp
//
// Finding where the sensor stands, and captures behind a mosaic.
#include <algorithm>
#include <cmath>

#include <sonolux/core/mosaic.hpp>
#include <sonolux/sdk/pipelines/lens_capture.hpp>
#include <sonolux/sdk/pipelines/shipped_models.hpp>
#include <sonolux/sdk/runtime/lens_recovery.hpp>
#include <sonolux/simulation/phantoms/coloured_leaves.hpp>
#include <sonolux/solvers/colour_metrics.hpp>

#include "tests/support/command_line.hpp"
#include "tests/support/tiny_lens_model.hpp"

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

/// A lens whose red focus is nearer and whose blue focus is further off than where the sensor was meant to
/// be.
Array<float> defocused(double relative) {
    Array<float> kernels({3, 15, 15});
    for (Index c = 0; c < 3; ++c) {
        const double off = 100 * (relative - 1) - (static_cast<double>(c) - 1);
        const double sigma = std::hypot(0.7, 0.8 * off);
        double sum = 0;
        for (int pass = 0; pass < 2; ++pass)
            for (Index i = 0; i < 15; ++i)
                for (Index j = 0; j < 15; ++j) {
                    const double square =
                        std::pow(static_cast<double>(i) - 7, 2) + std::pow(static_cast<double>(j) - 7, 2);
                    const double tap = std::exp(-square / (2 * sigma * sigma));
                    if (pass == 0)
                        sum += tap;
                    else
                        kernels(c, i, j) = static_cast<float>(tap / sum);
                }
    }
    return kernels;
}

Array<float> seen_from(double relative) {
    constexpr Index size = 128;
    Context context;
    const ColouredLeaves leaves(5);
    SpectralBlur blur(3, 3, size, size);
    blur.set_kernels(defocused(relative));
    context.workspace().reserve(
        std::max(leaves.workspace_bytes(size, size, context), blur.workspace_bytes(context)));
    Array<float> scene({3, size, size}), capture(scene.shape());
    leaves.render(0, scene, context);
    blur.apply(scene, capture, context);
    return capture;
}

TEST(LensFocus, IsFoundFromOneCapture) {
    const Model model = tiny_lens_model();
    const std::vector<double> noise(3, 1e-4);
    for (const double truth : {0.987, 1.0, 1.014}) {
        Context context;
        Index told = 0;
        context.set_progress([&](const Progress& p) {
            EXPECT_EQ(p.done, told++);
            EXPECT_LT(p.done, p.total);
            return true;
        });
        const FocusEstimate found = find_focus(model, seen_from(truth), noise, defocused,
                                               {.nearest = 0.97, .farthest = 1.03, .coarse = 7}, context);
        EXPECT_NEAR(found.relative, truth, 0.004);  // by a network that was never trained
        EXPECT_FALSE(found.at_the_end());
        EXPECT_EQ(std::ssize(found.tried), told);
        EXPECT_TRUE(std::is_sorted(found.tried.begin(), found.tried.end()));
        const Array<float> expected = defocused(found.relative);
        EXPECT_TRUE(std::equal(expected.begin(), expected.end(), found.kernels.begin()));
    }
}

TEST(LensFocus, SaysWhereTheSearchEnds) {
    Context context;
    const FocusEstimate found =
        find_focus(tiny_lens_model(), seen_from(1.02), std::vector<double>(3, 1e-4), defocused,
                   {.nearest = 0.98, .farthest = 1.0, .coarse = 3}, context);
    EXPECT_TRUE(found.at_the_end());
}

TEST(LensFocus, RefusesWhatTellsNothing) {
    Context context;
    const Model model = tiny_lens_model();
    const std::vector<double> noise(3, 1e-4);
    const Array<float> black({3, 40, 40}), capture = seen_from(1);
    const auto refuses = [&](const Array<float>& image, const FocusOptions& options, const char* why) {
        EXPECT_THAT(([&] { (void)find_focus(model, image, noise, defocused, options, context); }),
                    ThrowsMessage<Error>(HasSubstr(why)));
    };
    refuses(black, {}, "has no edge that would tell it");
    refuses(capture, {.nearest = 1.1}, "got 1.1 to 1.05 in 11");
    refuses(capture, {.coarse = 2}, "in 2 (at least 3) steps");
    context.set_progress([](const Progress& p) { return p.done < 2; });
    refuses(capture, {}, "stopped");
    context.clear_cancel();
    EXPECT_THAT(([&] { (void)kernels_at_distance(model, context); }),
                ThrowsMessage<Error>(HasSubstr("tiny_lens: its file has no recipe")));
}

TEST(ChannelEdgeMismatch, IsZeroWhereBrightnessAloneChanges) {
    Array<float> image({3, 12, 15});
    for (Index i = 0; i < 12; ++i)
        for (Index j = 0; j < 15; ++j) {
            const double light = (i / 5 + j / 4) % 2 == 0 ? 0.9 : 0.2;
            for (Index c = 0; c < 3; ++c)
                image(c, i, j) = static_cast<float>(light * (0.5 + 0.25 * static_cast<double>(c)));
        }
    EXPECT_NEAR(channel_edge_mismatch(image), 0, 1e-6);
    Array<float> brighter = image.clone();
    // One edge of red a pixel beside the others', and the same twice as bright.
    for (Index i = 0; i < 12; ++i) image(0, i, 4) = image(0, i, 3);
    const double shifted = channel_edge_mismatch(image);
    EXPECT_GT(shifted, 0.05);
    for (Index n = 0; n < image.elements(); ++n) brighter.data()[n] = 2 * image.data()[n];
    EXPECT_NEAR(channel_edge_mismatch(brighter), shifted, 1e-6);
    EXPECT_TRUE(std::isnan(channel_edge_mismatch(Array<float>({3, 8, 8}))));
    EXPECT_THAT([&] { (void)channel_edge_mismatch(image, 6); },
                ThrowsMessage<Error>(HasSubstr("within a border of 6")));
}

TEST(LensCapture, RawAndInterpolatedCapturesBehindAMosaicAreTheSame) {
    const Model model = tiny_lens_model();
    Image capture;
    capture.pixels = tiny_lens_scene(40, 44);
    capture.bits = 16;
    const BayerMosaic mosaic("grbg");
    Image raw;
    raw.pixels = Array<float>({1, 40, 44});
    raw.bits = 16;
    mosaic.sample(capture.pixels, View<float>(raw.pixels.data(), {40, 44}));
    const RecoveryOptions options{.mosaic = mosaic, .threads = 1};
    const Array<float> one = recover_capture(model, raw, "raw", options),
                       three = recover_capture(model, capture, "capture", options),
                       whole = recover_capture(model, capture, "capture", {.threads = 1});
    EXPECT_EQ(one.shape(), Shape({3, 40, 44}));
    EXPECT_TRUE(std::equal(one.begin(), one.end(), three.begin()));
    EXPECT_FALSE(std::equal(one.begin(), one.end(), whole.begin()));
    EXPECT_THAT(
        ([&] { (void)recover_capture(model, raw, "raw.png"); }),
        ThrowsMessage<Error>(HasSubstr("raw.png: has 1 channels, captures of tiny_lens have 3 (or one "
                                       "that is raw, behind a mosaic that has to be named)")));
    EXPECT_THAT(([&] {
                    (void)recover_capture(model, capture, "c",
                                          {.field = std::make_shared<LensField>(), .distance = 1.01});
                }),
                ThrowsMessage<Error>(HasSubstr("kernels of a field are those of one distance")));
}

class LensFocusCommand : public CommandLine {};

TEST_F(LensFocusCommand, FocusOfAShippedModelIsToldOrFound) {
    const std::string model = find_model("lens_harmonic");
    write_image(file("capture.tif"), tiny_lens_scene(64, 64), 16);
    const std::string begin = "reconstruct " + model + " " + file("capture.tif") + " ";
    const Outcome told = run(begin + file("a.tif") + " --focus 1.02");
    ASSERT_EQ(told.status, 0) << told.err;
    EXPECT_THAT(told.out, HasSubstr("kernels of a sensor at 1.02 times the distance of lens_harmonic"));
    const Outcome meant = run(begin + file("b.tif"));
    ASSERT_EQ(meant.status, 0) << meant.err;
    EXPECT_NE(read_file(file("a.tif")), read_file(file("b.tif")));
    EXPECT_THAT(run(begin + file("c.tif") + " --focus near"), FailsWith(2, "got \"near\""));
    EXPECT_THAT(run(begin + file("c.tif") + " --focus 3"), FailsWith(2, "from 0.5 to 2"));
    EXPECT_THAT(run(begin + file("c.tif") + " --mosaic rgxx"), FailsWith(1, "got \"rgxx\""));
}

}  // namespace
}  // namespace sonolux
