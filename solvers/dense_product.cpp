// sonolux/solvers/dense_product.cpp
#include <sonolux/core/target.hpp>
#include <sonolux/solvers/dense_product.hpp>

namespace sonolux {

namespace {

constexpr Index lanes = 32;

/// y = P x for rows [begin, end), in sums of one order.
SLX_INLINE void multiply_any(const float* matrix, Index columns, const float* x, float* y, Index begin,
                             Index end) {
    for (Index k = begin; k < end; ++k) {
        const float* row = matrix + k * columns;
        float sums[lanes] = {};
        Index i = 0;
        for (; i + lanes <= columns; i += lanes)
            for (Index lane = 0; lane < lanes; ++lane) sums[lane] += row[i + lane] * x[i + lane];
        for (Index lane = 0; i < columns; ++i, ++lane) sums[lane] += row[i] * x[i];
        float sum = 0;
        for (const float part : sums) sum += part;
        y[k] = sum;
    }
}

void multiply_plain(const float* matrix, Index columns, const float* x, float* y, Index begin, Index end) {
    multiply_any(matrix, columns, x, y, begin, end);
}
#ifdef SLX_TARGET_AVX2
SLX_TARGET_AVX2 void multiply_avx2(const float* matrix, Index columns, const float* x, float* y, Index begin,
                                   Index end) {
    multiply_any(matrix, columns, x, y, begin, end);
}
SLX_TARGET_AVX512 void multiply_avx512(const float* matrix, Index columns, const float* x, float* y,
                                       Index begin, Index end) {
    multiply_any(matrix, columns, x, y, begin, end);
}
#endif

}  // namespace

DenseProduct dense_product_for([[maybe_unused]] Isa isa) noexcept {
#ifdef SLX_TARGET_AVX2
    if (isa == Isa::avx512) return multiply_avx512;
    if (isa == Isa::avx2) return multiply_avx2;
#endif
    return multiply_plain;
}

}  // namespace sonolux
