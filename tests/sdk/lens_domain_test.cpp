// tests/sdk/lens_domain_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include <sonolux/core/operators/spectral_blur.hpp>
#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/pipelines/lens_figures.hpp>
#include <sonolux/sdk/pipelines/lens_recipe.hpp>
#include <sonolux/sdk/pipelines/sample_pictures.hpp>
#include <sonolux/sdk/pipelines/simulate.hpp>
#include <sonolux/sdk/pipelines/simulation_recipe.hpp>

#include "tests/support/paths.hpp"

namespace sonolux {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// A small lens whose blur is a few pixels wide.
const std::string small = R"(
name = "small"
domain = "lens"
set.samples = 4
lens.diameter = 0.5e-3
lens.levels = 4
psf.size = 15
psf.count = 31
scene.rows = 24
scene.columns = 32
)";

std::vector<float> sample_of(const SimulationRecipe& recipe, std::uint64_t index) {
    Context context(make_serial_runner());
    std::vector<float> sample(static_cast<std::size_t>(manifest_of(recipe).sample_elements()));
    recipe.simulator->simulate(index, sample, context);
    return sample;
}

TEST(LensDomain, SamplesArePhotographsAndTheirScenes) {
    const SimulationRecipe recipe = parse_simulation_recipe(small, "r.toml");
    EXPECT_EQ(manifest_of(recipe).families, std::vector<std::string>{"scenes"});
    const std::vector<float> a = sample_of(recipe, 3), b = sample_of(recipe, 3), c = sample_of(recipe, 2);
    ASSERT_EQ(a.size(), static_cast<std::size_t>(2 * 3 * 24 * 32 + 1));
    EXPECT_EQ(a, b);
    EXPECT_NE(a, c);
    double scene = 0, capture = 0, change = 0;
    const std::size_t n = 3 * 24 * 32;
    for (std::size_t i = 0; i < n; ++i) {
        EXPECT_GE(a[i], 0);
        EXPECT_LE(a[i], 1.0001F);
        scene += double{a[i]} / static_cast<double>(n);
        capture += double{a[n + i]} / static_cast<double>(n);
        change += std::abs(double{a[n + i]} - double{a[i]}) / static_cast<double>(n);
    }
    EXPECT_GT(capture / scene, 0.5);  // of 4 levels 81 % at best, and some light goes beyond the kernels
    EXPECT_LT(capture / scene, 1);
    EXPECT_GT(change, 0.01 * scene);
    EXPECT_EQ(a.back(), 10000);
}

TEST(LensDomain, FoldedKernelsBlurLiftedScenesExactly) {
    // Through 31 bands and through red, green and blue: the same, up to rounding.
    Context context(make_serial_runner());
    RecipeTable table(small, "r.toml");
    const LensSystem system = read_lens_system(table, context);
    double sums[3] = {0, 0, 0};
    for (Index c = 0; c < 3; ++c) {
        for (Index colour = 0; colour < 3; ++colour)
            for (Index n = 0; n < 225; ++n) sums[c] += double{system.rgb_kernels.view()[c][colour].data()[n]};
        double white = 0, sharp = 0;
        for (Index n = 0; n < 225; ++n) white += double{system.white_kernels.view()[c].data()[n]};
        for (Index colour = 0; colour < 3; ++colour) sharp += double{system.rgb_matrix(c, colour)};
        EXPECT_NEAR(sums[c], white, 1e-5);  // white is red, green and blue
        EXPECT_NEAR(sharp, 1, 1e-5);
    }
}

TEST(LensDomain, MosaicLeavesOnePixelInThree) {
    const SimulationRecipe recipe = parse_simulation_recipe(small + "sensor.mosaic = \"rggb\"\n", "r.toml");
    const std::vector<float> sample = sample_of(recipe, 0);
    const std::size_t plane = 24 * 32;
    for (std::size_t n = 0; n < plane; ++n) {
        int seen = 0;
        for (std::size_t c = 0; c < 3; ++c) seen += sample[(3 + c) * plane + n] != 0;
        EXPECT_LE(seen, 1);
    }
    EXPECT_NE(sample[3 * plane], 0);
}

TEST(LensDomain, CutsScenesOutOfPhotographs) {
    const fs::path folder = fs::path(::testing::TempDir()) / "sonolux_lens_photographs";
    fs::remove_all(folder);
    fs::create_directories(folder);
    Array<float> picture({3, 100, 120});
    std::fill_n(picture.data(), 100 * 120, 0.5F);  // a red that is 21.4 % of the light
    write_image((folder / "red.png").string(), picture, 8);
    const std::string photographs =
        small + "scene.photographs = \"" + folder.string() + "\"\nscene.photograph_fraction = 1\n";
    const SimulationRecipe recipe = parse_simulation_recipe(photographs, "r.toml");
    Context context(make_serial_runner());
    RecipeTable table(small, "r.toml");
    const LensSystem system = read_lens_system(table, context);
    EXPECT_NEAR(sample_of(recipe, 0)[0], 0.216 * system.rgb_matrix(0, 0), 2e-3);  // 128 / 255 is 0.502
    EXPECT_THAT(
        [&] {
            static_cast<void>(parse_simulation_recipe(photographs + "scene.coding = \"linear\"\n", "r.toml"));
        },
        ThrowsMessage<Error>(HasSubstr("has 8 bits and is to be read as linear light (scene.coding)")));
    EXPECT_THAT(
        [&] { static_cast<void>(parse_simulation_recipe(photographs + "scene.reduction = 4\n", "r.toml")); },
        ThrowsMessage<Error>(HasSubstr("a photograph is 25 x 30 pixels after reduction")));
    fs::remove_all(folder);
}

TEST(LensFigures, ShowWhereTheLightIs) {
    DiffractiveLens lens;
    lens.diameter = 1e-3;
    PsfBankOptions options;
    options.wavelengths = {500e-9, 550e-9, 600e-9};
    options.size = 33;
    options.allow_coarse_wavelengths = true;
    Context context(make_serial_runner());
    const PsfBank bank = make_psf_bank(optics_of(lens), options, context);
    EXPECT_GT(draw_psf_strip(bank, "strip", 3).columns(), 3 * 220);
    EXPECT_GT(draw_through_focus(optics_of(lens), options.wavelengths, 0.04, 0.06, "focus").rows(), 420);
    const std::string chart = efficiency_chart(lens, options.wavelengths);
    EXPECT_THAT(chart, HasSubstr("order 1, sinc"));
    EXPECT_THAT(chart, HasSubstr("<svg"));
    EXPECT_THAT([&] { static_cast<void>(draw_psf_strip(bank, "none", 0)); },
                ThrowsMessage<Error>(HasSubstr("no wavelength is to be shown")));
}

TEST(LensFigures, CompareRecoveriesWithTheTruth) {
    Array<float> truth({3, 30, 40}), picture({3, 30, 40});
    std::fill(truth.begin(), truth.end(), 0.4F);
    std::fill(picture.begin(), picture.end(), 0.5F);
    const Canvas canvas = draw_recoveries(truth, {{"capture", picture}, {"recovered", truth}}, "recovery");
    EXPECT_GT(canvas.columns(), 3 * 40);
    EXPECT_GT(canvas.rows(), 2 * 30);
    EXPECT_THAT(
        [&] {
            (void)draw_recoveries(truth, {{"small", Array<float>({3, 8, 8})}}, "");
        },
        ThrowsMessage<Error>(HasSubstr("the image is 3 x 8 x 8, the truth 3 x 30 x 40")));
}

TEST(LensFigures, AreWrittenForARecipe) {
    const fs::path folder = fs::path(::testing::TempDir()) / "sonolux_lens_figures";
    fs::remove_all(folder);
    fs::create_directories(folder);
    write_file_atomically((folder / "r.toml").string(), small);
    const auto paths = write_lens_figures((folder / "r.toml").string(), (folder / "out").string());
    ASSERT_EQ(paths.size(), 4u);
    EXPECT_THAT(read_text_file(paths[3]), HasSubstr("recovered G: 0."));
    for (const std::string& path : paths) EXPECT_TRUE(fs::exists(path)) << path;
    write_file_atomically((folder / "m.toml").string(), "name = \"m\"\ndomain = \"maps\"\n");
    EXPECT_THAT(
        [&] { (void)write_lens_figures((folder / "m.toml").string(), folder.string()); },
        ThrowsMessage<Error>(HasSubstr("only recipes of the domain lens have figures, this is of maps")));
    fs::remove_all(folder);
}

TEST(LensDomain, RefusesRecipesByKey) {
    const auto refuses = [](const std::string& more, const std::string& why) {
        EXPECT_THAT([&] { static_cast<void>(parse_simulation_recipe(small + more, "r.toml")); },
                    ThrowsMessage<Error>(HasSubstr(why)))
            << more;
    };
    refuses("phantom.width = 1\n", "unknown key \"phantom.width\"");
    refuses("psf.pixel = 1e-6\n", "the step must be at most 4 wavelength pixel / diameter");
    refuses("lens.material = \"pmma\"\n", "pmma: the refractive index is known from 436.8");
    refuses("lens.largest_height = 1e-6\n", "at most 1 um can be made");
    refuses("scene.photograph_fraction = 0.5\n", "is 0.5 and scene.photographs names none");
    refuses("psf.wavelengths = [750e-9, 800e-9]\n", "do not overlap the wavelengths 750 to 800 nm");
}

TEST(LensDomain, ExampleRecipesAreGood) {
    for (const char* name : {"lens_fresnel", "lens_harmonic"}) {
        const std::string path =
            (fs::path(source_root()) / "simulation/recipes" / (std::string(name) + ".toml")).string();
        const SimulationRecipe recipe = read_simulation_recipe(path);
        EXPECT_EQ(recipe.name, name);
        EXPECT_EQ(recipe.simulator->fields().size(), 3u);
    }
}

TEST(LensDomain, SetsAreMadeAndReadAgain) {
    const fs::path folder = fs::path(::testing::TempDir()) / "sonolux_lens_set";
    fs::remove_all(folder);
    fs::create_directories(folder);
    write_file_atomically((folder / "r.toml").string(), small);
    SimulateRequest request;
    request.recipe = (folder / "r.toml").string();
    request.output = (folder / "set").string();
    request.threads = 2;
    EXPECT_TRUE(simulate(request).finished);
    const TrainingSet set = TrainingSet::open(request.output);
    const SimulationRecipe recipe = parse_simulation_recipe(small, "r.toml");
    const std::vector<float> expected = sample_of(recipe, 1);
    const SampleBlock block = set.read(1);
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(), block.sample(0).begin()));
    const Hdf5File shard = Hdf5File::open(set.file_of(1));
    EXPECT_EQ(shard.content("psf/white").sizes, (std::vector<Index>{3, 15, 15}));
    EXPECT_EQ(shard.content("psf/linear_srgb").sizes, (std::vector<Index>{3, 3, 15, 15}));
    EXPECT_GT(draw_sample(set, 1).columns(), 2 * 8 * 32);
    fs::remove_all(folder);
}

}  // namespace
}  // namespace sonolux
