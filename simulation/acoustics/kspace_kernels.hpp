// sonolux/simulation/acoustics/kspace_kernels.hpp
//
// The inner loops of the k-space schemes, once per instruction set.
//
// Rows are plain. Lines are sixteen side by side, lane_floats for each place (lane_fft.hpp): of a strip of
// rows, row l is the real part of lane l and row 16 + l its imaginary part. A half spectrum holds its columns
// in blocks of sixteen, the real parts and then the imaginary parts.
#pragma once

#include <sonolux/core/isa.hpp>
#include <sonolux/simulation/acoustics/lane_fft.hpp>

namespace sonolux {

/// Rows of one strip: two for each lane.
inline constexpr Index strip_rows = 2 * fft_lanes;

/// Some rows in memory: at most strip_rows of them.
struct StripOfRows {
    float* rows = nullptr;
    Index stride = 0, count = 0, columns = 0;
};

/// The derivatives of up to three axes on sixteen lines of the last one. For place i and lane l the factors
/// are those of x[l], of y, and of last[i], all times kappa[min(i, length - i)][l].
struct LineDerivatives {
    Index length = 0;
    int axes = 2;
    const float* kappa = nullptr;  // [length / 2 + 1, lanes]
    const float* x = nullptr;      // [2, lanes]
    float y[2] = {};
    const float* last = nullptr;  // [length, 2]
};

struct KspaceKernels {
    /// Rows into lines; lines of rows beyond the count are 0. And back.
    void (*rows_to_lines)(const StripOfRows&, float* lines) noexcept;
    void (*lines_to_rows)(const float* lines, const StripOfRows&) noexcept;

    /// Spectra Z of lines into the half spectra of the strip's rows, a + i b: (Z[l] + Z[-l]*) and
    /// (Z[l] - Z[-l]*) / i, the halves left away. `spectrum` is that of the first row, `step` floats to the
    /// next. And back, dropping what breaks the symmetry of columns 0 and columns / 2.
    void (*lines_to_halves)(const float* lines, Index columns, Index count, float* spectrum,
                            Index step) noexcept;
    void (*halves_to_lines)(const float* spectrum, Index step, Index columns, Index count,
                            float* lines) noexcept;

    /// out[i] = factors[min(i, length - i)] in[i], factors [length / 2 + 1, lanes]; out may be in.
    void (*multiply_even)(const float* factors, Index length, const float* in, float* out) noexcept;

    /// out[axis] = derivative along the axis of in[axis]; in may be the same for all, and outs may be ins.
    void (*derivatives)(const LineDerivatives&, const float* const* in, float* const* out) noexcept;

    /// The sum of the derivatives of in[axis].
    void (*divergence)(const LineDerivatives&, const float* const* in, float* out) noexcept;

    /// x <- kept (kept x - step d), elementwise; and with one `kept` for the row.
    void (*damped_step)(float* x, const float* kept, const float* step, const float* d, Index n) noexcept;
    void (*damped_step_by)(float* x, float kept, const float* step, const float* d, Index n) noexcept;

    /// out = factor (a + 2 b + 2 c + 2 d); c and d may be null, or b, c and d.
    void (*moving_density)(float* out, float factor, const float* a, const float* b, const float* c,
                           const float* d, Index n) noexcept;

    /// out = a + b (+ c, unless null), times `weight` unless that is null.
    void (*sum)(float* out, const float* a, const float* b, const float* c, const float* weight,
                Index n) noexcept;

    /// p <- c2 (p + nonlinearity p^2 + tau divergence - eta dispersion), each but c2 possibly null.
    void (*pressure)(float* p, const float* c2, const float* nonlinearity, const float* tau,
                     const float* divergence, const float* eta, const float* dispersion, Index n) noexcept;

    /// d <- d + squared weight change, then p <- p + d; weight may be null. (d is the pressure's increment:
    /// as 2 p - p_old, rounding errors of p's own size would go on as velocities.)
    void (*leapfrog)(float* p, float* d, const float* change, const float* squared, const float* weight,
                     Index n) noexcept;

    /// x <- x a.
    void (*multiply)(float* x, const float* a, Index n) noexcept;

    /// y <- y + factor a x; a may be null.
    void (*add)(float* y, float factor, const float* a, const float* x, Index n) noexcept;

    /// out[j] = sum over v of weights[v] rows[v][j].
    void (*combine)(const float* const* rows, const float* weights, Index count, float* out,
                    Index n) noexcept;

    /// out[j] = sum over v of taps[v] in[j + v]; `accumulate` adds that to out.
    void (*correlate)(const float* taps, Index count, const float* in, float* out, Index n,
                      bool accumulate) noexcept;

    /// Of SecondOrderLayer, on the part of a row that lies in the layer:
    ///
    ///     flow = (own / other) g + memory,    memory <- own^2 flow - own other g
    ///
    /// with `own` along the row and one `other`, or the other way round.
    void (*absorb_along)(const float* g, const float* own, float other, float* memory, float* flow,
                         Index n) noexcept;
    void (*absorb_across)(const float* g, float own, const float* other, float* memory, float* flow,
                          Index n) noexcept;

    /// leapfrog() in the layer: d <- x^2 y^2 d + x y squared weight change - (1 - x^2) (1 - y^2) p.
    void (*damped_leapfrog)(float* p, float* d, const float* change, const float* squared,
                            const float* weight, const float* x, float y, Index n) noexcept;
};

[[nodiscard]] const KspaceKernels& kspace_kernels(Isa isa) noexcept;

#define SLX_KSPACE_KERNELS(isa)         \
    namespace kspace::isa {             \
    extern const KspaceKernels kernels; \
    }
SLX_KSPACE_KERNELS(baseline)
#if defined(__x86_64__)
SLX_KSPACE_KERNELS(avx2)
SLX_KSPACE_KERNELS(avx512)
#elif defined(__aarch64__)
SLX_KSPACE_KERNELS(neon)
#endif
#undef SLX_KSPACE_KERNELS

}  // namespace sonolux
