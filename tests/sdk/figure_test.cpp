#include <sonolux/sdk/files/figure.hpp>
#include <sonolux/sdk/files/map_figure.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>

#include <sonolux/sdk/files/bitmap_font.hpp>
#include <sonolux/sdk/files/chart.hpp>

namespace sonolux {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::ThrowsMessage;

TEST(BitmapFont, DrawsEachPrintableLetterDifferently) {
    std::set<std::string_view> shapes;
    for (char32_t letter = U' '; letter <= U'~'; ++letter) shapes.insert(glyph(letter));
    for (char32_t letter : {U'±', U'×', U'µ', U'°', U'σ', U'φ'}) shapes.insert(glyph(letter));
    EXPECT_EQ(shapes.size(), 95U + 6U);
}

TEST(BitmapFont, GlyphsFillTheirCell) {
    for (char32_t letter = U' '; letter <= U'~'; ++letter) {
        const std::string_view rows = glyph(letter);
        ASSERT_TRUE(rows.size() == 7 * 6 - 1 || rows.size() == 9 * 6 - 1) << static_cast<char>(letter);
        for (std::size_t i = 0; i < rows.size(); ++i)
            ASSERT_EQ(rows[i] == ' ', i % 6 == 5) << static_cast<char>(letter);
    }
}

TEST(BitmapFont, ReadsUtf8AndSurvivesWhatIsNot) {
    std::string_view text = "aσ\xFF\xCF";
    EXPECT_EQ(next_letter(text), U'a');
    EXPECT_EQ(next_letter(text), U'σ');
    EXPECT_EQ(next_letter(text), U'?');
    EXPECT_EQ(next_letter(text), U'?');
    EXPECT_TRUE(text.empty());
    EXPECT_EQ(text_columns("σ = 25", 2), (6 * 6 - 1) * 2);
    EXPECT_EQ(glyph(U'字'), glyph(U'?'));
}

TEST(ColourMaps, BeginAndEndWhereTheyShould) {
    EXPECT_EQ(colour_of(ColourMap::grey, 0), colours::black);
    EXPECT_EQ(colour_of(ColourMap::grey, 1), colours::white);
    EXPECT_EQ(colour_of(ColourMap::grey, 100.0 / 255), (Colour{100, 100, 100}));
    EXPECT_EQ(colour_of(ColourMap::viridis, -3), (Colour{68, 1, 84}));      // matplotlib's first
    EXPECT_EQ(colour_of(ColourMap::viridis, 1e9), (Colour{253, 231, 37}));  // and last
    EXPECT_EQ(colour_of(ColourMap::diverging, 0.5), (Colour{250, 250, 250}));
    EXPECT_EQ(colour_of(ColourMap::grey, std::nan("")), (Colour{255, 0, 255}));
}

TEST(ColourMaps, ViridisGrowsLighterAllTheWay) {
    double last = -1;
    for (int i = 0; i <= 100; ++i) {
        const Colour c = colour_of(ColourMap::viridis, i / 100.0);
        const double luma = 0.2126 * c.red + 0.7152 * c.green + 0.0722 * c.blue;
        EXPECT_GT(luma, last - 0.6) << i;  // rounding to bytes
        last = luma;
    }
}

TEST(AxisTicks, AreRoundNumbersInsideTheRange) {
    EXPECT_THAT(axis_ticks(0, 1, 5), ElementsAre(0, 0.2, 0.4, ::testing::DoubleEq(0.6), 0.8, 1));
    EXPECT_THAT(axis_ticks(-7, 8, 3), ElementsAre(-5, 0, 5));
    EXPECT_THAT(axis_ticks(3, 3, 5), ElementsAre(3));
}

TEST(Canvas, CutsOffWhatReachesBeyondItsEdges) {
    Canvas canvas(10, 12);
    canvas.fill(-5, -5, 7, 7, colours::blue);
    canvas.text(8, -3, "σσσσσσ", colours::black, 3);
    canvas.line(-20, 5, 40, 5, colours::black);
    canvas.line(std::numeric_limits<double>::infinity(), 0, 0, 0, colours::black);
    const Array<float> image({30, 30});
    canvas.image(9, 11, image, 0, 1, ColourMap::grey, 4);
    EXPECT_EQ(canvas.at(1, 1), colours::blue);
    EXPECT_EQ(canvas.at(2, 1), colours::white);
    EXPECT_EQ(canvas.at(0, 5), colours::black);
}

TEST(Canvas, DrawsColourImagesAsTheyAre) {
    Array<float> image({3, 1, 2});
    image(0, 0, 0) = 1;
    image(1, 0, 1) = 0.2F;
    Canvas canvas(2, 4);
    canvas.image(0, 0, image, 0, 1, ColourMap::grey, 2);
    EXPECT_EQ(canvas.at(1, 1), (Colour{255, 0, 0}));
    EXPECT_EQ(canvas.at(0, 2), (Colour{0, 51, 0}));
}

TEST(Canvas, RefusesSizesThatNoPictureHas) {
    EXPECT_THAT([] { Canvas(0, 5); }, ThrowsMessage<Error>(HasSubstr("the rows of a figure must be from 1")));
    EXPECT_THAT([] { Canvas(5, 70000); }, ThrowsMessage<Error>(HasSubstr("got 70000")));
}

// The only pixels of that blue are the image's, so that counting them tells its place and size.
TEST(MapFigure, HatchesWhatHasNoValueWhereItIsAsked) {
    Array<float> values({1, 2});
    values(0, 0) = 1;
    values(0, 1) = std::nanf("");
    MapPanel panel{.caption = "map", .values = values, .height = 40, .width = 80};
    panel.down = {"z", 0, 1};
    panel.across = {"x", 0, 1};
    panel.missing = {200, 200, 200};
    const auto count = [&](Colour colour) {
        const Canvas canvas = draw_maps(std::span(&panel, 1), "title");
        Index pixels = 0;
        for (Index i = 0; i < canvas.rows(); ++i)
            for (Index j = 0; j < canvas.columns(); ++j) pixels += canvas.at(i, j) == colour;
        return pixels;
    };
    EXPECT_EQ(count({200, 200, 200}), 40 * 40);
    panel.hatched = true;
    EXPECT_LT(count({200, 200, 200}), 40 * 40 * 9 / 10);
    EXPECT_GT(count({200, 200, 200}), 40 * 40 / 2);
}

TEST(Figure, ShowsEveryPixelOfItsPanels) {
    Array<float> values({20, 30});
    for (float& value : values) value = 0;
    for (const bool bar : {false, true}) {
        const Panel panel{
            "caption that is much wider than the panel", values, -1, 1, ColourMap::diverging, 3, bar, "unit"};
        const Canvas canvas = draw_panels(std::array{panel, panel}, {"title", 1});
        Index pixels = 0;
        for (Index i = 0; i < canvas.rows(); ++i)
            for (Index j = 0; j < canvas.columns(); ++j)
                pixels += canvas.at(i, j) == colour_of(ColourMap::diverging, 0.5);
        EXPECT_GE(pixels, 2 * 60 * 90);
        EXPECT_LT(pixels, 2 * 60 * 90 + 100);  // a few rows of the bar have the colour too
    }
}

TEST(Figure, RefusesPanelsWithoutPixels) {
    EXPECT_THAT([] { (void)draw_panels({}); }, ThrowsMessage<Error>(HasSubstr("at least one panel")));
    EXPECT_THAT(
        [] {
            (void)draw_panels(std::array{Panel{"nothing", {}}});
        },
        ThrowsMessage<Error>(HasSubstr("\"nothing\" has no pixels")));
}

TEST(Figure, DrawsFiltersAndCurvesOfAnyNumber) {
    for (Index count : {1, 13, 48}) {
        Array<float> filters({count, 3, 3});
        filters(count - 1, 1, 1) = 1;
        EXPECT_GT(draw_filters(filters, "filters").rows(), 40);
        const std::vector<CurvePanel> curves(count, CurvePanel{"1", {-1, 0, 1}, {-2, std::nan(""), 2}});
        EXPECT_GT(draw_curves(curves, {"activations", "z", "phi(z)"}).columns(), 90);
    }
    EXPECT_THROW((void)draw_filters(Array<float>({0, 3, 3}), ""), Error);
    EXPECT_THROW((void)draw_curves(std::array{CurvePanel{"", {1, 2}, {1}}}, {}), Error);
}

TEST(Figure, DrawsFiltersOfThreeChannelsInTheirColours) {
    Array<float> filters({2, 3, 3, 3});
    filters(1, 0, 1, 1) = 1;   // red in the middle of the second
    filters(1, 2, 1, 1) = -1;  // and as little blue
    const Canvas canvas = draw_filters(filters, "filters");
    bool grey = false, orange = false;
    for (Index i = 0; i < canvas.rows(); ++i)
        for (Index j = 0; j < canvas.columns(); ++j) {
            grey = grey || canvas.at(i, j) == Colour{128, 128, 128};
            orange = orange || canvas.at(i, j) == Colour{255, 128, 0};
        }
    EXPECT_TRUE(grey && orange);
    EXPECT_THAT(
        [] {
            (void)draw_filters(Array<float>({2, 2, 3, 3}), "two");
        },
        ThrowsMessage<Error>(HasSubstr("got 2 x 2 x 3 x 3")));
}

TEST(Chart, BreaksLinesWhereThereIsNoNumber) {
    const ChartSeries series{"loss <validation>", {0, 1, 2, 3, 4}, {4, 3, std::nan(""), 1, 0.5}};
    const std::string svg = svg_chart(std::array{series}, {"Training", "iteration", "loss"});
    EXPECT_THAT(svg, HasSubstr("loss &lt;validation&gt;"));
    EXPECT_THAT(svg, HasSubstr("<path d=\"M70.0 34.0L"));  // the first point is the largest and the leftmost
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
    EXPECT_EQ(std::count(svg.begin(), svg.end(), 'M'), 2);
}

TEST(Chart, LeavesOutWhatHasNoLogarithm) {
    const ChartSeries series{"loss", {0, 1, 2}, {100, 0, 1}};
    const std::string svg = svg_chart(std::array{series}, {"", "", "", true});
    EXPECT_THAT(svg, Not(HasSubstr("inf")));
    EXPECT_THAT(svg, HasSubstr(">100</text>"));
    EXPECT_THROW((void)svg_chart(std::array{ChartSeries{"", {1}, {}}}, {}), Error);
}

}  // namespace
}  // namespace sonolux
