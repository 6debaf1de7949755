// sonolux/solvers/tracking/block_matching_kernel.cpp
#include <algorithm>

#include <sonolux/core/target.hpp>
#include <sonolux/solvers/tracking/block_matching_kernel.hpp>

namespace sonolux::block_matching_kernel {

namespace {

SLX_INLINE void accumulate_any(double* __restrict sums, const float* a, const float* b, Index n) noexcept {
    for (Index j = 0; j < n; ++j) sums[j] += static_cast<double>(a[j]) * static_cast<double>(b[j]);
}

SLX_INLINE void slide_any(double* __restrict sums, const float* a, const float* b, const float* old_a,
                          const float* old_b, Index n) noexcept {
    for (Index j = 0; j < n; ++j)
        sums[j] = (sums[j] + static_cast<double>(a[j]) * static_cast<double>(b[j])) -
                  static_cast<double>(old_a[j]) * static_cast<double>(old_b[j]);
}

SLX_INLINE void sum_windows_any(double* __restrict values, double* __restrict out, Index n,
                                Index width) noexcept {
    const Index results = n - width + 1;
    for (Index j = 0; j < results; ++j) out[j] = 0;
    Index begin = 0;
    for (Index have = 1; have <= width; have *= 2) {  // values[j] is the sum of `have` neighbours
        if (width & have) {
            const double* part = values + begin;
            for (Index j = 0; j < results; ++j) out[j] += part[j];
            begin += have;
        }
        if (2 * have > width) break;
        // In place, in blocks: what is read ahead is not yet written.
        const double* ahead = values + have;
        const Index pairs = n - 2 * have + 1;
#pragma GCC ivdep
        for (Index j = 0; j < pairs; ++j) values[j] += ahead[j];
    }
}

SLX_INLINE void normalise_any(const double* sums, double samples, Moments r, Moments m, float* __restrict rho,
                              Index n) noexcept {
    for (Index j = 0; j < n; ++j)
        rho[j] = static_cast<float>((sums[j] - samples * r.mean[j] * m.mean[j]) *
                                    (r.inverse_norm[j] * m.inverse_norm[j]));
}

SLX_INLINE void largest_any(const float* rho, Index stride, Index lags, float* __restrict value,
                            int* __restrict lag, Index n) noexcept {
    for (Index j = 0; j < n; ++j) {
        value[j] = rho[j];
        lag[j] = 0;
    }
    for (Index l = 1; l < lags; ++l) {
        const float* row = rho + l * stride;
        for (Index j = 0; j < n; ++j) {
            const bool larger = row[j] > value[j];
            value[j] = larger ? row[j] : value[j];
            lag[j] = larger ? static_cast<int>(l) : lag[j];
        }
    }
}

#define SLX_BLOCK_MATCHING(isa, target)                                                                 \
    target void accumulate_##isa(double* s, const float* a, const float* b, Index n) noexcept {         \
        accumulate_any(s, a, b, n);                                                                     \
    }                                                                                                   \
    target void slide_##isa(double* s, const float* a, const float* b, const float* c, const float* d,  \
                            Index n) noexcept {                                                         \
        slide_any(s, a, b, c, d, n);                                                                    \
    }                                                                                                   \
    target void sum_windows_##isa(double* v, double* o, Index n, Index w) noexcept {                    \
        sum_windows_any(v, o, n, w);                                                                    \
    }                                                                                                   \
    target void normalise_##isa(const double* s, double k, Moments r, Moments m, float* o,              \
                                Index n) noexcept {                                                     \
        normalise_any(s, k, r, m, o, n);                                                                \
    }                                                                                                   \
    target void largest_##isa(const float* r, Index s, Index l, float* v, int* i, Index n) noexcept {   \
        largest_any(r, s, l, v, i, n);                                                                  \
    }                                                                                                   \
    constexpr Kernel isa##_kernel = {accumulate_##isa, slide_##isa, sum_windows_##isa, normalise_##isa, \
                                     largest_##isa};

SLX_BLOCK_MATCHING(plain, )
#ifdef SLX_TARGET_AVX2
SLX_BLOCK_MATCHING(avx2, SLX_TARGET_AVX2)
SLX_BLOCK_MATCHING(avx512, SLX_TARGET_AVX512)
#endif

}  // namespace

const Kernel& kernel_for(Isa isa) noexcept {
    switch (isa) {
#ifdef SLX_TARGET_AVX2
        case Isa::avx512: return avx512_kernel;
        case Isa::avx2: return avx2_kernel;
#endif
        default: return plain_kernel;
    }
}

}  // namespace sonolux::block_matching_kernel
