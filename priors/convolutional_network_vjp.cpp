// sonolux/priors/convolutional_network_vjp.cpp
//
// Vector-Jacobian products of a convolutional network. With z_l = W_l * B h_{l-1} + b_l, g_l = dn/dz_l^T v
// and therefore g_L = v:
//
//     W_l += g_l correlated with B h_{l-1}      b_l += sum of g_l
//     g_{l-1} = a'(z_{l-1}) . B^T W_l^T * g_l   x_bar = B^T W_1^T * g_1
//
// On a tile, all h_l are computed and kept. g_l is needed on the tile grown by l radii, and each pixel of it
// needs a'(z_l) there; the parameters' sums take the tile's own pixels alone.
#include <algorithm>

#include <sonolux/priors/convolutional_network.hpp>
#include <sonolux/priors/convolutional_network_tile.hpp>

namespace sonolux {

using cnn::block;
using cnn::blocks_of;
using cnn::Features;
using cnn::Frame;
using cnn::InputRows;
using cnn::kernels;
using cnn::KernelTable;
using cnn::most_layers;
using cnn::OutputRow;
using cnn::PackedLayer;
using cnn::Rectangle;
using cnn::Tiling;

namespace {

constexpr Index most_tile = 256;
constexpr Index most_groups =
    16;  // of rows, each of which has sums of its own: they fix the order of addition
constexpr Index rows_at_once = 4;  // that one thread takes

// How far beyond the tile h_l is needed.
Index margin_of(int layers, int l, Index radius) noexcept {
    return std::max(2 * (layers - 1) - l, 1) * radius;
}

// One row of B^T W^T * g, the transpose of a convolution with everything that the boundary rule makes of it.
class TransposedRow {
public:
    TransposedRow(const KernelTable& kernel, const Frame& frame, const PackedLayer& layer, int size,
                  const Features& upstream, const float* zeros, const float* zero_bias,
                  float* memory) noexcept
        : kernel_(kernel),
          frame_(frame),
          layer_(layer),
          size_(size),
          upstream_(upstream),
          zeros_(zeros),
          zero_bias_(zero_bias),
          memory_(memory) {}

    // Writes columns [column, column_end) of row `row`. Where the layer has one input, out is plain floats.
    void write(Index row, Index column, Index column_end, const OutputRow& out, bool to_one) const noexcept {
        const Index columns = column_end - column;
        // Nothing to fold: zeros take no gradient, and circular layers have no end.
        if (frame_.rule == BoundaryRule::zero || frame_.rule == BoundaryRule::circular) {
            convolve(row, column, columns, out, to_one);
            return;
        }
        const Index radius = size_ / 2;
        // With the columns outside of the image, where they may stand for one in here.
        const Index from = column <= radius ? -radius : column;
        const Index to = column_end + radius >= frame_.columns ? frame_.columns + radius : column_end;
        const Index pixel = to_one ? 1 : block, blocks = to_one ? 1 : blocks_of(out.channels);
        const OutputRow wide{memory_, (to - from) * pixel, out.channels};
        for (Index b = 0; b < blocks; ++b)
            std::fill_n(out.data + b * out.block_stride, columns * pixel, 0.0f);
        auto add_row = [&](Index extended) {
            if (frame_.feature_row(extended) != row) return;
            convolve(extended, from, to - from, wide, to_one);
            for (Index b = 0; b < blocks; ++b)
                for (Index c = from; c < to; ++c) {
                    const Index target = frame_.feature_column(c);
                    const float* in = wide.data + b * wide.block_stride + (c - from) * pixel;
                    float* sum = out.data + b * out.block_stride + (target - column) * pixel;
                    if (target >= column && target < column_end)
                        for (Index k = 0; k < pixel; ++k) sum[k] += in[k];
                }
        };
        add_row(row);
        for (Index r = -radius; r < 0; ++r) add_row(r);
        for (Index r = frame_.rows; r < frame_.rows + radius; ++r) add_row(r);
    }

private:
    void convolve(Index row, Index column, Index columns, const OutputRow& out, bool to_one) const noexcept {
        // The upstream is zero outside of the image, whatever the rule for features.
        InputRows in{{}, upstream_.block_stride(), upstream_.channels};
        const Index radius = size_ / 2;
        for (int u = 0; u < size_; ++u) {
            const Index source = row + u - radius;
            const bool there = source >= upstream_.area.row && source < upstream_.area.row_end;
            in.row[u] = there ? upstream_.at(source, column - radius) : zeros_;
        }
        if (to_one)
            kernel_.convolve_to_one(in, layer_.transposed, 0, size_, out.data, columns);
        else
            kernel_.convolve(in, layer_.transposed, zero_bias_, size_, out, columns);
    }

    const KernelTable& kernel_;
    const Frame& frame_;
    const PackedLayer& layer_;
    int size_;
    const Features& upstream_;
    const float *zeros_, *zero_bias_;
    float* memory_;
};

void zero_pad(const Features& features, Index row) noexcept {
    for (Index b = 0; b < blocks_of(features.channels); ++b) {
        float* pixels = features.at(row, features.area.column) + b * features.block_stride();
        std::fill_n(pixels - features.pad * block, features.pad * block, 0.0f);
        std::fill_n(pixels + features.area.columns() * block, features.pad * block, 0.0f);
    }
}

// Floats and doubles of everything that `gradient_vjp` takes, for tiles of at most the given size.
struct Sizes {
    Index h[most_layers], upstream, wide_row, zeros, sums;

    Sizes(const ConvolutionalNetwork& network, const Frame& frame, Index tile_rows,
          Index tile_columns) noexcept {
        const int layers = network.options().layers, size = network.options().size;
        const Index radius = size / 2;
        auto area = [&](Index margin) {
            return Rectangle{0, most_rows(frame, tile_rows, margin), 0,
                             most_columns(frame, tile_columns, margin)};
        };
        upstream = wide_row = zeros = sums = 0;
        for (int l = 0; l < layers; ++l) {
            const auto& layer = network.layers()[l];
            const Rectangle below = area(margin_of(layers, l, radius)), above = area((l + 1) * radius);
            const Features in{nullptr, below, layer.inputs, radius, below.rows()};
            const Features out{nullptr, above, layer.outputs, 2 * radius, above.rows()};
            h[l] = in.floats();
            upstream = std::max(upstream, out.floats());
            zeros = std::max({zeros, in.row_floats(), out.row_floats()});
            wide_row = std::max(wide_row,
                                blocks_of(layer.inputs) * (area(l * radius).columns() + 4 * radius) * block);
            sums = std::max(
                sums, (size * size * blocks_of(layer.inputs) * block + 1) * blocks_of(layer.outputs) * block);
        }
    }
};

// Adds the gradients of one layer's parameters from the tile's pixels to `total`.
//
// Rows are cut into groups. A group's sums are [u][v][block of a][16][b], a being the inputs and b the
// outputs; and the other way round where there is one output, which is then the single channel of a.
void add_parameter_gradient(const ConvolutionalNetwork::Layer& layer, bool to_one, int size,
                            const KernelTable& kernel, const Frame& frame, const Rectangle& tile,
                            const Features& h, const Features& g, double* sums, double* total,
                            Context& context) noexcept {
    const Index radius = size / 2, taps = Index{size} * size;
    const Index groups = std::min(most_groups, tile.rows());
    const Index a_width = blocks_of(to_one ? 1 : layer.inputs) * block;
    const Index b_width = blocks_of(to_one ? layer.inputs : layer.outputs) * block;
    const Index biases = taps * a_width * b_width, group_sums = biases + blocks_of(layer.outputs) * block;

    parallel_for(context, groups, [&](Index group, int) {
        double* sum = sums + group * group_sums;
        std::fill_n(sum, group_sums, 0.0);
        const Index first = tile.row + group * tile.rows() / groups;
        const Index end = tile.row + (group + 1) * tile.rows() / groups;
        for (Index row = first; row < end; ++row) {
            const float* out = g.at(row, tile.column);
            for (Index b = 0; b < blocks_of(layer.outputs); ++b)
                for (Index c = 0; c < tile.columns(); ++c)
                    for (Index o = 0; o < block; ++o)
                        sum[biases + b * block + o] += double{out[b * g.block_stride() + c * block + o]};
            for (Index tap = 0; tap < taps; ++tap) {
                const Index source = frame.feature_row(row + tap / size - radius);
                if (source < h.area.row || source >= h.area.row_end) continue;  // zeros
                const float* in = h.at(source, tile.column + tap % size - radius);
                double* products = sum + tap * a_width * b_width;
                if (to_one) {
                    kernel.add_products(out, 1, in, h.block_stride(), layer.inputs, tile.columns(), products);
                    continue;
                }
                for (Index i = 0; i < layer.inputs; i += block)
                    kernel.add_products(in + i / block * h.block_stride(), std::min(block, layer.inputs - i),
                                        out, g.block_stride(), layer.outputs, tile.columns(),
                                        products + i * b_width);
            }
        }
    });

    auto add = [&](Index parameter, Index place) {
        for (Index group = 0; group < groups; ++group) total[parameter] += sums[group * group_sums + place];
    };
    for (Index o = 0; o < layer.outputs; ++o) {
        add(layer.biases + o, biases + o);
        for (Index i = 0; i < layer.inputs; ++i)
            for (Index tap = 0; tap < taps; ++tap)
                add(layer.weights + (o * layer.inputs + i) * taps + tap,
                    tap * a_width * b_width + (to_one ? i : i * b_width + o));
    }
}

}  // namespace

std::size_t ConvolutionalNetwork::vjp_workspace_bytes(Index rows, Index columns,
                                                      const Context& context) const noexcept {
    const Frame frame{rows, columns, options_.boundary};
    const Sizes sizes(*this, frame, std::min(rows, most_tile), std::min(columns, most_tile));
    std::size_t bytes = 2 * Workspace::bytes<float>(sizes.upstream) + Workspace::bytes<float>(sizes.zeros) +
                        Workspace::bytes<float>(context.threads() * sizes.wide_row) +
                        Workspace::bytes<double>(most_groups * sizes.sums) +
                        Workspace::bytes<double>(parameter_count());
    for (int l = 0; l < options_.layers; ++l) bytes += Workspace::bytes<float>(sizes.h[l]);
    return bytes;
}

void ConvolutionalNetwork::gradient_vjp(View<const float> x, View<const float> v, View<float> x_bar,
                                        std::span<float> parameter_bar, Context& context) const noexcept {
    const int layers = options_.layers, size = options_.size;
    const Index radius = size / 2;
    const KernelTable& kernel = kernels(context.isa());
    const bool elu = options_.nonlinearity == Nonlinearity::elu;
    const Frame frame{x.rows(), x.columns(), options_.boundary};
    const Tiling tiling(x.rows(), x.columns(), most_tile, most_tile);
    const Sizes sizes(*this, frame, tiling.tile_rows, tiling.tile_columns);

    Scratch scratch(context.workspace());
    float *h_memory[most_layers], *upstream_memory[2];
    for (int l = 0; l < layers; ++l) h_memory[l] = scratch.take<float>(sizes.h[l]);
    for (float*& memory : upstream_memory) memory = scratch.take<float>(sizes.upstream);
    float* zeros = scratch.take<float>(sizes.zeros);
    float* wide_rows = scratch.take<float>(context.threads() * sizes.wide_row);
    double* sums = scratch.take<double>(most_groups * sizes.sums);
    double* total = scratch.take<double>(parameter_count());
    std::fill_n(zeros, sizes.zeros, 0.0f);
    std::fill_n(total, parameter_count(), 0.0);

    auto for_rows = [&](const Rectangle& area, auto&& body) {
        parallel_for(context, (area.rows() + rows_at_once - 1) / rows_at_once, [&](Index item, int thread) {
            const Index first = area.row + item * rows_at_once;
            for (Index row = first; row < std::min(first + rows_at_once, area.row_end); ++row)
                body(row, thread);
        });
    };

    for (Index i = 0; i < tiling.count; ++i) {
        const Rectangle tile = tiling.tile(i);
        if (tile.rows() <= 0 || tile.columns() <= 0) continue;
        Features h[most_layers];
        for (int l = 0; l < layers; ++l) {
            const Rectangle area = frame.grown(tile, margin_of(layers, l, radius));
            h[l] = {h_memory[l], area, layers_[l].inputs, radius, area.rows()};
            for_rows(area, [&](Index row, int) {
                if (l == 0) {
                    load_row(x, h[0], row);
                    extend_row(frame, h[0], row);
                } else {
                    compute_row(kernel, elu ? kernel.elu : kernel.relu, frame, packed(l - 1), size, h[l - 1],
                                h[l], zeros, row);
                }
            });
        }

        const Rectangle seen = frame.grown(tile, layers * radius);
        Features g{upstream_memory[layers % 2], seen, 1, 2 * radius, seen.rows()};
        for_rows(seen, [&](Index row, int) {
            load_row(v, g, row);
            zero_pad(g, row);
        });
        for (int l = layers - 1; l >= 0; --l) {
            const PackedLayer layer = packed(l);
            add_parameter_gradient(layers_[l], l == layers - 1, size, kernel, frame, tile, h[l], g, sums,
                                   total, context);
            auto transposed = [&](int thread) {
                return TransposedRow(kernel, frame, layer, size, g, zeros, zeros,
                                     wide_rows + thread * sizes.wide_row);
            };
            if (l == 0) {
                for_rows(tile, [&](Index row, int thread) {
                    transposed(thread).write(row, tile.column, tile.column_end,
                                             {x_bar.row(row) + tile.column, 0, 1}, true);
                });
                break;
            }
            const Rectangle area = frame.grown(tile, l * radius);
            const Features below{upstream_memory[l % 2], area, layers_[l].inputs, 2 * radius, area.rows()};
            for_rows(area, [&](Index row, int thread) {
                const OutputRow out = below.output(row);
                transposed(thread).write(row, area.column, area.column_end, out, false);
                (elu ? kernel.elu_slope : kernel.relu_slope)(out, h[l].at(row, area.column),
                                                             h[l].block_stride(), area.columns());
                zero_pad(below, row);
            });
            g = below;
        }
    }
    for (Index k = 0; k < parameter_count(); ++k) parameter_bar[k] += static_cast<float>(total[k]);
}

}  // namespace sonolux
