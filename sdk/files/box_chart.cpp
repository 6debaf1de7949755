// sonolux/sdk/files/box_chart.cpp
#include <sonolux/sdk/files/box_chart.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include <sonolux/sdk/files/canvas.hpp>
#include <sonolux/sdk/files/chart.hpp>

namespace sonolux {

double quantile_of(std::vector<double> values, double share) {
    if (values.empty()) return 0;
    std::ranges::sort(values);
    const double place = share * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

std::string svg_box_chart(std::span<const BoxSeries> series, const std::string& title,
                          const std::string& y_label) {
    constexpr double width = 720, height = 340, left = 70, right = 20, top = 34, bottom = 36, whisker = 1.5;
    double most = 0;
    std::vector<std::vector<double>> all;
    for (const BoxSeries& one : series) {
        std::vector<double>& finite = all.emplace_back();
        std::ranges::copy_if(one.values, std::back_inserter(finite),
                             [](double v) { return std::isfinite(v); });
        for (const double value : finite) most = std::max(most, value);
    }
    if (most <= 0) most = 1;
    const auto down = [&](double y) { return height - bottom - y / most * (height - top - bottom); };
    std::string svg;
    const auto put = [&]<class... Values>(fmt::format_string<Values...> format, Values&&... values) {
        fmt::format_to(std::back_inserter(svg), format, std::forward<Values>(values)...);
    };
    put("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" width=\"{}\" "
        "font-family=\"sans-serif\" font-size=\"12\" role=\"img\">\n",
        width, height, width);
    put("<text x=\"{}\" y=\"18\" font-size=\"14\" font-weight=\"bold\">{}</text>\n", left,
        escape_html(title));
    for (const double tick : axis_ticks(0, most, 6)) {
        put("<line x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"#ddd\"/>", left, width - right,
            down(tick), down(tick));
        put("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", left - 6, down(tick) + 4,
            short_number(tick, 5));
    }
    put("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#888\"/>\n", left, top,
        width - left - right, height - top - bottom);
    const double middle = (top + height - bottom) / 2;
    put("<text x=\"14\" y=\"{}\" text-anchor=\"middle\" transform=\"rotate(-90 14 {})\">{}</text>\n", middle,
        middle, escape_html(y_label));
    const double room = (width - left - right) / static_cast<double>(std::max<std::size_t>(series.size(), 1));
    for (std::size_t s = 0; s < series.size(); ++s) {
        const double x = left + room * (static_cast<double>(s) + 0.5), half = std::min(0.25 * room, 40.0);
        put("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", x, height - 12,
            escape_html(series[s].name));
        const std::vector<double>& values = all[s];
        if (values.empty()) continue;
        const double low = quantile_of(values, 0.25), high = quantile_of(values, 0.75),
                     half_way = quantile_of(values, 0.5);
        double least = low, largest = high;
        for (const double value : values) {
            const bool inside =
                value >= low - whisker * (high - low) && value <= high + whisker * (high - low);
            if (inside) {
                least = std::min(least, value);
                largest = std::max(largest, value);
            } else {
                put("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"none\" stroke=\"#1f5fa8\"/>\n", x,
                    down(value));
            }
        }
        for (const auto& [from, to] : {std::pair{least, low}, {high, largest}})
            put("<line x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"#1f5fa8\"/>\n", x, x,
                down(from), down(to));
        put("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"#dce8f6\" "
            "stroke=\"#1f5fa8\"/>\n",
            x - half, down(high), 2 * half, std::max(down(low) - down(high), 0.5));
        put("<line x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"#c5532c\" "
            "stroke-width=\"2\"/>\n",
            x - half, x + half, down(half_way), down(half_way));
        put("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", x + half + 4, down(half_way) + 4,
            short_number(half_way, 4));
    }
    svg += "</svg>\n";
    return svg;
}

}  // namespace sonolux
