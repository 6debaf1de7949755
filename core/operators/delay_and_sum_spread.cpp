// sonolux/core/operators/delay_and_sum_spread.cpp
//
// The adjoint of delay_and_sum_kernel::Accumulate, in plain loops: what one tile gives back to one trace.
#include <sonolux/core/operators/delay_and_sum_taps.hpp>

namespace sonolux::delay_and_sum_kernel {

void spread(SampleInterpolation how, const Piece& piece, const Trace& trace, int bits, Index parts,
            const float* pixels, float* samples) noexcept {
    const int taps = taps_of(how);
    for (Index p = 0; p < tile; ++p) {
        const std::uint32_t position =
            static_cast<std::uint32_t>(piece.receive[p]) + static_cast<std::uint32_t>(piece.transmit[p]);
        if (position - trace.lowest > trace.span) continue;
        float tap[4];
        const Index n = how == SampleInterpolation::nearest
                            ? begin_at<SampleInterpolation::nearest>(position, bits, trace.last, tap)
                        : how == SampleInterpolation::linear
                            ? begin_at<SampleInterpolation::linear>(position, bits, trace.last, tap)
                            : begin_at<SampleInterpolation::cubic>(position, bits, trace.last, tap);
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
