// sonolux/priors/convolutional_network_simd.cpp
//
// Compiled once per instruction set; see sonolux_add_simd_source. Every product and sum is a multiply_add
// where it matters to the bits.
//
// Convolution keeps the sums of P neighbouring pixels x V vectors of output channels in registers. For each
// input channel of each tap it loads V vectors of weights and broadcasts P pixels, for P V multiply-adds:
// with 32 registers P = 14 and V = 2, that is 28 for 16 loads, so that arithmetic is the limit. The weights
// of 32 -> 32 channels are 36 KB and pass through the first-level cache once for every P pixels.
//
// Each result is one chain whose order does not depend on where it lies in a row: the same bits in whatever
// tile, and for AVX2 and AVX-512.
#include <algorithm>
#include <cstring>
#include <numbers>
#include <utility>

#include <sonolux/core/multiply_add.hpp>
#include <sonolux/priors/convolutional_network_kernel.hpp>

namespace sonolux::cnn::SLX_ISA_NAMESPACE {

namespace {

#if defined(__AVX512F__)
constexpr int lanes = 16, most_vectors = 2, most_pixels = 14, outer_inputs = 8;
#elif defined(__AVX__)
constexpr int lanes = 8, most_vectors = 2, most_pixels = 6, outer_inputs = 4;
#elif defined(__aarch64__)
constexpr int lanes = 4, most_vectors = 4, most_pixels = 6, outer_inputs = 4;
#else
constexpr int lanes = 4, most_vectors = 2, most_pixels = 6, outer_inputs = 4;
#endif

using Vector = float __attribute__((vector_size(lanes * sizeof(float))));
using Integers = int __attribute__((vector_size(lanes * sizeof(int))));

inline Vector load(const float* p) noexcept {
    Vector v;
    std::memcpy(&v, p, sizeof v);
    return v;
}

inline void store(float* p, Vector v) noexcept { std::memcpy(p, &v, sizeof v); }

inline Vector splat(float x) noexcept { return x - Vector{}; }

// Where channel `o` of a pixel lies in a row, or in packed weights.
inline Index place(Index o, Index block_stride) noexcept { return o / block * block_stride + o % block; }

// Calls body.operator()<n>(first) for neighbouring pieces that cover [0, columns), as equal as they can be
// and of at most `most` columns each.
template <int most, class Body>
inline void in_pieces(Index columns, Body body) noexcept {
    const Index pieces = (columns + most - 1) / most;
    Index first = 0;
    for (Index i = 0; i < pieces; ++i) {
        const Index end = (i + 1) * columns / pieces;
        [&]<int... n>(std::integer_sequence<int, n...>) __attribute__((always_inline)) {
            ((end - first == n + 1 ? body.template operator()<n + 1>(first) : void()), ...);
        }
        (std::make_integer_sequence<int, most>{});
        first = end;
    }
}

// The sums of P pixels from `column` on, for V vectors of outputs from channel `o` on.
template <int P, int V>
void convolve_pixels(const InputRows& in, const float* weights, Index weight_stride, const float* bias,
                     int size, const OutputRow& out, Index o, Index column) noexcept {
    Vector sum[P][V];
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) sum[p][v] = load(bias + o + v * lanes);
    // Vectors of one block of outputs are neighbours; where they are of two, so are their weights `stride`
    // apart.
    const float* w = weights + place(o, weight_stride);
    const Index stride = lanes == block ? weight_stride : lanes;
    for (Index i = 0; i < in.channels; i += block) {
        const Index channels = std::min(block, in.channels - i);
        for (int u = 0; u < size; ++u) {
            const float* x = in.row[u] + i / block * in.block_stride + column * block;
            for (int tap = 0; tap < size; ++tap, x += block)
#pragma GCC unroll 1
                for (Index c = 0; c < channels; ++c, w += block) {
                    Vector weight[V];
#pragma GCC unroll 4
                    for (int v = 0; v < V; ++v) weight[v] = load(w + v * stride);
#pragma GCC unroll 16
                    for (int p = 0; p < P; ++p) {
                        const Vector pixel = splat(x[p * block + c]);
#pragma GCC unroll 4
                        for (int v = 0; v < V; ++v) sum[p][v] = multiply_add(pixel, weight[v], sum[p][v]);
                    }
                }
        }
    }
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v)
            store(out.data + place(o + v * lanes, out.block_stride) + (column + p) * block, sum[p][v]);
}

void convolve(const InputRows& in, const float* weights, const float* bias, int size, const OutputRow& out,
              Index columns) noexcept {
    const Index weight_stride = in.channels * size * size * block;
    const Index width = blocks_of(out.channels) * block;
    Index o = 0;
    for (; o + most_vectors * lanes <= width; o += most_vectors * lanes)
        in_pieces<most_pixels>(
            columns, [&]<int P>(Index column) __attribute__((always_inline)) {
                convolve_pixels<P, most_vectors>(in, weights, weight_stride, bias, size, out, o, column);
            });
    for (; o < width; o += lanes)  // the last block of an odd number, where vectors are whole blocks
        in_pieces<most_pixels>(
            columns, [&]<int P>(Index column) __attribute__((always_inline)) {
                convolve_pixels<P, 1>(in, weights, weight_stride, bias, size, out, o, column);
            });
}

// The sum of a block, in pairs: channels 8 apart, then 4, 2 and 1.
inline float sum_of_block(const Vector* v) noexcept {
    float x[block];
    std::memcpy(x, v, sizeof x);
    for (Index half = block / 2; half > 0; half /= 2)
        for (Index i = 0; i < half; ++i) x[i] += x[i + half];
    return x[0];
}

template <int P>
void convolve_pixels_to_one(const InputRows& in, const float* w, float bias, int size, float* out,
                            Index column) noexcept {
    constexpr int V = block / lanes;
    Vector sum[P][V] = {};
    const Index blocks = blocks_of(in.channels);
    for (int u = 0; u < size; ++u)
        for (int tap = 0; tap < size; ++tap)
#pragma GCC unroll 1
            for (Index b = 0; b < blocks; ++b, w += block) {
                const float* x = in.row[u] + b * in.block_stride + (column + tap) * block;
                Vector weight[V];
#pragma GCC unroll 4
                for (int v = 0; v < V; ++v) weight[v] = load(w + v * lanes);
#pragma GCC unroll 16
                for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
                    for (int v = 0; v < V; ++v)
                        sum[p][v] = multiply_add(load(x + p * block + v * lanes), weight[v], sum[p][v]);
            }
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p) out[column + p] = sum_of_block(sum[p]) + bias;
}

void convolve_to_one(const InputRows& in, const float* weights, float bias, int size, float* out,
                     Index columns) noexcept {
    constexpr int most = most_pixels * most_vectors * lanes / block;
    constexpr int pixels = most > 14 ? 14 : most;
    in_pieces<pixels>(
        columns, [&]<int P>(Index column) __attribute__((always_inline)) {
            convolve_pixels_to_one<P>(in, weights, bias, size, out, column);
        });
}

// exp(z) - 1 for z <= 0, within 1.2 units in the last place (1.0 with fused operations); NaN stays NaN.
//
//     z = n log 2 + r,  |r| <= log(2) / 2      exp(z) - 1 = 2^n (exp(r) - 1) + (2^n - 1)
//
// 2^n - 1 is exact down to n = -24, and nothing cancels: the two terms differ in size or agree in sign where
// n < 0, and the second one is 0 where n = 0. exp(r) - 1 = r + r^2 q(r), q a polynomial of degree 4 by
// minimax fit, with a relative error of 1.6e-8.
inline Vector exp_minus_one(Vector z) noexcept {
    const Vector lowest = splat(-30.0f);  // exp(-30) - 1 is -1 in float
    z = z < lowest ? lowest : z;
    const Vector magic = splat(12582912.0f);  // 1.5 2^23: what is added to it is rounded to an integer
    const Vector shifted = multiply_add(z, splat(std::numbers::log2e_v<float>), magic);
    const Vector n = shifted - magic;
    // log 2 in two pieces, the first of 15 bits: n times it is exact.
    constexpr float high = 22713.0f / 32768.0f;
    constexpr auto low = static_cast<float>(std::numbers::ln2 - double{high});
    Vector r = multiply_add(n, splat(-high), z);
    r = multiply_add(n, splat(-low), r);
    Vector q = splat(0x1.6d9932p-10f);
    q = multiply_add(q, r, splat(0x1.12281cp-7f));
    q = multiply_add(q, r, splat(0x1.555486p-5f));
    q = multiply_add(q, r, splat(0x1.5554b0p-3f));
    q = multiply_add(q, r, splat(0.5f));
    const Vector part = multiply_add(r * r, q, r);
    Integers bits;
    std::memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 127) << 23;  // the integer stands in the last bits of `shifted`
    Vector power;
    std::memcpy(&power, &bits, sizeof power);
    return multiply_add(power, part, power - 1.0f);
}

// Applies f to the vectors of a row; the channels past the last one become 0.
template <class F>
inline void for_each_vector(const OutputRow& row, Index columns, F f) noexcept {
    for (Index o = 0; o < row.channels; o += block) {
        float* pixels = row.data + o / block * row.block_stride;
        if (row.channels - o >= block) {
            for (Index k = 0; k < columns * block; k += lanes) store(pixels + k, f(load(pixels + k), o, k));
            continue;
        }
        Integers keep[block / lanes];
        for (Index v = 0; v < block / lanes; ++v)
            for (Index lane = 0; lane < lanes; ++lane)
                keep[v][lane] = o + v * lanes + lane < row.channels ? -1 : 0;
        for (Index k = 0; k < columns * block; k += lanes) {
            const Vector value = f(load(pixels + k), o, k);
            store(pixels + k, keep[k % block / lanes] ? value : Vector{});
        }
    }
}

void elu(const OutputRow& row, Index columns) noexcept {
    for_each_vector(
        row, columns, [](Vector z, Index, Index) __attribute__((always_inline)) {
            return z > 0.0f ? z : exp_minus_one(z);
        });
}

void relu(const OutputRow& row, Index columns) noexcept {
    for_each_vector(
        row, columns,
        [](Vector z, Index, Index) __attribute__((always_inline)) { return z < 0.0f ? Vector{} : z; });
}

// a'(z) = exp(z) = a(z) + 1 where z <= 0.
void elu_slope(const OutputRow& row, const float* h, Index h_block_stride, Index columns) noexcept {
    for_each_vector(
        row, columns, [=](Vector v, Index o, Index k) __attribute__((always_inline)) {
            const Vector a = load(h + o / block * h_block_stride + k);
            return v * (a > 0.0f ? splat(1.0f) : a + 1.0f);
        });
}

void relu_slope(const OutputRow& row, const float* h, Index h_block_stride, Index columns) noexcept {
    for_each_vector(
        row, columns, [=](Vector v, Index o, Index k) __attribute__((always_inline)) {
            const Vector a = load(h + o / block * h_block_stride + k);
            return v * (a > 0.0f ? splat(1.0f) : a * 0.0f);  // NaN where a is
        });
}

// I channels of a by V vectors of b.
template <int I, int V>
void add_products_of(const float* a, const float* b, Index b_block_stride, Index o, Index columns,
                     double* sum, Index sum_stride) noexcept {
    Vector total[I][V] = {};
    const float* first = b + place(o, b_block_stride);
    const Index stride = lanes == block ? b_block_stride : lanes;
#pragma GCC unroll 1
    for (Index c = 0; c < columns; ++c, a += block, first += block) {
        Vector right[V];
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) right[v] = load(first + v * stride);
#pragma GCC unroll 16
        for (int i = 0; i < I; ++i) {
            const Vector left = splat(a[i]);
#pragma GCC unroll 4
            for (int v = 0; v < V; ++v) total[i][v] = multiply_add(left, right[v], total[i][v]);
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < I; ++i)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v)
            for (int lane = 0; lane < lanes; ++lane)
                sum[i * sum_stride + o + v * lanes + lane] += static_cast<double>(total[i][v][lane]);
}

template <int I>
void add_products_of_inputs(const float* a, const float* b, Index b_block_stride, Index b_channels,
                            Index columns, double* sum) noexcept {
    const Index width = blocks_of(b_channels) * block;
    Index o = 0;
    for (; o + most_vectors * lanes <= width; o += most_vectors * lanes)
        add_products_of<I, most_vectors>(a, b, b_block_stride, o, columns, sum, width);
    for (; o < width; o += lanes) add_products_of<I, 1>(a, b, b_block_stride, o, columns, sum, width);
}

void add_products(const float* a, Index a_channels, const float* b, Index b_block_stride, Index b_channels,
                  Index columns, double* sum) noexcept {
    const Index width = blocks_of(b_channels) * block;
    Index i = 0;
    for (; i + outer_inputs <= a_channels; i += outer_inputs)
        add_products_of_inputs<outer_inputs>(a + i, b, b_block_stride, b_channels, columns, sum + i * width);
    for (; i < a_channels; ++i)
        add_products_of_inputs<1>(a + i, b, b_block_stride, b_channels, columns, sum + i * width);
}

}  // namespace

const KernelTable& table() noexcept {
    static constexpr KernelTable kernels{convolve,  convolve_to_one, elu,         relu,
                                         elu_slope, relu_slope,      add_products};
    return kernels;
}

}  // namespace sonolux::cnn::SLX_ISA_NAMESPACE
