#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sonolux/core/error.hpp>
#include <sonolux/sdk/files/recipe.hpp>
#include <sonolux/sdk/pipelines/lens_training_recipe.hpp>
#include <sonolux/sdk/pipelines/sound_speed_recipe.hpp>
#include <sonolux/sdk/pipelines/training_blur.hpp>
#include <sonolux/sdk/pipelines/training_recipe.hpp>

#include "tests/support/data.hpp"

namespace sonolux {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr const char* shortest = "name = 'short'\nproblem.sigma = 25\ndata.sources = ['photographs']\n";

TEST(TrainingRecipe, OfThreeLinesHasDefaultsForTheRest) {
    const TrainingRecipe recipe = parse_training_recipe(shortest, "short.toml");
    EXPECT_EQ(recipe.network, NetworkOptions(VariationalNetworkOptions{}));
    EXPECT_EQ(recipe.noise.low, 25);
    EXPECT_EQ(recipe.noise.high, 25);
    EXPECT_EQ(recipe.weights, std::vector<double>{1});
    EXPECT_EQ(recipe.validation_sigmas, std::vector<double>{25});
    const TrainingOptions options = training_options(recipe);
    ASSERT_EQ(options.phases.size(), 1u);
    EXPECT_EQ(options.phases[0].name, "joint");
    EXPECT_EQ(options.phases[0].step_weights, (std::vector<double>{0, 0, 0, 0, 1}));
}

TEST(TrainingRecipe, ResolvedSaysEverythingAndReadsTheSame) {
    const TrainingRecipe recipe = parse_training_recipe(
        "name = 'all'\n"
        "seed = 7\n"
        "[network]\nstages = 3\nfilters = 8\nfilter_size = 7\nfilter_kind = 'free'\nstep = 'damped'\nscale = "
        "0.125\n"
        "[problem]\nsigma = [5, 55]\nsigmas_per_step = 4\n"
        "[data]\nsources = ['a', 'b']\nweights = [1, 0.25]\nreductions = [2, 3]\n"
        "[data.dead_leaves]\nweight = 0.5\n"
        "[training]\ngreedy_steps = 10\nlbfgs_rounds = 2\nloss = 'psnr'\nstep_weights = 'exponential'\n",
        "all.toml");
    const TrainingRecipe again = parse_training_recipe(recipe.resolved, "resolved.toml");
    EXPECT_EQ(again.resolved, recipe.resolved);
    EXPECT_EQ(again.network, recipe.network);
    EXPECT_EQ(again.noise, recipe.noise);
    EXPECT_EQ(again.reductions, (std::vector<Index>{2, 3}));
    EXPECT_THAT(recipe.resolved, AllOf(HasSubstr("learning_rate = 0.01"), HasSubstr("filters = 8")));
    const TrainingOptions options = training_options(recipe);
    ASSERT_EQ(options.phases.size(), 5u) << "three stages, joint, and L-BFGS";
    EXPECT_EQ(options.phases[4].optimiser, Optimiser::lbfgs);
    EXPECT_LT(options.phases[3].step_weights[0], options.phases[3].step_weights[1]);
}

TEST(TrainingRecipe, TakesOneChannelOrThree) {
    const std::string start = shortest;
    const TrainingRecipe recipe = parse_training_recipe(start + "network.channels = 3\n", "colour.toml");
    EXPECT_EQ(channels(recipe.network), 3);
    EXPECT_THAT(recipe.resolved, HasSubstr("channels = 3"));
    // What was resolved before there was colour stays as it was.
    EXPECT_THAT(parse_training_recipe(start, "grey.toml").resolved, testing::Not(HasSubstr("channels")));
    EXPECT_THAT(
        [&] {
            (void)parse_training_recipe(start + "network.channels = 3\nnetwork.filter_kind = \"free\"\n",
                                        "free.toml");
        },
        ThrowsMessage<Error>(AllOf(HasSubstr("free.toml:5: network.filter_kind"),
                                   HasSubstr("must be \"dct\" where network.channels is 3"))));
    EXPECT_THAT([&] { (void)parse_training_recipe(start + "network.channels = 2\n", "two.toml"); },
                ThrowsMessage<Error>(AllOf(HasSubstr("two.toml:4: network.channels"),
                                           HasSubstr("must be 1 (grey) or 3 (colour), got 2"))));
}

// The level in the middle of the range was rounded to 0, which the resolved recipe must not say.
TEST(TrainingRecipe, ValidatesWithinTheRangeOfItsNoise) {
    const auto levels = [](const std::string& sigma) {
        const TrainingRecipe recipe =
            parse_training_recipe("name = 'r'\ndata.sources = ['a']\nproblem.sigma = " + sigma, "range.toml");
        EXPECT_EQ(parse_training_recipe(recipe.resolved, "resolved.toml").resolved, recipe.resolved);
        return recipe.validation_sigmas;
    };
    EXPECT_THAT(levels("[5, 55]"), ElementsAre(5, 17, 55));
    EXPECT_THAT(levels("[0.1, 0.3]"), ElementsAre(0.1, 0.1, 0.3));
}

void expect_refused(const std::string& line, const char* message) {
    EXPECT_THAT([&] { (void)parse_training_recipe(shortest + line, "bad.toml"); },
                ThrowsMessage<Error>(AllOf(HasSubstr("bad.toml"), HasSubstr(message))))
        << line;
}

TEST(TrainingRecipe, NamesWhatIsWrong) {
    expect_refused("[training]\nlerning_rate = 0.1\n", "did you mean \"training.learning_rate\"");
    expect_refused("[training]\nbatch = 0\n", "training.batch");
    expect_refused("[training]\nsteps = 0\n", "must not all be 0");
    expect_refused("[training]\nloss = 'best'\n", "training.loss");
    expect_refused("[training]\nloss_margin = 32\n", "training.loss_margin");
    expect_refused("[network]\nstages = 'five'\n", "network.stages");
    expect_refused("data.weights = [1, 2]\n", "data.weights");
    expect_refused("problem.sigmas_per_step = 3\n", "must divide training.batch, 64, got 3");
    EXPECT_THAT([] { (void)parse_training_recipe("name = 'x'\ndata.sources = ['a']\n", "bad.toml"); },
                ThrowsMessage<Error>(HasSubstr("problem.sigma")));
    EXPECT_THAT([] { (void)parse_training_recipe("name = 'x'\nproblem.sigma = 25\n", "bad.toml"); },
                ThrowsMessage<Error>(HasSubstr("data.sources")));
    EXPECT_THAT([] { (void)parse_training_recipe("name = 'x'\nproblem.sigma = [50, 5]\n", "bad.toml"); },
                ThrowsMessage<Error>(HasSubstr("problem.sigma")));
    EXPECT_THAT([] { (void)parse_training_recipe("name = 'a/b'\nproblem.sigma = 5\n", "bad.toml"); },
                ThrowsMessage<Error>(HasSubstr("name")));
}

TEST(TrainingRecipe, EveryRecipeOfTheRepositoryIsGood) {
    int recipes = 0;
    for (const auto& entry : std::filesystem::directory_iterator(source_folder() / "models/recipes"))
        if (entry.path().extension() == ".toml") {
            ++recipes;
            if (RecipeTable::read(entry.path().string()).text("problem.kind", "denoise") == "sound_speed") {
                const SoundSpeedRecipe recipe = read_sound_speed_recipe(entry.path().string());
                EXPECT_EQ(entry.path().stem().string(), recipe.name);
                EXPECT_NO_THROW((void)training_options(recipe)) << entry.path();
                continue;
            }
            if (is_lens_recipe(entry.path().string())) {
                Context context;
                const LensTrainingRecipe recipe = read_lens_training_recipe(entry.path().string(), context);
                EXPECT_EQ(entry.path().stem().string(), recipe.name);
                EXPECT_NO_THROW((void)training_options(recipe)) << entry.path();
                continue;
            }
            const TrainingRecipe recipe = read_training_recipe(entry.path().string());
            // A recipe that goes on from a model makes a better one of that name, or one of its own.
            const std::string file = entry.path().stem().string();
            EXPECT_TRUE(file == recipe.name || file == recipe.name + "_continued") << file;
            EXPECT_NO_THROW((void)make_network(recipe.network)) << entry.path();
            EXPECT_NO_THROW((void)training_options(recipe)) << entry.path();
        }
    EXPECT_GE(recipes, 6);
}

TEST(TrainingRecipe, ReadsShrinkageFieldsAndBlurs) {
    const TrainingRecipe recipe = parse_training_recipe(
        "name = 'deblur'\n[network]\ntype = 'shrinkage_fields'\nstages = 3\nform = 'direct'\n"
        "border_treatment = 'taper'\n[problem]\nkind = 'deblur'\nsigma = 2\nkernel_radius = 6\n"
        "estimated_kernel_fraction = 0.5\nkernels = 20\n[data]\nsources = ['a']\n",
        "r.toml");
    const auto& network = std::get<ShrinkageFieldsOptions>(recipe.network);
    EXPECT_EQ(network.stages, 3);
    EXPECT_EQ(network.form, ShrinkageForm::direct);
    EXPECT_EQ(network.border, BorderTreatment::taper);
    EXPECT_TRUE(recipe.blur.wanted);
    EXPECT_EQ(clean_patch_size(recipe), recipe.batch.rows + 12);
    EXPECT_EQ(parse_training_recipe(recipe.resolved, "again.toml").network, recipe.network);

    const std::optional<TrainingBlur> blur = make_training_blur(recipe);
    ASSERT_TRUE(blur && blur->kernels);
    EXPECT_EQ(blur->border, 8);  // the network's own, which is more than the kernels need
    int estimated = 0;
    for (std::uint64_t sample = 0; sample < 200; ++sample) {
        Array<float> kernel({13, 13}), told({13, 13});
        blur->kernels(sample, kernel, told);
        for (const Array<float>* taps : {&kernel, &told}) {
            double sum = 0;
            for (float tap : *taps) sum += tap;
            EXPECT_NEAR(sum, 1, 1e-5);
        }
        estimated += !std::equal(kernel.begin(), kernel.end(), told.begin());
    }
    EXPECT_NEAR(estimated, 100, 50);  // half of twenty kernels, each as likely

    EXPECT_THAT(
        [] {
            (void)parse_training_recipe(
                "name = 'r'\ndata.sources = ['a']\nproblem = {kind = 'deblur', sigma = 2}", "bad.toml");
        },
        ThrowsMessage<Error>(HasSubstr("network.type")));
}

}  // namespace
}  // namespace sonolux
