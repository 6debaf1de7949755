// sonolux/sdk/files/colour_bar.cpp
#include <sonolux/sdk/files/colour_bar.hpp>

#include <algorithm>
#include <cmath>

#include <sonolux/sdk/files/bitmap_font.hpp>

namespace sonolux {

ColourBar::ColourBar(ColourMap map, double lower, double upper, std::string unit, Index rows, int scale)
    : map_(map), lower_(lower), upper_(upper), unit_(std::move(unit)), rows_(rows), scale_(scale) {
    // At most one tick for every two lines of text.
    const Index room = std::max<Index>(rows / (2 * glyph_rows * scale), 2);
    ticks_ = axis_ticks(lower, upper, static_cast<int>(std::min<Index>(room, 5)));
    for (double tick : ticks_) labels_ = std::max(labels_, text_columns(short_number(tick), scale));
}

Index ColourBar::columns() const { return std::max((8 + 3) * scale_ + labels_, text_columns(unit_, scale_)); }

void ColourBar::draw(Canvas& canvas, Index row, Index column) const {
    const Index width = 8 * scale_;
    for (Index i = 0; i < rows_; ++i) {
        const double position = 1 - (static_cast<double>(i) + 0.5) / static_cast<double>(rows_);
        canvas.fill(row + i, column, 1, width, colour_of(map_, position));
    }
    canvas.frame(row, column, rows_, width, colours::dark_grey);
    for (double tick : ticks_) {
        const double position = upper_ > lower_ ? (tick - lower_) / (upper_ - lower_) : 0.5;
        const Index i = row + std::lround((1 - position) * static_cast<double>(rows_ - 1));
        canvas.fill(i, column + width, 1, 2 * scale_, colours::dark_grey);
        // Labels at the ends stay beside the bar.
        const Index top = std::clamp(i - glyph_capital_rows * scale_ / 2, row,
                                     std::max(row, row + rows_ - glyph_capital_rows * scale_));
        canvas.text(top, column + width + 3 * scale_, short_number(tick), colours::black, scale_);
    }
    canvas.text(row - glyph_rows * scale_, column, unit_, colours::black, scale_);
}

}  // namespace sonolux
