// Photographs sharpened through the pipeline. What the methods themselves do is tested with the solvers.
#include <sonolux/sdk/pipelines/deblur.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <numeric>

#include <sonolux/core/operators/convolution.hpp>
#include <sonolux/core/random.hpp>
#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/solvers/metrics.hpp>

#include "tests/support/data.hpp"
#include "tests/support/tiny_model.hpp"

namespace sonolux {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

Array<float> box(Index size) {
    Array<float> kernel({size, size});
    for (float& tap : kernel) tap = 1 / static_cast<float>(size * size);
    return kernel;
}

Array<float> point(Index size) {
    Array<float> kernel({size, size});
    kernel(size / 2, size / 2) = 1;
    return kernel;
}

// Steps, in each channel at other places.
Image steps(Index channels, Index rows, Index columns) {
    Image image;
    image.format = "png";
    image.pixels = Array<float>({channels, rows, columns});
    for (Index c = 0; c < channels; ++c)
        for (Index i = 0; i < rows; ++i)
            for (Index j = 0; j < columns; ++j)
                image.pixels(c, i, j) = ((i + 3 * c) / 9 + (j + 5 * c) / 12) % 2 == 0 ? 0.25F : 0.75F;
    return image;
}

// Blurred, with noise of `sigma` / 255.
Image blurred(const Image& sharp, View<const float> kernel, double sigma) {
    Image image;
    image.format = sharp.format;
    image.pixels = Array<float>(sharp.pixels.shape());
    Array<float> noise(sharp.pixels.shape());
    fill_normal(noise, Philox(1));
    Context context;
    const Convolution blur(sharp.pixels.shape(), kernel, BoundaryRule::symmetric);
    context.workspace().reserve(blur.workspace_bytes(context));
    blur.apply(sharp.pixels, image.pixels, context);
    for (Index i = 0; i < noise.elements(); ++i)
        image.pixels.data()[i] += static_cast<float>(sigma / 255) * noise.data()[i];
    return image;
}

// Of the inner part: what is known of the border is little.
double inner_psnr(const Image& image, const Image& truth, Index channel) {
    const Index rows = truth.rows() - 16, columns = truth.columns() - 16;
    return psnr(image.pixels.view()[channel].block(8, 8, rows, columns),
                truth.pixels.view()[channel].block(8, 8, rows, columns));
}

// On one thread: the tests run beside each other.
std::unique_ptr<Deblurrer> deblurrer_of(const std::string& method, DeblurMethodOptions options = {}) {
    options.threads = 1;
    return make_deblurrer(method, options);
}

DeblurSummary summary_of(const std::string& method, const Image& image, View<const float> kernel,
                         DeblurOptions options, const DeblurMethodOptions& settings = {}) {
    DeblurSummary summary;
    options.threads = 1;
    (void)deblur(*deblurrer_of(method, settings), image, "in.png", kernel, "kernel.png", options, &summary);
    return summary;
}

DeblurOptions with_sigma(double sigma) {
    DeblurOptions options;
    options.sigma = sigma;
    options.threads = 1;
    return options;
}

TEST(Deblur, SharpensEachChannelByEachClassicalMethod) {
    const Array<float> kernel = box(5);
    const Image sharp = steps(3, 61, 70), image = blurred(sharp, kernel, 1);
    for (const char* method : {"wiener", "richardson-lucy", "tv", "conjugate-gradients"}) {
        EXPECT_TRUE(is_classical_deblurring(method));
        const auto deblurrer = deblurrer_of(method);
        DeblurSummary summary;
        const Image result =
            deblur(*deblurrer, image, "in.png", kernel, "kernel.png", with_sigma(1), &summary);
        ASSERT_EQ(result.pixels.shape(), image.pixels.shape());
        for (Index c = 0; c < 3; ++c)
            EXPECT_GT(inner_psnr(result, sharp, c), inner_psnr(image, sharp, c) + 1)
                << method << ", channel " << c;
        EXPECT_THAT(summary.warnings, IsEmpty()) << method;
        EXPECT_THAT(summary.notes,
                    ElementsAre("in.png: 3 channels, each sharpened by itself with the same kernel"))
            << method;
        EXPECT_GT(summary.change, 5) << method;
        EXPECT_FALSE(summary.report.settings.empty());
        EXPECT_EQ(summary.report.iterations == 0, std::string(method) == "wiener");
        EXPECT_EQ(summary.report.stopped.empty(), std::string(method) == "wiener");
    }
}

TEST(Deblur, OfAChannelIsDeblurringOfThatPlane) {
    const Array<float> kernel = box(3);
    const Image image = blurred(steps(3, 30, 40), kernel, 1);
    const auto deblurrer = deblurrer_of("tv");
    DeblurOptions options = with_sigma(1);
    const Image all = deblur(*deblurrer, image, "in.png", kernel, "kernel.png", options);
    const Array<float> second = deblurrer->run(image.pixels.view()[1], kernel, 1, {});
    const double largest = 1.0 / 255 / 100;  // the kernel is normalised again, which may round
    for (Index i = 0; i < second.elements(); ++i)
        ASSERT_NEAR(second.data()[i], all.pixels.data()[30 * 40 + i], largest);
    options.channels = ChannelRule::luma;
    EXPECT_EQ(deblur(*deblurrer, image, "in.png", kernel, "kernel.png", options).channels(), 1);
    options.channels = ChannelRule::refuse;
    EXPECT_THAT([&] { (void)deblur(*deblurrer, image, "in.png", kernel, "kernel.png", options); },
                ThrowsMessage<Error>(HasSubstr("in.png: has 3 channels, deblurring takes one at a time")));
}

TEST(Deblur, TakesSettingsAndRefusesOthersByName) {
    const Image image = steps(1, 20, 20);
    const auto report = [&](const DeblurMethodOptions& settings) {
        return summary_of("tv", image, box(3), with_sigma(1), settings).report;
    };
    EXPECT_THAT(report({}).settings, HasSubstr("border valid"));
    EXPECT_THAT(report({"circular", {{"weight", "0.125"}}, 1}).settings,
                AllOf(HasSubstr("border circular"), HasSubstr("0.125")));
    const DeblurReport limited = report({"", {{"iterations", "3"}, {"tolerance", "0"}}, 1});
    EXPECT_EQ(limited.iterations, 3);
    EXPECT_EQ(limited.stopped, "iteration limit");
    EXPECT_THAT(
        [&] {
            (void)report({"", {{"speed", "3"}}, 1});
        },
        ThrowsMessage<Error>(HasSubstr("no option \"speed\"")));
    EXPECT_THAT([&] { (void)report({"mirror", {}, 1}); }, ThrowsMessage<Error>(HasSubstr("got \"mirror\"")));
    EXPECT_THAT([] { (void)make_deblurrer("no/such/model.safetensors"); },
                ThrowsMessage<Error>(StartsWith("no/such/model.safetensors: ")));
}

TEST(Deblur, RefusesModelsForOtherProblems) {
    const std::string path =
        (std::filesystem::path(::testing::TempDir()) / "sonolux_deblur_test.safetensors").string();
    write_file_atomically(path, tiny_file());
    EXPECT_THAT(
        [&] { (void)make_deblurrer(path); },
        ThrowsMessage<Error>(AllOf(StartsWith(path + ": the model \"tiny\" was trained for the problem "
                                                     "\"denoise\"; deblurring needs one for \"deblur\""),
                                   HasSubstr("richardson-lucy"))));
    EXPECT_THAT(
        [&] {
            (void)make_deblurrer(path, {"taper", {}, 0});
        },
        ThrowsMessage<Error>(HasSubstr("a border and settings can be chosen for classical methods")));
    std::filesystem::remove(path);
}

// With the parameters that training starts from, for sigma 1 to 10.
std::string write_deblurring_model(const std::string& name) {
    ShrinkageFieldsOptions options;
    options.stages = 3;
    options.experts.filters = {FilterKind::dct, 8, 3};
    const auto network = make_shrinkage_fields(options);
    initialise(*network, options);
    Model model = tiny_model();
    model.name = "sharpener";
    set_deblurring(model.problem, 5, 5);
    model.problem.sigma_min = 1 / 255.0;
    model.problem.sigma_max = 10 / 255.0;
    set_network(model, options, *network);
    const std::string path = (std::filesystem::path(::testing::TempDir()) / name).string();
    write_file_atomically(path, save_model(model));
    return path;
}

TEST(Deblur, RunsModelsForDeblurringWithinTheirRange) {
    const std::string path = write_deblurring_model("sonolux_deblur_test_model.safetensors");
    const auto deblurrer = deblurrer_of(path);
    const Image sharp = steps(1, 61, 70), image = blurred(sharp, box(5), 1.5);
    DeblurSummary summary;
    const Image result = deblur(*deblurrer, image, "in.png", box(5), "kernel.png", with_sigma(1.5), &summary);
    EXPECT_GT(inner_psnr(result, sharp, 0), inner_psnr(image, sharp, 0) + 1);
    EXPECT_EQ(summary.report.settings, "3 stages, border valid");
    EXPECT_EQ(summary_of(path, image, box(7), with_sigma(1.5)).report.settings,
              "3 stages, border valid; the kernel is larger than any it was trained for (5 x 5)");
    EXPECT_THAT([&] { (void)summary_of(path, image, box(5), with_sigma(11)); },
                ThrowsMessage<Error>(
                    "in.png: sigma must be from 1 to 10, what the model \"sharpener\" was trained for, "
                    "got 11"));
    // An estimate below that range becomes its lower end, and that is said.
    const DeblurSummary estimated = summary_of(path, blurred(steps(1, 120, 130), box(5), 0.4), box(5), {});
    EXPECT_EQ(estimated.sigma, 1);
    ASSERT_EQ(estimated.notes.size(), 1U);
    EXPECT_THAT(estimated.notes[0], HasSubstr("; 1 is the nearest that the method takes"));
    std::filesystem::remove(path);
}

TEST(Deblur, MakesTheKernelFitAndSaysSo) {
    const Image image = blurred(steps(1, 40, 40), box(3), 1);
    Array<float> wide({5, 5});  // the box of 3 x 3 in units of its own
    for (Index i = 1; i <= 3; ++i)
        for (Index j = 1; j <= 3; ++j) wide(i, j) = 7;
    const DeblurSummary summary = summary_of("wiener", image, wide, with_sigma(1));
    EXPECT_EQ(summary.kernel_rows, 3);
    EXPECT_EQ(summary.kernel_columns, 3);
    EXPECT_NEAR(summary.change, summary_of("wiener", image, box(3), with_sigma(1)).change, 1e-3);
    ASSERT_FALSE(summary.notes.empty());
    EXPECT_THAT(summary.notes[0], AllOf(StartsWith("kernel.png: "), HasSubstr("63")));
    EXPECT_THAT(
        [&] {
            (void)summary_of("tv", image, Array<float>({3, 3}), with_sigma(1));
        },
        ThrowsMessage<Error>(StartsWith("kernel.png")));
    EXPECT_THAT([&] { (void)summary_of("tv", image, box(41), with_sigma(1)); },
                ThrowsMessage<Error>(StartsWith("kernel.png")));
}

// An arrow: no turn makes it fit.
Array<float> arrow() {
    Array<float> kernel({9, 9});
    for (Index i = 0; i < 7; ++i) kernel(4, i) = 1;
    for (Index i = 1; i < 8; ++i) kernel(i, 7) = 0.5F;
    kernel(4, 8) = 5;
    float sum = 0;
    for (const float tap : kernel) sum += tap;
    for (float& tap : kernel) tap /= sum;
    return kernel;
}

TEST(Deblur, WarnsOfAKernelThatIsTurned) {
    const Array<float> kernel = arrow();
    Array<float> turned({9, 9});
    std::reverse_copy(kernel.begin(), kernel.end(), turned.begin());
    const Image image = blurred(steps(1, 120, 130), kernel, 0.5);
    EXPECT_THAT(summary_of("wiener", image, kernel, with_sigma(0.5)).warnings, IsEmpty());
    DeblurOptions options = with_sigma(0.5);
    const DeblurSummary summary = summary_of("wiener", image, turned, options);
    ASSERT_EQ(summary.warnings.size(), 1U);
    EXPECT_THAT(summary.warnings[0],
                AllOf(StartsWith("kernel.png: as given the kernel leaves a residual of "),
                      HasSubstr("fits better rotated by 180 degrees")));
    EXPECT_TRUE(summary.kernel_seems_rotated);
    options.rotate_kernel = true;
    EXPECT_THAT(summary_of("wiener", image, turned, options).warnings, IsEmpty());
}

TEST(Deblur, EstimatesTheNoiseThatItIsNotTold) {
    const Image image = blurred(steps(1, 120, 130), box(5), 4);
    const DeblurSummary summary = summary_of("wiener", image, box(5), {});
    EXPECT_TRUE(summary.sigma_estimated);
    EXPECT_NEAR(summary.sigma, 4, 0.6);
    Image flat = steps(1, 40, 40);
    for (float& pixel : flat.pixels) pixel = 0.5F;
    EXPECT_NEAR(summary_of("wiener", flat, box(5), {}).sigma, 0.289, 1e-3);  // of rounding to 8 bits
}

std::string only_warning(const char* method, const Image& image, View<const float> kernel, double sigma) {
    const DeblurSummary summary = summary_of(method, image, kernel, with_sigma(sigma));
    return summary.warnings.size() == 1 ? summary.warnings[0]
                                        : sentence(summary.warnings.size(), " warnings");
}

TEST(Deblur, SaysWhyItChangedNothing) {
    const Image image = steps(1, 40, 40);
    EXPECT_EQ(only_warning("richardson-lucy", image, point(3), 1),
              "in.png: deblurring changed next to nothing (0.00 of 255 on average): the kernel is a single "
              "point, and "
              "so blurs nothing");
    Image flat = steps(1, 40, 40);
    for (float& pixel : flat.pixels) pixel = 0.5F;
    EXPECT_THAT(only_warning("tv", flat, box(5), 1), HasSubstr("the image has no structure"));
    EXPECT_THAT(only_warning("tv", blurred(image, box(3), 0.5), box(3), 100),
                AllOf(StartsWith("in.png: sigma 100 is far above the noise that the image shows, about 0.")));
}

TEST(Deblur, StopsWhenProgressSaysSo) {
    const Image image = blurred(steps(3, 40, 40), box(5), 1);
    const auto deblurrer = deblurrer_of("tv");
    Index last = 0;
    bool in_order = true;
    DeblurOptions options = with_sigma(1);
    options.progress = [&](const Progress& p) {
        in_order = in_order && p.done >= last && p.done <= p.total;
        last = p.done;
        return true;
    };
    (void)deblur(*deblurrer, image, "in.png", box(5), "kernel.png", options);
    EXPECT_TRUE(in_order);
    EXPECT_GT(last, 0);
    options.progress = [](const Progress& p) { return 2 * p.done < p.total; };
    EXPECT_THAT([&] { (void)deblur(*deblurrer, image, "in.png", box(5), "kernel.png", options); },
                ThrowsMessage<Error>("in.png: tv: cancelled"));
    // And can be used again.
    EXPECT_EQ(deblurrer->run(image.pixels.view()[0], box(5), 1, {}).shape(), (Shape{40, 40}));
}

}  // namespace
}  // namespace sonolux
