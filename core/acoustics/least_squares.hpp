// sonolux/core/acoustics/least_squares.hpp
//
// Small least-squares problems of geometry.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace sonolux {

/// The x that minimises |A x - b|, for the columns of A, all as long as b: modified Gram-Schmidt with b as
/// the last column, which is as accurate as Householder's method (Bjorck 1967, BIT 7). A column that depends
/// on those before it to 1e-12 of its length takes no part: its x is 0.
[[nodiscard]] inline std::vector<double> least_squares(std::vector<std::vector<double>> columns,
                                                       std::vector<double> b) {
    const std::size_t count = columns.size();
    const auto product = [](const std::vector<double>& p, const std::vector<double>& q) {
        double sum = 0;
        for (std::size_t i = 0; i < p.size(); ++i) sum += p[i] * q[i];
        return sum;
    };
    std::vector<std::vector<double>> upper(count, std::vector<double>(count, 0.0));
    std::vector<double> right(count, 0.0), before(count);
    std::vector<bool> used(count);
    for (std::size_t j = 0; j < count; ++j) before[j] = std::sqrt(product(columns[j], columns[j]));
    for (std::size_t j = 0; j < count; ++j) {
        const double length = std::sqrt(product(columns[j], columns[j]));
        used[j] = length > 1e-12 * before[j];
        if (!used[j]) continue;
        for (double& value : columns[j]) value /= length;
        upper[j][j] = length;
        const auto remove = [&](std::vector<double>& from) {
            const double part = product(columns[j], from);
            for (std::size_t i = 0; i < from.size(); ++i) from[i] -= part * columns[j][i];
            return part;
        };
        for (std::size_t k = j + 1; k < count; ++k) upper[j][k] = remove(columns[k]);
        right[j] = remove(b);
    }
    std::vector<double> x(count, 0.0);
    for (std::size_t j = count; j-- > 0;) {
        if (!used[j]) continue;
        double sum = right[j];
        for (std::size_t k = j + 1; k < count; ++k) sum -= upper[j][k] * x[k];
        x[j] = sum / upper[j][j];
    }
    return x;
}

}  // namespace sonolux
