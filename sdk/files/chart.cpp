// sonolux/sdk/files/chart.cpp
#include <sonolux/sdk/files/chart.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include <fmt/format.h>

#include <sonolux/core/error.hpp>
#include <sonolux/sdk/files/canvas.hpp>

namespace sonolux {
namespace {

constexpr double width = 720, height = 340, left = 70, right = 20, top = 34, bottom = 48;
constexpr const char* line_colours[] = {"#1f5fa8", "#c5532c", "#2e8b57", "#7a4fa3", "#8a6d1a", "#555555"};

struct Range {
    double lower = std::numeric_limits<double>::infinity(), upper = -std::numeric_limits<double>::infinity();

    void include(double value) {
        if (!std::isfinite(value)) return;
        lower = std::min(lower, value);
        upper = std::max(upper, value);
    }

    void open() {
        if (!(upper >= lower)) lower = 0, upper = 1;
        if (upper == lower) lower -= 0.5, upper += 0.5;
    }

    [[nodiscard]] double position(double value) const { return (value - lower) / (upper - lower); }
};

}  // namespace

std::string escape_html(std::string_view text) {
    std::string escaped;
    for (char letter : text) switch (letter) {
            case '&': escaped += "&amp;"; break;
            case '<': escaped += "&lt;"; break;
            case '>': escaped += "&gt;"; break;
            case '"': escaped += "&quot;"; break;
            default: escaped += letter;
        }
    return escaped;
}

std::string svg_chart(std::span<const ChartSeries> series, const ChartOptions& options) {
    auto height_of = [&](double y) {
        if (!options.logarithmic) return y;
        return y > 0 ? std::log10(y) : std::numeric_limits<double>::quiet_NaN();
    };
    Range x_range, y_range;
    for (const ChartSeries& line : series) {
        require(line.x.size() == line.y.size(), Status::invalid_argument, "the series \"", line.name,
                "\" has ", line.x.size(), " x and ", line.y.size(), " y");
        for (std::size_t k = 0; k < line.x.size(); ++k) {
            if (!std::isfinite(height_of(line.y[k]))) continue;
            x_range.include(line.x[k]);
            y_range.include(height_of(line.y[k]));
        }
    }
    x_range.open();
    y_range.open();
    auto across = [&](double x) { return left + x_range.position(x) * (width - left - right); };
    auto down = [&](double y) { return height - bottom - y_range.position(y) * (height - top - bottom); };

    std::string svg;
    auto put = [&]<class... Values>(fmt::format_string<Values...> format, Values&&... values) {
        fmt::format_to(std::back_inserter(svg), format, std::forward<Values>(values)...);
    };
    put("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" width=\"{}\" "
        "font-family=\"sans-serif\" font-size=\"12\" role=\"img\">\n",
        width, height, width);
    put("<text x=\"{}\" y=\"18\" font-size=\"14\" font-weight=\"bold\">{}</text>\n", left,
        escape_html(options.title));
    for (double tick : axis_ticks(y_range.lower, y_range.upper, 6)) {
        put("<line x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"#ddd\"/>", left, width - right,
            down(tick), down(tick));
        put("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", left - 6, down(tick) + 4,
            short_number(options.logarithmic ? std::pow(10, tick) : tick, options.logarithmic ? 3 : 5));
    }
    for (double tick : axis_ticks(x_range.lower, x_range.upper, 8)) {
        put("<line x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{}\" y2=\"{}\" stroke=\"#888\"/>", across(tick),
            across(tick), height - bottom, height - bottom + 4);
        put("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", across(tick),
            height - bottom + 17, short_number(tick, 6));
    }
    put("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#888\"/>\n", left, top,
        width - left - right, height - top - bottom);
    put("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", (left + width - right) / 2, height - 10,
        escape_html(options.x_label));
    const double middle = (top + height - bottom) / 2;
    put("<text x=\"14\" y=\"{}\" text-anchor=\"middle\" transform=\"rotate(-90 14 {})\">{}</text>\n", middle,
        middle, escape_html(options.y_label));

    for (std::size_t s = 0; s < series.size(); ++s) {
        const ChartSeries& line = series[s];
        const char* colour = line_colours[s % std::size(line_colours)];
        std::string path;
        bool pen_down = false;
        for (std::size_t k = 0; k < line.x.size(); ++k) {
            const double y = height_of(line.y[k]);
            if (!std::isfinite(y) || !std::isfinite(line.x[k])) {
                pen_down = false;
                continue;
            }
            path += fmt::format("{}{:.1f} {:.1f}", pen_down ? "L" : "M", across(line.x[k]), down(y));
            pen_down = true;
        }
        // A line join shows a lone point too, thanks to the round cap.
        put("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.6\" stroke-linecap=\"round\"/>\n",
            path, colour);
        const double row = top + 16 + 16 * static_cast<double>(s);
        put("<line x1=\"{}\" x2=\"{}\" y1=\"{}\" y2=\"{}\" stroke=\"{}\" stroke-width=\"3\"/>",
            width - right - 170, width - right - 150, row - 4, row - 4, colour);
        put("<text x=\"{}\" y=\"{}\">{}</text>\n", width - right - 144, row, escape_html(line.name));
    }
    svg += "</svg>\n";
    return svg;
}

}  // namespace sonolux
