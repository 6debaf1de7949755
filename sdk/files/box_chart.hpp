// sonolux/sdk/files/box_chart.hpp
//
// Boxes that show how figures are spread, as SVG, for reports.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace sonolux {

struct BoxSeries {
    std::string name;
    std::vector<double> values;  ///< what is not finite is left out
};

/// For each series a box from the lower to the upper quartile with a line at the median, whiskers to the
/// outermost values within 1.5 times the box's length, and circles beyond; side by side, from 0 up. An <svg>
/// element.
[[nodiscard]] std::string svg_box_chart(std::span<const BoxSeries> series, const std::string& title,
                                        const std::string& y_label);

/// The value that this share of the values lies below, between neighbours by lines; 0 of none.
[[nodiscard]] double quantile_of(std::vector<double> values, double share);

}  // namespace sonolux
