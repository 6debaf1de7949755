// tests/sdk/tiled_lens_recovery_test.cpp
//
// Large captures through a lens, and kernels that change across the field.
#include <array>
#include <cmath>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/files/numpy_file.hpp>
#include <sonolux/sdk/pipelines/shipped_models.hpp>
#include <sonolux/sdk/pipelines/tiled_lens_recovery.hpp>
#include <sonolux/solvers/colour_metrics.hpp>

#include "tests/support/command_line.hpp"
#include "tests/support/tiny_lens_model.hpp"

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr Index kernel_size = 9;

/// Gaussians whose width grows from the left field to the right one.
std::shared_ptr<LensField> growing_field(Index columns) {
    auto field = std::make_shared<LensField>();
    field->grid_columns = columns;
    for (Index g = 0; g < columns; ++g)
        field->kernels.push_back(
            gaussian_lens_kernels(kernel_size, 0.5 + 0.15 * static_cast<double>(g), 0.1));
    return field;
}

Array<float> blurred(const Array<float>& scene, const LensField& field) {
    SpectralBlur blur(3, 3, scene.shape()[1], scene.shape()[2]);
    std::vector<View<const float>> kernels;
    for (const Array<float>& one : field.kernels) kernels.push_back(one.view());
    blur.set_kernels(
        kernels, bilinear_windows(field.grid_rows, field.grid_columns, scene.shape()[1], scene.shape()[2]));
    Context context;
    context.workspace().reserve(blur.workspace_bytes(context));
    Array<float> seen(scene.shape());
    blur.apply(scene, seen, context);
    return seen;
}

Array<float> recovered(std::shared_ptr<const LensField> field, const Array<float>& capture, Index tile,
                       int threads = 2) {
    const Model model = tiny_lens_model();
    Context context(make_openmp_runner(threads));
    TiledLensRecovery recovery(model, std::move(field), capture.shape()[1], capture.shape()[2], tile,
                               context);
    Array<float> image(capture.shape());
    const auto noise = noise_of_capture(lens_problem(model.problem, "tiny"), capture);
    EXPECT_EQ(recovery.run(capture, noise, image), Status::ok);
    return image;
}

TEST(TiledLensRecovery, TilesOfOneLensCostNothing) {
    const Array<float> scene = tiny_lens_scene(150, 170);
    const auto field = growing_field(1);
    const Array<float> capture = blurred(scene, *field);
    const Array<float> whole = recovered(field, capture, 1024), tiled = recovered(field, capture, 48);
    double squares = 0;
    for (Index n = 0; n < whole.elements(); ++n) {
        const double difference = double{whole.data()[n]} - double{tiled.data()[n]};
        squares += difference * difference;
    }
    const double rms = std::sqrt(squares / static_cast<double>(whole.elements()));
    EXPECT_GT(rms, 0) << "these were no tiles";
    EXPECT_LT(rms, 2e-3);
    EXPECT_NEAR(channel_psnr(tiled, scene, 1, 8), channel_psnr(whole, scene, 1, 8), 0.1);
}

TEST(TiledLensRecovery, OneTileIsLensRecoveryToTheBit) {
    const Array<float> capture = tiny_lens_scene(60, 70);
    const Model model = tiny_lens_model();
    Context context;
    LensRecovery recovery(model, 60, 70, kernel_size / 2, context);
    Array<float> expected(capture.shape());
    const auto noise = noise_of_capture(lens_problem(model.problem, "tiny"), capture);
    ASSERT_EQ(recovery.run(capture, noise, expected, context), Status::ok);
    const Array<float> image = recovered(nullptr, capture, 0);
    EXPECT_TRUE(std::equal(image.begin(), image.end(), expected.begin()));
}

TEST(TiledLensRecovery, KernelsOfThePlaceBeatThoseOfTheMiddle) {
    const Array<float> scene = tiny_lens_scene(96, 320);
    const auto field = growing_field(5);
    const Array<float> capture = blurred(scene, *field);
    auto middle = std::make_shared<LensField>();
    middle->kernels.push_back(field->kernels[2].clone());
    const Array<float> right = recovered(field, capture, 64), wrong = recovered(middle, capture, 64);
    EXPECT_GT(channel_psnr(right, scene, 1, 8), channel_psnr(wrong, scene, 1, 8) + 2);
    EXPECT_GT(channel_psnr(right, scene, 1, 8), channel_psnr(capture, scene, 1, 8) + 3);
    const Array<float> serial = recovered(field, capture, 64, 1);
    EXPECT_TRUE(std::equal(right.begin(), right.end(), serial.begin())) << "the bits depend on the threads";
}

TEST(TiledLensRecovery, KernelsBetweenFieldsAreThoseOfTheOperatorsWindows) {
    const auto field = growing_field(4);
    const Array<float> windows = bilinear_windows(1, 4, 3, 40);
    for (const Index column : {0, 4, 5, 17, 39}) {
        const Array<float> kernels = field->at(1, static_cast<double>(column), 3, 40);
        for (Index n = 0; n < kernels.elements(); ++n) {
            double expected = 0;
            for (Index g = 0; g < 4; ++g)
                expected +=
                    double{windows(g, 1, column)} * field->kernels[static_cast<std::size_t>(g)].data()[n];
            EXPECT_NEAR(kernels.data()[n], expected, 1e-6) << column;
        }
    }
}

TEST(TiledLensRecovery, StopsAndReportsOverAllTiles) {
    const Array<float> capture = tiny_lens_scene(150, 170);
    const Model model = tiny_lens_model();
    Context context(make_serial_runner());
    TiledLensRecovery recovery(model, nullptr, 150, 170, 48, context);
    ASSERT_GT(recovery.tiles(), 8);
    Array<float> image(capture.shape());
    const std::vector<double> noise(3, 1e-4);
    Index last = 0, total = 0;
    context.set_progress([&](const Progress& p) {
        EXPECT_EQ(p.done, last + 1);
        last = p.done, total = p.total;
        return true;
    });
    ASSERT_EQ(recovery.run(capture, noise, image), Status::ok);
    EXPECT_EQ(last, total);
    EXPECT_EQ(total % recovery.tiles(), 0);
    context.set_progress([](const Progress& p) { return p.done < 5; });
    EXPECT_EQ(recovery.run(capture, noise, image), Status::cancelled);
}

class LensFieldCommand : public CommandLine {};

TEST_F(LensFieldCommand, KernelsOfAFieldComeFromAFileAndFromThePlace) {
    write_file_atomically(file("tiny.safetensors"), save_model(tiny_lens_model()));
    LensField field;
    field.kernels.push_back(tiny_lens_kernels());
    write_lens_field(file("same.npy"), field);
    const LensField read = read_lens_field(file("same.npy"));
    ASSERT_EQ(read.kernels.size(), 1u);
    EXPECT_TRUE(std::equal(read.kernels[0].begin(), read.kernels[0].end(), field.kernels[0].begin()));
    EXPECT_EQ(difference_from_model(read, tiny_lens_model()), 0);
    write_image(file("capture.tif"), tiny_lens_scene(70, 64), 16);
    const std::string begin = "reconstruct " + file("tiny.safetensors") + " " + file("capture.tif") + " ";
    const Outcome whole = run(begin + file("a.tif"));
    const Outcome by_file = run(begin + file("b.tif") + " --lens " + file("same.npy"));
    ASSERT_EQ(whole.status, 0) << whole.err;
    ASSERT_EQ(by_file.status, 0) << by_file.err;
    EXPECT_EQ(read_file(file("a.tif")), read_file(file("b.tif")));
    const Outcome tiles = run(begin + file("c.tif") + " --tile 32");
    ASSERT_EQ(tiles.status, 0) << tiles.err;
    EXPECT_THAT(whole.out, HasSubstr("1 tile,"));

    std::fill(field.kernels[0].begin(), field.kernels[0].end(), 1.0F / 81);
    write_lens_field(file("other.npy"), field);
    EXPECT_THAT(run(begin + file("d.tif") + " --lens " + file("other.npy")),
                FailsWith(1, "another lens, sensor or light needs a model of its own"));
    const std::vector<float> numbers(12, 1.0F);
    write_file_atomically(file("flat.npy"), encode_numpy(numbers, std::array<Index, 2>{3, 4}));
    EXPECT_THAT(run(begin + file("d.tif") + " --lens " + file("flat.npy")), FailsWith(1, "got 3 x 4"));
    EXPECT_THAT(
        run(begin + file("d.tif") + " --lens " + file("same.npy") + " --save-kernels " + file("e.npy")),
        FailsWith(2, "--save-kernels is for recipes"));
}

/// Of a capture whose field would take minutes: what is another lens is said at once, and nothing was
/// written.
TEST_F(LensFieldCommand, ARecipeOfAnotherLensIsRefusedBeforeItsFieldIsComputed) {
    write_image(file("capture.tif"), Array<float>({3, 400, 400}), 16);
    const Outcome outcome =
        run("reconstruct " + find_model("lens_harmonic") + " " + file("capture.tif") + " " + file("out.tif") +
            " --lens " + std::string(source_root()) + "/simulation/recipes/lens_fresnel.toml" +
            " --save-kernels " + file("field.npy"));
    EXPECT_THAT(outcome, FailsWith(1, "another lens, sensor or light needs a model of its own"));
    EXPECT_FALSE(std::filesystem::exists(file("field.npy")) || std::filesystem::exists(file("out.tif")));
}

TEST(TiledLensRecovery, RefusesWhatDoesNotFit) {
    const Model model = tiny_lens_model();
    Context context;
    EXPECT_THAT(([&] { TiledLensRecovery unused(model, nullptr, 64, 64, 16, context); }),
                ThrowsMessage<Error>(HasSubstr("at least 32 pixels (0: chosen here), got 16")));
    auto field = growing_field(3);
    field->grid_rows = 2;
    EXPECT_THAT(([&] { TiledLensRecovery unused(model, field, 64, 64, 0, context); }),
                ThrowsMessage<Error>(HasSubstr("a field of 2 x 3 has 3 sets of kernels")));
    TiledLensRecovery recovery(model, nullptr, 64, 64, 0, context);
    Array<float> right({3, 64, 64}), wrong({3, 64, 60});
    const std::vector<double> noise(3, 1e-4);
    EXPECT_EQ(recovery.run(wrong, noise, right), Status::size_mismatch);
}

}  // namespace
}  // namespace sonolux
