// sonolux/core/operators/delay_and_sum_taps.hpp
//
// Where an interpolation begins and how it weights its samples: one pixel at a time, with the roundings that
// the vector code has. For the *_simd.cpp files of delay and sum.
#pragma once

#include <algorithm>

#include <sonolux/core/multiply_add.hpp>
#include <sonolux/core/operators/delay_and_sum_kernel.hpp>

namespace sonolux::delay_and_sum_kernel {

[[nodiscard]] constexpr int taps_of(SampleInterpolation how) noexcept {
    return how == SampleInterpolation::nearest ? 1 : how == SampleInterpolation::linear ? 2 : 4;
}

/// The first sample that is read, and the weights of it and those after it.
template <SampleInterpolation how>
static SLX_INLINE Index begin_at(std::uint32_t position, int bits, std::int32_t last, float* taps) noexcept {
    if constexpr (how == SampleInterpolation::nearest) {
        taps[0] = 1;
        return static_cast<Index>((position + (1U << bits >> 1)) >> bits);
    } else {
        const auto n = std::min(static_cast<std::int32_t>(position >> bits), last);
        const auto left = static_cast<std::int32_t>(position - (static_cast<std::uint32_t>(n) << bits));
        const float f = static_cast<float>(left) * (1.0f / static_cast<float>(1 << bits));
        if constexpr (how == SampleInterpolation::linear) {
            taps[0] = 1 - f;
            taps[1] = f;
            return n;
        } else {
            taps[0] = 0.5f * f * multiply_add(f, 2 - f, -1.0f);
            taps[1] = 0.5f * multiply_add(f * f, multiply_add(3.0f, f, -5.0f), 2.0f);
            taps[2] = 0.5f * f * multiply_add(f, multiply_add(-3.0f, f, 4.0f), 1.0f);
            taps[3] = 0.5f * f * f * (f - 1);
            return n - 1;
        }
    }
}

}  // namespace sonolux::delay_and_sum_kernel
