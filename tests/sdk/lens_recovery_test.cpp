// tests/sdk/lens_recovery_test.cpp
//
// Models for a lens: their files, and captures from library, command line and sample.
#include <cstring>

#include <sonolux/core/srgb.hpp>
#include <sonolux/sdk/pipelines/lens_capture.hpp>
#include <sonolux/sdk/runtime/lens_recovery.hpp>
#include <sonolux/solvers/colour_metrics.hpp>

#include "tests/support/command_line.hpp"
#include "tests/support/tiny_lens_model.hpp"

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

/// What the middle of a scene looks like through the lens: its surroundings are seen too.
struct Capture {
    Array<float> sharp, blurred;
    Capture(Index rows, Index columns, Index rim) : sharp({3, rows, columns}), blurred(sharp.shape()) {
        const Array<float> scene = tiny_lens_scene(rows + 2 * rim, columns + 2 * rim);
        Array<float> seen(scene.shape());
        SpectralBlur blur(3, 3, rows + 2 * rim, columns + 2 * rim);
        blur.set_kernels(tiny_lens_kernels());
        Context context;
        context.workspace().reserve(blur.workspace_bytes(context));
        blur.apply(scene, seen, context);
        for (Index c = 0; c < 3; ++c)
            for (Index i = 0; i < rows; ++i)
                for (Index j = 0; j < columns; ++j) {
                    sharp(c, i, j) = scene(c, rim + i, rim + j);
                    blurred(c, i, j) = seen(c, rim + i, rim + j);
                }
    }
};

TEST(LensRecovery, IsTheNetworkFromTheLinearEstimateOnPeriodicCaptures) {
    const Model model = tiny_lens_model();
    const Capture capture(40, 36, 0);
    Context context;
    LensRecovery recovery(model, 40, 36, 0, context);
    const LensProblem lens = lens_problem(model.problem, "tiny");
    const std::vector<double> noise = noise_of_capture(lens, capture.blurred);
    Array<float> image(capture.sharp.shape()), expected(image.shape()), data(image.shape()),
        start(image.shape()), variances({3});
    ASSERT_EQ(recovery.run(capture.blurred, noise, image, context), Status::ok);

    const auto network = network_from_model(model);
    network->update(1);
    SpectralBlur blur(3, 3, 40, 36);
    blur.set_kernels(tiny_lens_kernels());
    ChannelLmmse linear(blur, spectrum_of(*network, "tiny"), noise);
    for (Index n = 0; n < data.elements(); ++n) data.data()[n] = 255 * capture.blurred.data()[n];
    for (Index c = 0; c < 3; ++c)
        variances.data()[c] = static_cast<float>(noise[static_cast<std::size_t>(c)]);
    ASSERT_EQ(linear.run(data, start, context), Status::ok);
    const Observation observation{.data = data, .spectral = &blur, .noise = variances};
    ASSERT_EQ(network->run_from(start, observation, expected, context), Status::ok);
    for (Index n = 0; n < image.elements(); ++n)
        EXPECT_NEAR(image.data()[n], std::max(0.0F, expected.data()[n] / 255), 1e-5);
    EXPECT_GT(channel_psnr(image, capture.sharp), channel_psnr(capture.blurred, capture.sharp) + 5);
}

TEST(LensRecovery, GuessesWhatLiesBeyondTheBorder) {
    const Model model = tiny_lens_model();
    const Capture capture(50, 46, 20);
    const LensProblem lens = lens_problem(model.problem, "tiny");
    const std::vector<double> noise = noise_of_capture(lens, capture.blurred);
    double psnr[2];
    for (const Index border : {0, 8}) {
        Context context;
        LensRecovery recovery(model, 50, 46, border, context);
        Array<float> image(capture.sharp.shape());
        ASSERT_EQ(recovery.run(capture.blurred, noise, image, context), Status::ok);
        psnr[border / 8] = channel_psnr(image, capture.sharp);
        // Away from the border nothing depends on the guess.
        EXPECT_GT(channel_psnr(image, capture.sharp, 1, 10),
                  channel_psnr(capture.blurred, capture.sharp, 1, 10) + 5)
            << border;
    }
    EXPECT_GT(psnr[1], psnr[0] + 1);
}

TEST(LensRecovery, RefusesWhatDoesNotFit) {
    const Model model = tiny_lens_model();
    Context context;
    LensRecovery recovery(model, 32, 32, 4, context);
    Array<float> right({3, 32, 32}), wrong({3, 32, 30});
    const std::vector<double> noise(3, 1e-4), none(3, 0.0);
    EXPECT_EQ(recovery.run(wrong, noise, right, context), Status::size_mismatch);
    EXPECT_EQ(recovery.run(right, {noise.data(), 2}, right, context), Status::size_mismatch);
    EXPECT_EQ(recovery.run(right, none, right, context), Status::invalid_argument);
    const auto refuses = [&](auto change, const char* why) {
        Model other = tiny_lens_model();
        change(other);
        EXPECT_THAT(([&] {
                        (void)network_from_model(other, "other");
                        LensRecovery unused(other, 32, 32, 4, context);
                    }),
                    ThrowsMessage<Error>(HasSubstr(why)));
    };
    refuses([](Model& m) { m.tensors.pop_back(); }, "no tensor \"kernels\"");
    refuses([](Model& m) { m.tensors.back().values = Array<float>({2, 9, 9}); }, "2 x 9 x 9");
    refuses([](Model& m) { m.problem.kind = "denoise"; }, "must not be one of step \"split\"");
    EXPECT_THAT([&] { (void)lens_problem(ModelProblem{}, "other"); },
                ThrowsMessage<Error>(HasSubstr("\"denoise\", not \"lens\"")));
}

TEST(LensRecovery, ModelFilesKeepTheLens) {
    const Model model = tiny_lens_model();
    const Model read = load_model(save_model(model), "tiny");
    EXPECT_EQ(lens_problem(read.problem, "tiny"), lens_problem(model.problem, "tiny"));
    EXPECT_EQ(std::memcmp(lens_kernels(read).data(), lens_kernels(model).data(), sizeof(float) * 3 * 81), 0);
    EXPECT_EQ(architecture_of(read), architecture_of(model));
    Model damaged = tiny_lens_model();
    damaged.problem.geometry = Json::object().set("pixel", 8e-6);
    EXPECT_THAT([&] { (void)save_model(damaged); }, ThrowsMessage<Error>(HasSubstr("white")));
}

class LensCommand : public CommandLine {};

TEST_F(LensCommand, ReconstructSaysHowTheCaptureWasRead) {
    write_file_atomically(file("tiny.safetensors"), save_model(tiny_lens_model()));
    const Capture capture(48, 44, 12);
    Array<float> codes(capture.blurred.shape());
    for (Index n = 0; n < codes.elements(); ++n)
        codes.data()[n] = static_cast<float>(linear_to_srgb(double{capture.blurred.data()[n]}));
    write_image(file("linear.png"), capture.blurred, 16);
    write_image(file("codes.png"), codes, 8);
    const Outcome linear =
        run("reconstruct " + file("tiny.safetensors") + " " + file("linear.png") + " " + file("a.tif"));
    ASSERT_EQ(linear.status, 0) << linear.err;
    EXPECT_THAT(linear.out, HasSubstr("read as linear light (16 bits)"));
    EXPECT_THAT(linear.out, HasSubstr("10000 electrons at white"));
    const Outcome srgb =
        run("reconstruct " + file("tiny.safetensors") + " " + file("codes.png") + " " + file("b.png"));
    ASSERT_EQ(srgb.status, 0) << srgb.err;
    EXPECT_THAT(srgb.out, HasSubstr("read as sRGB codes (8 bits)"));
    const Array<float> a = read_image(file("a.tif")).pixels.clone();
    Array<float> b = read_image(file("b.png")).pixels.clone();
    for (float& value : b) value = static_cast<float>(srgb_to_linear(double{value}));
    const double before = channel_psnr(capture.blurred, capture.sharp);
    EXPECT_GT(channel_psnr(a, capture.sharp), before + 3);
    EXPECT_GT(channel_psnr(b, capture.sharp), before + 2);

    Array<float> grey({1, 48, 44});
    write_image(file("grey.png"), grey, 16);
    EXPECT_THAT(run("reconstruct " + file("tiny.safetensors") + " " + file("grey.png") + " " + file("c.png")),
                FailsWith(1, "has 1 channels, captures of tiny_lens have 3"));
}

}  // namespace
}  // namespace sonolux
