// sonolux/core/operators/path_integral_simd.cpp
//
// Compiled once per instruction set; see sonolux_add_simd_source. Vectors are 8 wide on all of them, so that
// sums over sources have one order.
#include <algorithm>
#include <cstring>

#include <sonolux/core/multiply_add.hpp>
#include <sonolux/core/operators/path_integral_kernel.hpp>

namespace sonolux::path_integral_kernel::SLX_ISA_NAMESPACE {

namespace {

using Vector = float __attribute__((vector_size(lanes * sizeof(float))));

// By reference: not every instruction set passes such vectors in registers.
SLX_INLINE void load(Vector& v, const float* from) { std::memcpy(&v, from, sizeof v); }
SLX_INLINE void store(float* to, const Vector& v) { std::memcpy(to, &v, sizeof v); }

/// c + a * b
SLX_INLINE void add_product(Vector& sum, const Vector& a, float b, const Vector& c) {
#if defined(__FMA__)
    sum = multiply_add(a, b - Vector{}, c);
#else
    sum = a * b + c;
#endif
}

/// v[i][j] <-> v[j][i]
SLX_INLINE void transpose(Vector (&v)[lanes]) {
    Vector t[lanes], u[lanes];
    for (int i = 0; i < lanes; i += 2) {
        t[i] = __builtin_shufflevector(v[i], v[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        t[i + 1] = __builtin_shufflevector(v[i], v[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
    for (int i = 0; i < lanes; i += 4)
        for (int k = 0; k < 2; ++k) {
            u[i + 2 * k] = __builtin_shufflevector(t[i + k], t[i + k + 2], 0, 1, 8, 9, 4, 5, 12, 13);
            u[i + 2 * k + 1] = __builtin_shufflevector(t[i + k], t[i + k + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    for (int i = 0; i < 4; ++i) {
        v[i] = __builtin_shufflevector(u[i], u[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        v[i + 4] = __builtin_shufflevector(u[i], u[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

void fan(const FanBlock& block, PaddedMap<const float> map) noexcept {
    std::fill_n(block.sums, (block.ray_count + 1) * lanes, 0.0f);
    std::fill_n(block.ends, (block.ray_count + 1) * lanes, 0.0f);
    for (Index i = block.first_row; i < block.row_count; ++i) {
        const FanRow& row = block.rows[i];
        const float* slowness = map.row(i) + row.cell_begin;
        for (Index q = 0; q <= row.cell_count; q += lanes) {
            Vector v[lanes];
            for (Index lane = 0; lane < lanes; ++lane) load(v[lane], slowness + block.shifts[lane] + q);
            transpose(v);
            for (Index n = 0; n < lanes; ++n) store(block.cells + (q + n) * lanes, v[n]);
        }
        Index k = row.ray_begin;
        for (Index q = 0; q < row.cell_count; ++q) {
            Vector here, step;
            load(here, block.cells + q * lanes);
            load(step, block.cells + (q + 1) * lanes);
            step -= here;
            for (const Index end = row.cell_ray_end[q]; k < end; ++k) {
                Vector sample, sum, ray_end;
                add_product(sample, step, row.fraction[k], here);
                load(sum, block.sums + k * lanes);
                add_product(ray_end, sample, row.part, sum);
                add_product(sum, sample, row.full, sum);
                store(block.ends + k * lanes, ray_end);
                store(block.sums + k * lanes, sum);
            }
        }
        for (Index o = 0; o < row.offset_count; o += lanes) {
            Vector v[lanes];
            for (Index n = 0; n < lanes; ++n) {
                const float* at = block.ends + row.output_ray[o + n] * lanes;
                Vector left, step;
                load(left, at);
                load(step, at + lanes);
                step -= left;
                add_product(v[n], step, row.output_fraction[o + n], left);
                v[n] *= row.output_length[o + n];
            }
            transpose(v);
            for (Index lane = 0; lane < block.used; ++lane) {
                const Index column = row.offset_begin + o + block.shifts[lane];
                if (column > -lanes && column < block.columns)
                    store(block.times[lane].row(i) + column, v[lane]);
            }
        }
    }
}

void fan_adjoint(const FanBlock& block, PaddedMap<float> map) noexcept {
    std::fill_n(block.sums, (block.ray_count + 1) * lanes, 0.0f);
    for (Index i = block.row_count - 1; i >= block.first_row; --i) {
        const FanRow& row = block.rows[i];
        std::fill_n(block.ends + row.ray_begin * lanes, (row.ray_end + 1 - row.ray_begin) * lanes, 0.0f);
        // r_o increases strictly, so what an output adds to ray r + 1 meets nothing but the next output's
        // share of it.
        Index waiting = -1;
        Vector share{};
        for (Index o = 0; o < row.offset_count; o += lanes) {
            Vector v[lanes] = {};
            for (Index lane = 0; lane < block.used; ++lane) {
                const Index column = row.offset_begin + o + block.shifts[lane];
                if (column > -lanes && column < block.columns)
                    load(v[lane], block.times[lane].row(i) + column);
            }
            transpose(v);
            for (Index n = 0; n < std::min(lanes, row.offset_count - o); ++n) {
                const Index ray = row.output_ray[o + n];
                Vector whole = v[n] * row.output_length[o + n];
                const Vector right = whole * row.output_fraction[o + n];
                whole -= right;
                if (ray == waiting)
                    whole += share;
                else if (waiting >= 0)
                    store(block.ends + waiting * lanes, share);
                store(block.ends + ray * lanes, whole);
                share = right;
                waiting = ray + 1;
            }
        }
        if (waiting >= 0) store(block.ends + waiting * lanes, share);

        Index k = row.ray_begin;
        Vector over{};
        for (Index q = 0; q < row.cell_count; ++q) {
            Vector here = over;
            over = Vector{};
            for (const Index end = row.cell_ray_end[q]; k < end; ++k) {
                Vector sum, ray_end, sample;
                load(sum, block.sums + k * lanes);
                load(ray_end, block.ends + k * lanes);
                sample = ray_end * row.part;
                add_product(sample, sum, row.full, sample);
                sum += ray_end;
                store(block.sums + k * lanes, sum);
                const Vector right = sample * row.fraction[k];
                over += right;
                here += sample - right;
            }
            store(block.cells + q * lanes, here);
        }
        store(block.cells + row.cell_count * lanes, over);
        for (Index q = row.cell_count + 1; q % lanes != 0; ++q) store(block.cells + q * lanes, Vector{});

        // One source after the other: their places overlap, and what has just been stored is slow to load
        // again in other pieces.
        for (Index q = 0; q <= row.cell_count; q += lanes) {
            Vector v[lanes];
            for (Index n = 0; n < lanes; ++n) load(v[n], block.cells + (q + n) * lanes);
            transpose(v);
            for (Index lane = 0; lane < lanes; ++lane) store(block.cells + (q + lane) * lanes, v[lane]);
        }
        for (Index lane = 0; lane < block.used; ++lane) {
            float* slowness = map.row(i) + row.cell_begin + block.shifts[lane];
            for (Index q = 0; q <= row.cell_count; q += lanes) {
                Vector before, more;
                load(before, slowness + q);
                load(more, block.cells + (q + lane) * lanes);
                store(slowness + q, before + more);
            }
        }
    }
}

void plane(const PlaneBlock& block, PaddedMap<const float> map) noexcept {
    const Index rays = block.columns + 2;
    std::fill_n(block.sums, rays, 0.0f);
    for (Index i = block.first_row; i < block.row_count; ++i) {
        const PlaneRow& row = block.rows[i];
        const float* slowness = map.row(i) + row.cell - 1;
        float* __restrict sums = block.sums;
        float* __restrict ends = block.ends;
        for (Index k = 0; k < rays; ++k) {
            const float sample = row.low * slowness[k] + row.high * slowness[k + 1];
            ends[k] = sums[k] + row.part * sample;
            sums[k] += row.full * sample;
        }
        float* __restrict times = block.times.row(i);
        const float low = block.length * row.low, high = block.length * row.high;
        const float* at = block.ends + 1 - row.cell;  // ray j - cell is at its place j
        for (Index j = row.begin; j < row.end; ++j) times[j] = high * at[j - 1] + low * at[j];
    }
}

void plane_adjoint(const PlaneBlock& block, PaddedMap<float> map) noexcept {
    const Index rays = block.columns + 2;
    std::fill_n(block.sums, rays, 0.0f);
    for (Index i = block.row_count - 1; i >= block.first_row; --i) {
        const PlaneRow& row = block.rows[i];
        std::fill_n(block.ends, rays, 0.0f);
        const float* __restrict times = block.times.row(i);
        const float low = block.length * row.low, high = block.length * row.high;
        float* __restrict at = block.ends + 1 - row.cell;
        for (Index j = row.begin; j < row.end; ++j) at[j] += low * times[j];
        for (Index j = row.begin; j < row.end; ++j) at[j - 1] += high * times[j];

        float* __restrict sums = block.sums;
        float* __restrict samples = block.samples;
        const float* __restrict ends = block.ends;
        for (Index k = 0; k < rays; ++k) {
            samples[k] = row.full * sums[k] + row.part * ends[k];
            sums[k] += ends[k];
        }
        float* __restrict slowness = map.row(i) + row.cell - 1;
        for (Index k = 0; k < rays; ++k) slowness[k] += row.low * samples[k];
        for (Index k = 0; k < rays; ++k) slowness[k + 1] += row.high * samples[k];
    }
}

}  // namespace

Kernels kernels() noexcept { return {fan, fan_adjoint, plane, plane_adjoint}; }

}  // namespace sonolux::path_integral_kernel::SLX_ISA_NAMESPACE
