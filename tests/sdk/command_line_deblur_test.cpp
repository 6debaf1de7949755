// sonolux reconstruct --kernel and sonolux evaluate --protocol levin, run as people run them.
#include <sys/resource.h>

#include <sonolux/core/operators/convolution.hpp>
#include <sonolux/solvers/metrics.hpp>

#include "tests/support/command_line.hpp"
#include "tests/support/data.hpp"

namespace sonolux {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class DeblurCommand : public CommandLine {
protected:
    // A picture of steps and what a box of 5 x 5 makes of it, in 16 bits.
    void write_pictures(Index channels) const {
        Array<float> sharp({channels, 50, 60}), blurred(sharp.shape()), kernel({5, 5});
        for (Index c = 0; c < channels; ++c)
            for (Index i = 0; i < 50; ++i)
                for (Index j = 0; j < 60; ++j)
                    sharp(c, i, j) = ((i + 3 * c) / 9 + (j + 5 * c) / 12) % 2 == 0 ? 0.25F : 0.75F;
        for (float& tap : kernel) tap = 0.04F;
        Context context;
        const Convolution blur(sharp.shape(), kernel, BoundaryRule::symmetric);
        context.workspace().reserve(blur.workspace_bytes(context));
        blur.apply(sharp, blurred, context);
        write_image(file("sharp.png"), sharp, 16);
        write_image(file("blurred.png"), blurred, 16);
        write_bytes("kernel.txt", "1 1 1 1 1\n1 1 1 1 1\n1 1 1 1 1\n1 1 1 1 1\n1 1 1 1 1\n");
    }

    [[nodiscard]] double psnr_of(const std::string& name) const {
        const Image image = read_image(file(name)), sharp = read_image(file("sharp.png"));
        return psnr(image.pixels.view()[0].block(8, 8, 34, 44), sharp.pixels.view()[0].block(8, 8, 34, 44));
    }
};

TEST_F(DeblurCommand, SharpensWithAKernelFromAFile) {
    write_pictures(1);
    for (const char* method : {"wiener", "richardson-lucy", "tv", "conjugate-gradients"}) {
        const Outcome outcome = run(std::string("reconstruct ") + method +
                                    " blurred.png out.png --kernel kernel.txt --sigma 0.5");
        ASSERT_EQ(outcome.status, 0) << testing::PrintToString(outcome);
        EXPECT_EQ(outcome.err, "sonolux: kernel.txt: its taps sum to 25; it was divided by that\n");
        EXPECT_THAT(outcome.out, AllOf(StartsWith("out.png: 1 x 50 x 60, 16 bits, 5 x 5 kernel, sigma 0.5, "),
                                       HasSubstr(std::string("\n") + method + ": ")));
        EXPECT_GT(psnr_of("out.png"), psnr_of("blurred.png") + 1) << method;
    }
    const Outcome set =
        run("reconstruct tv blurred.png out.tif --kernel kernel.txt --sigma 0.5 --border circular --set "
            "iterations=7 "
            "--set tolerance=0 --bits 32");
    EXPECT_EQ(set.status, 0) << testing::PrintToString(set);
    EXPECT_THAT(set.out, AllOf(HasSubstr("32 bits"), HasSubstr("border circular"),
                               HasSubstr("7 iterations (iteration limit)")));
}

TEST_F(DeblurCommand, SharpensColourChannelByChannel) {
    write_pictures(3);
    const Outcome outcome = run("reconstruct wiener blurred.png out.png --kernel kernel.txt --sigma 0.5");
    ASSERT_EQ(outcome.status, 0) << testing::PrintToString(outcome);
    EXPECT_THAT(outcome.out, HasSubstr("out.png: 3 x 50 x 60, 16 bits"));
    EXPECT_GT(psnr_of("out.png"), psnr_of("blurred.png") + 1);
    EXPECT_EQ(
        run("reconstruct wiener blurred.png grey.png --kernel kernel.txt --sigma 0.5 --channels luma").status,
        0);
    EXPECT_EQ(read_image(file("grey.png")).channels(), 1);
}

TEST_F(DeblurCommand, SaysWhyItChangedNothing) {
    write_pictures(1);
    write_bytes("point.txt", "0 0 0\n0 1 0\n0 0 0\n");
    const Outcome outcome =
        run("reconstruct richardson-lucy blurred.png out.png --kernel point.txt --sigma 1");
    EXPECT_EQ(outcome.status, 0);
    EXPECT_THAT(outcome.err,
                HasSubstr("sonolux: warning: blurred.png: deblurring changed next to nothing (0.00 of 255 on "
                          "average): the kernel is a single point, and so blurs nothing\n"));
}

TEST_F(DeblurCommand, RefusesWhatDoesNotBelongTogether) {
    write_pictures(1);
    write_model("m.safetensors");
    const auto reconstruct = [&](const std::string& arguments) { return run("reconstruct " + arguments); };
    EXPECT_THAT(reconstruct("tv blurred.png out.png --sigma 1"),
                FailsWith(2, "tv takes a blur away: --kernel FILE must say which"));
    EXPECT_THAT(reconstruct("tv blurred.png out.png --sigma 1 --kernel kernel.txt --tile 64"),
                FailsWith(2, "--tile"));
    EXPECT_THAT(reconstruct("tv blurred.png out.png --sigma 1 --kernel kernel.txt --set weight"),
                FailsWith(2, "--set must be NAME=VALUE, got \"weight\""));
    EXPECT_THAT(reconstruct("tv blurred.png out.png --sigma 1 --kernel kernel.txt --set speed=1"),
                FailsWith(1, "no option \"speed\""));
    EXPECT_THAT(reconstruct("tv blurred.png out.jpg --sigma 1 --kernel kernel.txt"),
                FailsWith(2, "OUTPUT must end in"));
    EXPECT_THAT(reconstruct("tv blurred.png out.png --sigma 1 --kernel kernel.npy"),
                FailsWith(1, "kernel.npy: "));
    EXPECT_THAT(reconstruct("tv blurred.png out.png --sigma 1 --kernel kernel.txt --kernel-variable psf"),
                FailsWith(1, "kernel.txt: is not a MATLAB file"));
    EXPECT_THAT(reconstruct("tv blurred.png out.png --sigma 0 --kernel kernel.txt"),
                FailsWith(2, "--sigma must be above 0"));
    EXPECT_THAT(reconstruct("m.safetensors blurred.png out.png --sigma 1 --kernel kernel.txt"),
                FailsWith(1, "m.safetensors: the model \"m\" was trained for the problem \"denoise\""));
    EXPECT_THAT(reconstruct("m.safetensors blurred.png out.png --border taper"),
                FailsWith(2, "--border belongs to --kernel FILE"));
    EXPECT_FALSE(fs::exists(file("out.png")));
}

TEST_F(DeblurCommand, EvaluationOnTheLevinSetNeedsThatSet) {
    write_model("m.safetensors");
    fs::create_directories(file("data"));
    EXPECT_THAT(
        run("evaluate tv --protocol levin --data data"),
        FailsWith(1, "data: 37 of the 37 files of the Levin set are missing: Levin09.mat, gt/im1.png"));
    EXPECT_THAT(run("evaluate m.safetensors --protocol levin --data data"),
                FailsWith(1, "was trained for the problem \"denoise\"; deblurring needs one for \"deblur\""));
    EXPECT_THAT(run("evaluate tv --data data --sigma 25"),
                FailsWith(2, "tv takes blurs away: choose --protocol blur or levin"));
    EXPECT_THAT(run("evaluate tv --protocol levin --data data --seed 1"),
                FailsWith(2, "--seed is for protocols"));
    EXPECT_THAT(run("evaluate m.safetensors --data data --set a=b"),
                FailsWith(2, "--set belongs to --protocol blur or levin"));
}

TEST_F(DeblurCommand, EvaluatesOnTheLevinSet) {
    const fs::path folder = data_folder() / "restoration/levin";
    SLX_NEEDS(folder / "Levin09.mat");
    const Outcome outcome =
        run("evaluate wiener --protocol levin --csv levin.csv --data '" + folder.string() + "'");
    ASSERT_EQ(outcome.status, 0) << testing::PrintToString(outcome);
    EXPECT_THAT(outcome.out, AllOf(StartsWith("wiener: "), HasSubstr("sigma 1.5 (white = 255)"),
                                   HasSubstr("kernel 8"), HasSubstr("\nimage 4 "), HasSubstr("\nmean ")));
    const std::string csv = read_text_file(file("levin.csv"));
    ASSERT_THAT(csv, HasSubstr("\nmean,,1.5,"));
    // Behind the mean of the blurred images; other Wiener filters reach 31 to 33 dB.
    const std::string mean = csv.substr(csv.find("\nmean,,1.5,") + 11);
    EXPECT_NEAR(std::stod(mean.substr(mean.find(',') + 1)), 32.5, 1.5);
}

// A photograph of 12 megapixels in colour, in at most 2 GB of memory, saying how far it is.
class DeblurCommandSlow : public DeblurCommand {};

TEST_F(DeblurCommandSlow, TwelveMegapixelsOfColourInTwoGigabytesWithProgress) {
    constexpr Index rows = 3000, columns = 4000;
    {
        Array<float> sharp({rows, columns}), kernel({27, 27});
        for (Index i = 0; i < rows; ++i)
            for (Index j = 0; j < columns; ++j) sharp(i, j) = (i / 9 + j / 12) % 2 == 0 ? 0.25F : 0.75F;
        for (Index i = 0; i < 27; ++i) kernel(i, i) = 1.0F / 27;
        Context context;
        const Convolution blur(sharp.shape(), kernel, BoundaryRule::symmetric);
        context.workspace().reserve(blur.workspace_bytes(context));
        Array<float> blurred({3, rows, columns});
        blur.apply(sharp, blurred.view()[0], context);
        for (Index c = 1; c < 3; ++c)
            for (Index i = 0; i < rows; ++i)
                std::reverse_copy(blurred.view()[0].row(i), blurred.view()[0].row(i) + columns,
                                  blurred.view()[c].row(i));
        write_image(file("large.png"), blurred);
        std::string text;
        for (Index i = 0; i < 27 * 27; ++i) text += i % 28 == 0 ? "1 " : i % 27 == 26 ? "0\n" : "0 ";
        write_bytes("line.txt", text);
    }
    const Outcome outcome = run("reconstruct deblur large.png out.png --kernel line.txt --sigma 1");
    ASSERT_EQ(outcome.status, 0) << testing::PrintToString(outcome);
    EXPECT_THAT(outcome.out, HasSubstr("out.png: 3 x 3000 x 4000, 8 bits, 27 x 27 kernel, sigma 1, "));
    EXPECT_THAT(outcome.err, HasSubstr("deblurring "));  // 1/24, ... every ten seconds
    rusage usage{};
    ASSERT_EQ(getrusage(RUSAGE_CHILDREN, &usage), 0);  // the largest of them
    RecordProperty("peak_kilobytes", static_cast<int>(usage.ru_maxrss));
    EXPECT_LT(usage.ru_maxrss, 2000000000L / 1024);
}

}  // namespace
}  // namespace sonolux
