// sonolux/sdk/files/map_figure.cpp
#include <sonolux/sdk/files/map_figure.hpp>

#include <algorithm>
#include <cmath>

#include <sonolux/sdk/files/bitmap_font.hpp>
#include <sonolux/sdk/files/colour_bar.hpp>

namespace sonolux {

namespace {

constexpr Index hatch_spacing = 6;  // pixels between lines that rise to the right
constexpr Colour hatch{110, 110, 110};
constexpr Index gap = 12, line = glyph_rows + 2, tick_length = 4;

Array<float> at_size(View<const float> values, Index height, Index width) {
    Array<float> image({height, width});
    for (Index i = 0; i < height; ++i)
        for (Index j = 0; j < width; ++j)
            image(i, j) = values(i * values.rows() / height, j * values.columns() / width);
    return image;
}

/// Round numbers along an axis, with room for a label each.
std::vector<double> ticks_of(const FigureAxis& axis, Index pixels, Index room) {
    return axis_ticks(std::min(axis.from, axis.to), std::max(axis.from, axis.to),
                      static_cast<int>(std::clamp<Index>(pixels / room, 2, 8)));
}

Index pixel_of(const FigureAxis& axis, double value, Index pixels) {
    return std::lround((value - axis.from) / (axis.to - axis.from) * static_cast<double>(pixels) - 0.5);
}

/// A panel and where its parts are.
class Drawn {
public:
    explicit Drawn(const MapPanel& panel)
        : panel_(panel), bar_(panel.map, panel.lower, panel.upper, panel.unit, panel.height, 1) {
        down_ = ticks_of(panel.down, panel.height, 4 * line);
        across_ = ticks_of(panel.across, panel.width, 50);
        for (const double tick : down_) labels_ = std::max(labels_, text_columns(short_number(tick)));
        left_ = labels_ + tick_length + 3;
        if (!panel.right) return;
        right_ticks_ = ticks_of(*panel.right, panel.height, 4 * line);
        for (const double tick : right_ticks_)
            right_ = std::max(right_, text_columns(short_number(tick)) + tick_length + 3);
    }

    [[nodiscard]] Index rows() const { return 3 * line + panel_.height + tick_length + 2 * line; }
    [[nodiscard]] Index columns() const {
        return std::max(left_ + panel_.width + right_ + gap + bar_.columns(), text_columns(panel_.caption));
    }

    void draw(Canvas& canvas, Index row, Index column) const {
        canvas.text(row, column, panel_.caption);
        canvas.text(row + line, column, panel_.down.label, colours::dark_grey);
        const Index top = row + 3 * line, left = column + left_;
        const Array<float> image = at_size(panel_.values, panel_.height, panel_.width);
        canvas.image(top, left, image.view(), panel_.lower, panel_.upper, panel_.map);
        for (Index i = 0; i < panel_.height; ++i)
            for (Index j = 0; j < panel_.width; ++j)
                if (std::isnan(image(i, j)))
                    canvas.point(top + i, left + j,
                                 panel_.hatched && (i + j) % hatch_spacing == 0 ? hatch : panel_.missing);
        canvas.frame(top - 1, left - 1, panel_.height + 2, panel_.width + 2, colours::dark_grey);
        for (const double tick : down_) {
            const Index at = top + pixel_of(panel_.down, tick, panel_.height);
            canvas.fill(at, left - 1 - tick_length, 1, tick_length, colours::dark_grey);
            const std::string label = short_number(tick);
            canvas.text(at - glyph_capital_rows / 2, left - 3 - tick_length - text_columns(label), label);
        }
        if (panel_.right) {
            const Index edge = left + panel_.width;
            canvas.text(row + line, edge + right_ - text_columns(panel_.right->label), panel_.right->label,
                        colours::dark_grey);
            for (const double tick : right_ticks_) {
                const Index at = top + pixel_of(*panel_.right, tick, panel_.height);
                canvas.fill(at, edge + 1, 1, tick_length, colours::dark_grey);
                canvas.text(at - glyph_capital_rows / 2, edge + tick_length + 3, short_number(tick));
            }
        }
        const Index bottom = top + panel_.height;
        for (const double tick : across_) {
            const Index at = left + pixel_of(panel_.across, tick, panel_.width);
            canvas.fill(bottom + 1, at, tick_length, 1, colours::dark_grey);
            const std::string label = short_number(tick);
            canvas.text(bottom + tick_length + 3, at - text_columns(label) / 2, label);
        }
        const Index middle = left + (panel_.width - text_columns(panel_.across.label)) / 2;
        canvas.text(bottom + tick_length + 3 + line, middle, panel_.across.label, colours::dark_grey);
        bar_.draw(canvas, top, left + panel_.width + right_ + gap);
    }

private:
    const MapPanel& panel_;
    ColourBar bar_;
    std::vector<double> down_, across_, right_ticks_;
    Index labels_ = 0, left_ = 0, right_ = 0;
};

}  // namespace

Canvas draw_maps(std::span<const MapPanel> panels, const std::string& title, Index in_row) {
    require(!panels.empty() && in_row >= 1, Status::invalid_argument, "a figure needs at least one panel");
    std::vector<Drawn> drawn;
    for (const MapPanel& panel : panels) {
        require(!panel.values.empty() && panel.values.rank() == 2 && panel.height >= 1 && panel.width >= 1,
                Status::invalid_argument, "the panel \"", panel.caption, "\" has no pixels");
        drawn.emplace_back(panel);
    }
    const auto count = static_cast<Index>(drawn.size());
    Index bottom = gap + 2 * line, right = text_columns(title) + 2 * gap;
    for (Index first = 0; first < count; first += in_row) {
        Index height = 0, width = gap;
        for (Index p = first; p < std::min(count, first + in_row); ++p) {
            height = std::max(height, drawn[static_cast<std::size_t>(p)].rows());
            width += drawn[static_cast<std::size_t>(p)].columns() + gap;
        }
        bottom += height + gap;
        right = std::max(right, width);
    }
    Canvas canvas(bottom, right);
    canvas.text(gap, gap, title);
    Index row = gap + 2 * line;
    for (Index first = 0; first < count; first += in_row) {
        Index height = 0, column = gap;
        for (Index p = first; p < std::min(count, first + in_row); ++p) {
            const Drawn& panel = drawn[static_cast<std::size_t>(p)];
            panel.draw(canvas, row, column);
            height = std::max(height, panel.rows());
            column += panel.columns() + gap;
        }
        row += height + gap;
    }
    return canvas;
}

}  // namespace sonolux
