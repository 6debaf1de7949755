// sonolux/sdk/files/figure.cpp
#include <sonolux/sdk/files/figure.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include <sonolux/sdk/files/bitmap_font.hpp>
#include <sonolux/sdk/files/colour_bar.hpp>

namespace sonolux {
namespace {

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

Index widest(const std::vector<std::string_view>& lines, int scale) {
    Index columns = 0;
    for (std::string_view line : lines) columns = std::max(columns, text_columns(line, scale));
    return columns;
}

}  // namespace

Canvas draw_panels(std::span<const Panel> panels, const FigureOptions& options) {
    require(!panels.empty(), Status::invalid_argument, "a figure needs at least one panel");
    Index largest = 0;
    for (const Panel& panel : panels) {
        require(!panel.values.empty() && panel.magnification >= 1, Status::invalid_argument, "the panel \"",
                panel.caption, "\" has no pixels");
        largest = std::max(largest, panel.values.columns() * panel.magnification);
    }
    const int scale = options.text_scale > 0 ? options.text_scale : largest >= 240 ? 2 : 1;
    const Index in_row = options.columns > 0 ? options.columns : static_cast<Index>(panels.size());
    const Index gap = 6 * scale, line = (glyph_rows + 1) * scale;

    // Each panel has a cell: caption lines above, image, colour bar to its right.
    struct Cell {
        Index row = 0, column = 0, caption_rows = 0;
        std::vector<std::string_view> caption;
        std::vector<ColourBar> bar;  // one or none
    };
    std::vector<Cell> cells(panels.size());
    Index bottom = gap, right = gap;
    if (!options.title.empty()) bottom += line + gap, right += text_columns(options.title, scale) + gap;

    for (std::size_t first = 0; first < panels.size(); first += in_row) {
        const std::size_t end = std::min(panels.size(), first + in_row);
        Index caption_rows = 0, image_rows = 0;
        for (std::size_t p = first; p < end; ++p) {
            cells[p].caption = lines_of(panels[p].caption);
            caption_rows = std::max(caption_rows, static_cast<Index>(cells[p].caption.size()) * line);
            if (panels[p].colour_bar) caption_rows = std::max(caption_rows, line);
            image_rows = std::max(image_rows, panels[p].values.rows() * panels[p].magnification);
        }
        Index column = gap;
        for (std::size_t p = first; p < end; ++p) {
            const Panel& panel = panels[p];
            Cell& cell = cells[p];
            cell.row = bottom + caption_rows;
            cell.column = column;
            cell.caption_rows = caption_rows;
            Index width = panel.values.columns() * panel.magnification;
            if (panel.colour_bar) {
                cell.bar.emplace_back(panel.map, panel.lower, panel.upper, panel.unit,
                                      panel.values.rows() * panel.magnification, scale);
                width += gap + cell.bar.front().columns();
            }
            // A caption as wide as its panel must not run into the unit of the colour bar.
            const Index beside =
                panel.colour_bar && !panel.unit.empty() ? gap + cell.bar.front().columns() : 0;
            column += std::max(width, widest(cell.caption, scale) + beside) + gap;
        }
        right = std::max(right, column);
        bottom += caption_rows + image_rows + gap;
    }

    Canvas canvas(bottom, right);
    canvas.text(gap, gap, options.title, colours::black, scale);
    for (std::size_t p = 0; p < panels.size(); ++p) {
        const Panel& panel = panels[p];
        const Cell& cell = cells[p];
        Index row = cell.row - static_cast<Index>(cell.caption.size()) * line;
        for (std::string_view text : cell.caption) {
            canvas.text(row, cell.column, text, colours::black, scale);
            row += line;
        }
        canvas.image(cell.row, cell.column, panel.values, panel.lower, panel.upper, panel.map,
                     panel.magnification);
        const Index edge = cell.column + panel.values.columns() * panel.magnification;
        for (const ColourBar& bar : cell.bar)
            bar.draw(canvas, cell.row, std::max(edge, cell.column + widest(cell.caption, scale)) + gap);
    }
    return canvas;
}

Canvas draw_filters(View<const float> filters, const std::string& title) {
    const bool colour = filters.rank() == 4 && filters.size(1) == 3;
    require((filters.rank() == 3 || colour) && !filters.empty(), Status::invalid_argument,
            "filters to draw must be [count, size, size] or [count, 3, size, size], got ",
            to_string(filters.shape()));
    const Index count = filters.size(0), size = filters.rows();
    const Index magnification = std::max<Index>(1, 40 / size), cell = size * magnification;
    const Index in_row = std::min<Index>(count, 12), rows = (count + in_row - 1) / in_row;
    const Index gap = 4;

    float largest = 0;
    for (float value : filters) largest = std::max(largest, std::abs(value));
    if (!(largest > 0)) largest = 1;

    const Index top = gap + 2 * glyph_rows + gap, height = rows * (cell + gap) - gap;
    const ColourMap map = colour ? ColourMap::grey : ColourMap::diverging;
    const ColourBar bar(map, -largest, largest, "weight", height, 1);
    const Index width = std::max(in_row * (cell + gap) + 2 * gap + bar.columns(), text_columns(title) + gap);
    Canvas canvas(top + height + gap, gap + width);
    canvas.text(gap, gap, title);
    for (Index f = 0; f < count; ++f) {
        const Index row = top + f / in_row * (cell + gap), column = gap + f % in_row * (cell + gap);
        canvas.image(row, column, filters[f], -largest, largest, map, static_cast<int>(magnification));
        canvas.frame(row - 1, column - 1, cell + 2, cell + 2, colours::light_grey);
    }
    bar.draw(canvas, top, gap + in_row * (cell + gap) + gap);
    return canvas;
}

Canvas draw_curves(std::span<const CurvePanel> curves, const CurveOptions& options) {
    require(!curves.empty(), Status::invalid_argument, "a figure needs at least one curve");
    double x_lower = std::numeric_limits<double>::infinity(), x_upper = -x_lower;
    double y_lower = 0, y_upper = 0;
    for (const CurvePanel& curve : curves) {
        require(curve.x.size() == curve.y.size() && !curve.x.empty(), Status::invalid_argument,
                "the curve \"", curve.caption, "\" has ", curve.x.size(), " x and ", curve.y.size(), " y");
        for (double x : curve.x) x_lower = std::min(x_lower, x), x_upper = std::max(x_upper, x);
        for (double y : curve.y)
            if (std::isfinite(y)) y_lower = std::min(y_lower, y), y_upper = std::max(y_upper, y);
    }
    if (!(x_upper > x_lower)) x_upper = x_lower + 1;
    if (!(y_upper > y_lower)) y_upper = y_lower + 1;

    const Index width = 90, height = 64, gap = 6, line = glyph_rows + 1;
    const Index in_row = std::min<Index>(options.columns, static_cast<Index>(curves.size()));
    const Index rows = (static_cast<Index>(curves.size()) + in_row - 1) / in_row;
    const std::vector<double> x_ticks = axis_ticks(x_lower, x_upper, 3),
                              y_ticks = axis_ticks(y_lower, y_upper, 3);
    Index labels = 0;
    for (double tick : y_ticks) labels = std::max(labels, text_columns(short_number(tick)));

    const Index left = gap + labels + 4, top = gap + 2 * line;
    const Index cell_rows = line + height + gap, cell_columns = width + gap;
    const Index total_columns =
        std::max({left + in_row * cell_columns + gap, text_columns(options.title) + 2 * gap,
                  left + text_columns(options.x_label) + gap});
    Canvas canvas(top + rows * cell_rows + 2 * line + gap, total_columns);
    canvas.text(gap, gap, options.title);
    canvas.text(gap + line, gap, options.y_label);

    auto across = [&](double x) {
        return (x - x_lower) / (x_upper - x_lower) * static_cast<double>(width - 1);
    };
    auto down = [&](double y) {
        return (y_upper - y) / (y_upper - y_lower) * static_cast<double>(height - 1);
    };
    for (std::size_t c = 0; c < curves.size(); ++c) {
        const CurvePanel& curve = curves[c];
        const Index place = static_cast<Index>(c);
        const Index row = top + place / in_row * cell_rows + line,
                    column = left + place % in_row * cell_columns;
        const bool at_left = place % in_row == 0;
        const bool at_bottom = place + in_row >= static_cast<Index>(curves.size());
        const auto r = static_cast<double>(row), q = static_cast<double>(column);

        canvas.text(row - line + 2, column, curve.caption, colours::dark_grey);
        if (y_lower <= 0 && y_upper >= 0)
            canvas.line(r + down(0), q, r + down(0), q + width - 1, colours::light_grey);
        if (x_lower <= 0 && x_upper >= 0)
            canvas.line(r, q + across(0), r + height - 1, q + across(0), colours::light_grey);
        canvas.frame(row, column, height, width, colours::dark_grey);
        for (double tick : y_ticks) {
            canvas.line(r + down(tick), q - 2, r + down(tick), q, colours::dark_grey);
            const std::string label = short_number(tick);
            if (at_left)
                canvas.text(row + std::lround(down(tick)) - 3, column - 4 - text_columns(label), label);
        }
        for (double tick : x_ticks) {
            canvas.line(r + height - 1, q + across(tick), r + height + 1, q + across(tick),
                        colours::dark_grey);
            const std::string label = short_number(tick);
            const Index middle = column + std::lround(across(tick));
            if (at_bottom) canvas.text(row + height + 4, middle - text_columns(label) / 2, label);
        }
        for (std::size_t k = 1; k < curve.x.size(); ++k)
            if (std::isfinite(curve.y[k - 1]) && std::isfinite(curve.y[k]))
                canvas.line(r + down(curve.y[k - 1]), q + across(curve.x[k - 1]), r + down(curve.y[k]),
                            q + across(curve.x[k]), colours::blue);
    }
    canvas.text(top + rows * cell_rows + line, left, options.x_label);
    return canvas;
}

}  // namespace sonolux
