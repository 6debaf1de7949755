#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include <sonolux/core/error.hpp>
#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/recipe.hpp>

namespace sonolux {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

constexpr const char* text = R"(name = "denoise-25"   # a comment

[training]
steps = 2000
rate = 1e-3
stages = [1, 2.5, 3]
greedy = true
whole = 3

[training.data]
folders = ["a", "b \"c\""]
)";

TEST(RecipeTable, ReturnsWhatIsThereAndDefaultsWhereNothingIs) {
    RecipeTable recipe(text, "recipe.toml");
    EXPECT_EQ(recipe.text("name", "x"), "denoise-25");
    EXPECT_EQ(recipe.integer("training.steps", 7), 2000);
    EXPECT_EQ(recipe.number("training.rate", 0.5), 1e-3);
    EXPECT_EQ(recipe.number("training.whole", 0.5), 3.0) << "an integer is a number";
}

TEST(RecipeTable, ReadsListsFlagsAndChoices) {
    RecipeTable recipe(text, "recipe.toml");
    EXPECT_THAT(recipe.numbers("training.stages", {}), ElementsAre(1, 2.5, 3));
    EXPECT_THAT(recipe.numbers("training.rate", {}), ElementsAre(1e-3)) << "a list of one";
    EXPECT_THAT(recipe.texts("training.data.folders", {}), ElementsAre("a", "b \"c\""));
    EXPECT_TRUE(recipe.flag("training.greedy", false));
    EXPECT_FALSE(recipe.flag("training.joint", false));
    EXPECT_EQ(recipe.one_of("name", {}, {"denoise-15", "denoise-25"}), "denoise-25");
    EXPECT_EQ(recipe.integer("validation.every", 50), 50);
    EXPECT_THAT(recipe.numbers("noise.sigma", std::vector<double>{5, 55}), ElementsAre(5, 55));
    EXPECT_TRUE(recipe.has("training.data"));
    EXPECT_FALSE(recipe.has("training.dat"));
}

TEST(RecipeTable, WrongValuesAreNamedWithFileLineKeyAndExpectation) {
    RecipeTable recipe(text, "recipe.toml");
    EXPECT_THAT(
        [&] { recipe.integer("training.rate", 1, 1, 100000); },
        ThrowsMessage<Error>("recipe.toml:5: training.rate must be an integer from 1 to 100000, got 0.001"));
    EXPECT_THAT(
        [&] { recipe.integer("training.steps", 1, 5000); },
        ThrowsMessage<Error>("recipe.toml:4: training.steps must be an integer of at least 5000, got 2000"));
    EXPECT_THAT([&] { recipe.number("name", 1.0); },
                ThrowsMessage<Error>("recipe.toml:1: name must be a number, got \"denoise-25\""));
    EXPECT_THAT(
        [&] { recipe.number("training.rate", 1.0, 0.01, 1); },
        ThrowsMessage<Error>("recipe.toml:5: training.rate must be a number from 0.01 to 1, got 0.001"));
    EXPECT_THAT(
        [&] { recipe.numbers("training.stages", {}, 0, 2.5); },
        ThrowsMessage<Error>("recipe.toml:6: training.stages must be a list, each a number from 0 to 2.5, "
                             "got [ 1, 2.5, 3 ]"));
    EXPECT_THAT([&] { recipe.flag("training.steps", true); },
                ThrowsMessage<Error>("recipe.toml:4: training.steps must be true or false, got 2000"));
    EXPECT_THAT(
        [&] {
            recipe.one_of("name", {}, {"a", "b"});
        },
        ThrowsMessage<Error>("recipe.toml:1: name must be one of \"a\", \"b\", got \"denoise-25\""));
    EXPECT_THAT([&] { recipe.text("training.data", {}); },
                ThrowsMessage<Error>("recipe.toml:10: training.data must be a text, got a table"));
    EXPECT_THAT([&] { recipe.text("name.first", "x"); },
                ThrowsMessage<Error>("recipe.toml:1: name must be a table, got \"denoise-25\""));
    EXPECT_THAT(
        [&] { recipe.integer("training.seed", {}, 0); },
        ThrowsMessage<Error>("recipe.toml: training.seed is missing; it must be an integer of at least 0"));
    RecipeTable odd("a = nan\nb = inf\n", "recipe.toml");
    EXPECT_THROW(odd.number("a", 1.0), Error);
    EXPECT_THROW(odd.number("b", 1.0), Error);
    EXPECT_EQ(recipe.where("training.rate"), "recipe.toml:5: training.rate");
    EXPECT_EQ(recipe.where("training.decay"), "recipe.toml: training.decay");
}

TEST(RecipeTable, UnknownKeysAreNamedWithTheNearestRightOne) {
    RecipeTable recipe("nmae = 1\n[training]\nsteps = 1\nstesp = 2\n\n[trainnig]\nrate = 3\n[other]\n",
                       "recipe.toml");
    recipe.text("name", "x");
    recipe.integer("training.steps", 1);
    recipe.number("training.rate", 1.0);
    EXPECT_THAT([&] { recipe.reject_unknown(); },
                ThrowsMessage<Error>(
                    "recipe.toml:1: unknown key \"nmae\"; did you mean \"name\"?\n"
                    "recipe.toml:4: unknown key \"training.stesp\"; did you mean \"training.steps\"?\n"
                    "recipe.toml:7: unknown key \"trainnig.rate\"; did you mean \"training.rate\"?\n"
                    "recipe.toml:8: unknown key \"other\""));
    RecipeTable clean(text, "recipe.toml");
    clean.text("name", {});
    clean.integer("training.steps", {});
    clean.number("training.rate", {});
    clean.numbers("training.stages", {});
    clean.flag("training.greedy", {});
    clean.integer("training.whole", {});
    EXPECT_THROW(clean.reject_unknown(), Error);
    clean.texts("training.data.folders", {});
    EXPECT_NO_THROW(clean.reject_unknown());
}

TEST(RecipeTable, ResolvedTextGivesTheSameValuesAgain) {
    const auto ask = [](RecipeTable& recipe) {
        recipe.integer("training.steps", 3);
        recipe.text("name", "x");
        recipe.text("note", "tab\t, quote \", backslash \\, new line\n, \xc3\xa9, \x7f");
        recipe.numbers("training.stages", std::vector<double>{});
        recipe.number("training.third", 1.0 / 3);
        recipe.number("training.large", 1e300);
        recipe.number("training.whole", 4);
        recipe.texts("training.data.folders", {});
        recipe.texts("training.data.none", std::vector<std::string>{});
        recipe.flag("training.joint", true);
        return recipe.resolved();
    };
    RecipeTable recipe(text, "recipe.toml");
    const std::string resolved = ask(recipe);
    EXPECT_THAT(resolved, HasSubstr("[training]\nsteps = 2000\nstages = [1.0, 2.5, 3.0]\n"));
    EXPECT_THAT(resolved, HasSubstr("[training.data]\nfolders = [\"a\", \"b \\\"c\\\"\"]\nnone = []\n"));
    RecipeTable again(resolved, "resolved.toml");
    EXPECT_EQ(ask(again), resolved);
    EXPECT_NO_THROW(again.reject_unknown());
    EXPECT_EQ(again.number("training.third", {}), 1.0 / 3);
}

TEST(RecipeTable, OneKeyHasOneDefault) {
    RecipeTable recipe("", "recipe.toml");
    recipe.integer("steps", 3);
    EXPECT_EQ(recipe.integer("steps", 3), 3);
    EXPECT_THROW(recipe.integer("steps", 4), Error);
}

TEST(RecipeTable, NamesTheLineThatIsNotToml) {
    EXPECT_THAT([] { RecipeTable("a = 1\nb = = 2\n", "recipe.toml"); },
                ThrowsMessage<Error>(HasSubstr("recipe.toml:2: not valid TOML: ")));
    EXPECT_THAT([] { RecipeTable("a = 1\na = 2\n", "recipe.toml"); },
                ThrowsMessage<Error>(HasSubstr("recipe.toml:2: not valid TOML: ")));
    EXPECT_THROW(RecipeTable(std::string(3000, '['), "recipe.toml"), Error);
    EXPECT_THROW(RecipeTable("a = " + std::string(3000, '['), "recipe.toml"), Error);
}

// Tables in tables are taken apart by recursion: at a million, there was no stack left.
TEST(RecipeTable, RefusesTablesThatAreTooDeep) {
    const auto deep = [](int levels) {
        std::string line = "[a";
        for (int level = 1; level < levels; ++level) line += ".a";
        return line + "]\nb = 1\n";
    };
    RecipeTable most(deep(4000), "recipe.toml");
    EXPECT_THAT([&] { most.reject_unknown(); },
                ThrowsMessage<Error>(HasSubstr("recipe.toml:2: unknown key")));
    for (const std::string& bad :
         {deep(4001), deep(1000000), std::string(1000000, '['), "a = " + std::string(1000000, '{')})
        EXPECT_THAT([&] { RecipeTable(bad, "recipe.toml"); },
                    ThrowsMessage<Error>(AllOf(StartsWith("recipe.toml: has "),
                                               HasSubstr(" dots, brackets and braces, at most 4000"))));
}

TEST(RecipeTable, ADamagedFileIsAnErrorOrAnotherRecipeButNeverACrash) {
    const std::string whole =
        std::string(text) + "x = {a = 1, b = [[]]}\nd = 1979-05-27T07:32:00Z\n[[e]]\nf = '''g'''\n";
    for (std::size_t i = 0; i < whole.size(); ++i) {
        for (const char c :
             {'[', ']', '{', '}', '=', '.', ',', '"', '\'', '#', '\n', '\0', '\xff', '\xc3', '\\', ' '}) {
            std::string damaged = whole;
            damaged[i] = c;
            try {
                RecipeTable recipe(damaged, "recipe.toml");
                recipe.reject_unknown();
            } catch (const Error& error) {
                EXPECT_THAT(error.what(), HasSubstr("recipe.toml:"));
            }
        }
        try {
            RecipeTable recipe(std::string_view(whole).substr(0, i), "recipe.toml");
        } catch (const Error&) {
        }
    }
}

TEST(RecipeTable, ReadsAFile) {
    const auto path =
        (std::filesystem::path(::testing::TempDir()) / ("sonolux_" + std::to_string(getpid()) + ".toml"))
            .string();
    write_file_atomically(path, std::string_view(text));
    RecipeTable recipe = RecipeTable::read(path);
    EXPECT_EQ(recipe.integer("training.steps", {}), 2000);
    std::filesystem::remove(path);
    EXPECT_THAT([&] { (void)RecipeTable::read(path); },
                ThrowsMessage<Error>(HasSubstr(path + ": cannot be opened")));
}

}  // namespace
}  // namespace sonolux
