// sonolux/core/operators/convolution_simd.cpp
//
// Compiled once per instruction set; see sonolux_add_simd_source. In this file a * b + c is one rounding
// wherever the instruction set has a fused multiply-add.
#include <cstring>

#include <sonolux/core/multiply_add.hpp>
#include <sonolux/core/operators/convolution_kernel.hpp>

namespace sonolux::convolution_kernel::SLX_ISA_NAMESPACE {

namespace {

#if defined(__AVX512F__)
constexpr Index lanes = 16;
#elif defined(__AVX__)
constexpr Index lanes = 8;
#else
constexpr Index lanes = 4;
#endif

using Vector = float __attribute__((vector_size(lanes * sizeof(float))));

/// `blocks` vectors of outputs stay in registers while all taps pass over them.
template <int blocks>
inline void correlate_block(const Line* lines, Index count, Index taps, float* out, Index j,
                            bool accumulate) noexcept {
    Vector sum[blocks];
    for (int b = 0; b < blocks; ++b) {
        sum[b] = Vector{};
        if (accumulate) std::memcpy(&sum[b], out + j + b * lanes, sizeof(Vector));
    }
    for (Index r = 0; r < count; ++r)
        for (Index v = 0; v < taps; ++v) {
            const float tap = lines[r].taps[v];
            const float* samples = lines[r].samples + j + v;
#pragma GCC unroll 8
            for (int b = 0; b < blocks; ++b) {
                Vector x;
                std::memcpy(&x, samples + b * lanes, sizeof(Vector));
                sum[b] = multiply_add(x, tap - Vector{}, sum[b]);
            }
        }
    for (int b = 0; b < blocks; ++b) std::memcpy(out + j + b * lanes, &sum[b], sizeof(Vector));
}

}  // namespace

void correlate(const Line* lines, Index count, Index taps, float* out, Index length,
               bool accumulate) noexcept {
    constexpr int blocks = 8;
    Index j = 0;
    for (; j + blocks * lanes <= length; j += blocks * lanes)
        correlate_block<blocks>(lines, count, taps, out, j, accumulate);
    for (; j + lanes <= length; j += lanes) correlate_block<1>(lines, count, taps, out, j, accumulate);
    for (; j < length; ++j) {
        float sum = accumulate ? out[j] : 0.0f;
        for (Index r = 0; r < count; ++r)
            for (Index v = 0; v < taps; ++v)
                sum = multiply_add(lines[r].samples[j + v], lines[r].taps[v], sum);
        out[j] = sum;
    }
}

}  // namespace sonolux::convolution_kernel::SLX_ISA_NAMESPACE
