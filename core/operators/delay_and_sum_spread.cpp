// sonolux/core/operators/delay_and_sum_spread.cpp
//
// The adjoint of delay_and_sum_kernel::Accumulate, in plain loops: what one tile gives back to one trace.
#include <algorithm>

#include <sonolux/core/operators/delay_and_sum_tables.hpp>

namespace sonolux::delay_and_sum_kernel {

namespace {

constexpr int taps_of(SampleInterpolation how) {
    return how == SampleInterpolation::nearest ? 1 : how == SampleInterpolation::linear ? 2 : 4;
}

}  // namespace

void spread(SampleInterpolation how, const Piece& piece, const Trace& trace, int bits, Index parts,
            const float* pixels, float* samples) noexcept {
    const int taps = taps_of(how);
    for (Index p = 0; p < tile; ++p) {
        const std::uint32_t position =
            static_cast<std::uint32_t>(piece.receive[p]) + static_cast<std::uint32_t>(piece.transmit[p]);
        if (position - trace.lowest > trace.span) continue;
        float tap[4];
        Index n;
        if (how == SampleInterpolation::nearest) {
            tap[0] = 1;
            n = static_cast<Index>((position + (1U << bits >> 1)) >> bits);
        } else {
            n = std::min(static_cast<std::int32_t>(position >> bits), trace.last);
            const auto left = static_cast<std::int32_t>(position - (static_cast<std::uint32_t>(n) << bits));
            const float f = static_cast<float>(left) / static_cast<float>(1 << bits);
            if (how == SampleInterpolation::linear) {
                tap[0] = 1 - f;
                tap[1] = f;
            } else {
                tap[0] = 0.5f * f * (f * (2 - f) - 1);
                tap[1] = 0.5f * (f * f * (3 * f - 5) + 2);
                tap[2] = 0.5f * f * (f * (4 - 3 * f) + 1);
                tap[3] = 0.5f * f * f * (f - 1);
                n -= 1;
            }
        }
        const float cosine = static_cast<float>(piece.weights[p]);
        if (parts == 1) {
            const float value = cosine * pixels[p];
            for (int i = 0; i < taps; ++i) samples[n + i] += tap[i] * value;
            continue;
        }
        const float sine = static_cast<float>(piece.weights[tile + p]);
        const float re = cosine * pixels[p] + sine * pixels[tile + p];
        const float im = cosine * pixels[tile + p] - sine * pixels[p];
        for (int i = 0; i < taps; ++i) {
            samples[2 * (n + i)] += tap[i] * re;
            samples[2 * (n + i) + 1] += tap[i] * im;
        }
    }
}

}  // namespace sonolux::delay_and_sum_kernel
