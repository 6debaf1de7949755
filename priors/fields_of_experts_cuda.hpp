// sonolux/priors/fields_of_experts_cuda.hpp
//
// The gradient of fields of experts on a device, fused with the step of a variational network:
//
//     sum = K^T phi(K x),    v' = beta v + a (scale sum + lambda (x - y)),    x' = x - v'
//
// A block takes a tile of 64 x 64 responses, with the image around it in shared memory, and goes through the
// filters: responses and their activations into shared memory, barrier, the adjoint of that filter added to
// sums in registers, barrier. A thread has 4 x 8 neighbouring responses, then as many outputs. For 7 x 7
// taps it loads 40 vectors of four floats of the image (of the responses) and 28 of taps for 1568 fused
// multiply-adds: shared memory is busy half of the time that arithmetic takes. Of 64 x 64 responses come
// 58 x 58 outputs, for which 2 * 49 * 64^2 / 58^2 = 119 multiply-adds a pixel and filter are done where 98
// would do; the activation adds eleven instructions a response. So at best 70 % of a device's instructions
// are useful multiply-adds.
//
// Where an image has too few tiles for the device's processors, or an uneven number of them, the filters are
// dealt to `groups` of blocks, whose sums ExpertsFinish adds in one order. That kernel also folds the border
// where the gradient is exact.
//
// Columns lie in shared memory with four floats of nothing after each 32: a thread begins 8 columns after
// its neighbour, and so do eight threads that load four columns each meet all banks.
#pragma once

#include <sonolux/core/cuda/kernel.hpp>
#include <sonolux/core/error.hpp>
#include <sonolux/priors/fields_of_experts_cuda_shape.hpp>

namespace sonolux::cuda {

/// What a step of a network is besides its prior; in device memory, so that a noise level can change while
/// the recorded launches stay.
struct StepNumbers {
    float damping = 1;      ///< a
    float data_weight = 0;  ///< lambda
    float momentum = 0;     ///< beta
    float prior_scale = 1;  ///< scale
    float image_scale = 1;  ///< the image is this times what is at `x`
    float data_scale = 1;   ///< y likewise
    float leave = 1;        ///< x' is multiplied by this where it is stored
};

/// A step's images, [images, channels, rows, columns].
struct StepImages {
    const float* x;
    const float* y;
    const float* velocity;  ///< null without momentum
    float* next;
    float* next_velocity;
    const StepNumbers* numbers;

    SLX_KERNEL void store(std::int64_t at, float image, float sum) const {
        const StepNumbers& n = *numbers;
        float step = n.damping * (n.prior_scale * sum + n.data_weight * (image - n.data_scale * y[at]));
        if (velocity != nullptr) {
            step += n.momentum * velocity[at];
            next_velocity[at] = step;
        }
        next[at] = n.leave * (image - step);
    }
};

/// Where an activation is looked up: segment k of `segments` + 2, the first and the last of which hold the
/// values at the ends, and how far in it. NaN lies in the first, NaN far.
struct TablePlace {
    int segment;
    float t;
};

[[nodiscard]] SLX_KERNEL TablePlace place_in_table(float position, float last) {
#ifdef __CUDA_ARCH__
    // Adding 2^23 towards zero leaves the whole part in the low bits; fmaxf takes 0 for NaN.
    const float shifted = __fadd_rz(fminf(fmaxf(position, 0.0f), last), 8388608.0f);
    return {__float_as_int(shifted) - 0x4b000000, position - (shifted - 8388608.0f)};
#else
    const float inside = position > 0 ? (position < last ? position : last) : 0.0f;
    const float whole = std::floor(inside);
    return {static_cast<int>(whole), position - whole};
#endif
}

[[nodiscard]] SLX_KERNEL float cubic(const Float4& c, float t) {
    return multiply_add(multiply_add(multiply_add(c.w, t, c.z), t, c.y), t, c.x);
}

/// The parameters of a prior on the device.
struct ExpertsParameters {
    const float* filters;  ///< [filters, channels, size, tap_stride]
    const float* flipped;  ///< the same turned by 180 degrees
    const Float4* tables;  ///< [filters, segments + 2]: c0, c1, c2, c3
    int count;             ///< filters
    int segments;
    float place_scale, place_offset;  ///< position in the table = place_scale * z + place_offset
};

/// Of parameters that lie at `packed` as the shape says.
[[nodiscard]] inline ExpertsParameters experts_at(const float* packed, const ExpertsShape& shape) {
    return {.filters = packed,
            .flipped = packed + shape.taps(),
            .tables = reinterpret_cast<const Float4*>(packed + shape.tables_at()),
            .count = shape.filters,
            .segments = shape.segments,
            .place_scale = shape.place_scale,
            .place_offset = shape.place_offset};
}

/// Calls with<size, channels>() for those that experts_shape lets pass.
template <class With>
void for_experts(int size, int channels, With with) {
    if (channels == 1 && size == 3) return with.template operator()<3, 1>();
    if (channels == 1 && size == 5) return with.template operator()<5, 1>();
    if (channels == 1 && size == 7) return with.template operator()<7, 1>();
    if (channels == 1 && size == 9) return with.template operator()<9, 1>();
    if (channels == 1 && size == 11) return with.template operator()<11, 1>();
    if (channels == 3 && size == 3) return with.template operator()<3, 3>();
    if (channels == 3 && size == 5) return with.template operator()<5, 3>();
    fail(Status::internal_error, "experts_shape let ", channels, " channels and ", size, " taps pass");
}

/// How a block of 8 x `down` threads lies on its tile, and what its threads do there.
template <int size, int down>
struct ExpertsTile {
    static constexpr int span = size - 1, radius = size / 2;
    static constexpr int thread_rows = 4, thread_columns = 8, across = 8, threads = across * down;
    static constexpr int rows = thread_rows * down, columns = thread_columns * across;  // of responses
    static constexpr int plane_rows = rows + span, plane_columns = columns + span, plane_stride = 84;
    static constexpr int plane_floats = plane_rows * plane_stride;
    static constexpr int tap_stride = (size + 3) / 4 * 4;
    static constexpr int window_floats = (thread_columns + span + 3) / 4 * 4;

    using Block = float[thread_rows][thread_columns];  // of a thread's responses or outputs

    [[nodiscard]] static SLX_KERNEL int padded(int column) { return column + column / 32 * 4; }

    /// factor * image on the tile and around it, by the rule; `row` and `column` are of its first pixel.
    static SLX_KERNEL void load(const float* image, float factor, int image_rows, int image_columns,
                                BoundaryRule rule, int row, int column, int thread, float* plane) {
        for (int i = thread; i < plane_rows * plane_columns; i += threads) {
            const Index y = boundary_index(rule, row + i / plane_columns, image_rows);
            const Index x = boundary_index(rule, column + i % plane_columns, image_columns);
            plane[i / plane_columns * plane_stride + padded(i % plane_columns)] =
                y < 0 || x < 0 ? 0.0f : factor * image[y * image_columns + x];
        }
    }

    /// The columns of a row that a thread looks at.
    static SLX_KERNEL void load_window(const float* row, int x, float (&window)[window_floats]) {
        const int base = padded(thread_columns * x), beyond_two = x % 4 == 3 ? 4 : 0,
                  beyond_four = x % 4 >= 2 ? 4 : 0;  // where the window passes a multiple of 32 columns
        SLX_UNROLL
        for (int m = 0; m < window_floats / 4; ++m) {
            const int at = base + 4 * m + (m >= 4 ? beyond_four : m >= 2 ? beyond_two : 0);
            const Float4 v = *reinterpret_cast<const Float4*>(row + at);
            window[4 * m] = v.x;
            window[4 * m + 1] = v.y;
            window[4 * m + 2] = v.z;
            window[4 * m + 3] = v.w;
        }
    }

    /// sum[r][j] += sum_{dy, dx} taps[dy, dx] plane[r + dy, j + dx], from the thread's first row and column.
    static SLX_KERNEL void correlate(const float* plane, int x, const float* taps, Block& sum) {
        float tap[thread_rows][tap_stride];  // those rows of taps that the current row of the plane meets
        SLX_UNROLL
        for (int y = 0; y < thread_rows + span; ++y) {
            float window[window_floats];
            load_window(plane + y * plane_stride, x, window);
            if (y < size) {
                SLX_UNROLL
                for (int m = 0; m < tap_stride / 4; ++m) {
                    const Float4 v = *reinterpret_cast<const Float4*>(taps + y * tap_stride + 4 * m);
                    tap[y % thread_rows][4 * m] = v.x;
                    tap[y % thread_rows][4 * m + 1] = v.y;
                    tap[y % thread_rows][4 * m + 2] = v.z;
                    tap[y % thread_rows][4 * m + 3] = v.w;
                }
            }
            SLX_UNROLL
            for (int r = 0; r < thread_rows; ++r) {
                const int dy = y - r;
                if (dy < 0 || dy >= size) continue;
                SLX_UNROLL
                for (int dx = 0; dx < size; ++dx) SLX_UNROLL
                for (int j = 0; j < thread_columns; ++j)
                    sum[r][j] = multiply_add(tap[dy % thread_rows][dx], window[j + dx], sum[r][j]);
            }
        }
    }

    /// A thread's block of a plane.
    static SLX_KERNEL void store(const Block& block, int x, int y, float* plane) {
        SLX_UNROLL
        for (int r = 0; r < thread_rows; ++r) {
            float* to = plane + (thread_rows * y + r) * plane_stride + padded(thread_columns * x);
            *reinterpret_cast<Float4*>(to) = {block[r][0], block[r][1], block[r][2], block[r][3]};
            *reinterpret_cast<Float4*>(to + 4) = {block[r][4], block[r][5], block[r][6], block[r][7]};
        }
    }

    /// 0 where there are no responses; `row` and `column` are of the thread's first.
    static SLX_KERNEL void keep_responses(int row, int column, int first, int image_rows, int image_columns,
                                          Block& block) {
        if (row >= first && row + thread_rows <= image_rows - first && column >= first &&
            column + thread_columns <= image_columns - first)
            return;
        SLX_UNROLL
        for (int r = 0; r < thread_rows; ++r) SLX_UNROLL
        for (int j = 0; j < thread_columns; ++j)
            if (row + r < first || row + r >= image_rows - first || column + j < first ||
                column + j >= image_columns - first)
                block[r][j] = 0;
    }

    /// Taps of a filter, all channels.
    template <int channels>
    static SLX_KERNEL void load_taps(const float* taps, int filter, int thread, float* to) {
        constexpr int floats = channels * size * tap_stride;
        for (int i = thread; i < floats; i += threads) to[i] = taps[filter * floats + i];
    }
};

template <int size, int channels>
struct ExpertsGradient {
    static constexpr int down = 16;
    using Tile = ExpertsTile<size, down>;
    using Block = typename Tile::Block;
    static constexpr int span = Tile::span, across = Tile::across, outputs = Tile::rows - span;
    static constexpr int short_table = 64, copies = 8;  // of a table whose lookups then meet no bank twice
    static_assert(Tile::rows == Tile::columns);

    StepImages images;
    float* partial;  ///< [groups, images, channels, rows + 2 pad, columns + 2 pad]; null: store the step
    ExpertsParameters prior;
    int rows, columns;
    int image_count, groups;
    int first_response;  ///< responses are at [first, rows - first) x [first, columns - first)
    int output_pad;      ///< outputs at [-pad, rows + pad) x [-pad, columns + pad)
    BoundaryRule boundary;

    struct Shared {
        alignas(16) float image[channels][Tile::plane_floats];
        alignas(16) float phi[Tile::plane_floats];
        alignas(16) float taps[channels * size * Tile::tap_stride];
        alignas(16) float flipped[channels * size * Tile::tap_stride];
        Float4 table[(short_table + 2) * copies];
    };
    struct Registers {
        Block sum[channels];
    };

    [[nodiscard]] SLX_KERNEL int group_first(int group) const { return group * prior.count / groups; }

    /// Two for each filter of the largest group, after one that loads the image.
    [[nodiscard]] SLX_KERNEL int steps() const { return 1 + 2 * ((prior.count + groups - 1) / groups); }

    SLX_KERNEL void run(int step, const Thread& thread, Shared& shared, Registers& own) const {
        const int group = static_cast<int>(thread.block_index.z) % groups;
        const int filter = group_first(group) + (step - 1) / 2;
        const bool there = filter < group_first(group + 1);
        if (step == 0) {
            load_image(thread, shared);
            load_filter(group_first(group), thread, shared);
            SLX_UNROLL
            for (int c = 0; c < channels; ++c) SLX_UNROLL
            for (int r = 0; r < Tile::thread_rows; ++r) SLX_UNROLL
            for (int j = 0; j < Tile::thread_columns; ++j) own.sum[c][r][j] = 0;
        } else if (step % 2 == 1) {
            if (there) respond(filter, thread, shared);
        } else {
            if (there) add_adjoint(filter, filter + 1 < group_first(group + 1), thread, shared, own);
            if (step + 1 == steps()) store(group, thread, shared, own);
        }
    }

private:
    [[nodiscard]] SLX_KERNEL int first_row(const Thread& thread) const {
        return static_cast<int>(thread.block_index.y) * outputs - output_pad;
    }
    [[nodiscard]] SLX_KERNEL int first_column(const Thread& thread) const {
        return static_cast<int>(thread.block_index.x) * outputs - output_pad;
    }
    [[nodiscard]] SLX_KERNEL std::int64_t plane(const Thread& thread, int c) const {
        const std::int64_t image = thread.block_index.z / static_cast<unsigned>(groups);
        return (image * channels + c) * rows * columns;
    }

    SLX_KERNEL void load_image(const Thread& thread, Shared& shared) const {
        for (int c = 0; c < channels; ++c)
            Tile::load(images.x + plane(thread, c), images.numbers->image_scale, rows, columns, boundary,
                       first_row(thread) - span, first_column(thread) - span, static_cast<int>(thread.rank()),
                       shared.image[c]);
    }

    /// Taps and table of a filter; what is turned by 180 degrees follows when the last adjoint is done.
    SLX_KERNEL void load_filter(int filter, const Thread& thread, Shared& shared) const {
        const int own = static_cast<int>(thread.rank());
        Tile::template load_taps<channels>(prior.filters, filter, own, shared.taps);
        if (prior.segments > short_table) return;
        const Float4* table = prior.tables + filter * (prior.segments + 2);
        for (int i = own; i < (prior.segments + 2) * copies; i += Tile::threads)
            shared.table[i] = table[i / copies];
    }

    /// phi(K x) of the thread's responses into shared memory, 0 where there are none.
    SLX_KERNEL void respond(int filter, const Thread& thread, Shared& shared) const {
        const int x = static_cast<int>(thread.index.x), y = static_cast<int>(thread.index.y);
        Tile::template load_taps<channels>(prior.flipped, filter, static_cast<int>(thread.rank()),
                                           shared.flipped);
        Block z = {};
        for (int c = 0; c < channels; ++c)
            Tile::correlate(shared.image[c] + Tile::thread_rows * y * Tile::plane_stride, x,
                            shared.taps + c * size * Tile::tap_stride, z);
        const float last = static_cast<float>(prior.segments + 1);
        if (prior.segments <= short_table) {
            const Float4* table = shared.table + thread.rank() % copies;
            activate(z, last, [&](int segment) { return table[segment * copies]; });
        } else {
            const Float4* table = prior.tables + filter * (prior.segments + 2);
            activate(z, last, [&](int segment) { return table[segment]; });
        }
        Tile::keep_responses(first_row(thread) - Tile::radius + Tile::thread_rows * y,
                             first_column(thread) - Tile::radius + Tile::thread_columns * x, first_response,
                             rows, columns, z);
        Tile::store(z, x, y, shared.phi);
    }

    template <class Lookup>
    SLX_KERNEL void activate(Block& z, float last, Lookup lookup) const {
        SLX_UNROLL
        for (int r = 0; r < Tile::thread_rows; ++r) SLX_UNROLL
        for (int j = 0; j < Tile::thread_columns; ++j) {
            const TablePlace place =
                place_in_table(multiply_add(z[r][j], prior.place_scale, prior.place_offset), last);
            z[r][j] = cubic(lookup(place.segment), place.t);
        }
    }

    /// K^T phi of one filter; meanwhile taps and table of the next come.
    SLX_KERNEL void add_adjoint(int filter, bool another, const Thread& thread, Shared& shared,
                                Registers& own) const {
        if (another) load_filter(filter + 1, thread, shared);
        const int x = static_cast<int>(thread.index.x), y = static_cast<int>(thread.index.y);
        SLX_UNROLL
        for (int c = 0; c < channels; ++c)
            Tile::correlate(shared.phi + Tile::thread_rows * y * Tile::plane_stride, x,
                            shared.flipped + c * size * Tile::tap_stride, own.sum[c]);
    }

    SLX_KERNEL void store(int group, const Thread& thread, const Shared& shared, const Registers& own) const {
        const int y = Tile::thread_rows * static_cast<int>(thread.index.y);
        const int x = Tile::thread_columns * static_cast<int>(thread.index.x);
        const int image = static_cast<int>(thread.block_index.z) / groups;
        SLX_UNROLL
        for (int c = 0; c < channels; ++c) SLX_UNROLL
        for (int r = 0; r < Tile::thread_rows; ++r) SLX_UNROLL
        for (int j = 0; j < Tile::thread_columns; ++j) {
            const int row = first_row(thread) + y + r, column = first_column(thread) + x + j;
            if (y + r >= outputs || x + j >= outputs || row >= rows + output_pad ||
                column >= columns + output_pad)
                continue;
            if (partial == nullptr) {
                const std::int64_t at = plane(thread, c) + std::int64_t{row} * columns + column;
                images.store(
                    at, shared.image[c][(y + r + span) * Tile::plane_stride + Tile::padded(x + j + span)],
                    own.sum[c][r][j]);
            } else {
                const std::int64_t stride = columns + 2 * output_pad, height = rows + 2 * output_pad;
                const std::int64_t part = (std::int64_t{group} * image_count + image) * channels + c;
                partial[(part * height + row + output_pad) * stride + column + output_pad] = own.sum[c][r][j];
            }
        }
    }
};

/// The sums of all groups at a pixel, with those that lie beyond the border and come from there.
struct FoldedSums {
    const float* partial;  ///< [groups, planes, rows + 2 pad, columns + 2 pad]
    int rows, columns, planes, groups, output_pad;
    BoundaryRule boundary;

    /// The pixel that a thread of a grid over columns, rows and planes has, and where it lies in images.
    struct Pixel {
        int plane, row, column;
        std::int64_t at;
    };

    /// False where the thread has none.
    [[nodiscard]] SLX_KERNEL bool pixel_of(const Thread& thread, Pixel& pixel) const {
        pixel.column = static_cast<int>(thread.global_x());
        pixel.row = static_cast<int>(thread.global_y());
        pixel.plane = static_cast<int>(thread.block_index.z);
        pixel.at = (std::int64_t{pixel.plane} * rows + pixel.row) * columns + pixel.column;
        return pixel.column < columns && pixel.row < rows;
    }

    [[nodiscard]] SLX_KERNEL float at(const Pixel& pixel) const {
        return at(pixel.plane, pixel.row, pixel.column);
    }

    [[nodiscard]] SLX_KERNEL float at(int plane, int row, int column) const {
        float sum = along_columns(plane, row, column);
        if (output_pad > 0 && boundary != BoundaryRule::zero)
            for (int i = -output_pad; i < rows + output_pad; ++i) {
                if (i == 0) i = rows;
                if (boundary_index(boundary, i, rows) == row) sum += along_columns(plane, i, column);
            }
        return sum;
    }

private:
    [[nodiscard]] SLX_KERNEL float sum_at(int plane, int row, int column) const {
        const std::int64_t stride = columns + 2 * output_pad, height = rows + 2 * output_pad;
        const std::int64_t at = (plane * height + row + output_pad) * stride + column + output_pad;
        float sum = 0;
        for (int group = 0; group < groups; ++group) sum += partial[group * planes * height * stride + at];
        return sum;
    }

    [[nodiscard]] SLX_KERNEL float along_columns(int plane, int i, int column) const {
        float sum = sum_at(plane, i, column);
        if (output_pad > 0 && boundary != BoundaryRule::zero)
            for (int j = -output_pad; j < columns + output_pad; ++j) {
                if (j == 0) j = columns;
                if (boundary_index(boundary, j, columns) == column) sum += sum_at(plane, i, j);
            }
        return sum;
    }
};

/// Takes a step from folded sums. A thread has one pixel.
struct ExpertsFinish {
    StepImages images;
    FoldedSums sums;

    using Shared = Nothing;
    using Registers = Nothing;

    [[nodiscard]] SLX_KERNEL int steps() const { return 1; }

    SLX_KERNEL void run(int, const Thread& thread, Shared&, Registers&) const {
        FoldedSums::Pixel pixel;
        if (!sums.pixel_of(thread, pixel)) return;
        images.store(pixel.at, images.numbers->image_scale * images.x[pixel.at], sums.at(pixel));
    }
};

}  // namespace sonolux::cuda
