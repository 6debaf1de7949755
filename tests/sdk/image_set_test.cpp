// tests/sdk/image_set_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/files/image_set.hpp>
#include <tests/support/data.hpp>

namespace sonolux {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

namespace fs = std::filesystem;

/// A folder that is there for one test.
class ImageSetTest : public ::testing::Test {
protected:
    void SetUp() override {
        const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
        folder_ = fs::path(::testing::TempDir()) / (std::string("sonolux_image_set_") + test->name());
        fs::remove_all(folder_);
        fs::create_directories(folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }

    /// Grey code i + 10 j.
    void write_ramp(const std::string& name, Index rows, Index columns) const {
        Array<float> image({rows, columns});
        for (Index i = 0; i < rows; ++i)
            for (Index j = 0; j < columns; ++j) image(i, j) = static_cast<float>(i + 10 * j) / 255;
        fs::create_directories((folder_ / name).parent_path());
        write_image((folder_ / name).string(), image);
    }

    void write_text(const std::string& name, const std::string& text) const {
        std::ofstream(folder_ / name) << text;
    }

    [[nodiscard]] std::string path(const std::string& name = "") const {
        return (name.empty() ? folder_ : folder_ / name).string();
    }

    fs::path folder_;
};

TEST_F(ImageSetTest, FindsImagesAtAnyDepthInTheOrderOfTheirNames) {
    write_ramp("b.png", 4, 5);
    write_ramp("a/z.TIFF.png", 4, 5);
    write_ramp("a/deep/er.tif", 4, 5);
    write_ramp("Z.png", 4, 5);
    write_ramp(".hidden/no.png", 4, 5);
    write_text("notes.txt", "not a picture");
    write_text("._b.png", "what some systems leave behind");
    const ImageSet set = load_image_set(path());
    EXPECT_THAT(set.names, ElementsAre("Z.png", "a/deep/er.tif", "a/z.TIFF.png", "b.png"));
    EXPECT_EQ(set.files, 4);
    EXPECT_EQ(set.pixels(), 80);
    EXPECT_EQ(set.views().size(), 4u);
    EXPECT_THAT(find_images(path()).back(), EndsWith("b.png"));
    EXPECT_EQ(set.description(), "4 images, 80 pixels, from 4 files");
}

TEST_F(ImageSetTest, GivesOneImageForEachReduction) {
    write_ramp("ramp.png", 9, 13);
    ImageSetOptions options;
    options.reductions = {1, 2, 4};
    const ImageSet set = load_image_set(path(), options);
    ASSERT_EQ(set.images.size(), 3u);
    EXPECT_THAT(set.reductions, ElementsAre(1, 2, 4));
    EXPECT_EQ(set.images[0].shape(), (Shape{9, 13}));
    EXPECT_EQ(set.images[1].shape(), (Shape{4, 6}));
    EXPECT_EQ(set.images[2].shape(), (Shape{2, 3}));
    // The mean of a ramp over a square is its value in the middle; 1e-4 for float codes up to 255.
    EXPECT_NEAR(set.images[0](3, 7), 73, 1e-4);
    EXPECT_NEAR(set.images[1](3, 5), 6.5 + 105, 1e-4);
    EXPECT_NEAR(set.images[2](1, 2), 5.5 + 95, 1e-4);
    options.value_scale = 1;
    EXPECT_NEAR(load_image_set(path(), options).images[2](1, 2), 100.5 / 255, 1e-6);
}

TEST_F(ImageSetTest, TurnsColourIntoGrey) {
    Array<float> colour({3, 2, 2});
    const float codes[] = {255, 102, 51};
    for (Index i = 0; i < 12; ++i) colour.data()[i] = codes[i / 4] / 255;
    write_image(path("colour.png"), colour);
    const ImageSet set = load_image_set(path("colour.png"));
    EXPECT_NEAR(set.images.at(0)(1, 1), 0.2989 * 255 + 0.5870 * 102 + 0.1140 * 51,
                0.03);  // these weights are rounded to four digits
}

TEST_F(ImageSetTest, KeepsColourWhereAskedAndGivesGreyThreeEqualChannels) {
    Array<float> colour({3, 4, 6});
    for (Index i = 0; i < 72; ++i) colour.data()[i] = static_cast<float>(3 * i) / 255;
    write_image(path("a_colour.png"), colour);
    write_ramp("b_grey.png", 4, 6);
    ImageSetOptions options;
    options.channels = 3;
    options.reductions = {2};
    const ImageSet set = load_image_set(path(), options);
    ASSERT_EQ(set.images[0].shape(), (Shape{3, 2, 3}));
    EXPECT_EQ(set.pixels(), 12);
    // Pixels 3 (6 i + j) + 72 c in rows of 6: the mean of four.
    EXPECT_NEAR(set.images[0](2, 1, 1), 144 + 3 * (6 * 2.5 + 2.5), 1e-3);
    ASSERT_EQ(set.images[1].shape(), (Shape{3, 2, 3}));
    for (Index c = 1; c < 3; ++c) EXPECT_EQ(set.images[1](c, 1, 2), set.images[1](0, 1, 2));
    options.channels = 2;
    EXPECT_THAT([&] { (void)load_image_set(path(), options); },
                ThrowsMessage<Error>(HasSubstr("channels must be 1 or 3, got 2")));
}

TEST_F(ImageSetTest, KeepsTheOrderOfAList) {
    write_ramp("x/a.png", 3, 3);
    write_ramp("b.png", 4, 4);
    write_text("list.txt", "# two pictures\nb.png\n\nx/a.png\r\nb.png");
    EXPECT_THAT(load_image_set(path("list.txt")).names, ElementsAre("b.png", "x/a.png", "b.png"));
    write_text("table.tsv", "author\tfile\tlicence\nsomebody\tb.png\tCC0\nsomebody else\tx/a.png\tCC0\n");
    EXPECT_THAT(load_image_set(path("table.tsv")).names, ElementsAre("b.png", "x/a.png"));
}

TEST_F(ImageSetTest, LeavesOutAndCountsWhatIsTooSmall) {
    write_ramp("small.png", 12, 40);
    write_ramp("large.png", 20, 20);
    ImageSetOptions options;
    options.reductions = {1, 2};
    options.smallest_size = 10;
    const ImageSet set = load_image_set(path(), options);
    EXPECT_THAT(set.names, ElementsAre("large.png", "large.png", "small.png"));
    EXPECT_EQ(set.left_out, 1);
    EXPECT_THAT(set.description(), HasSubstr("1 left out"));
    options.smallest_size = 100;
    EXPECT_THAT([&] { (void)load_image_set(path(), options); },
                ThrowsMessage<Error>(HasSubstr("all 4 images have fewer than 100 rows or columns")));
}

TEST_F(ImageSetTest, NamesWhatIsWrong) {
    auto loading = [this](const std::string& name, ImageSetOptions options = {}) {
        return [this, name, options] { (void)load_image_set(path(name), options); };
    };
    EXPECT_THAT(loading("nowhere"), ThrowsMessage<Error>(HasSubstr("nowhere: no such file or folder")));
    EXPECT_THAT(loading(""), ThrowsMessage<Error>(HasSubstr("no .png, .jpg, .jpeg, .tif or .tiff file")));
    write_text("broken.png", "this is not a picture");
    EXPECT_THAT(loading(""), ThrowsMessage<Error>(HasSubstr("broken.png")));
    write_text("list.txt", "# nothing\n");
    EXPECT_THAT(loading("list.txt"), ThrowsMessage<Error>(HasSubstr("list.txt: lists no image")));
    write_text("list.txt", "\nmissing.png\n");
    EXPECT_THAT(loading("list.txt"),
                ThrowsMessage<Error>(AllOf(HasSubstr("line 2"), HasSubstr("missing.png"))));
    write_text("table.tsv", "name\tauthor\n");
    EXPECT_THAT(loading("table.tsv"), ThrowsMessage<Error>(HasSubstr("no column called \"file\"")));
    ImageSetOptions options;
    options.reductions = {2, 0};
    EXPECT_THAT(loading("", options),
                ThrowsMessage<Error>(HasSubstr("reductions must be at least 1, got 0")));
    options.reductions = {1};
    options.value_scale = 0;
    EXPECT_THAT(loading("", options), ThrowsMessage<Error>(HasSubstr("value_scale must be above 0, got 0")));
}

TEST_F(ImageSetTest, LoadsTheTrainingSetOfThePapers) {
    SLX_NEEDS(data_folder() / "restoration/train400_gray");
    const ImageSet set = load_image_set((data_folder() / "restoration/train400_gray").string());
    EXPECT_EQ(set.images.size(), 400u);
    EXPECT_EQ(set.pixels(), 400 * 180 * 180);
    EXPECT_EQ(set.description(), "400 images, 13 million pixels, from 400 files");
}

}  // namespace
}  // namespace sonolux
