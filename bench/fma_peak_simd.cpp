// bench/fma_peak_simd.cpp
//
// Compiled once per instruction set; see sonolux_add_simd_source. In this file a * b + c is one rounding
// wherever the instruction set has a fused multiply-add.
//
// The chains are twelve variables and not an array: compilers keep an array of vectors in memory as soon as
// anything takes its address, and then the loop measures loads and stores.
#include "fma_peak.hpp"

namespace sonolux::bench::SLX_ISA_NAMESPACE {

namespace {

#if defined(__AVX512F__)
constexpr int lanes = 16;
#elif defined(__AVX__)
constexpr int lanes = 8;
#else
constexpr int lanes = 4;
#endif

using Vector = float __attribute__((vector_size(lanes * sizeof(float))));

float run(Index rounds) noexcept {
    // Read through volatile, so that no compiler knows them. The chains stay near 1: neither denormal nor
    // infinite.
    volatile float factor = 0.999F, summand = 0.001F;
    const Vector m = factor - Vector{}, c = summand - Vector{};
    Vector a0 = m + 0, a1 = m + 1, a2 = m + 2, a3 = m + 3, a4 = m + 4, a5 = m + 5;
    Vector a6 = m + 6, a7 = m + 7, a8 = m + 8, a9 = m + 9, a10 = m + 10, a11 = m + 11;
    for (Index round = 0; round < rounds; ++round) {
        a0 = a0 * m + c;
        a1 = a1 * m + c;
        a2 = a2 * m + c;
        a3 = a3 * m + c;
        a4 = a4 * m + c;
        a5 = a5 * m + c;
        a6 = a6 * m + c;
        a7 = a7 * m + c;
        a8 = a8 * m + c;
        a9 = a9 * m + c;
        a10 = a10 * m + c;
        a11 = a11 * m + c;
    }
    const Vector sum = a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7 + a8 + a9 + a10 + a11;
    float total = 0;
    for (int i = 0; i < lanes; ++i) total += sum[i];
    return total;
}

}  // namespace

PeakKernel peak_kernel() noexcept { return {run, lanes}; }

}  // namespace sonolux::bench::SLX_ISA_NAMESPACE
