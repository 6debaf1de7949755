// sonolux/priors/convolutional_network_kernel.hpp
//
// The inner loops of convolutional networks, one row of features at a time. Private to priors.
//
// Channels come in blocks of 16, so that a pixel of a block is one cache line: a row of features is
//
//     row[block][column][16]        blocks `block_stride` floats apart
//
// whatever the instruction set. Channels past the last one are 0 in every row that a kernel reads, and are
// never inputs of a convolution: infinity times their zero weights would be NaN.
#pragma once

#include <sonolux/core/isa.hpp>
#include <sonolux/core/shape.hpp>

namespace sonolux::cnn {

inline constexpr Index block = 16;
inline constexpr int most_size = 7;     // of a filter
inline constexpr int most_layers = 16;  // of a network

[[nodiscard]] constexpr Index blocks_of(Index channels) noexcept { return (channels + block - 1) / block; }

/// The rows that one row of results reads, from column -radius of that row on; one for each row of the
/// filter.
struct InputRows {
    const float* row[most_size];
    Index block_stride;
    Index channels;
};

struct OutputRow {
    float* data;
    Index block_stride;
    Index channels;
};

/// out[o](c) = bias[o] + sum over i, u, v of weights[o, i, u, v] in.row[u][i](c + v)
///
/// as one chain of multiply-adds from the bias over blocks of inputs, u, v, and the inputs of the block.
/// Weights are packed: [block of o][block of i][u][v][i in the block][16], with no room for inputs that are
/// not there. `bias` has 16 numbers for each block of o. All channels of the blocks are written.
using Convolve = void (*)(const InputRows& in, const float* weights, const float* bias, int size,
                          const OutputRow& out, Index columns) noexcept;

/// The same for a single output, to plain floats: 16 chains over u, v and the block of inputs, one for each
/// place in a block, which are then added in pairs, and the bias last. Weights [u][v][block of i][16].
using ConvolveToOne = void (*)(const InputRows& in, const float* weights, float bias, int size, float* out,
                               Index columns) noexcept;

/// row = a(row) in place; channels past the last one become 0.
using Activate = void (*)(const OutputRow& row, Index columns) noexcept;

/// row *= a'(z) where h = a(z) says what a'(z) was; channels past the last one become 0.
using MultiplyBySlope = void (*)(const OutputRow& row, const float* h, Index h_block_stride,
                                 Index columns) noexcept;

/// sum[i][j] += sum over c of a(c)[i] b[j](c) for the first `a_channels` of one block of a and all of b: sums
/// of a row in float, added up in double. `sum` is [16][blocks of b][16].
using AddProducts = void (*)(const float* a, Index a_channels, const float* b, Index b_block_stride,
                             Index b_channels, Index columns, double* sum) noexcept;

/// The kernels of one instruction set.
struct KernelTable {
    Convolve convolve;
    ConvolveToOne convolve_to_one;
    Activate elu, relu;
    MultiplyBySlope elu_slope, relu_slope;
    AddProducts add_products;
};

[[nodiscard]] const KernelTable& kernels(Isa isa) noexcept;

// Each compiled from convolutional_network_simd.cpp with other flags.
namespace baseline {
const KernelTable& table() noexcept;
}
namespace avx2 {
const KernelTable& table() noexcept;
}
namespace avx512 {
const KernelTable& table() noexcept;
}
namespace neon {
const KernelTable& table() noexcept;
}

}  // namespace sonolux::cnn
