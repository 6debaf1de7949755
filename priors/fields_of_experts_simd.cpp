// sonolux/priors/fields_of_experts_simd.cpp
//
// Compiled once per instruction set; see sonolux_add_simd_source. In this file a * b + c is one rounding
// wherever the instruction set has a fused multiply-add.
//
// Correlation keeps a block of R output rows x M vectors in registers. For each filter column dx its taps sit
// in registers too, and every input vector that is loaded serves up to `size` output rows: for 7 x 7 taps, R
// = 7 and M = 3 that is 147 multiply-adds for 46 loads, so that arithmetic is the limit and not the loads.
//
// Each output is a chain over dx, then dy: the same bits in whatever block, tile or vector lane it lands.
#include <cmath>
#include <cstring>

#include <sonolux/core/multiply_add.hpp>
#include <sonolux/priors/fields_of_experts_kernel.hpp>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace sonolux::foe::SLX_ISA_NAMESPACE {

namespace {

#if defined(__AVX512F__)
constexpr int lanes = 16, registers = 32;
#elif defined(__AVX__)
constexpr int lanes = 8, registers = 16;
#elif defined(__aarch64__)
constexpr int lanes = 4, registers = 32;
#else
constexpr int lanes = 4, registers = 16;
#endif

using Vector = float __attribute__((vector_size(lanes * sizeof(float))));
using Integers = int __attribute__((vector_size(lanes * sizeof(int))));

Vector load(const float* p) noexcept {
    Vector v;
    std::memcpy(&v, p, sizeof v);
    return v;
}

void store(float* p, Vector v) noexcept { std::memcpy(p, &v, sizeof v); }

Vector splat(float x) noexcept { return x - Vector{}; }

// The lanes below `count`, the others 0.
Vector keep(Vector v, Index count) noexcept {
    for (int i = 0; i < lanes; ++i) v[i] = i < count ? v[i] : 0.0f;
    return v;
}

template <int size, int R, int M>
inline void correlate_block(const float* in, Index in_stride, const float* filter, float* out,
                            Index out_stride, bool accumulate) noexcept {
    Vector sum[R][M];
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
        for (int m = 0; m < M; ++m)
            sum[r][m] = accumulate ? load(out + r * out_stride + m * lanes) : Vector{};
#pragma GCC unroll 1
    for (int dx = 0; dx < size; ++dx) {
        Vector tap[size];
#pragma GCC unroll 16
        for (int dy = 0; dy < size; ++dy) tap[dy] = splat(filter[dy * size + dx]);
#pragma GCC unroll 32
        for (int y = 0; y < R + size - 1; ++y) {
            Vector x[M];
#pragma GCC unroll 4
            for (int m = 0; m < M; ++m) x[m] = load(in + y * in_stride + dx + m * lanes);
#pragma GCC unroll 16
            for (int dy = 0; dy < size; ++dy) {
                if (y - dy < 0 || y - dy >= R) continue;
#pragma GCC unroll 4
                for (int m = 0; m < M; ++m) sum[y - dy][m] = multiply_add(tap[dy], x[m], sum[y - dy][m]);
            }
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
        for (int m = 0; m < M; ++m) store(out + r * out_stride + m * lanes, sum[r][m]);
}

template <int size, int R>
void correlate_rows(const float* in, Index in_stride, const float* filter, float* out, Index out_stride,
                    Index columns, bool accumulate) noexcept {
    constexpr int M = registers == 32 ? 3 : 2;
    Index c = 0;
    for (; c + (M - 1) * lanes < columns; c += M * lanes)
        correlate_block<size, R, M>(in + c, in_stride, filter, out + c, out_stride, accumulate);
    for (; c < columns; c += lanes)
        correlate_block<size, R, 1>(in + c, in_stride, filter, out + c, out_stride, accumulate);
}

// Rows per block: as many as leave registers for the taps of a filter column and the inputs.
template <int size>
constexpr int block_rows = registers == 32 ? (size <= 3   ? 8
                                              : size <= 7 ? 7
                                                          : 6)
                                           : 4;

template <int size>
void correlate_size(Plane in, const float* filter, Plane out, Index rows, Index columns,
                    bool accumulate) noexcept {
    constexpr int R = block_rows<size>;
    Index r = 0;
    for (; r + R <= rows; r += R)
        correlate_rows<size, R>(in.at(r, 0), in.stride, filter, out.at(r, 0), out.stride, columns,
                                accumulate);
    for (; r + 2 <= rows; r += 2)
        correlate_rows<size, 2>(in.at(r, 0), in.stride, filter, out.at(r, 0), out.stride, columns,
                                accumulate);
    for (; r < rows; ++r)
        correlate_rows<size, 1>(in.at(r, 0), in.stride, filter, out.at(r, 0), out.stride, columns,
                                accumulate);
}

void correlate(Plane in, const float* filter, int size, Plane out, Index rows, Index columns,
               bool accumulate) noexcept {
    switch (size) {
        case 3: return correlate_size<3>(in, filter, out, rows, columns, accumulate);
        case 5: return correlate_size<5>(in, filter, out, rows, columns, accumulate);
        case 7: return correlate_size<7>(in, filter, out, rows, columns, accumulate);
        case 9: return correlate_size<9>(in, filter, out, rows, columns, accumulate);
        case 11: return correlate_size<11>(in, filter, out, rows, columns, accumulate);
    }
}

// Where z falls in the table: segment and position t in [0, 1] on it. NaN stays NaN in t, on segment 0.
struct Place {
    Integers segment;
    Vector t;
};

Place locate(Vector z, const Table& table) noexcept {
    // One fused operation: as (z - lower) * inverse_step the product could be fused with the difference below
    // on one instruction set and not on another.
    Vector position = z * splat(table.inverse_step) + splat(-table.lower * table.inverse_step);
    const Vector last = splat(static_cast<float>(table.segments));
    position = position < 0.0f ? Vector{} : position;
    position = position > last ? last : position;
    Integers segment = __builtin_convertvector(position, Integers);
    segment = segment < 0 ? Integers{} : segment;  // what NaN converts to
    const Integers end = Integers{} + (table.segments - 1);
    segment = segment > end ? end : segment;
    return {segment, position - __builtin_convertvector(segment, Vector)};
}

#if defined(__AVX512F__)
// 64 entries live in four registers; two-register permutes read them without touching memory.
__m512 lookup64(const float* c, __m512i index) noexcept {
    const __m512 low = _mm512_permutex2var_ps(_mm512_loadu_ps(c), index, _mm512_loadu_ps(c + 16));
    const __m512 high = _mm512_permutex2var_ps(_mm512_loadu_ps(c + 32), index, _mm512_loadu_ps(c + 48));
    const __mmask16 upper = _mm512_test_epi32_mask(index, _mm512_set1_epi32(32));
    return _mm512_mask_blend_ps(upper, low, high);
}

Vector lookup(const float* c, int segments, Integers segment) noexcept {
    const __m512i index = reinterpret_cast<__m512i>(segment);
    if (segments == 64) return reinterpret_cast<Vector>(lookup64(c, index));
    if (segments == 128) {
        const __mmask16 upper = _mm512_test_epi32_mask(index, _mm512_set1_epi32(64));
        return reinterpret_cast<Vector>(
            _mm512_mask_blend_ps(upper, lookup64(c, index), lookup64(c + 64, index)));
    }
    return reinterpret_cast<Vector>(_mm512_mask_i32gather_ps(_mm512_setzero_ps(), 0xffff, index, c, 4));
}
#else
Vector lookup(const float* c, int, Integers segment) noexcept {
    Vector v;
    for (int i = 0; i < lanes; ++i) v[i] = c[segment[i]];
    return v;
}
#endif

void activate(Plane z, Index rows, Index columns, const Table& table) noexcept {
    const int n = table.segments;
    const float* c = table.coefficients;
    for (Index r = 0; r < rows; ++r) {
        float* row = z.at(r, 0);
        for (Index j = 0; j < round_up(columns); j += lanes) {
            const auto [segment, t] = locate(load(row + j), table);
            Vector phi = lookup(c + 3 * n, n, segment);
            phi = multiply_add(phi, t, lookup(c + 2 * n, n, segment));
            phi = multiply_add(phi, t, lookup(c + n, n, segment));
            phi = multiply_add(phi, t, lookup(c, n, segment));
            store(row + j, j + lanes <= columns ? phi : keep(phi, columns - j));
        }
    }
}

void activate_vjp(Plane z, Plane q, Index rows, Index columns, const Rectangle& own, const Table& table,
                  float* histogram) noexcept {
    using Four = float __attribute__((vector_size(16)));
    const int n = table.segments;
    const float* c = table.coefficients;
    const Vector inverse_step = splat(table.inverse_step), lower = splat(table.lower);
    const Vector upper = splat(table.lower + static_cast<float>(n) / table.inverse_step);
    for (Index r = 0; r < rows; ++r) {
        float* z_row = z.at(r, 0);
        float* q_row = q.at(r, 0);
        for (Index j = 0; j < round_up(columns); j += lanes) {
            const Vector value = load(z_row + j);
            Vector upstream = load(q_row + j);
            if (j + lanes > columns) upstream = keep(upstream, columns - j);
            const auto [segment, t] = locate(value, table);
            const Vector c0 = lookup(c, n, segment), c1 = lookup(c + n, n, segment);
            const Vector c2 = lookup(c + 2 * n, n, segment), c3 = lookup(c + 3 * n, n, segment);
            const Vector phi = multiply_add(multiply_add(multiply_add(c3, t, c2), t, c1), t, c0);
            Vector slope = multiply_add(multiply_add(3.0f * c3, t, 2.0f * c2), t, c1);
            slope = value < lower ? Vector{} : slope;
            slope = value > upper ? Vector{} : slope;
            store(z_row + j, j + lanes <= columns ? phi : keep(phi, columns - j));
            store(q_row + j, slope * inverse_step * upstream);
            if (r < own.row || r >= own.row_end || j >= own.column_end || j + lanes <= own.column) continue;
            if (j < own.column || j + lanes > own.column_end)
                for (int i = 0; i < lanes; ++i)
                    upstream[i] = j + i >= own.column && j + i < own.column_end ? upstream[i] : 0.0f;
            const Vector t2 = t * t;
            // Neighbours often fall into the same segment: four histograms keep their additions independent.
            alignas(64) float a0[lanes], a1[lanes], a2[lanes], a3[lanes];
            alignas(64) int at[lanes];
            store(a0, upstream);
            store(a1, upstream * t);
            store(a2, upstream * t2);
            store(a3, upstream * t2 * t);
            std::memcpy(at, &segment, sizeof segment);
#pragma GCC unroll 16
            for (int i = 0; i < lanes; ++i) {
                float* bin = histogram + (Index{i % 4} * n + at[i]) * 4;
                Four sum;
                std::memcpy(&sum, bin, sizeof sum);
                sum += Four{a0[i], a1[i], a2[i], a3[i]};
                std::memcpy(bin, &sum, sizeof sum);
            }
        }
    }
}

// Correlates a with b for `D` neighbouring filter columns from dx: their size x D sums stay in registers over
// the whole plane, with R rows of a.
template <int size, int D>
void filter_gradient_columns(Plane a, Plane b, Index rows, Index columns, int dx, double* gradient) noexcept {
    constexpr int free_registers = registers - 1 - size * D;
    constexpr int R = free_registers < 1 ? 1 : free_registers < size ? free_registers : size;
    Vector sum[D][size] = {};
    auto block = [&]<int height>(Index r, Index c) __attribute__((always_inline)) {
        Vector x[height];
#pragma GCC unroll 16
        for (int i = 0; i < height; ++i) x[i] = load(a.at(r + i, c));
#pragma GCC unroll 32
        for (int y = 0; y < height + size - 1; ++y) {
#pragma GCC unroll 8
            for (int d = 0; d < D; ++d) {
                const Vector v = load(b.at(r + y, c + dx + d));
#pragma GCC unroll 16
                for (int dy = 0; dy < size; ++dy)
                    if (y - dy >= 0 && y - dy < height) sum[d][dy] = multiply_add(x[y - dy], v, sum[d][dy]);
            }
        }
    };
    Index r = 0;
    for (; r + R <= rows; r += R)
        for (Index c = 0; c < columns; c += lanes) block.template operator()<R>(r, c);
    for (; r < rows; ++r)
        for (Index c = 0; c < columns; c += lanes) block.template operator()<1>(r, c);
    for (int d = 0; d < D; ++d)
        for (int dy = 0; dy < size; ++dy) {
            double total = 0;
            for (int i = 0; i < lanes; ++i) total += static_cast<double>(sum[d][dy][i]);
            gradient[dy * size + dx + d] += total;
        }
}

template <int size>
void filter_gradient_size(Plane a, Plane b, Index rows, Index columns, double* gradient) noexcept {
    // As many columns at once as leave room for at least three rows of a.
    constexpr int D = (registers - 4) / size < 1      ? 1
                      : (registers - 4) / size < size ? (registers - 4) / size
                                                      : size;
    constexpr int at_once = registers == 32 && size == 7 ? 3 : D;
    int dx = 0;
    for (; dx + at_once <= size; dx += at_once)
        filter_gradient_columns<size, at_once>(a, b, rows, columns, dx, gradient);
    for (; dx < size; ++dx) filter_gradient_columns<size, 1>(a, b, rows, columns, dx, gradient);
}

void filter_gradient(Plane a, Plane b, Index rows, Index columns, int size, double* gradient) noexcept {
    switch (size) {
        case 3: return filter_gradient_size<3>(a, b, rows, columns, gradient);
        case 5: return filter_gradient_size<5>(a, b, rows, columns, gradient);
        case 7: return filter_gradient_size<7>(a, b, rows, columns, gradient);
        case 9: return filter_gradient_size<9>(a, b, rows, columns, gradient);
        case 11: return filter_gradient_size<11>(a, b, rows, columns, gradient);
    }
}

}  // namespace

const KernelTable& table() noexcept {
    static constexpr KernelTable kernels{correlate, activate, activate_vjp, filter_gradient, lanes};
    return kernels;
}

}  // namespace sonolux::foe::SLX_ISA_NAMESPACE
