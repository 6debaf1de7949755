// sonolux/core/operators/delay_and_sum.cpp
#include <sonolux/core/operators/delay_and_sum.hpp>
#include <sonolux/core/operators/delay_and_sum_tables.hpp>

#include <algorithm>

namespace sonolux {

namespace {

using namespace delay_and_sum_kernel;

Kernels kernels_for(Isa isa) noexcept {
    switch (isa) {
#if defined(__x86_64__)
        case Isa::avx512: return avx512::kernels();
        case Isa::avx2: return avx2::kernels();
#elif defined(__aarch64__)
        case Isa::neon: return neon::kernels();
#endif
        default: return baseline::kernels();
    }
}

KernelSet kernel_set(const DelayAndSumTables& t, Isa isa) noexcept {
    const Kernels kernels = kernels_for(isa);
    return t.parts == 2 ? kernels.complex : kernels.real;
}

}  // namespace

DelayAndSum::DelayAndSum(const Acquisition& acquisition, const FocusingDelays& delays,
                         const DelayAndSumOptions& options, Context& context)
    : tables_(std::make_unique<const DelayAndSumTables>(
          make_delay_and_sum_tables(acquisition, delays, options, context))) {}

DelayAndSum::~DelayAndSum() = default;
DelayAndSum::DelayAndSum(DelayAndSum&&) noexcept = default;
DelayAndSum& DelayAndSum::operator=(DelayAndSum&&) noexcept = default;

Shape DelayAndSum::domain() const noexcept {
    return {tables_->sent, tables_->elements, tables_->parts * tables_->samples};
}

Shape DelayAndSum::range() const noexcept {
    const auto& t = *tables_;
    if (t.compound) return t.parts == 1 ? Shape{t.rows, t.columns} : Shape{t.rows, t.columns, 2};
    return t.parts == 1 ? Shape{t.sent, t.rows, t.columns} : Shape{t.sent, t.rows, t.columns, 2};
}

View<const float> DelayAndSum::coverage() const noexcept { return tables_->coverage; }

Index DelayAndSum::points() const noexcept { return tables_->points; }

std::size_t DelayAndSum::memory_bytes() const noexcept {
    const auto& t = *tables_;
    const auto bytes = [](const auto& array) {
        return static_cast<std::size_t>(array.elements()) * sizeof(*array.data());
    };
    return bytes(t.receive) + bytes(t.weights) + bytes(t.transmit) + bytes(t.scale) + bytes(t.coverage) +
           t.traces.size() * sizeof(Trace);
}

std::size_t DelayAndSum::workspace_bytes(const Context& context) const noexcept {
    const auto& t = *tables_;
    const std::size_t forward = Workspace::bytes<float>(2 * t.parts * tile * context.threads());
    const std::size_t back = Workspace::bytes<float>(t.sent * t.tiles * t.parts * tile);
    return std::max(forward, back);
}

void DelayAndSum::apply(View<const float> x, View<float> image, Context& context) const noexcept {
    const DelayAndSumTables& t = *tables_;
    const Accumulate accumulate = kernel_set(t, context.isa()).one[static_cast<int>(t.interpolation)];
    const Index numbers = t.parts * tile;
    Scratch scratch(context.workspace());
    float* const scratches = scratch.take<float>(2 * numbers * context.threads());
    parallel_for(context, t.tiles, [&](Index number, int thread) {
        float* const sum = scratches + 2 * numbers * thread;
        float* const pixels = sum + numbers;  // the tile of the image, over all transmissions
        const Index first = t.first_piece[static_cast<std::size_t>(number)];
        const Index last = t.first_piece[static_cast<std::size_t>(number) + 1];
        for (Index k = 0; k < t.sent; ++k) {
            if (k == 0 || !t.compound) std::fill_n(pixels, numbers, 0.0f);
            if (t.active[static_cast<std::size_t>(k * t.tiles + number)] != 0) {
                std::fill_n(sum, numbers, 0.0f);
                for (Index i = first; i < last; ++i) {
                    const Index e = t.piece_element[static_cast<std::size_t>(i)];
                    Trace trace = t.traces[static_cast<std::size_t>(k * t.elements + e)];
                    if (trace.samples == nullptr) continue;
                    trace.samples = x.data() + (k * t.elements + e) * t.parts * t.samples;
                    accumulate(t.piece(k, number, i), trace, t.bits, sum);
                }
                const float* scale = t.scale_of(k, number);
                if (t.parts == 1)
                    for (Index p = 0; p < tile; ++p) pixels[p] += scale[p] * sum[p];
                else
                    for (Index p = 0; p < tile; ++p) {
                        pixels[p] += scale[p] * sum[p] - scale[tile + p] * sum[tile + p];
                        pixels[tile + p] += scale[p] * sum[tile + p] + scale[tile + p] * sum[p];
                    }
            }
            if (t.compound && k + 1 < t.sent) continue;
            float* const out = image.data() + (t.compound ? 0 : k * t.rows * t.columns * t.parts);
            t.for_each_pixel(number, [&](Index p, Index row, Index column) {
                float* const pixel = out + (row * t.columns + column) * t.parts;
                for (Index part = 0; part < t.parts; ++part) pixel[part] = pixels[part * tile + p];
            });
        }
    });
}

// ---- Many frames ----

namespace {

/// With fewer frames than this in a group the other path is faster.
constexpr Index fewest_side_by_side = 6;

struct FrameGroup {
    const DelayAndSumTables& t;
    Index frames;        // in the group
    Index numbers;       // that lie side by side: 32 or 64
    const float* x;      // of the first frame
    Index frame_stride;  // in x
    float* image;
    Index image_stride;
    float* packed;  // [element, sample, numbers] of one transmission
    float* pixels;  // [tile number, tile, numbers], compounded

    [[nodiscard]] Index side_by_side() const noexcept { return numbers / t.parts; }

    void pack(Index k, Index e) const noexcept {
        float* const out = packed + e * t.samples * numbers;
        const float* const in = x + (k * t.elements + e) * t.parts * t.samples;
        for (Index n = 0; n < t.samples; ++n)
            for (Index part = 0; part < t.parts; ++part) {
                float* const row = out + n * numbers + part * side_by_side();
                for (Index f = 0; f < frames; ++f) row[f] = in[f * frame_stride + t.parts * n + part];
                std::fill(row + frames, row + side_by_side(), 0.0f);
            }
    }

    /// total += scale * sum, for the frame_tile pixels from `first` of a tile on.
    void scale(const float* scale, Index first, const float* sum, float* total) const noexcept {
        const Index half = side_by_side();
        for (Index p = 0; p < frame_tile; ++p, sum += numbers, total += numbers) {
            const float re = scale[first + p];
            if (t.parts == 1) {
                for (Index f = 0; f < half; ++f) total[f] += re * sum[f];
                continue;
            }
            const float im = scale[tile + first + p];
            for (Index f = 0; f < half; ++f) {
                total[f] += re * sum[f] - im * sum[half + f];
                total[half + f] += re * sum[half + f] + im * sum[f];
            }
        }
    }

    /// One transmission in one tile, added to `total`, [tile, numbers].
    void sum_up(Index k, Index number, Accumulate accumulate, float* sum, float* total) const noexcept {
        if (t.active[static_cast<std::size_t>(k * t.tiles + number)] == 0) return;
        for (Index first = 0; first < tile; first += frame_tile) {
            std::fill_n(sum, frame_tile * numbers, 0.0f);
            for (Index i = t.first_piece[static_cast<std::size_t>(number)];
                 i < t.first_piece[static_cast<std::size_t>(number) + 1]; ++i) {
                const Index e = t.piece_element[static_cast<std::size_t>(i)];
                Trace trace = t.traces[static_cast<std::size_t>(k * t.elements + e)];
                if (trace.samples == nullptr) continue;
                trace.samples = packed + e * t.samples * numbers;
                const Piece whole = t.piece(k, number, i);
                accumulate({whole.receive + first, whole.weights + first, whole.transmit + first}, trace,
                           t.bits, sum);
            }
            scale(t.scale_of(k, number), first, sum, total + first * numbers);
        }
    }

    void write(Index plane, Index number, const float* total) const noexcept {
        const Index top = number / t.tiles_across * tile_rows, left = number % t.tiles_across * lanes;
        const Index width = std::min(lanes, t.columns - left);
        // A row of a frame at a time: what is written lies together.
        for (Index i = 0; i < std::min(tile_rows, t.rows - top); ++i)
            for (Index f = 0; f < frames; ++f) {
                const float* const in = total + i * lanes * numbers + f;
                float* const out =
                    image + f * image_stride + ((plane * t.rows + top + i) * t.columns + left) * t.parts;
                if (t.parts == 1) {
                    for (Index j = 0; j < width; ++j) out[j] = in[j * numbers];
                    continue;
                }
                for (Index j = 0; j < width; ++j) {
                    out[2 * j] = in[j * numbers];
                    out[2 * j + 1] = in[j * numbers + side_by_side()];
                }
            }
    }
};

constexpr Index frame_sums = frame_tile * most_frame_numbers, frame_pixels = tile * most_frame_numbers;

}  // namespace

std::size_t DelayAndSum::frames_workspace_bytes(const Context& context) const noexcept {
    const DelayAndSumTables& t = *tables_;
    const Index kept = t.compound ? t.tiles : context.threads();
    return Workspace::bytes<float>(t.elements * t.samples * most_frame_numbers) +
           Workspace::bytes<float>(kept * frame_pixels) +
           Workspace::bytes<float>(context.threads() * frame_sums) + workspace_bytes(context);
}

void DelayAndSum::apply_frames(View<const float> x, View<float> images, Context& context) const noexcept {
    const DelayAndSumTables& t = *tables_;
    const Index frames = x.size(0), in = domain().elements(), out = range().elements();
    const KernelSet kernels = kernel_set(t, context.isa());
    for (Index first = 0, count = 0; first < frames; first += count) {
        const Index left = frames - first;
        count = std::min(left, most_frame_numbers / t.parts);
        if (count < fewest_side_by_side) {
            for (Index f = first; f < frames; ++f)
                apply({x.data() + f * in, domain()}, {images.data() + f * out, range()}, context);
            return;
        }
        const bool narrow = count * t.parts <= 32;
        const Accumulate accumulate =
            (narrow ? kernels.frames_32 : kernels.frames_64)[static_cast<int>(t.interpolation)];
        Scratch scratch(context.workspace());
        FrameGroup group{
            t,   count,   narrow ? 32 : 64, x.data() + first * in, in, images.data() + first * out,
            out, nullptr, nullptr};
        group.packed = scratch.take<float>(t.elements * t.samples * group.numbers);
        group.pixels = scratch.take<float>((t.compound ? t.tiles : context.threads()) * frame_pixels);
        float* const sums = scratch.take<float>(context.threads() * frame_sums);
        for (Index k = 0; k < t.sent; ++k) {
            parallel_for(context, t.elements, [&](Index e, int) { group.pack(k, e); });
            parallel_for(context, t.tiles, [&](Index number, int thread) {
                float* const total = group.pixels + (t.compound ? number : thread) * frame_pixels;
                if (k == 0 || !t.compound) std::fill_n(total, frame_pixels, 0.0f);
                group.sum_up(k, number, accumulate, sums + thread * frame_sums, total);
                if (!t.compound || k + 1 == t.sent) group.write(t.compound ? 0 : k, number, total);
            });
        }
    }
}

void DelayAndSum::adjoint(View<const float> image, View<float> x, Context& context) const noexcept {
    const DelayAndSumTables& t = *tables_;
    const Index numbers = t.parts * tile;
    Scratch scratch(context.workspace());
    // The image in tiles, each transmission's multiplied by its (conjugate) scale.
    float* const tiled = scratch.take<float>(t.sent * t.tiles * numbers);
    parallel_for(context, t.tiles, [&](Index number, int) {
        for (Index k = 0; k < t.sent; ++k) {
            float* const pixels = tiled + (k * t.tiles + number) * numbers;
            const float* const scale = t.scale_of(k, number);
            const float* const in = image.data() + (t.compound ? 0 : k * t.rows * t.columns * t.parts);
            std::fill_n(pixels, numbers, 0.0f);
            t.for_each_pixel(number, [&](Index p, Index row, Index column) {
                const float* const pixel = in + (row * t.columns + column) * t.parts;
                if (t.parts == 1) {
                    pixels[p] = scale[p] * pixel[0];
                } else {
                    pixels[p] = scale[p] * pixel[0] + scale[tile + p] * pixel[1];
                    pixels[tile + p] = scale[p] * pixel[1] - scale[tile + p] * pixel[0];
                }
            });
        }
    });
    // Each trace gathers what its element gave to any pixel, always in the same order.
    parallel_for(context, t.sent * t.elements, [&](Index number, int) {
        const Index k = number / t.elements, e = number % t.elements;
        float* const out = x.data() + number * t.parts * t.samples;
        std::fill_n(out, t.parts * t.samples, 0.0f);
        const Trace& trace = t.traces[static_cast<std::size_t>(number)];
        if (trace.samples == nullptr) return;
        for (Index n = t.first_of_element[static_cast<std::size_t>(e)];
             n < t.first_of_element[static_cast<std::size_t>(e) + 1]; ++n) {
            const Index i = t.pieces_of_element[static_cast<std::size_t>(n)];
            const Index where = t.tile_of_piece[static_cast<std::size_t>(i)];
            if (t.active[static_cast<std::size_t>(k * t.tiles + where)] == 0) continue;
            spread(t.interpolation, t.piece(k, where, i), trace, t.bits, t.parts,
                   tiled + (k * t.tiles + where) * numbers, out);
        }
    });
}

}  // namespace sonolux
