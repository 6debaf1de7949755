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
#include <algorithm>

#include <sonolux/priors/fields_of_experts_simd.hpp>

namespace sonolux::foe::SLX_ISA_NAMESPACE {

namespace {

// A row is cut into whole vectors and, if that holds what is left, half a vector: processors that run long
// vectors as two halves are done with it in half the time.
constexpr int half = lanes == 16 ? lanes / 2 : lanes;
using Half = float __attribute__((vector_size(half * sizeof(float))));

Index whole_vectors(Index columns) noexcept { return (columns + half - 1) / lanes; }

template <int size, int R, int M, class V>
inline void correlate_block(const float* in, Index in_stride, const float* filter, float* out,
                            Index out_stride, bool accumulate) noexcept {
    constexpr Index width = sizeof(V) / sizeof(float);
    V sum[R][M];
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
        for (int m = 0; m < M; ++m) sum[r][m] = accumulate ? load<V>(out + r * out_stride + m * width) : V{};
#pragma GCC unroll 1
    for (int dx = 0; dx < size; ++dx) {
        V tap[size];
#pragma GCC unroll 16
        for (int dy = 0; dy < size; ++dy) tap[dy] = splat<V>(filter[dy * size + dx]);
#pragma GCC unroll 32
        for (int y = 0; y < R + size - 1; ++y) {
            V x[M];
#pragma GCC unroll 4
            for (int m = 0; m < M; ++m) x[m] = load<V>(in + y * in_stride + dx + m * width);
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
        for (int m = 0; m < M; ++m) store(out + r * out_stride + m * width, sum[r][m]);
    if constexpr (width < lanes)  // columns up to the next whole vector are the caller's to read
        for (int r = 0; r < R; ++r) store(out + r * out_stride + width, V{});
}

template <int size, int R>
void correlate_rows(const float* in, Index in_stride, const float* filter, float* out, Index out_stride,
                    Index columns, bool accumulate) noexcept {
    constexpr int M = registers == 32 ? 3 : 2;
    Index c = 0;
    auto block = [&]<int m, class V>() {
        correlate_block<size, R, m, V>(in + c, in_stride, filter, out + c, out_stride, accumulate);
        c += m * static_cast<Index>(sizeof(V) / sizeof(float));
    };
    Index vectors = whole_vectors(columns);
    for (; vectors >= M; vectors -= M) block.template operator()<M, Vector>();
    if (M == 3 && vectors == 2) block.template operator()<2, Vector>();
    if (vectors == 1) block.template operator()<1, Vector>();
    if (c < columns) block.template operator()<1, Half>();
}

// Rows per block: as many as leave registers for the taps of a filter column and the inputs.
template <int size>
constexpr int block_rows = registers == 32 ? (size <= 3   ? 8
                                              : size <= 7 ? 7
                                                          : 6)
                                           : 4;

// Few rows keep too few sums in flight to be fast: the rows are divided into blocks of R and R - 1, which any
// number from (R - 1) (R - 2) on can be.
template <int size>
void correlate_size(Plane in, const float* filter, Plane out, Index rows, Index columns,
                    bool accumulate) noexcept {
    constexpr int R = block_rows<size>;
    const Index blocks = (rows + R - 1) / R;
    const Index shorter = std::min(blocks * R - rows, rows / (R - 1));
    Index r = 0;
    for (; r + R <= rows - shorter * (R - 1); r += R)
        correlate_rows<size, R>(in.at(r, 0), in.stride, filter, out.at(r, 0), out.stride, columns,
                                accumulate);
    for (; r + R - 1 <= rows; r += R - 1)
        correlate_rows<size, R - 1>(in.at(r, 0), in.stride, filter, out.at(r, 0), out.stride, columns,
                                    accumulate);
    for (; r < rows; ++r)
        correlate_rows<size, 1>(in.at(r, 0), in.stride, filter, out.at(r, 0), out.stride, columns,
                                accumulate);
}

void correlate(Plane in, const float* filter, int size, Plane out, Index rows, Index columns,
               bool accumulate) noexcept {
    switch (size) {
        case 3: return correlate_size<3>(in, filter, out, rows, columns, accumulate);
        case 4: return correlate_size<4>(in, filter, out, rows, columns, accumulate);
        case 5: return correlate_size<5>(in, filter, out, rows, columns, accumulate);
        case 6: return correlate_size<6>(in, filter, out, rows, columns, accumulate);
        case 7: return correlate_size<7>(in, filter, out, rows, columns, accumulate);
        case 8: return correlate_size<8>(in, filter, out, rows, columns, accumulate);
        case 9: return correlate_size<9>(in, filter, out, rows, columns, accumulate);
        case 10: return correlate_size<10>(in, filter, out, rows, columns, accumulate);
        case 11: return correlate_size<11>(in, filter, out, rows, columns, accumulate);
    }
}

// Correlates a with b for `D` neighbouring filter columns from dx: their size x D sums stay in registers over
// the whole plane, with R rows of a.
template <int size, int D, class V>
void filter_gradient_columns(Plane a, Plane b, Index rows, Index columns, int dx, double* gradient) noexcept {
    constexpr int width = sizeof(V) / sizeof(float);
    constexpr int free_registers = registers - 1 - size * D;
    constexpr int R = free_registers < 1 ? 1 : free_registers < size ? free_registers : size;
    V sum[D][size] = {};
    auto block = [&]<int height>(Index r, Index c) __attribute__((always_inline)) {
        V x[height];
#pragma GCC unroll 16
        for (int i = 0; i < height; ++i) x[i] = load<V>(a.at(r + i, c));
#pragma GCC unroll 32
        for (int y = 0; y < height + size - 1; ++y) {
#pragma GCC unroll 8
            for (int d = 0; d < D; ++d) {
                const V v = load<V>(b.at(r + y, c + dx + d));
#pragma GCC unroll 16
                for (int dy = 0; dy < size; ++dy)
                    if (y - dy >= 0 && y - dy < height) sum[d][dy] = multiply_add(x[y - dy], v, sum[d][dy]);
            }
        }
    };
    Index r = 0;
    for (; r + R <= rows; r += R)
        for (Index c = 0; c < columns; c += width) block.template operator()<R>(r, c);
    for (; r < rows; ++r)
        for (Index c = 0; c < columns; c += width) block.template operator()<1>(r, c);
    for (int d = 0; d < D; ++d)
        for (int dy = 0; dy < size; ++dy) {
            double total = 0;
            for (int i = 0; i < width; ++i) total += static_cast<double>(sum[d][dy][i]);
            gradient[dy * size + dx + d] += total;
        }
}

template <int size, class V>
void filter_gradient_vectors(Plane a, Plane b, Index rows, Index columns, double* gradient) noexcept {
    // As many columns at once as leave room for at least three rows of a.
    constexpr int D = (registers - 4) / size < 1      ? 1
                      : (registers - 4) / size < size ? (registers - 4) / size
                                                      : size;
    constexpr int at_once = registers == 32 && size == 7 ? 3 : D;
    int dx = 0;
    for (; dx + at_once <= size; dx += at_once)
        filter_gradient_columns<size, at_once, V>(a, b, rows, columns, dx, gradient);
    for (; dx < size; ++dx) filter_gradient_columns<size, 1, V>(a, b, rows, columns, dx, gradient);
}

template <int size>
void filter_gradient_size(Plane a, Plane b, Index rows, Index columns, double* gradient) noexcept {
    const Index whole = whole_vectors(columns) * lanes;
    if (whole > 0) filter_gradient_vectors<size, Vector>(a, b, rows, whole, gradient);
    if (whole < columns)
        filter_gradient_vectors<size, Half>({a.at(0, whole), a.stride}, {b.at(0, whole), b.stride}, rows,
                                            columns - whole, gradient);
}

void filter_gradient(Plane a, Plane b, Index rows, Index columns, int size, double* gradient) noexcept {
    switch (size) {
        case 3: return filter_gradient_size<3>(a, b, rows, columns, gradient);
        case 4: return filter_gradient_size<4>(a, b, rows, columns, gradient);
        case 5: return filter_gradient_size<5>(a, b, rows, columns, gradient);
        case 6: return filter_gradient_size<6>(a, b, rows, columns, gradient);
        case 7: return filter_gradient_size<7>(a, b, rows, columns, gradient);
        case 8: return filter_gradient_size<8>(a, b, rows, columns, gradient);
        case 9: return filter_gradient_size<9>(a, b, rows, columns, gradient);
        case 10: return filter_gradient_size<10>(a, b, rows, columns, gradient);
        case 11: return filter_gradient_size<11>(a, b, rows, columns, gradient);
    }
}

}  // namespace

const KernelTable& table() noexcept {
    static constexpr KernelTable kernels{correlate, activate,        activate_vjp, filter_gradient,
                                         weigh,     weight_gradient, lanes};
    return kernels;
}

}  // namespace sonolux::foe::SLX_ISA_NAMESPACE
