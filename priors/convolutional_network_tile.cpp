// sonolux/priors/convolutional_network_tile.cpp
#include <sonolux/priors/convolutional_network_tile.hpp>

namespace sonolux::cnn {

const KernelTable& kernels(Isa isa) noexcept {
    switch (isa) {
#if defined(__x86_64__)
        case Isa::avx512: return avx512::table();
        case Isa::avx2: return avx2::table();
#elif defined(__aarch64__)
        case Isa::neon: return neon::table();
#endif
        default: return baseline::table();
    }
}

void load_row(View<const float> image, const Features& features, Index row) noexcept {
    const float* in = image.row(boundary_index(BoundaryRule::circular, row, image.rows()));
    float* out = features.at(row, features.area.column);
    std::fill_n(out, features.area.columns() * block, 0.0f);
    for (Index c = features.area.column; c < features.area.column_end; ++c, out += block)
        *out = in[boundary_index(BoundaryRule::circular, c, image.columns())];
}

void extend_row(const Frame& frame, const Features& features, Index row) noexcept {
    if (frame.rule == BoundaryRule::circular) return;
    auto extend = [&](Index from, Index to) {
        for (Index c = from; c < to; ++c) {
            const Index source = frame.feature_column(c);
            for (Index b = 0; b < blocks_of(features.channels); ++b) {
                float* out = features.at(row, c) + b * features.block_stride();
                if (source < 0)
                    std::fill_n(out, block, 0.0f);
                else
                    std::copy_n(features.at(row, source) + b * features.block_stride(), block, out);
            }
        }
    };
    if (features.area.column == 0) extend(-features.pad, 0);
    if (features.area.column_end == frame.columns) extend(frame.columns, frame.columns + features.pad);
}

InputRows input_rows(const Frame& frame, const Features& features, const float* zeros, int size, Index row,
                     Index column) noexcept {
    InputRows in{{}, features.block_stride(), features.channels};
    const Index radius = size / 2;
    for (int u = 0; u < size; ++u) {
        const Index source = frame.feature_row(row + u - radius);
        const bool there = source >= features.area.row && source < features.area.row_end;
        in.row[u] = there ? features.at(source, column - radius) : zeros;
    }
    return in;
}

void compute_row(const KernelTable& kernel, Activate activate, const Frame& frame, const PackedLayer& layer,
                 int size, const Features& below, const Features& features, const float* zeros,
                 Index row) noexcept {
    const OutputRow out = features.output(row);
    kernel.convolve(input_rows(frame, below, zeros, size, row, features.area.column), layer.weights,
                    layer.biases, size, out, features.area.columns());
    activate(out, features.area.columns());
    extend_row(frame, features, row);
}

}  // namespace sonolux::cnn
