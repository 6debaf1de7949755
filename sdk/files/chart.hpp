// sonolux/sdk/files/chart.hpp
//
// Line charts as SVG, for reports: training curves, timings.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace sonolux {

/// A line through (x, y); points that are not finite break it.
struct ChartSeries {
    std::string name;
    std::vector<double> x, y;
};

struct ChartOptions {
    std::string title;
    std::string x_label, y_label;  ///< with units
    bool logarithmic = false;      ///< y on a decimal logarithm; values that are not positive are left out
};

/// An <svg> element with axes, ticks, labels and a legend, to be put into HTML as it is.
/// Throws Error{invalid_argument} if x and y of a series differ in length.
[[nodiscard]] std::string svg_chart(std::span<const ChartSeries> series, const ChartOptions& options);

/// `text` with the characters that HTML and SVG give a meaning to written out.
[[nodiscard]] std::string escape_html(std::string_view text);

}  // namespace sonolux
