// The samples, run as people run them: on a tiny model that is made here, and on those that are shipped.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/files/zea.hpp>
#include <sonolux/sdk/runtime/reconstructor.hpp>
#include <sonolux/solvers/kernel_check.hpp>

#include "tests/support/data.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/speckle_recording.hpp"
#include "tests/support/tiny_lens_model.hpp"
#include "tests/support/tiny_model.hpp"

namespace sonolux {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Samples : public testing::Test {
protected:
    void SetUp() override {
        folder_ =
            fs::path(testing::TempDir()) /
            (std::string("sonolux_samples_") + testing::UnitTest::GetInstance()->current_test_info()->name());
        fs::remove_all(folder_);
        fs::create_directories(folder_);
        write_model("tiny.safetensors", tiny_model());
        write_image(path("noisy.png"), tiny_image({3, 60, 80}));
    }
    void TearDown() override { fs::remove_all(folder_); }

    std::string path(const std::string& name) const { return (folder_ / name).string(); }

    void write_model(const std::string& name, const Model& model) const {
        const auto bytes = save_model(model);
        std::ofstream(path(name), std::ios::binary)
            .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    }

    // What a sample prints, with its errors; its exit status in `status_`.
    std::string run(const std::string& command) {
        std::FILE* pipe = popen((samples_folder() + std::string("/") + command + " 2>&1").c_str(), "r");
        EXPECT_NE(pipe, nullptr);
        std::string text;
        char buffer[512];
        while (const std::size_t count = std::fread(buffer, 1, sizeof buffer, pipe))
            text.append(buffer, count);
        const int status = pclose(pipe);
        status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        return text;
    }

    // Errors before and after of the frames that firmware_loop printed.
    static std::vector<std::pair<double, double>> frames(const std::string& text) {
        std::vector<std::pair<double, double>> errors;
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);) {
            int number = 0;
            double before = 0, after = 0;
            if (std::sscanf(line.c_str(), "frame %d: error %lf, denoised %lf", &number, &before, &after) == 3)
                errors.emplace_back(before, after);
        }
        return errors;
    }

    fs::path folder_;
    int status_ = 0;
};

TEST_F(Samples, DenoiseAPhotograph) {
    const std::string text =
        run("denoise " + path("tiny.safetensors") + " " + path("noisy.png") + " " + path("clean.png"));
    EXPECT_EQ(status_, 0) << text;
    EXPECT_THAT(text, HasSubstr("tiny: 60 x 80 pixels, 3 channels, sigma 25, 1 tiles"));

    const Image noisy = read_image(path("noisy.png")), clean = read_image(path("clean.png"));
    Reconstructor reconstructor(tiny_model(), 60, 80);
    reconstructor.bind();
    Array<float> expected({3, 60, 80});
    ASSERT_EQ(reconstructor.run(noisy.pixels, expected), Status::ok);
    ASSERT_EQ(clean.pixels.shape(), expected.shape());
    for (Index i = 0; i < expected.elements(); ++i)  // half a grey level: what 8 bits round away
        EXPECT_NEAR(clean.pixels.data()[i], std::clamp(expected.data()[i], 0.0f, 1.0f), 0.51 / 255);
}

TEST_F(Samples, DenoiseRefusesInASentence) {
    const std::string files = path("tiny.safetensors") + " " + path("noisy.png") + " " + path("clean.png");
    EXPECT_EQ(run("denoise " + files + " 50"),
              "denoise: sigma must be 25, what the model was trained for, got 50\n");
    EXPECT_EQ(status_, 1);
    for (const char* sigma : {"twenty", "0", "-3", "nan"}) {
        EXPECT_EQ(run("denoise " + files + " " + sigma),
                  std::string("denoise: SIGMA must be a number above 0, got \"") + sigma + "\"\n");
        EXPECT_EQ(status_, 2);
    }
    EXPECT_FALSE(fs::exists(path("clean.png")));
    EXPECT_THAT(run("denoise"), HasSubstr("usage: denoise MODEL INPUT OUTPUT [SIGMA]"));
    EXPECT_EQ(status_, 2);
}

TEST_F(Samples, DeblurAPhotograph) {
    write_model("blur.safetensors", tiny_deblurring_model());
    std::ofstream(path("kernel.txt")) << "0 2 1\n4 8 0\n";
    const std::string files = path("blur.safetensors") + " " + path("noisy.png") + " " + path("kernel.txt") +
                              " " + path("sharp.png");
    const std::string text = run("deblur " + files + " 25");
    EXPECT_EQ(status_, 0) << text;
    EXPECT_THAT(text, HasSubstr("kernel.txt: its taps sum to 15; it was divided by that"));
    EXPECT_THAT(text, HasSubstr("tiny: 60 x 80 pixels, 3 channels, 3 x 3 kernel, sigma 25, "));

    // A kernel of 2 x 3 has its centre in the second row.
    Array<float> kernel({2, 3});
    const float taps[] = {0, 2, 1, 4, 8, 0};
    std::copy(std::begin(taps), std::end(taps), kernel.begin());
    const NormalisedKernel used = normalise_kernel(kernel, {60, 80});
    const Image noisy = read_image(path("noisy.png")), sharp = read_image(path("sharp.png"));
    Reconstructor reconstructor(tiny_deblurring_model(), 60, 80, {.kernel = used.kernel});
    reconstructor.bind();
    Array<float> expected({3, 60, 80});
    ASSERT_EQ(reconstructor.run(noisy.pixels, expected), Status::ok);
    ASSERT_EQ(sharp.pixels.shape(), expected.shape());
    for (Index i = 0; i < expected.elements(); ++i)  // half a grey level: what 8 bits round away
        EXPECT_NEAR(sharp.pixels.data()[i], std::clamp(expected.data()[i], 0.0f, 1.0f), 0.51 / 255);
}

TEST_F(Samples, DeblurEstimatesSigmaAndRefusesInASentence) {
    const std::string model = (source_folder() / "models/deblur.safetensors").string();
    std::ofstream(path("box.txt")) << "1 1 1\n1 1 1\n1 1 1\n";
    std::ofstream(path("zero.txt")) << "0 0 0\n";
    const std::string text =
        run("deblur " + model + " " + path("noisy.png") + " " + path("box.txt") + " " + path("sharp.png"));
    EXPECT_EQ(status_, 0) << text;
    EXPECT_THAT(text, HasSubstr("estimated sigma 10, "));  // noise of about 25, of which the model knows 10
    fs::remove(path("sharp.png"));
    const auto refuses = [&](const std::string& arguments, const std::string& why) {
        EXPECT_THAT(run("deblur " + arguments), HasSubstr("deblur: " + why));
        EXPECT_EQ(status_, 1);
        EXPECT_FALSE(fs::exists(path("sharp.png")));
    };
    const std::string picture = " " + path("noisy.png") + " ", output = " " + path("sharp.png");
    refuses(model + picture + path("box.txt") + output + " 50", "sigma must be from 1 to 10, ");
    refuses(model + picture + path("zero.txt") + output,
            path("zero.txt") + ": the blur kernel of 1 x 3 taps");
    refuses(path("tiny.safetensors") + picture + path("box.txt") + output,
            "a kernel must not be given: model \"tiny\" takes noise away and no blur");
    for (const char* sigma : {"two", "-2"}) {
        EXPECT_EQ(run("deblur " + model + picture + path("box.txt") + output + " " + sigma),
                  std::string("deblur: SIGMA must be a number above 0, got \"") + sigma + "\"\n");
        EXPECT_EQ(status_, 2);
        EXPECT_FALSE(fs::exists(path("sharp.png")));
    }
    EXPECT_THAT(run("deblur"), HasSubstr("usage: deblur MODEL INPUT KERNEL OUTPUT [SIGMA]"));
    EXPECT_EQ(status_, 2);
}

TEST_F(Samples, FirmwareRunsFramesInALoop) {
    const std::string text = run("firmware_loop " + path("tiny.safetensors") + " 5");
    EXPECT_EQ(status_, 0) << text;
    EXPECT_THAT(text, HasSubstr("tiny: 2 stages, sigma 25.0; workspace "));
    EXPECT_EQ(frames(text).size(), 5u);
    for (const auto& [before, after] : frames(text)) {
        EXPECT_NEAR(before, 25.0 / 255, 0.004);  // 12288 pixels: four standard errors are 0.0025
        EXPECT_LT(after, 0.2);
    }
}

TEST_F(Samples, FirmwareRefusesInASentence) {
    EXPECT_THAT(run("firmware_loop nowhere.safetensors"),
                HasSubstr("firmware_loop: file error: nowhere.safetensors: cannot be opened"));
    EXPECT_EQ(status_, 1);
    EXPECT_THAT(run("firmware_loop"), HasSubstr("usage: firmware_loop MODEL [FRAMES]"));
    EXPECT_EQ(status_, 2);
}

TEST_F(Samples, RunOnShippedModelsAndRemoveNoise) {
    for (const char* name : {"denoise_sigma15", "denoise_sigma25", "denoise_sigma50", "denoise_any_sigma"}) {
        const fs::path model = source_folder() / "models" / (std::string(name) + ".safetensors");
        if (!fs::exists(model)) continue;
        const std::string text = run("firmware_loop " + model.string() + " 3");
        EXPECT_EQ(status_, 0) << text;
        EXPECT_EQ(frames(text).size(), 3u);
        for (const auto& [before, after] : frames(text)) EXPECT_LT(after, 0.4 * before) << text;
        run("denoise " + model.string() + " " + path("noisy.png") + " " + path("clean.png") +
            (name == std::string("denoise_any_sigma") ? " 25" : ""));
        EXPECT_EQ(status_, 0);
    }
}

TEST_F(Samples, MapTheSpeedOfSound) {
    write_model("speed.safetensors", speckle_model());
    write_zea(path("a.hdf5"), speckle());
    const std::string text =
        run("sound_speed " + path("speed.safetensors") + " " + path("a.hdf5") + " " + path("speed.png"));
    ASSERT_EQ(status_, 0) << text;
    double uniform = 0;
    const std::size_t at = text.find(" m/s, ");
    ASSERT_NE(at, std::string::npos) << text;
    ASSERT_EQ(std::sscanf(text.c_str() + at, " m/s, %lf m/s if it were uniform", &uniform), 1) << text;
    EXPECT_NEAR(uniform, speckle_speed, 5);
    EXPECT_GT(read_image(path("speed.png")).columns(), 300);
    EXPECT_THAT(run("sound_speed " + path("speed.safetensors") + " none.hdf5 x.png"), HasSubstr("none.hdf5"));
    EXPECT_EQ(status_, 1);
}

TEST_F(Samples, RecoverACaptureThroughALens) {
    write_model("lens.safetensors", tiny_lens_model());
    write_image(path("capture.tif"), tiny_lens_scene(40, 48), 32);
    const std::string text =
        run("lens " + path("lens.safetensors") + " " + path("capture.tif") + " " + path("sharp.tif"));
    EXPECT_EQ(status_, 0) << text;
    EXPECT_THAT(text, HasSubstr("tiny_lens, 40 x 48 pixels of 8 um"));
    const Image sharp = read_image(path("sharp.tif"));
    EXPECT_EQ(sharp.bits, 32);
    EXPECT_EQ(sharp.columns(), 48);
    EXPECT_THAT(run("lens " + path("lens.safetensors") + " none.tif x.tif"), HasSubstr("none.tif"));
    EXPECT_EQ(status_, 1);
    EXPECT_THAT(run("lens"), HasSubstr("usage: lens MODEL CAPTURE OUTPUT"));
    EXPECT_EQ(status_, 2);
}

}  // namespace
}  // namespace sonolux
