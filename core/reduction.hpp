// sonolux/core/reduction.hpp
//
// Sums whose bits depend on the data alone, whatever the number of threads.
#pragma once

#include <sonolux/core/context.hpp>

namespace sonolux {

/// Sums of float elements in double precision: the array is cut into at most 256 blocks, a cut that depends
/// on the number of elements only; each block is summed in 16 interleaved lanes, lanes and blocks are added
/// in pairs. The error is below (elements / 4096 + 20) 2^-53 relative to the sum of absolute values.
///
/// Views are contiguous; `a` and `b` have equally many elements. An empty sum is 0. NaN and infinity
/// propagate.
[[nodiscard]] double sum(View<const float> a, Context& context) noexcept;
[[nodiscard]] double dot(View<const float> a, View<const float> b, Context& context) noexcept;
[[nodiscard]] double squared_norm(View<const float> a, Context& context) noexcept;

/// The same bits, on the calling thread.
[[nodiscard]] double sum(View<const float> a) noexcept;
[[nodiscard]] double dot(View<const float> a, View<const float> b) noexcept;
[[nodiscard]] double squared_norm(View<const float> a) noexcept;

}  // namespace sonolux
