// tests/house/source_tree_test.cpp
//
// Rules of the house that hold for every source file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tests/house/source_tree.hpp>
#include <tests/support/data.hpp>

namespace sonolux::house {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<std::string> product = {"core", "priors", "solvers", "simulation", "sdk"};
const std::vector<std::string> everything = {"core",  "priors", "solvers", "simulation", "sdk",  "samples",
                                             "tests", "bench",  "models",  "docs",       "cmake"};

TEST(IncludeDirection, PointsDownInEveryFile) {
    auto folders = product;
    folders.insert(folders.end(), {"samples", "bench", "tests"});
    const auto files = read_tree(source_folder(), folders, {".hpp", ".cpp", ".h", ".c", ".cu"});
    EXPECT_GT(files.size(), 10u) << "found too few sources to have looked in the right place";
    for (const auto& file : files) EXPECT_THAT(wrong_includes(file), IsEmpty());
}

TEST(IncludeDirection, CatchesAnUpwardIncludeInAMadeUpFile) {
    const SourceFile file{"core/array.hpp",
                          "#pragma once\n#include <vector>\n#include <sonolux/solvers/stage.hpp>\n"};
    EXPECT_THAT(
        wrong_includes(file),
        ElementsAre("core/array.hpp:3: core must not include from solvers (sonolux/solvers/stage.hpp)"));
}

TEST(IncludeDirection, CatchesEveryArrowThatTheDesignDoesNotDraw) {
    const std::vector<std::pair<std::string, std::string>> forbidden = {
        {"core", "priors"},       {"core", "simulation"},    {"core", "sdk"},       {"priors", "solvers"},
        {"priors", "simulation"}, {"priors", "sdk"},         {"solvers", "sdk"},    {"solvers", "simulation"},
        {"simulation", "priors"}, {"simulation", "solvers"}, {"simulation", "sdk"}, {"sdk", "samples"},
        {"sdk", "tests"},         {"sdk", "bench"},          {"samples", "tests"},  {"bench", "samples"}};
    for (const auto& [from, to] : forbidden) {
        const SourceFile file{from + "/a.cpp", "  # include <sonolux/" + to + "/b.hpp>"};
        EXPECT_EQ(wrong_includes(file).size(), 1u) << from << " -> " << to;
    }
}

TEST(IncludeDirection, AllowsEveryArrowThatTheDesignDraws) {
    const std::vector<std::pair<std::string, std::string>> allowed = {
        {"core", "core"},      {"priors", "core"},     {"priors", "priors"}, {"solvers", "core"},
        {"solvers", "priors"}, {"solvers", "solvers"}, {"sdk", "solvers"},   {"simulation", "core"},
        {"sdk", "simulation"}, {"sdk", "sdk"},         {"samples", "sdk"},   {"tests", "sdk"},
        {"bench", "priors"}};
    for (const auto& [from, to] : allowed) {
        const SourceFile file{from + "/a.cpp", "#include <sonolux/" + to + "/b.hpp>"};
        EXPECT_THAT(wrong_includes(file), IsEmpty());
    }
}

TEST(IncludeDirection, CatchesAnIncludeThatHidesItsFolder) {
    const SourceFile file{"priors/a.cpp", "#include \"../solvers/stage.hpp\"\n"};
    EXPECT_THAT(wrong_includes(file),
                ElementsAre("priors/a.cpp:1: \"../solvers/stage.hpp\" must be spelled <sonolux/...>"));
}

TEST(SourceTree, EveryHeaderMayBeIncludedTwice) {
    for (const auto& file : read_tree(source_folder(), everything, {".hpp", ".h"}))
        EXPECT_TRUE(has_include_guard(file)) << file.path;
    EXPECT_FALSE(has_include_guard({"core/a.hpp", "int x;\n"}));
    EXPECT_FALSE(has_include_guard({"core/a.h", "#ifndef A_H\n#define B_H\n#endif\n"}));
    EXPECT_TRUE(has_include_guard({"core/a.h", "/* a */\n#ifndef A_H\n#define A_H\n#endif\n"}));
}

TEST(SourceTree,
     NoFileIsLongerThanAReaderCanHold) {  // about 400 lines; a few more are no reason to cut a file in two
    for (const auto& file :
         read_tree(source_folder(), everything, {".hpp", ".cpp", ".h", ".c", ".cu", ".py"}))
        EXPECT_LE(lines_of(file.text).size(), 450u) << file.path;
}

TEST(SourceTree, NamesNoPlaceOnSomebodysMachine) {
    for (const auto& file : read_tree(source_folder(), everything,
                                      {".hpp", ".cpp", ".h", ".c", ".cu", ".py", ".cmake", ".txt", ".sh",
                                       ".md", ".toml", ".json", ".tsv", ".in"}))
        EXPECT_THAT(private_paths(file), IsEmpty());
    const std::string place = std::string("/ho") + "me/";
    EXPECT_THAT(private_paths({"docs/a.md", "one\nopen " + place + "ann/a.png\n"}),
                Contains("docs/a.md:2: open " + place + "ann/a.png"));
    EXPECT_THAT(private_paths({"docs/a.md", "https://example.org" + place + "page"}), IsEmpty());
}

}  // namespace
}  // namespace sonolux::house
