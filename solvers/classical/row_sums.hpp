// sonolux/solvers/classical/row_sums.hpp
//
// A pass over the rows of an image that also sums: in double, in one order, on however many threads.
#pragma once

#include <array>

#include <sonolux/core/parallel_rows.hpp>

namespace sonolux {

/// Scratch of sum_rows.
template <std::size_t count>
[[nodiscard]] std::size_t sum_rows_workspace_bytes(Index rows) noexcept {
    return Workspace::bytes<std::array<double, count>>(rows);
}

/// The sum over i in [0, rows) of body(i), an array of `count` doubles. `body` may write row i of images.
template <std::size_t count, class Body>
[[nodiscard]] std::array<double, count> sum_rows(Context& context, Index rows, Index cost_of_row,
                                                 const Body& body) noexcept {
    Scratch scratch(context.workspace());
    auto* of_row = scratch.take<std::array<double, count>>(rows);
    parallel_rows(context, rows, cost_of_row, [&](Index begin, Index end, int) {
        for (Index i = begin; i < end; ++i) of_row[i] = body(i);
    });
    std::array<double, count> total{};
    for (Index i = 0; i < rows; ++i)
        for (std::size_t n = 0; n < count; ++n) total[n] += of_row[i][n];
    return total;
}

}  // namespace sonolux
