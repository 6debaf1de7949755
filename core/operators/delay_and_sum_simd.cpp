// sonolux/core/operators/delay_and_sum_simd.cpp
//
// Compiled once per instruction set; see sonolux_add_simd_source.
#include <algorithm>

#include <sonolux/core/multiply_add.hpp>
#include <sonolux/core/operators/delay_and_sum_kernel.hpp>
#include <sonolux/core/operators/delay_and_sum_options.hpp>

namespace sonolux::delay_and_sum_kernel::SLX_ISA_NAMESPACE {

namespace {

constexpr int taps_of(SampleInterpolation how) {
    return how == SampleInterpolation::nearest ? 1 : how == SampleInterpolation::linear ? 2 : 4;
}

/// Where the interpolation begins and how its samples are weighted.
template <SampleInterpolation how>
SLX_INLINE Index begin_at(std::uint32_t position, int bits, std::int32_t last, float* taps) noexcept {
    if constexpr (how == SampleInterpolation::nearest) {
        taps[0] = 1;
        return static_cast<Index>((position + (1U << bits >> 1)) >> bits);
    } else {
        const auto n = std::min(static_cast<std::int32_t>(position >> bits), last);
        const auto left = static_cast<std::int32_t>(position - (static_cast<std::uint32_t>(n) << bits));
        const float f = static_cast<float>(left) / static_cast<float>(1 << bits);
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

template <SampleInterpolation how>
void accumulate_real(const Piece& piece, const Trace& trace, int bits, float* sum) noexcept {
    for (Index p = 0; p < tile; ++p) {
        const std::uint32_t position =
            static_cast<std::uint32_t>(piece.receive[p]) + static_cast<std::uint32_t>(piece.transmit[p]);
        if (position - trace.lowest > trace.span) continue;
        float taps[4];
        const float* x = trace.samples + begin_at<how>(position, bits, trace.last, taps);
        float value = taps[0] * x[0];
        for (int i = 1; i < taps_of(how); ++i) value = multiply_add(taps[i], x[i], value);
        sum[p] = multiply_add(static_cast<float>(piece.weights[p]), value, sum[p]);
    }
}

template <SampleInterpolation how>
void accumulate_complex(const Piece& piece, const Trace& trace, int bits, float* sum) noexcept {
    for (Index p = 0; p < tile; ++p) {
        const std::uint32_t position =
            static_cast<std::uint32_t>(piece.receive[p]) + static_cast<std::uint32_t>(piece.transmit[p]);
        if (position - trace.lowest > trace.span) continue;
        float taps[4];
        const float* x = trace.samples + 2 * begin_at<how>(position, bits, trace.last, taps);
        float re = taps[0] * x[0], im = taps[0] * x[1];
        for (int i = 1; i < taps_of(how); ++i) {
            re = multiply_add(taps[i], x[2 * i], re);
            im = multiply_add(taps[i], x[2 * i + 1], im);
        }
        const float cosine = static_cast<float>(piece.weights[p]);
        const float sine = static_cast<float>(piece.weights[tile + p]);
        sum[p] = multiply_add(cosine, re, multiply_add(-sine, im, sum[p]));
        sum[tile + p] = multiply_add(cosine, im, multiply_add(sine, re, sum[tile + p]));
    }
}

}  // namespace

Kernels kernels() noexcept {
    using enum SampleInterpolation;
    return {{accumulate_real<nearest>, accumulate_real<linear>, accumulate_real<cubic>},
            {accumulate_complex<nearest>, accumulate_complex<linear>, accumulate_complex<cubic>}};
}

}  // namespace sonolux::delay_and_sum_kernel::SLX_ISA_NAMESPACE
