// sonolux/core/smooth_size.hpp
//
// Sizes that Fourier transforms are fast at.
#pragma once

#include <sonolux/core/shape.hpp>

namespace sonolux {

/// The smallest multiple of `step` from `size` on that has no prime factor above `largest_prime`, which is 5
/// or 7.
[[nodiscard]] constexpr Index smooth_size(Index size, Index largest_prime = 5, Index step = 1) noexcept {
    for (size = (size + step - 1) / step * step;; size += step) {
        Index rest = size;
        for (const Index prime : {2, 3, 5, 7})
            while (prime <= largest_prime && rest % prime == 0) rest /= prime;
        if (rest == 1) return size;
    }
}

}  // namespace sonolux
