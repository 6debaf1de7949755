// sonolux/simulation/degradation/kernel_taps.hpp
//
// Kernels while they are made. Not for users.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <sonolux/core/array.hpp>

namespace sonolux::detail {

/// Taps in double around a middle one.
class KernelTaps {
public:
    KernelTaps(Index row_reach, Index column_reach)
        : row_reach_(row_reach),
          column_reach_(column_reach),
          values_(static_cast<std::size_t>((2 * row_reach + 1) * (2 * column_reach + 1))) {}

    [[nodiscard]] Index row_reach() const noexcept { return row_reach_; }
    [[nodiscard]] Index column_reach() const noexcept { return column_reach_; }

    /// y rows below and x columns to the right of the middle.
    double& at(Index y, Index x) noexcept { return values_[place(y, x)]; }
    [[nodiscard]] double at(Index y, Index x) const noexcept { return values_[place(y, x)]; }
    [[nodiscard]] bool has(Index y, Index x) const noexcept {
        return std::abs(y) <= row_reach_ && std::abs(x) <= column_reach_;
    }

    [[nodiscard]] double largest() const noexcept {
        return *std::max_element(values_.begin(), values_.end());
    }

    /// A unit of mass at a point between pixels, given to the four around it by linear interpolation: their
    /// centre of mass is the point.
    void add_point(double y, double x, double mass) noexcept {
        const double top = std::floor(y), left = std::floor(x);
        const double down = y - top, right = x - left;
        const Index i = static_cast<Index>(top), j = static_cast<Index>(left);
        auto add = [this](Index row, Index column, double part) {
            if (part > 0) at(row, column) += part;
        };
        add(i, j, mass * (1 - down) * (1 - right));
        add(i, j + 1, mass * (1 - down) * right);
        add(i + 1, j, mass * down * (1 - right));
        add(i + 1, j + 1, mass * down * right);
    }

    /// Without what is too small to notice, cut to the rows and columns that hold something, as many on
    /// either side, and of sum 1.
    [[nodiscard]] Array<float> finished() const {
        const double sum = std::accumulate(values_.begin(), values_.end(), 0.0);
        auto tap = [&](Index y, Index x) {
            const double value = at(y, x) / sum;
            return value < 1e-9 ? 0 : value;
        };
        Index rows = 0, columns = 0;
        for (Index y = -row_reach_; y <= row_reach_; ++y)
            for (Index x = -column_reach_; x <= column_reach_; ++x) {
                if (tap(y, x) == 0) continue;
                rows = std::max(rows, std::abs(y));
                columns = std::max(columns, std::abs(x));
            }
        Array<float> kernel({2 * rows + 1, 2 * columns + 1});
        double rounded = 0;
        for (Index y = -rows; y <= rows; ++y)
            for (Index x = -columns; x <= columns; ++x)
                rounded += kernel(y + rows, x + columns) = static_cast<float>(tap(y, x));
        // What is left over goes to the largest tap, which notices least.
        float& largest = *std::max_element(kernel.begin(), kernel.end());
        largest = static_cast<float>(largest + (1 - rounded));
        return kernel;
    }

private:
    [[nodiscard]] std::size_t place(Index y, Index x) const noexcept {
        assert(has(y, x));
        return static_cast<std::size_t>((y + row_reach_) * (2 * column_reach_ + 1) + x + column_reach_);
    }

    Index row_reach_, column_reach_;
    std::vector<double> values_;
};

/// How far a Gaussian of this standard deviation is followed where it only softens something; below 0.2
/// pixels it does nothing.
inline Index softening_reach(double sigma) noexcept { return static_cast<Index>(std::lround(2.5 * sigma)); }

/// Blurred by a Gaussian: first rows, then columns.
[[nodiscard]] inline KernelTaps softened(const KernelTaps& taps, double sigma) {
    const Index reach = softening_reach(sigma);
    if (reach == 0) return taps;
    std::vector<double> weights;  // from the middle on; what they add up to is divided out in the end
    for (Index d = 0; d <= reach; ++d)
        weights.push_back(std::exp(-static_cast<double>(d * d) / (2 * sigma * sigma)));
    auto weight = [&weights](Index d) { return weights[static_cast<std::size_t>(std::abs(d))]; };

    KernelTaps across(taps.row_reach(), taps.column_reach() + reach);
    for (Index y = -taps.row_reach(); y <= taps.row_reach(); ++y)
        for (Index x = -taps.column_reach(); x <= taps.column_reach(); ++x)
            for (Index d = -reach; d <= reach; ++d) across.at(y, x + d) += weight(d) * taps.at(y, x);
    KernelTaps result(taps.row_reach() + reach, across.column_reach());
    for (Index y = -across.row_reach(); y <= across.row_reach(); ++y)
        for (Index d = -reach; d <= reach; ++d)
            for (Index x = -across.column_reach(); x <= across.column_reach(); ++x)
                result.at(y + d, x) += weight(d) * across.at(y, x);
    return result;
}

}  // namespace sonolux::detail
