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

Accumulate accumulate_for(const DelayAndSumTables& t, Isa isa) noexcept {
    const Kernels kernels = kernels_for(isa);
    return (t.parts == 2 ? kernels.complex : kernels.real)[static_cast<int>(t.interpolation)];
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
    const Accumulate accumulate = accumulate_for(t, context.isa());
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
