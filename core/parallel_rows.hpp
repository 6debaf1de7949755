// sonolux/core/parallel_rows.hpp
//
// Loops over the rows of images, cut into strips that are worth a thread's while.
#pragma once

#include <algorithm>

#include <sonolux/core/context.hpp>

namespace sonolux {

/// How many rows of `cost` elements each make one strip: about 16 K elements.
[[nodiscard]] constexpr Index rows_per_strip(Index cost) noexcept {
    return std::max<Index>(1, (Index{1} << 14) / std::max<Index>(1, cost));
}

/// body(begin, end, thread) over strips that cover [0, rows), on the context's threads, in any order.
template <class Body>
void parallel_rows(Context& context, Index rows, Index cost_of_row, Body&& body) noexcept {
    const Index strip = rows_per_strip(cost_of_row);
    parallel_for(context, (rows + strip - 1) / strip, [&](Index item, int thread) {
        body(item * strip, std::min(rows, (item + 1) * strip), thread);
    });
}

}  // namespace sonolux
