// tests/sdk/device_choice_test.cpp
//
// Asking for a device, by each way there is: what is not there is an error that says why, and nothing else
// runs instead.
#include <cstring>

#include <sonolux/sdk/runtime/reconstructor.hpp>
#include <sonolux/sdk/runtime/sonolux.hpp>

#include "tests/support/command_line.hpp"
#include "tests/support/cuda_device.hpp"
#include "tests/support/tiny_model.hpp"

namespace sonolux {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;
using testing::ThrowsMessage;

// The thousandth device exists nowhere; without the module or a driver the sentence is another.
const auto says_why =
    AnyOf(HasSubstr("cannot be loaded"), HasSubstr("no NVIDIA driver"), HasSubstr("a newer driver is needed"),
          HasSubstr("no device"), HasSubstr("CUDA device 999 was asked for, and there are"));

slx::Model tiny_slx_model() {
    const std::vector<std::byte> bytes = save_model(tiny_model());
    return {bytes.data(), bytes.size()};
}

slx_plan_options on(const char* device) {
    slx_plan_options options{};
    options.device = device;
    return options;
}

slx_status status_of_plan(const slx::Model& model, const char* device, std::string& text) {
    try {
        (void)slx::Plan(model, 20, 30, on(device));
    } catch (const slx::Error& error) {
        text = error.what();
        return error.status();
    }
    return SLX_OK;
}

}  // namespace

TEST(DeviceChoice, WordsNameDevicesOrAreRefused) {
    for (const char* word : {"cpu", "cuda", "cuda:0", "cuda:12"}) EXPECT_TRUE(names_device(word)) << word;
    for (const char* word : {"", "gpu", "CUDA", "cuda:", "cuda:-1", "cuda:x", "cuda:12345", "cuda0"}) {
        EXPECT_FALSE(names_device(word)) << word;
        EXPECT_THAT([&] { (void)open_device(word); },
                    ThrowsMessage<Error>(HasSubstr("device must be cpu, cuda or cuda:N, got")));
    }
    EXPECT_EQ(open_device("cpu"), nullptr);
    EXPECT_THAT([] { (void)open_device("cuda:999"); }, ThrowsMessage<Error>(says_why));
}

TEST(DeviceChoice, PlansSayWhichDeviceTheyHaveAndWhyTheyHaveNone) {
    const slx::Model model = tiny_slx_model();
    std::string text;
    EXPECT_STREQ(slx::Plan(model, 20, 30).info().device, "cpu");
    EXPECT_STREQ(slx::Plan(model, 20, 30, on("cpu")).info().device, "cpu");
    EXPECT_EQ(status_of_plan(model, "cuda:999", text), SLX_UNSUPPORTED);
    EXPECT_THAT(text, says_why);
    EXPECT_EQ(status_of_plan(model, "gpu", text), SLX_INVALID_ARGUMENT);
    EXPECT_THAT(text, HasSubstr("options->device must be NULL, cpu, cuda or cuda:N, got \"gpu\""));
}

using CommandLineOnADevice = CommandLine;

TEST_F(CommandLineOnADevice, ADeviceThatIsNotThereEndsTheProgram) {
    write_model("m.safetensors");
    write_noisy("in.png", 1, 20, 30);
    std::filesystem::create_directories(file("data"));
    write_noisy("data/a.png", 1, 60, 50);
    for (const std::string command : {"reconstruct m.safetensors in.png out.png", "benchmark m.safetensors",
                                      "evaluate m.safetensors --data data", "train recipe.toml"}) {
        const Outcome outcome = run(command + " --device cuda:999");
        EXPECT_THAT(outcome, FailsWith(1, ""));
        EXPECT_THAT(outcome.err, says_why);
        EXPECT_THAT(run(command + " --device gpu"),
                    FailsWith(2, "--device must be cpu, cuda or cuda:N, got gpu"));
    }
    EXPECT_FALSE(std::filesystem::exists(file("out.png")));
    EXPECT_EQ(run("reconstruct m.safetensors in.png out.png --device cpu").status, 0);
}

TEST_F(CommandLineOnADevice, WhatHasNoCudaFormSaysSo) {
    write_noisy("in.png", 1, 20, 30);
    EXPECT_THAT(run("reconstruct tv in.png out.png --kernel in.png --device cuda"),
                FailsWith(1, "tv has no CUDA form: leave out --device cuda"));
    EXPECT_THAT(run("reconstruct lbfgs in.png out.png --device cuda"),
                FailsWith(1, "lbfgs has no CUDA form"));
    EXPECT_THAT(run("reconstruct deblur in.png out.png --device cuda:1"),
                FailsWith(1, "deblur has no CUDA form: leave out --device cuda:1"));
    EXPECT_THAT(run("evaluate tv --protocol levin --data . --device cuda"),
                FailsWith(1, "the protocol levin has no CUDA form"));
}

TEST(DeviceChoiceGpu, ReconstructorsOnADeviceEqualThoseOnTheCpu) {
    SLX_NEEDS_CUDA_DEVICE(device);
    for (int channels : {1, 3}) {
        VariationalNetworkOptions architecture = tiny_architecture();
        architecture.prior.filters.channels = channels;
        architecture.sigma_degree = 1;
        const Model model = tiny_model(architecture);
        Reconstructor on_cpu(model, 90, 131, {.sigma = 20});
        Reconstructor on_device(model, 90, 131, {.sigma = 20, .device = device});
        on_cpu.bind();
        on_device.bind();
        EXPECT_THAT(on_device.context().description(), StartsWith("cuda, "));
        EXPECT_EQ(on_device.tiles(), 1);
        const Array<float> image = tiny_image(image_shape(channels, 90, 131));
        Array<float> expected(image.shape()), out(image.shape());
        for (float sigma : {20.0f, 40.0f}) {
            on_cpu.set_sigma(sigma);
            on_device.set_sigma(sigma);
            ASSERT_EQ(on_cpu.run(image, expected), Status::ok);
            ASSERT_EQ(on_device.run(image, out), Status::ok) << on_device.device_message();
            for (Index i = 0; i < out.elements(); ++i)
                ASSERT_NEAR(out.data()[i], expected.data()[i], 1e-5) << sigma << " at " << i;
        }
    }
}

TEST(DeviceChoiceGpu, ShrinkageFieldsAndTilesAreRefusedThere) {
    SLX_NEEDS_CUDA_DEVICE(device);
    const Array<float> kernel = tiny_kernel(3, 3);
    EXPECT_THAT([&] { Reconstructor(tiny_deblurring_model(), 20, 30, {.kernel = kernel, .device = device}); },
                ThrowsMessage<Error>(HasSubstr("shrinkage fields have no CUDA form")));
    EXPECT_THAT([&] { Reconstructor(tiny_model(), 20, 30, {.tile_rows = 10, .device = device}); },
                ThrowsMessage<Error>(HasSubstr("tiles must be the whole image on a device")));
}

}  // namespace sonolux
