#include <sonolux/sdk/pipelines/evaluate.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/files/report.hpp>
#include <sonolux/sdk/pipelines/comparison.hpp>
#include <sonolux/sdk/pipelines/photographs.hpp>
#include <sonolux/solvers/metrics.hpp>

namespace sonolux {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(Evaluate, NoiseDependsOnSeedAndPlaceAlone) {
    const Array<float> truth({50, 60});
    Array<float> first({50, 60}), again({50, 60}), other({50, 60});
    add_protocol_noise(truth, 25, 7, 3, first);
    add_protocol_noise(truth, 25, 7, 3, again);
    EXPECT_TRUE(std::equal(first.begin(), first.end(), again.begin()));
    add_protocol_noise(truth, 25, 7, 4, other);
    EXPECT_FALSE(std::equal(first.begin(), first.end(), other.begin()));
    // Standard deviation 25 / 255, known to 1 / sqrt(2 x 3000) = 1.3 % from 3000 pixels.
    EXPECT_NEAR(std::sqrt(mean_squared_error(first, truth)) * 255, 25, 4 * 0.013 * 25);
    EXPECT_LT(*std::min_element(first.begin(), first.end()), 0);  // not clipped
}

TEST(Evaluate, ColourImagesHaveThePsnrOfAllChannelsAndTheMeanSsim) {
    Array<float> truth({3, 20, 20}), image({3, 20, 20});
    for (Index p = 0; p < 400; ++p) {
        truth.data()[p] = static_cast<float>(p % 7) / 7;
        image.data()[p] = truth.data()[p] + 0.3F;  // one channel of three is wrong
    }
    const Quality quality = measure(image, truth);
    EXPECT_NEAR(quality.psnr, 10 * std::log10(3 / 0.09), 1e-5);
    Array<float> clipped({20, 20});
    std::transform(image.begin(), image.begin() + 400, clipped.begin(),
                   [](float v) { return std::min(v, 1.0F); });
    EXPECT_NEAR(quality.ssim, (ssim(clipped, truth.view()[0]) + 2) / 3, 1e-12);
    EXPECT_GT(quality.clipped_psnr, quality.psnr);
}

TEST(Evaluate, SmallImagesHaveNoSsim) {
    const Array<float> image({1, 5, 30});
    EXPECT_TRUE(std::isnan(measure(image, image).ssim));
    EXPECT_TRUE(std::isinf(measure(image, image).psnr));
}

TEST(Evaluate, TablesQuoteNamesThatNeedIt) {
    Evaluation evaluation;
    evaluation.sigma = 25;
    evaluation.mean.name = "mean";
    evaluation.mean.denoised.ssim = std::nan("");
    evaluation.images.push_back({"a \"b\", c.png", 2, 3, {1, 2, 3}, {4, 5, 0.25}, 0.5});
    EXPECT_EQ(to_csv(evaluation),
              "image,rows,columns,sigma,noisy_psnr_db,psnr_db,clipped_psnr_db,ssim,seconds\n"
              "\"a \"\"b\"\", c.png\",2,3,25,1.000000,4.000000,5.000000,0.250000,0.500000\n"
              "mean,0,0,25,0.000000,0.000000,0.000000,,0.000000\n");
}

TEST(Photographs, AreReducedByTheMeanOfBoxes) {
    Image photograph;
    photograph.format = "jpeg";
    photograph.pixels = Array<float>({1, 7, 4});
    for (Index i = 0; i < 28; ++i) photograph.pixels.data()[i] = static_cast<float>(i);
    // A JPEG by 2: rows 0 to 5 of 7, whose first box holds 0, 1, 4, 5.
    const Array<float> crop = clean_crop(photograph);
    EXPECT_EQ(crop.shape(), (Shape{3, 2}));
    EXPECT_THAT(std::vector<float>(crop.begin(), crop.end()),
                ElementsAre(2.5F, 4.5F, 10.5F, 12.5F, 18.5F, 20.5F));
    photograph.format = "png";
    EXPECT_EQ(clean_crop(photograph).shape(), (Shape{7, 4}));
}

TEST(Photographs, AreCutToAPageUprightOrAcross) {
    Image photograph;
    photograph.format = "png";
    photograph.pixels = Array<float>({3, 1030, 3500});
    EXPECT_EQ(clean_crop(photograph).shape(), (Shape{512, 768}));
    photograph.pixels = Array<float>({1, 800, 600});
    EXPECT_EQ(clean_crop(photograph).shape(), (Shape{768, 512}));
}

TEST(Photographs, AreThoseOfTheListOrAllOfTheFolder) {
    const fs::path folder = fs::path(::testing::TempDir()) / "sonolux_photographs_test";
    fs::remove_all(folder);
    fs::create_directories(folder / "demonstration");
    EXPECT_THAT([&] { (void)photographs_in(folder); }, ThrowsMessage<Error>(HasSubstr("holds no image")));
    write_image((folder / "b.png").string(), Array<float>({4, 4}));
    write_image((folder / "a.tif").string(), Array<float>({4, 4}));
    write_image((folder / "demonstration/c.png").string(), Array<float>({4, 4}));
    write_file_atomically((folder / "notes.txt").string(), "no image");
    std::vector<Photograph> found = photographs_in(folder);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].name, "a");
    EXPECT_EQ(found[1].name, "b");

    write_file_atomically((folder / "photographs.tsv").string(),
                          "file\tuse\tpackage\tauthor\tlicence\tpath\tsha256\n"
                          "b.png\ttraining\tp\tsomebody\tCC0-1.0\t-\t-\n"
                          "demonstration/c.png\tdemonstration\tp\tA. Nyone\tCC-BY-4.0\t-\t-\n"
                          "demonstration/gone.png\tdemonstration\tp\tA. Nyone\tCC-BY-4.0\t-\t-\n");
    found = photographs_in(folder);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].name, "c");
    EXPECT_EQ(found[0].author, "A. Nyone");
    EXPECT_EQ(found[0].licence, "CC-BY-4.0");
    fs::remove_all(folder);
}

TEST(Report, EncodesBase64) {  // RFC 4648, section 10
    EXPECT_EQ(base64(""), "");
    EXPECT_EQ(base64("f"), "Zg==");
    EXPECT_EQ(base64("fo"), "Zm8=");
    EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
    EXPECT_EQ(base64("\xff\xfe\xfd"), "//79");
}

TEST(Report, HoldsEverythingInOneFileAndEscapesText) {
    Report report("a < b");
    report.heading("1 & 2");
    report.table({"name", "dB"}, {{"x", "28.92"}, {"<script>", "-"}});
    report.picture(Canvas(3, 4, colours::blue), "picture");
    const std::string html = report.html();
    EXPECT_THAT(html, HasSubstr("<h1>a &lt; b</h1>"));
    EXPECT_THAT(html, HasSubstr("<h2>1 &amp; 2</h2>"));
    EXPECT_THAT(html, HasSubstr("<td>&lt;script&gt;</td><td class=\"number\">-</td>"));
    EXPECT_THAT(html, HasSubstr("src=\"data:image/png;base64,iVBOR"));
}

TEST(Comparison, ShowsImagesOfAnySizeAndColour) {
    for (const Shape& shape : {Shape{1, 1}, Shape{40, 700}, Shape{3, 50, 30}}) {
        Array<float> truth(shape), noisy(shape), denoised(shape);
        add_protocol_noise(truth, 50, 0, 0, noisy);
        add_protocol_noise(truth, 10, 0, 0, denoised);
        EXPECT_GT(draw_comparison(truth, noisy, denoised, "title", 64).columns(), 4);
        EXPECT_GT(draw_before_after(noisy, denoised, "title", 64).columns(), 3);
    }
}

}  // namespace
}  // namespace sonolux
