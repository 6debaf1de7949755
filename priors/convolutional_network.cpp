// sonolux/priors/convolutional_network.cpp
#include <algorithm>
#include <cmath>

#include <sonolux/core/random.hpp>
#include <sonolux/priors/convolutional_network.hpp>
#include <sonolux/priors/convolutional_network_tile.hpp>

namespace sonolux {

using cnn::Activate;
using cnn::block;
using cnn::blocks_of;
using cnn::Features;
using cnn::Frame;
using cnn::kernels;
using cnn::KernelTable;
using cnn::most_layers;
using cnn::most_size;
using cnn::PackedLayer;
using cnn::Rectangle;
using cnn::Tiling;

namespace {

// Of a tile of `gradient`. Larger ones compute less twice, smaller ones share out better among threads.
constexpr Index most_tile_columns = 256, most_tile_rows = 256, least_tile_rows = 32;

Index tile_rows(Index rows, Index columns, int threads) noexcept {
    if (threads == 1) return most_tile_rows;
    const Index across = (columns + most_tile_columns - 1) / most_tile_columns;
    return std::clamp(rows * across / (4 * threads), least_tile_rows, most_tile_rows);
}

// Weights [outputs][inputs][taps] for Convolve or, to_one, for ConvolveToOne; `weight` says where they come
// from.
template <class Weight>
void pack(float* out, Index outputs, Index inputs, Index taps, bool to_one, Weight weight) noexcept {
    if (to_one) {
        for (Index tap = 0; tap < taps; ++tap)
            for (Index i = 0; i < blocks_of(inputs) * block; ++i)
                *out++ = i < inputs ? weight(0, i, tap) : 0.0f;
        return;
    }
    for (Index first = 0; first < outputs; first += block)
        for (Index from = 0; from < inputs; from += block)
            for (Index tap = 0; tap < taps; ++tap)
                for (Index i = from; i < std::min(from + block, inputs); ++i)
                    for (Index o = first; o < first + block; ++o)
                        *out++ = o < outputs ? weight(o, i, tap) : 0.0f;
}

Index packed_floats(Index outputs, Index inputs, Index taps, bool to_one) noexcept {
    return to_one ? taps * blocks_of(inputs) * block : blocks_of(outputs) * block * inputs * taps;
}

}  // namespace

const char* to_string(Nonlinearity nonlinearity) noexcept {
    return nonlinearity == Nonlinearity::elu ? "elu" : "relu";
}

Nonlinearity nonlinearity_from_string(std::string_view word) {
    for (Nonlinearity nonlinearity : {Nonlinearity::elu, Nonlinearity::relu})
        if (word == to_string(nonlinearity)) return nonlinearity;
    fail(Status::invalid_argument, "nonlinearity must be elu or relu, got \"", word, "\"");
}

ConvolutionalNetwork::ConvolutionalNetwork(const ConvolutionalNetworkOptions& options) : options_(options) {
    require(options.layers >= 1 && options.layers <= most_layers, Status::invalid_argument,
            "network layers must be 1 to ", most_layers, ", got ", options.layers);
    require(options.features >= 1 && options.features <= 64, Status::invalid_argument,
            "network features must be 1 to 64, got ", options.features);
    require(options.size >= 3 && options.size <= most_size && options.size % 2 == 1, Status::invalid_argument,
            "network filter size must be odd and 3 to ", most_size, ", got ", options.size);
    require(options.nonlinearity == Nonlinearity::elu || options.nonlinearity == Nonlinearity::relu,
            Status::invalid_argument, "network nonlinearity must be elu or relu, got number ",
            static_cast<int>(options.nonlinearity));
    const Index taps = Index{options.size} * options.size;
    Index offset = 0, place = 0;
    for (int l = 0; l < options.layers; ++l) {
        Layer layer;
        layer.inputs = l == 0 ? 1 : options.features;
        layer.outputs = l == options.layers - 1 ? 1 : options.features;
        layer.weights = offset;
        layer.biases = offset + layer.outputs * layer.inputs * taps;
        offset = layer.biases + layer.outputs;
        layers_.push_back(layer);

        Place begin;
        begin.weights = place;
        begin.transposed =
            begin.weights + packed_floats(layer.outputs, layer.inputs, taps, l == options.layers - 1);
        begin.biases = begin.transposed + packed_floats(layer.inputs, layer.outputs, taps, l == 0);
        place = begin.biases + blocks_of(layer.outputs) * block;
        places_.push_back(begin);
    }
    parameters_.resize(static_cast<std::size_t>(offset));
    packed_ = Array<float>({place});
}

Index ConvolutionalNetwork::parameter_count() const noexcept {
    return static_cast<Index>(parameters_.size());
}

std::vector<float> ConvolutionalNetwork::initial_parameters(std::uint64_t seed) const {
    std::vector<float> parameters(parameters_.size());
    Philox random(seed);
    for (const Layer& layer : layers_) {
        const Index taps = Index{options_.size} * options_.size;
        const double limit = std::sqrt(6.0 / static_cast<double>(taps * (layer.inputs + layer.outputs)));
        for (Index k = layer.weights; k < layer.biases; ++k)
            parameters[k] = static_cast<float>(random.uniform(-limit, limit));
    }
    return parameters;
}

void ConvolutionalNetwork::update(std::span<const float> parameters) {
    require(static_cast<Index>(parameters.size()) == parameter_count(), Status::size_mismatch,
            "this convolutional network takes ", parameter_count(), " parameters, got ", parameters.size());
    std::copy(parameters.begin(), parameters.end(), parameters_.begin());
    const Index taps = Index{options_.size} * options_.size;
    for (std::size_t l = 0; l < layers_.size(); ++l) {
        const Layer& layer = layers_[l];
        const float* weights = parameters_.data() + layer.weights;
        pack(packed_.data() + places_[l].weights, layer.outputs, layer.inputs, taps, l + 1 == layers_.size(),
             [&](Index o, Index i, Index tap) { return weights[(o * layer.inputs + i) * taps + tap]; });
        pack(packed_.data() + places_[l].transposed, layer.inputs, layer.outputs, taps, l == 0,
             [&](Index i, Index o, Index tap) {
                 return weights[(o * layer.inputs + i) * taps + taps - 1 - tap];
             });
        std::copy_n(parameters_.data() + layer.biases, layer.outputs, packed_.data() + places_[l].biases);
    }
}

PackedLayer ConvolutionalNetwork::packed(int l) const noexcept {
    const Place& place = places_[l];
    return {layers_[l].outputs, layers_[l].inputs, packed_.data() + place.weights,
            packed_.data() + place.transposed, packed_.data() + place.biases};
}

std::size_t ConvolutionalNetwork::workspace_bytes(Index rows, Index columns,
                                                  const Context& context) const noexcept {
    return std::max(gradient_workspace_bytes(rows, columns, context),
                    vjp_workspace_bytes(rows, columns, context));
}

// The last `size` rows of the layers below the last one for every thread, and a row of zeros.
std::size_t ConvolutionalNetwork::gradient_workspace_bytes(Index rows, Index columns,
                                                           const Context& context) const noexcept {
    const Frame frame{rows, columns, options_.boundary};
    const Index radius = options_.size / 2, tile_columns = std::min(most_tile_columns, columns);
    std::size_t bytes = 0;
    for (int l = 0; l < options_.layers; ++l) {
        const Index width = most_columns(frame, tile_columns, (options_.layers - l) * radius);
        const Features features{nullptr, {0, 1, 0, width}, layers_[l].inputs, radius, options_.size};
        bytes += Workspace::bytes<float>(context.threads() * features.floats());
        if (l == 0 || l == 1) bytes += Workspace::bytes<float>(features.row_floats());
    }
    return bytes;
}

void ConvolutionalNetwork::gradient(View<const float> x, View<float> gradient,
                                    Context& context) const noexcept {
    const int layers = options_.layers, size = options_.size;
    const Index radius = size / 2;
    const KernelTable& kernel = kernels(context.isa());
    const Activate activate = options_.nonlinearity == Nonlinearity::elu ? kernel.elu : kernel.relu;
    const Frame frame{x.rows(), x.columns(), options_.boundary};
    const Tiling tiling(x.rows(), x.columns(), tile_rows(x.rows(), x.columns(), context.threads()),
                        most_tile_columns);

    Scratch scratch(context.workspace());
    float* memory[most_layers];
    Index floats[most_layers], longest_row = 0;
    for (int l = 0; l < layers; ++l) {
        const Index width = most_columns(frame, tiling.tile_columns, (layers - l) * radius);
        const Features features{nullptr, {0, 1, 0, width}, layers_[l].inputs, radius, size};
        floats[l] = features.floats();
        memory[l] = scratch.take<float>(context.threads() * floats[l]);
        longest_row = std::max(longest_row, features.row_floats());
    }
    float* zeros = scratch.take<float>(longest_row);
    std::fill_n(zeros, longest_row, 0.0f);

    parallel_for(context, tiling.count, [&](Index i, int thread) {
        const Rectangle tile = tiling.tile(i);
        if (tile.rows() <= 0 || tile.columns() <= 0) return;
        Features features[most_layers];
        for (int l = 0; l < layers; ++l)
            features[l] = {memory[l] + thread * floats[l], frame.grown(tile, (layers - l) * radius),
                           layers_[l].inputs, radius, size};
        // At step t, layer l computes row t - l radius, for which the layer below has just computed the last
        // row.
        for (Index t = tile.row - layers * radius; t < tile.row_end + layers * radius; ++t)
            for (int l = 0; l <= layers; ++l) {
                const Index row = t - l * radius;
                const Rectangle& area = l < layers ? features[l].area : tile;
                if (row < area.row || row >= area.row_end) continue;
                if (l == 0) {
                    load_row(x, features[0], row);
                    extend_row(frame, features[0], row);
                } else if (l < layers) {
                    compute_row(kernel, activate, frame, packed(l - 1), size, features[l - 1], features[l],
                                zeros, row);
                } else {
                    const PackedLayer last = packed(l - 1);
                    kernel.convolve_to_one(input_rows(frame, features[l - 1], zeros, size, row, tile.column),
                                           last.weights, *last.biases, size, gradient.row(row) + tile.column,
                                           tile.columns());
                }
            }
    });
}

}  // namespace sonolux
