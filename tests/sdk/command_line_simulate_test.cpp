#include "tests/support/command_line.hpp"

namespace sonolux {
namespace {

using ::testing::HasSubstr;

class CommandLineSimulate : public CommandLine {
protected:
    void SetUp() override {
        CommandLine::SetUp();
        write_bytes("small.toml",
                    "name = \"small\"\ndomain = \"maps\"\nset.samples = 4\nset.shard_samples = 2\n"
                    "grid.rows = 100\ngrid.columns = 80\ngrid.spacing = 0.4e-3\nphantom.supersampling = 1\n");
    }
};

TEST_F(CommandLineSimulate, MakesASetAndInspectsIt) {
    const Outcome made = run("simulate small.toml --output set --threads 1");
    EXPECT_EQ(made.status, 0) << made.err;
    EXPECT_THAT(made.out, HasSubstr("set: 2 of 2 shards made, 4 samples in "));
    const Outcome again = run("simulate small.toml --output set");
    EXPECT_THAT(again.out, HasSubstr("set: 0 of 2 shards made, 0 samples in "));

    const Outcome inspected = run("inspect set --sample 3 --pictures pictures");
    EXPECT_EQ(inspected.status, 0) << inspected.err;
    EXPECT_THAT(inspected.out, HasSubstr("4 of 4 are here"));
    EXPECT_THAT(inspected.out, HasSubstr("pictures/small_sample_3.png"));
    EXPECT_TRUE(std::filesystem::exists(file("pictures/small_sample_3.png")));
    EXPECT_EQ(run("inspect set/small-00001.h5").status, 0);
    EXPECT_THAT(run("inspect set --sample 4"), FailsWith(1, "there is no sample 4"));
}

TEST_F(CommandLineSimulate, RefusesShardsThatMakeNoSense) {
    for (const char* shard : {"0/4", "5/4", "1", "1/", "/4", "1/x", "-1/4", "1/4/2", "2/10000000"})
        EXPECT_THAT(run(std::string("simulate small.toml --shard=") + shard),
                    FailsWith(2, "--shard must be i/n with 1 <= i <= n <= 1000000"))
            << shard;
}

TEST_F(CommandLineSimulate, SaysWhatIsWrongWithRecipesAndFolders) {
    EXPECT_THAT(run("simulate missing.toml"), FailsWith(1, "missing.toml: cannot be opened"));
    write_bytes("wrong.toml", "name = \"w\"\ndomain = \"maps\"\nset.samples = 4\nset.shard_sample = 2\n");
    EXPECT_THAT(
        run("simulate wrong.toml"),
        FailsWith(1, "wrong.toml:4: unknown key \"set.shard_sample\"; did you mean \"set.shard_samples\"?"));
    write_bytes("file", "");
    EXPECT_THAT(run("simulate small.toml --output file/set"),
                FailsWith(1, "file/set: cannot be made a folder"));
    EXPECT_THAT(run("inspect small.h5"), FailsWith(1, "small.h5: "));
}

// A process that may write files of at most 50 or 100 KiB (a unit is 512 or 1024 bytes) sees what a full disk
// looks like.
TEST_F(CommandLineSimulate, LeavesNoHalfShardOnAFullDisk) {
    const std::string command = "cd '" + folder_.string() + "' && (trap '' XFSZ; ulimit -f 100; '" +
                                std::string(sonolux_program()) +
                                "' simulate small.toml --output set --threads 1 >out 2>err)";
    const int status = std::system(command.c_str());
    EXPECT_EQ(WEXITSTATUS(status), 1);
    EXPECT_THAT(read_text_file(file("err")), HasSubstr("set/"));
    for (const auto& entry : std::filesystem::directory_iterator(file("set")))
        EXPECT_EQ(entry.path().filename(), "manifest.json");
    EXPECT_EQ(run("simulate small.toml --output set").status, 0);  // now that there is room
}

}  // namespace
}  // namespace sonolux
