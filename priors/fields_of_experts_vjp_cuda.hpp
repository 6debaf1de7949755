// sonolux/priors/fields_of_experts_vjp_cuda.hpp
//
// The way back through the gradient of fields of experts on a device; the formulas are those of
// fields_of_experts_vjp.cpp.
//
// A block takes a tile of 32 x 64 responses of one image, with the image and the upstream around it in shared
// memory, and goes through the filters: z = K x and u = K v, phi(z) and q = phi'(z) u; barrier; K^T q added
// to sums in registers, and the products that make the filter's gradient, row of taps by row of taps;
// barrier; the sums over the block's threads. Each thread has a histogram of its own over the table's
// segments, whose columns are then added in order: no two threads ever write to one place, and every sum has
// one order. Blocks leave their sums side by side for ExpertsReduce.
//
// Outputs lie on the image extended as far as x was, to be folded back; responses under a tile's outputs are
// those that count in its sums, so that each counts once.
#pragma once

#include <sonolux/priors/fields_of_experts_cuda.hpp>

namespace sonolux::cuda {

template <int size, int channels>
struct ExpertsVjp {
    static constexpr int down = 8;
    using Tile = ExpertsTile<size, down>;
    using Block = typename Tile::Block;
    static constexpr int span = Tile::span, radius = Tile::radius, across = Tile::across;
    static constexpr int output_rows = Tile::rows - span, output_columns = Tile::columns - span;
    static constexpr int segments = 64;  // at most
    static constexpr int filter_taps = channels * size * size, row_stride = Tile::threads + 1;

    const float* images;    ///< [images, channels, rows, columns]
    const float* upstream;  ///< likewise
    float* adjoint;         ///< [images, channels, rows + 2 pad, columns + 2 pad]
    float* filter_sums;     ///< [blocks, filters, taps]
    Float4* table_sums;     ///< [blocks, filters, prior.segments]: of u (1, t, t^2, t^3)
    ExpertsParameters prior;
    const StepNumbers* numbers;  ///< for image_scale
    int rows, columns;
    int first_response, output_pad;
    BoundaryRule boundary, upstream_boundary;

    struct Shared {
        alignas(16) float image[channels][Tile::plane_floats];
        alignas(16) float upstream[channels][Tile::plane_floats];
        alignas(16) float q[Tile::plane_floats];
        alignas(16) float taps[channels * size * Tile::tap_stride];
        alignas(16) float flipped[channels * size * Tile::tap_stride];
        float products[filter_taps * row_stride];
        Float4 histogram[segments][Tile::threads];
    };
    struct Registers {
        Block sum[channels];
        Block phi, q;  // of the responses that count
    };

    [[nodiscard]] SLX_KERNEL int steps() const { return 2 + 2 * prior.count; }

    SLX_KERNEL void run(int step, const Thread& thread, Shared& shared, Registers& own) const {
        const int filter = (step - 1) / 2;
        if (step == 0) {
            begin(thread, shared, own);
        } else if (step % 2 == 1) {
            if (filter > 0) add_products(filter - 1, thread, shared);
            if (filter < prior.count)
                respond(filter, thread, shared, own);
            else
                store(thread, own);
        } else {
            go_back(filter, thread, shared, own);
        }
    }

private:
    [[nodiscard]] SLX_KERNEL int first_row(const Thread& thread) const {
        return static_cast<int>(thread.block_index.y) * output_rows - output_pad;
    }
    [[nodiscard]] SLX_KERNEL int first_column(const Thread& thread) const {
        return static_cast<int>(thread.block_index.x) * output_columns - output_pad;
    }
    [[nodiscard]] static SLX_KERNEL std::int64_t block(const Thread& thread) {
        return (std::int64_t{thread.block_index.z} * thread.grid.y + thread.block_index.y) * thread.grid.x +
               thread.block_index.x;
    }

    SLX_KERNEL void begin(const Thread& thread, Shared& shared, Registers& own) const {
        const int rank = static_cast<int>(thread.rank());
        for (int c = 0; c < channels; ++c) {
            const std::int64_t plane = (std::int64_t{thread.block_index.z} * channels + c) * rows * columns;
            Tile::load(images + plane, numbers->image_scale, rows, columns, boundary,
                       first_row(thread) - span, first_column(thread) - span, rank, shared.image[c]);
            Tile::load(upstream + plane, 1, rows, columns, upstream_boundary, first_row(thread) - span,
                       first_column(thread) - span, rank, shared.upstream[c]);
        }
        Tile::template load_taps<channels>(prior.filters, 0, rank, shared.taps);
        SLX_UNROLL
        for (int c = 0; c < channels; ++c) SLX_UNROLL
        for (int r = 0; r < Tile::thread_rows; ++r) SLX_UNROLL
        for (int j = 0; j < Tile::thread_columns; ++j) own.sum[c][r][j] = 0;
    }

    /// z, u, phi(z), q = phi'(z) u and the thread's own histogram.
    SLX_KERNEL void respond(int filter, const Thread& thread, Shared& shared, Registers& own) const {
        const int x = static_cast<int>(thread.index.x), y = static_cast<int>(thread.index.y);
        const int rank = static_cast<int>(thread.rank());
        Tile::template load_taps<channels>(prior.flipped, filter, rank, shared.flipped);
        Block z = {}, u = {};
        const int at = Tile::thread_rows * y * Tile::plane_stride;
        for (int c = 0; c < channels; ++c) {
            Tile::correlate(shared.image[c] + at, x, shared.taps + c * size * Tile::tap_stride, z);
            Tile::correlate(shared.upstream[c] + at, x, shared.taps + c * size * Tile::tap_stride, u);
        }
        for (int k = 0; k < prior.segments; ++k) shared.histogram[k][rank] = {0, 0, 0, 0};
        // 0 is where there are no responses: neither phi, nor q, nor a histogram has anything from there.
        Block there, counts;
        SLX_UNROLL
        for (int r = 0; r < Tile::thread_rows; ++r) SLX_UNROLL
        for (int j = 0; j < Tile::thread_columns; ++j) {
            const int row = Tile::thread_rows * y + r - radius,
                      column = Tile::thread_columns * x + j - radius;
            there[r][j] = 1;
            counts[r][j] =
                row >= 0 && row < output_rows && column >= 0 && column < output_columns ? 1.0f : 0.0f;
        }
        Tile::keep_responses(first_row(thread) - radius + Tile::thread_rows * y,
                             first_column(thread) - radius + Tile::thread_columns * x, first_response, rows,
                             columns, there);
        const Float4* table = prior.tables + filter * (prior.segments + 2);
        const float last = static_cast<float>(prior.segments + 1);
        SLX_UNROLL
        for (int r = 0; r < Tile::thread_rows; ++r) SLX_UNROLL
        for (int j = 0; j < Tile::thread_columns; ++j) {
            const float position = multiply_add(z[r][j], prior.place_scale, prior.place_offset);
            const bool inside = position >= 1 && position <= last;
            const TablePlace place = place_in_table(inside ? position : position > last ? last : 1.0f, last);
            const bool at_end = place.segment > prior.segments;
            const int segment = at_end ? prior.segments : place.segment;
            const float t = at_end ? 1.0f : place.t;
            const Float4 c = table[segment];
            const float slope = multiply_add(multiply_add(3 * c.w, t, 2 * c.z), t, c.y) * prior.place_scale;
            const float mine = there[r][j] * counts[r][j];
            own.phi[r][j] = mine * cubic(c, t);
            const float q = inside ? there[r][j] * slope * u[r][j] : 0.0f;
            own.q[r][j] = mine * q;
            z[r][j] = q;
            const float v = mine * u[r][j];
            Float4 bin = shared.histogram[segment - 1][rank];
            bin.x += v;
            bin.y += v * t;
            bin.z += v * t * t;
            bin.w += v * t * t * t;
            shared.histogram[segment - 1][rank] = bin;
        }
        Tile::store(z, x, y, shared.q);
    }

    /// K^T q, the products of the filter's gradient, and the histogram's sums over the threads.
    SLX_KERNEL void go_back(int filter, const Thread& thread, Shared& shared, Registers& own) const {
        const int x = static_cast<int>(thread.index.x), y = static_cast<int>(thread.index.y);
        const int rank = static_cast<int>(thread.rank());
        if (filter + 1 < prior.count)
            Tile::template load_taps<channels>(prior.filters, filter + 1, rank, shared.taps);
        const int at = Tile::thread_rows * y * Tile::plane_stride;
        SLX_UNROLL
        for (int c = 0; c < channels; ++c)
            Tile::correlate(shared.q + at, x, shared.flipped + c * size * Tile::tap_stride, own.sum[c]);
        for (int c = 0; c < channels; ++c) {
            for (int dy = 0; dy < size; ++dy) {
                float sum[size] = {};
                SLX_UNROLL
                for (int r = 0; r < Tile::thread_rows; ++r) {
                    const int row = at + (r + dy) * Tile::plane_stride;
                    float window[Tile::window_floats];
                    Tile::load_window(shared.upstream[c] + row, x, window);
                    multiply(own.phi[r], window, sum);
                    Tile::load_window(shared.image[c] + row, x, window);
                    multiply(own.q[r], window, sum);
                }
                SLX_UNROLL
                for (int dx = 0; dx < size; ++dx)
                    shared.products[((c * size + dy) * size + dx) * row_stride + rank] = sum[dx];
            }
        }
        for (int k = rank; k < prior.segments; k += Tile::threads) {
            Float4 sum = shared.histogram[k][0];
            for (int i = 1; i < Tile::threads; ++i) {
                const Float4 bin = shared.histogram[k][i];
                sum = {sum.x + bin.x, sum.y + bin.y, sum.z + bin.z, sum.w + bin.w};
            }
            table_sums[(block(thread) * prior.count + filter) * prior.segments + k] = sum;
        }
    }

    static SLX_KERNEL void multiply(const float (&response)[Tile::thread_columns],
                                    const float (&window)[Tile::window_floats], float (&sum)[size]) {
        SLX_UNROLL
        for (int dx = 0; dx < size; ++dx) SLX_UNROLL
        for (int j = 0; j < Tile::thread_columns; ++j)
            sum[dx] = multiply_add(response[j], window[j + dx], sum[dx]);
    }

    SLX_KERNEL void add_products(int filter, const Thread& thread, const Shared& shared) const {
        for (int tap = static_cast<int>(thread.rank()); tap < filter_taps; tap += Tile::threads) {
            float sum = 0;
            for (int i = 0; i < Tile::threads; ++i) sum += shared.products[tap * row_stride + i];
            filter_sums[(block(thread) * prior.count + filter) * filter_taps + tap] = sum;
        }
    }

    SLX_KERNEL void store(const Thread& thread, const Registers& own) const {
        const int y = Tile::thread_rows * static_cast<int>(thread.index.y);
        const int x = Tile::thread_columns * static_cast<int>(thread.index.x);
        const std::int64_t stride = columns + 2 * output_pad, height = rows + 2 * output_pad;
        SLX_UNROLL
        for (int c = 0; c < channels; ++c) SLX_UNROLL
        for (int r = 0; r < Tile::thread_rows; ++r) SLX_UNROLL
        for (int j = 0; j < Tile::thread_columns; ++j) {
            const int row = first_row(thread) + y + r, column = first_column(thread) + x + j;
            if (y + r >= output_rows || x + j >= output_columns || row >= rows + output_pad ||
                column >= columns + output_pad)
                continue;
            const std::int64_t plane = std::int64_t{thread.block_index.z} * channels + c;
            adjoint[(plane * height + row + output_pad) * stride + column + output_pad] = own.sum[c][r][j];
        }
    }
};

/// out[i] = sum over blocks of parts[block, i], in order, in double. A thread has one entry.
template <class T>
struct AddParts {
    const T* parts;
    double* out;
    int blocks, entries;

    using Shared = Nothing;
    using Registers = Nothing;

    [[nodiscard]] SLX_KERNEL int steps() const { return 1; }

    SLX_KERNEL void run(int, const Thread& thread, Shared&, Registers&) const {
        const int entry = static_cast<int>(thread.global_x());
        if (entry >= entries) return;
        double sum = 0;
        for (int i = 0; i < blocks; ++i) sum += parts[std::int64_t{i} * entries + entry];
        out[entry] = sum;
    }
};

}  // namespace sonolux::cuda
