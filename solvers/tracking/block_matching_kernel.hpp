// sonolux/solvers/tracking/block_matching_kernel.hpp
//
// The inner loops of block matching, along rows of images. Private to solvers/tracking.
//
// Sums are in double precision. A product of two floats is exact there, so a fused multiply-add would give
// the same bits as a product and a sum: these loops have the same bits on every instruction set.
#pragma once

#include <sonolux/core/isa.hpp>
#include <sonolux/core/shape.hpp>

namespace sonolux::block_matching_kernel {

/// What a block position contributes to the correlation. [rows - block_rows + 1, columns - block_columns + 1]
struct Moments {
    const double* mean;
    const double* inverse_norm;  ///< 1 / sqrt(sum of squares about the mean); 0: not usable
};

struct Kernel {
    /// sums[j] += a[j] b[j]
    void (*accumulate)(double* sums, const float* a, const float* b, Index n) noexcept;

    /// sums[j] += a[j] b[j] - old_a[j] old_b[j], in this order
    void (*slide)(double* sums, const float* a, const float* b, const float* old_a, const float* old_b,
                  Index n) noexcept;

    /// out[j] = values[j] + ... + values[j + width - 1] for j in [0, n - width], added in pairs. `values` is
    /// overwritten. They do not overlap.
    void (*sum_windows)(double* values, double* out, Index n, Index width) noexcept;

    /// rho[j] = (sums[j] - samples mean_r[j] mean_m[j]) inverse_norm_r[j] inverse_norm_m[j], as float
    void (*normalise)(const double* sums, double samples, Moments r, Moments m, float* rho, Index n) noexcept;

    /// The largest of `lags` rows of rho, each `stride` after the one before, and the first row that has it.
    void (*largest)(const float* rho, Index stride, Index lags, float* value, int* lag, Index n) noexcept;
};

[[nodiscard]] const Kernel& kernel_for(Isa isa) noexcept;

}  // namespace sonolux::block_matching_kernel
