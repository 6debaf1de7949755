// tests/sdk/command_line_colour_test.cpp
#include "tests/support/command_line.hpp"

namespace sonolux {
namespace {

using testing::AllOf;
using testing::HasSubstr;

using CommandLineInColour = CommandLine;

double mean_noisy_psnr(const std::string& csv) {
    const std::string before = "mean,0,0,25,";
    return std::stod(csv.substr(csv.find(before) + before.size()));
}

TEST_F(CommandLineInColour, ColourModelsTakeColourImagesAndSayWhatTheyAre) {
    write_model("colour.safetensors", 25, 25, 3);
    write_noisy("in.png", 3, 30, 20);
    write_noisy("grey.png", 1, 30, 20);
    const Outcome outcome = run("reconstruct colour.safetensors in.png out.tif --bits 32");
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("out.tif: 3 x 30 x 20"));
    ASSERT_EQ(run("reconstruct colour.safetensors in.png tiled.tif --bits 32 --tile 11").status, 0);
    EXPECT_EQ(read_file(file("out.tif")), read_file(file("tiled.tif")));

    EXPECT_THAT(run("reconstruct colour.safetensors grey.png no.png"),
                FailsWith(1,
                          "grey.png: has 1 channel, the model \"colour\" takes 3 together (colour); "
                          "choose a model for grey images"));
    EXPECT_FALSE(std::filesystem::exists(file("no.png")));
    EXPECT_THAT(run("inspect colour.safetensors").out,
                AllOf(HasSubstr("colour, all channels together"), HasSubstr("\"channels\":3")));
    EXPECT_THAT(run("benchmark colour.safetensors --rows 20 --columns 30 --seconds 0.01 --threads 1").out,
                HasSubstr("colour, 3 x 20 x 30, cpu"));
}

TEST_F(CommandLineInColour, EvaluatesEveryChannelWithNoiseOfItsOwn) {
    write_model("m.safetensors");
    write_model("colour.safetensors", 25, 25, 3);
    std::filesystem::create_directories(file("data"));
    write_noisy("data/a.png", 3, 60, 50);
    for (const std::string arguments :
         {"m.safetensors --channels opponent", "m.safetensors --channels separate", "colour.safetensors"}) {
        const Outcome outcome = run("evaluate " + arguments + " --data data --csv table.csv");
        ASSERT_EQ(outcome.status, 0) << outcome.err;
        EXPECT_THAT(outcome.out, HasSubstr("3 x 60 x 50"));
        // 20 log10(255 / 25) = 20.17 dB, of 9000 samples of noise (0.06 dB is one standard deviation).
        EXPECT_NEAR(mean_noisy_psnr(read_text_file(file("table.csv"))), 20.17, 0.3) << arguments;
    }
    EXPECT_THAT(run("evaluate m.safetensors --data data").out,
                HasSubstr("each plane of the opponent colours by itself"));
    write_noisy("data/b.png", 1, 60, 50);
    EXPECT_THAT(run("evaluate colour.safetensors --data data"), FailsWith(1, "data/b.png: has 1 channel"));
}

}  // namespace
}  // namespace sonolux
