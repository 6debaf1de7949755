// sonolux/simulation/acoustics/kspace_kernels_simd.cpp
//
// Compiled once per instruction set; see sonolux_add_simd_source. In this file a * b + c is one rounding
// wherever the instruction set has a fused multiply-add.
#include <algorithm>

#include <sonolux/simulation/acoustics/kspace_kernels.hpp>
#include <sonolux/simulation/acoustics/lane_vector.hpp>

namespace sonolux::kspace::SLX_ISA_NAMESPACE {
namespace {

/// Calls body(start) for squares of vectors along a row. The last one ends at the row's end and repeats some
/// columns. Rows shorter than a vector are not for it.
template <class Body>
static SLX_INLINE void over_squares(Index columns, Body&& body) noexcept {
    Index start = 0;
    for (; start + lanes <= columns; start += lanes) body(start);
    if (start < columns) body(columns - lanes);
}

void rows_to_lines(const StripOfRows& strip, float* lines) noexcept {
    const auto row = [&](Index r) { return strip.rows + r * strip.stride; };
    if (strip.columns < lanes) {
        for (Index j = 0; j < strip.columns; ++j)
            for (Index r = 0; r < strip_rows; ++r)
                lines[j * lane_floats + r] = r < strip.count ? row(r)[j] : 0.0f;
        return;
    }
    for (Index first = 0; first < strip_rows; first += lanes)
        over_squares(strip.columns, [&](Index start) {
            Vector v[lanes];
#pragma GCC unroll 16
            for (Index i = 0; i < lanes; ++i)
                v[i] = first + i < strip.count ? load(row(first + i) + start) : Vector{};
            transpose(v);
#pragma GCC unroll 16
            for (Index i = 0; i < lanes; ++i) store(lines + (start + i) * lane_floats + first, v[i]);
        });
}

void lines_to_rows(const float* lines, const StripOfRows& strip) noexcept {
    const auto row = [&](Index r) { return strip.rows + r * strip.stride; };
    if (strip.columns < lanes) {
        for (Index j = 0; j < strip.columns; ++j)
            for (Index r = 0; r < strip.count; ++r) row(r)[j] = lines[j * lane_floats + r];
        return;
    }
    for (Index first = 0; first < strip.count; first += lanes)
        over_squares(strip.columns, [&](Index start) {
            Vector v[lanes];
#pragma GCC unroll 16
            for (Index i = 0; i < lanes; ++i) v[i] = load(lines + (start + i) * lane_floats + first);
            transpose(v);
#pragma GCC unroll 16
            for (Index i = 0; i < lanes; ++i)
                if (first + i < strip.count) store(row(first + i) + start, v[i]);
        });
}

void lines_to_halves(const float* lines, Index columns, Index count, float* spectrum, Index step) noexcept {
    const Index half = columns / 2 + 1;
    for (Index l = 0; l < (half + fft_lanes - 1) / fft_lanes * fft_lanes; l += lanes)
        for (Index lane = 0; lane < std::min(count, fft_lanes); lane += lanes)
            for (int part = 0; part < 4; ++part) {  // a real, a imaginary, b real, b imaginary
                const Index first = lane + (part < 2 ? 0 : fft_lanes);
                if (first >= count) continue;
                const Index mine = part == 0 || part == 3 ? 0 : fft_lanes;  // in the place of l
                const Vector sign = splat(part == 0 || part == 2 ? 1.0f : -1.0f);
                Vector v[lanes];
#pragma GCC unroll 16
                for (Index i = 0; i < lanes; ++i) {
                    const Index place = l + i < half ? l + i : 0, mirror = place > 0 ? columns - place : 0;
                    const Vector here = load(lines + place * lane_floats + mine + lane);
                    const Vector there = load(lines + mirror * lane_floats + mine + lane);
                    v[i] = here + sign * there;
                    if (part == 3) v[i] = -v[i];
                    if (l + i >= half) v[i] = Vector{};
                }
                transpose(v);
                float* to =
                    spectrum + l / fft_lanes * lane_floats + l % fft_lanes + (part % 2 == 0 ? 0 : fft_lanes);
#pragma GCC unroll 16
                for (Index i = 0; i < lanes; ++i)
                    if (first + i < count) store(to + (first + i) * step, v[i]);
            }
}

void halves_to_lines(const float* spectrum, Index step, Index columns, Index count, float* lines) noexcept {
    const Index half = columns / 2 + 1;
    for (Index l = 0; l < half; l += lanes)
        for (Index lane = 0; lane < fft_lanes; lane += lanes) {
            Vector parts[4][lanes];
            for (int part = 0; part < 4; ++part) {
                const Index first = lane + (part < 2 ? 0 : fft_lanes);
                const float* from =
                    spectrum + l / fft_lanes * lane_floats + l % fft_lanes + (part % 2 == 0 ? 0 : fft_lanes);
                Vector v[lanes];
#pragma GCC unroll 16
                for (Index i = 0; i < lanes; ++i)
                    v[i] = first + i < count ? load(from + (first + i) * step) : Vector{};
                transpose(v);
#pragma GCC unroll 16
                for (Index i = 0; i < lanes; ++i) parts[part][i] = v[i];
            }
            const Index some = std::min(lanes, half - l);
            for (Index i = 0; i < some; ++i) {
                const Index place = l + i, mirror = columns - place;
                const Vector ar = parts[0][i], ai = parts[1][i], br = parts[2][i], bi = parts[3][i];
                float* here = lines + place * lane_floats + lane;
                if (place == 0 || place == mirror) {
                    store(here, ar);
                    store(here + fft_lanes, br);
                    continue;
                }
                float* there = lines + mirror * lane_floats + lane;
                store(here, ar - bi);
                store(here + fft_lanes, ai + br);
                store(there, ar + bi);
                store(there + fft_lanes, br - ai);
            }
        }
}

void multiply_even(const float* factors, Index length, const float* in, float* out) noexcept {
    for (Index i = 0; i < length; ++i) {
        const float* f = factors + std::min(i, length - i) * fft_lanes;
        for (Index h = 0; h < fft_lanes; h += lanes) {
            const Vector factor = load(f + h);
            store(out + i * lane_floats + h, factor * load(in + i * lane_floats + h));
            store(out + i * lane_floats + fft_lanes + h, factor * load(in + i * lane_floats + fft_lanes + h));
        }
    }
}

struct Number {
    Vector re, im;
};

static SLX_INLINE Number times(Vector re, Vector im, Number z) noexcept {
    return {multiply_add(re, z.re, -(im * z.im)), multiply_add(re, z.im, im * z.re)};
}

/// visit(axis, place, derivative) for all axes of each half of each place.
template <int axes, class Put>
static SLX_INLINE void differentiate(const LineDerivatives& d, const float* const* in, Put&& put) noexcept {
    for (Index i = 0; i < d.length; ++i) {
        const float* kappa = d.kappa + std::min(i, d.length - i) * fft_lanes;
        for (Index h = 0; h < fft_lanes; h += lanes) {
            const Vector k = load(kappa + h);
            const Index at = i * lane_floats + h;
            Number z[axes];
#pragma GCC unroll 3
            for (int axis = 0; axis < axes; ++axis)
                z[axis] = {k * load(in[axis] + at), k * load(in[axis] + at + fft_lanes)};
            z[0] = times(load(d.x + h), load(d.x + fft_lanes + h), z[0]);
            if constexpr (axes == 3) z[1] = times(splat(d.y[0]), splat(d.y[1]), z[1]);
            z[axes - 1] = times(splat(d.last[2 * i]), splat(d.last[2 * i + 1]), z[axes - 1]);
            put(at, z);
        }
    }
}

void derivatives(const LineDerivatives& d, const float* const* in, float* const* out) noexcept {
    const auto run = [&](auto axes) {
        differentiate<axes.value>(d, in, [&](Index at, const auto& z) {
#pragma GCC unroll 3
            for (int axis = 0; axis < axes.value; ++axis) {
                store(out[axis] + at, z[axis].re);
                store(out[axis] + at + fft_lanes, z[axis].im);
            }
        });
    };
    if (d.axes == 3) return run(std::integral_constant<int, 3>{});
    run(std::integral_constant<int, 2>{});
}

void divergence(const LineDerivatives& d, const float* const* in, float* out) noexcept {
    differentiate<2>(d, in, [&](Index at, const auto& z) {
        store(out + at, z[0].re + z[1].re);
        store(out + at + fft_lanes, z[0].im + z[1].im);
    });
}

// Along rows. The compiler makes vectors of these loops.

void damped_step(float* __restrict x, const float* __restrict kept, const float* __restrict step,
                 const float* __restrict d, Index n) noexcept {
    for (Index j = 0; j < n; ++j) x[j] = kept[j] * (kept[j] * x[j] - step[j] * d[j]);
}

void damped_step_by(float* __restrict x, float kept, const float* __restrict step, const float* __restrict d,
                    Index n) noexcept {
    for (Index j = 0; j < n; ++j) x[j] = kept * (kept * x[j] - step[j] * d[j]);
}

void moving_density(float* __restrict out, float factor, const float* __restrict a, const float* __restrict b,
                    const float* __restrict c, const float* __restrict d, Index n) noexcept {
    for (Index j = 0; j < n; ++j) out[j] = a[j];
    for (const float* part : {b, c, d})
        if (part != nullptr)
            for (Index j = 0; j < n; ++j) out[j] += 2 * part[j];
    for (Index j = 0; j < n; ++j) out[j] *= factor;
}

void sum(float* __restrict out, const float* __restrict a, const float* __restrict b,
         const float* __restrict c, const float* __restrict weight, Index n) noexcept {
    for (Index j = 0; j < n; ++j) out[j] = a[j] + b[j];
    if (c != nullptr)
        for (Index j = 0; j < n; ++j) out[j] += c[j];
    if (weight != nullptr)
        for (Index j = 0; j < n; ++j) out[j] *= weight[j];
}

void pressure(float* __restrict p, const float* __restrict c2, const float* __restrict nonlinearity,
              const float* __restrict tau, const float* __restrict divergence_, const float* __restrict eta,
              const float* __restrict dispersion, Index n) noexcept {
    if (nonlinearity != nullptr)
        for (Index j = 0; j < n; ++j) p[j] += nonlinearity[j] * p[j] * p[j];
    if (tau != nullptr)
        for (Index j = 0; j < n; ++j) p[j] += tau[j] * divergence_[j];
    if (eta != nullptr)
        for (Index j = 0; j < n; ++j) p[j] -= eta[j] * dispersion[j];
    for (Index j = 0; j < n; ++j) p[j] *= c2[j];
}

void leapfrog(float* __restrict p, float* __restrict d, const float* __restrict change,
              const float* __restrict squared, const float* __restrict weight, Index n) noexcept {
    if (weight != nullptr)
        for (Index j = 0; j < n; ++j) {
            d[j] += squared[j] * weight[j] * change[j];
            p[j] += d[j];
        }
    else
        for (Index j = 0; j < n; ++j) {
            d[j] += squared[j] * change[j];
            p[j] += d[j];
        }
}

void multiply(float* __restrict x, const float* __restrict a, Index n) noexcept {
    for (Index j = 0; j < n; ++j) x[j] *= a[j];
}

void add(float* __restrict y, float factor, const float* __restrict a, const float* __restrict x,
         Index n) noexcept {
    if (a != nullptr)
        for (Index j = 0; j < n; ++j) y[j] += factor * a[j] * x[j];
    else
        for (Index j = 0; j < n; ++j) y[j] += factor * x[j];
}

// Several vectors at a time share what is loaded for a tap. Then shorter ones: the ends of rows in a layer
// are short.

template <Index width>
struct VectorOf;
template <>
struct VectorOf<4> {
    using Type = float __attribute__((vector_size(16)));
};
template <>
struct VectorOf<8> {
    using Type = float __attribute__((vector_size(32)));
};
template <>
struct VectorOf<16> {
    using Type = float __attribute__((vector_size(64)));
};
template <Index width>
using Some = typename VectorOf<width>::Type;

/// out[j] (+)= sum over v of weight(v) times the vector at row(v) + j.
template <Index width, int blocks, class Weight, class Row>
static SLX_INLINE void weigh(Index count, Weight&& weight, Row&& row, float* out, bool accumulate, Index& j,
                             Index n) noexcept {
    for (; j + width * blocks <= n; j += width * blocks) {
        Some<width> sum[blocks];
#pragma GCC unroll 4
        for (int b = 0; b < blocks; ++b) {
            sum[b] = Some<width>{};
            if (accumulate) std::memcpy(&sum[b], out + j + b * width, sizeof sum[b]);
        }
        for (Index v = 0; v < count; ++v) {
            const Some<width> w = weight(v) - Some<width>{};
            const float* from = row(v) + j;
#pragma GCC unroll 4
            for (int b = 0; b < blocks; ++b) {
                Some<width> x;
                std::memcpy(&x, from + b * width, sizeof x);
                sum[b] = multiply_add(w, x, sum[b]);
            }
        }
#pragma GCC unroll 4
        for (int b = 0; b < blocks; ++b) std::memcpy(out + j + b * width, &sum[b], sizeof sum[b]);
    }
}

template <class Weight, class Row>
static SLX_INLINE void weigh_all(Index count, Weight&& weight, Row&& row, float* out, bool accumulate,
                                 Index n) noexcept {
    Index j = 0;
    weigh<lanes, 4>(count, weight, row, out, accumulate, j, n);
    weigh<lanes, 2>(count, weight, row, out, accumulate, j, n);
    weigh<lanes, 1>(count, weight, row, out, accumulate, j, n);
    if constexpr (lanes > 8) weigh<8, 1>(count, weight, row, out, accumulate, j, n);
    if constexpr (lanes > 4) weigh<4, 1>(count, weight, row, out, accumulate, j, n);
    for (; j < n; ++j) {
        float sum = accumulate ? out[j] : 0.0f;
        for (Index v = 0; v < count; ++v) sum = multiply_add(weight(v), row(v)[j], sum);
        out[j] = sum;
    }
}

void combine(const float* const* rows, const float* weights, Index count, float* out, Index n) noexcept {
    weigh_all(
        count, [&](Index v) { return weights[v]; }, [&](Index v) { return rows[v]; }, out, false, n);
}

void correlate(const float* taps, Index count, const float* in, float* out, Index n,
               bool accumulate) noexcept {
    weigh_all(
        count, [&](Index v) { return taps[v]; }, [&](Index v) { return in + v; }, out, accumulate, n);
}

// g and flow may be the same.
void absorb_along(const float* g, const float* __restrict own, float other, float* __restrict memory,
                  float* flow, Index n) noexcept {
    const float per_other = 1 / other;
#pragma GCC ivdep
    for (Index j = 0; j < n; ++j) {
        const float now = own[j] * per_other * g[j] + memory[j];
        memory[j] = own[j] * (own[j] * now - other * g[j]);
        flow[j] = now;
    }
}

void absorb_across(const float* g, float own, const float* __restrict other, float* __restrict memory,
                   float* flow, Index n) noexcept {
#pragma GCC ivdep
    for (Index j = 0; j < n; ++j) {
        const float now = own / other[j] * g[j] + memory[j];
        memory[j] = own * (own * now - other[j] * g[j]);
        flow[j] = now;
    }
}

void damped_leapfrog(float* __restrict p, float* __restrict d, const float* __restrict change,
                     const float* __restrict squared, const float* __restrict weight,
                     const float* __restrict x, float y, Index n) noexcept {
    const float y2 = y * y;
    for (Index j = 0; j < n; ++j) {
        const float x2 = x[j] * x[j], force = squared[j] * (weight != nullptr ? weight[j] : 1.0f) * change[j];
        d[j] = x2 * y2 * d[j] + (x[j] * y * force - (1 - x2) * (1 - y2) * p[j]);
        p[j] += d[j];
    }
}

}  // namespace

const KspaceKernels kernels{rows_to_lines, lines_to_rows, lines_to_halves, halves_to_lines, multiply_even,
                            derivatives,   divergence,    damped_step,     damped_step_by,  moving_density,
                            sum,           pressure,      leapfrog,        multiply,        add,
                            combine,       correlate,     absorb_along,    absorb_across,   damped_leapfrog};

}  // namespace sonolux::kspace::SLX_ISA_NAMESPACE
