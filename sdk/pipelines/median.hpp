// sonolux/sdk/pipelines/median.hpp
//
// The median of a list of figures.
#pragma once

#include <algorithm>
#include <vector>

namespace sonolux {

/// The mean of both middle values where there are evenly many; 0 of none.
[[nodiscard]] inline double median(std::vector<double> values) {
    if (values.empty()) return 0;
    const auto half = values.begin() + std::ssize(values) / 2;
    std::nth_element(values.begin(), half, values.end());
    if (values.size() % 2 == 1) return *half;
    return 0.5 * (*half + *std::max_element(values.begin(), half));
}

}  // namespace sonolux
