// sonolux demo, run as people run it.
#include <sonolux/sdk/pipelines/shipped_models.hpp>

#include "tests/support/command_line.hpp"
#include "tests/support/tiny_model.hpp"

namespace sonolux {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class DemoCommand : public CommandLine {};

TEST_F(DemoCommand, OnPhotographs) {
    fs::create_directories(file("models"));
    fs::create_directories(file("photographs"));
    write_model("models/denoise_sigma25.safetensors");
    write_model("models/denoise_any_sigma.safetensors", 5, 30);
    write_noisy("photographs/first.png", 3, 80, 70);
    write_noisy("photographs/second.png", 1, 40, 60);
    const Outcome outcome = run("demo --models models --photographs photographs --output out");
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_THAT(outcome.out, AllOf(HasSubstr("photograph"), HasSubstr("first"), HasSubstr("mean"),
                                   HasSubstr("80 x 70"), EndsWith("Pictures and report: out/report.html\n")));
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("no model in models serves sigma 50: left out"),
                                   HasSubstr("deblur.safetensors: is missing: deblurring is left out")));
    EXPECT_GT(read_image(file("out/first_sigma25.png")).columns(), 200);
    EXPECT_EQ(read_image(file("out/second_sigma15_denoised.png")).pixels.shape(), (Shape{1, 40, 60}));
    const std::string report = read_text_file(file("out/report.html"));
    EXPECT_THAT(report, AllOf(StartsWith("<!DOCTYPE html>"), HasSubstr("data:image/png;base64,"),
                              HasSubstr("CC0-1.0"), Not(HasSubstr("http://")), EndsWith("</html>\n")));
}

TEST_F(DemoCommand, SeesPhotographsInColourThroughALens) {
    fs::create_directories(file("models"));
    fs::create_directories(file("photographs"));
    write_model("models/denoise_sigma25.safetensors");
    fs::copy(find_model("lens_harmonic"), file("models/lens_harmonic.safetensors"));
    write_noisy("photographs/grey.png", 1, 220, 230);
    write_noisy("photographs/small.png", 3, 80, 70);
    const Outcome small = run("demo --models models --photographs photographs --sigma 25 --output out");
    ASSERT_EQ(small.status, 0) << small.err;
    EXPECT_THAT(small.err,
                HasSubstr("no photograph in colour has 208 x 208 pixels: recovery through that lens"));
    EXPECT_THAT(small.out, Not(HasSubstr("Through a lens")));

    write_noisy("photographs/large.png", 3, 220, 230);
    const Outcome outcome = run("demo --models models --photographs photographs --sigma 25 --output out");
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("lens_fresnel.safetensors: is missing"));
    EXPECT_THAT(outcome.out,
                AllOf(HasSubstr("Through a lens of one diffractive surface:"),
                      HasSubstr("lens_harmonic  captured"), HasSubstr("lens_harmonic   network")));
    EXPECT_GT(read_image(file("out/lens_harmonic.png")).columns(), 4 * 192);
    EXPECT_THAT(read_text_file(file("out/report.html")), HasSubstr("lens_harmonic: one piece"));
}

TEST_F(DemoCommand, DeblursPhotographsBesideOtherMethods) {
    fs::create_directories(file("models"));
    fs::create_directories(file("photographs"));
    write_model("models/denoise_sigma25.safetensors");
    Model deblur = tiny_deblurring_model();
    deblur.problem.sigma_min = 1 / 255.0;
    write_file_atomically(file("models/deblur.safetensors"), save_model(deblur));
    write_noisy("photographs/first.png", 3, 80, 70);
    write_noisy("photographs/second.png", 1, 70, 66);
    const Outcome outcome = run("demo --models models --photographs photographs --sigma 25 --output out");
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_THAT(outcome.err, AllOf(Not(HasSubstr("deblurring is left out")),
                                   HasSubstr("maps of the speed of sound are left out")));
    EXPECT_THAT(outcome.out,
                AllOf(HasSubstr("Deblurred, PSNR of each method:\n\nphotograph "),
                      HasSubstr("  network   SSIM "), HasSubstr("   TV   SSIM "),
                      HasSubstr("  Wiener   SSIM "), HasSubstr("camera shake "), HasSubstr("defocus ")));
    // Two photographs and their mean at one level of noise, and after each of two blurs.
    EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 4 + 1 + 2 + 7 + 1 + 2);

    for (const char* stem : {"first_shake", "second_shake", "first_defocus", "second_defocus"}) {
        const auto picture = [&](const char* what) {
            return read_image(file(std::string("out/") + stem + what + ".png"));
        };
        EXPECT_GT(picture("").columns(), 150) << stem;
        const Shape kernel = picture("_kernel").pixels.shape();
        const Shape photograph = stem[0] == 'f' ? Shape{1, 80, 70} : Shape{1, 70, 66};
        // No pixel is made up beyond the border.
        const Shape seen{1, photograph[1] - kernel[1] + 1, photograph[2] - kernel[2] + 1};
        EXPECT_EQ(picture("_blurred").pixels.shape(), seen) << stem;
        EXPECT_EQ(picture("_deblurred").pixels.shape(), seen) << stem;
        // What was written can be deblurred from the command line.
        const Outcome again = run(std::string("reconstruct wiener out/") + stem +
                                  "_blurred.png again.png --kernel out/" + stem + "_kernel.png --sigma 2");
        EXPECT_EQ(again.status, 0) << testing::PrintToString(again);
    }
    EXPECT_THAT(read_text_file(file("out/report.html")),
                AllOf(HasSubstr("Blur"), HasSubstr("first_shake.png"), HasSubstr("total variation")));

    write_noisy("photographs/small.png", 1, 30, 40);
    const Outcome small = run("demo --models models --photographs photographs --sigma 25 --output out");
    EXPECT_EQ(small.status, 0);
    EXPECT_THAT(small.err, HasSubstr("small has 30 x 40 pixels, blurs need 64 x 64: deblurring is left out"));
}

TEST_F(DemoCommand, OnAnImageOfYours) {
    fs::create_directories(file("models"));
    write_model("models/denoise_any_sigma.safetensors", 5, 55);
    write_noisy("mine.png", 3, 50, 60);
    const Outcome noisy = run("demo --models models --image mine.png --sigma 20 --output out");
    ASSERT_EQ(noisy.status, 0) << noisy.err;
    EXPECT_THAT(noisy.out, HasSubstr("3 x 50 x 60"));
    EXPECT_THAT(noisy.err, HasSubstr("each plane of its opponent colours is denoised by itself"));
    EXPECT_EQ(read_image(file("out/mine_sigma20_denoised.png")).channels(), 3);
    const Outcome clean = run("demo --models models --image mine.png --add-noise --output out");
    ASSERT_EQ(clean.status, 0) << clean.err;
    EXPECT_THAT(clean.out, HasSubstr("noisy PSNR"));
    write_model("models/denoise_color_any_sigma.safetensors", 5, 55, 3);
    const Outcome colour = run("demo --models models --image mine.png --sigma 20 --output out");
    EXPECT_THAT(colour.out, HasSubstr("denoise_color_any_sigma"));
    EXPECT_THAT(colour.err, Not(HasSubstr("opponent")));
    EXPECT_THAT(run("demo --models models --image mine.png --sigma 80 --output out").err,
                HasSubstr("holds no model for these noise levels"));
    EXPECT_THAT(run("demo --models nowhere --image mine.png"),
                FailsWith(1, "nowhere: there is no such folder of models"));
}

TEST_F(DemoCommand, SaysWhenPhotographsCannotBeHad) {
    fs::create_directories(file("models"));
    write_model("models/denoise_sigma25.safetensors");
    write_bytes("models/photographs.sh", "echo no network here >&2\nexit 1\n");
    const Outcome outcome =
        run("demo --models models --output out", "XDG_CACHE_HOME='" + file("cache") + "'");
    EXPECT_EQ(outcome.status, 1);
    EXPECT_THAT(outcome.err,
                AllOf(HasSubstr("no network here"), HasSubstr("sonolux: the photographs could not be"),
                      HasSubstr("--photographs FOLDER or --image FILE")));
    EXPECT_FALSE(fs::exists(file("out/report.html")));
}

TEST_F(DemoCommand, KeepsPhotographsOfOneNameApart) {
    fs::create_directories(file("models"));
    fs::create_directories(file("photographs/one"));
    fs::create_directories(file("photographs/two"));
    write_model("models/denoise_sigma25.safetensors");
    // Of four sizes, which tell whose picture is whose. The last one has the name that the second would get.
    write_noisy("photographs/one/scene.png", 1, 20, 30);
    write_noisy("photographs/two/scene.png", 1, 21, 31);
    write_noisy("photographs/two/scene.tif", 1, 22, 32);
    write_noisy("photographs/scene_2.png", 1, 23, 33);
    std::string list = "file\tuse\tpackage\tauthor\tlicence\n";
    for (const char* name : {"one/scene.png", "two/scene.png", "two/scene.tif", "scene_2.png"})
        list += std::string(name) + "\tdemonstration\tnone\tnobody\tCC0-1.0\n";
    write_bytes("photographs/photographs.tsv", list);
    const std::string sizes[] = {"20 x 30", "21 x 31", "22 x 32", "23 x 33"};

    const Outcome listed = run("demo --models models --photographs photographs --sigma 25 --output out");
    ASSERT_EQ(listed.status, 0) << listed.err;
    EXPECT_THAT(listed.out, AllOf(HasSubstr("scene_3"), HasSubstr("scene_4")));
    EXPECT_EQ(read_image(file("out/scene_sigma25_denoised.png")).pixels.shape(), (Shape{1, 20, 30}));
    EXPECT_EQ(read_image(file("out/scene_3_sigma25_denoised.png")).pixels.shape(), (Shape{1, 21, 31}));
    EXPECT_EQ(read_image(file("out/scene_4_sigma25_denoised.png")).pixels.shape(), (Shape{1, 22, 32}));
    EXPECT_EQ(read_image(file("out/scene_2_sigma25_denoised.png")).pixels.shape(), (Shape{1, 23, 33}));

    // A folder without a list: two formats of one name.
    const Outcome folder = run("demo --models models --photographs photographs/two --sigma 25 --output two");
    ASSERT_EQ(folder.status, 0) << folder.err;
    EXPECT_EQ(read_image(file("two/scene_sigma25_denoised.png")).pixels.shape(), (Shape{1, 21, 31}));
    EXPECT_EQ(read_image(file("two/scene_2_sigma25_denoised.png")).pixels.shape(), (Shape{1, 22, 32}));
}

}  // namespace
}  // namespace sonolux
