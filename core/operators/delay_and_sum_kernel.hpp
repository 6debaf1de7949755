// sonolux/core/operators/delay_and_sum_kernel.hpp
//
// The inner loop of delay and sum. Private to core/operators.
#pragma once

#include <cstdint>

#include <sonolux/core/operators/delay_and_sum_options.hpp>

namespace sonolux::delay_and_sum_kernel {

/// Pixels come in tiles of tile_rows rows of `lanes` columns; the last ones are filled up with pixels of
/// weight 0.
inline constexpr Index lanes = 16, tile_rows = 16, tile = lanes * tile_rows;

/// Added to any transmit position, the position of a pixel that an element does not take part in lies outside
/// every record: sums wrap around, and are compared without sign.
inline constexpr std::int32_t no_reception = INT32_MIN, no_transmission = -(1 << 30);

/// The trace of one element and one transmission. Positions are in units of 2^-bits samples.
struct Trace {
    const float* samples;
    std::uint32_t lowest;  ///< the first position that can be read
    std::uint32_t span;    ///< how far the last one is from it
    std::int32_t last;     ///< the last sample n at which an interpolation may begin
};

/// A tile as seen by one element.
struct Piece {
    const std::int32_t* receive;   ///< [tile] positions
    const std::int16_t* weights;   ///< [tile]; of demodulated data [2, tile], times cosine and sine
    const std::int32_t* transmit;  ///< [tile] positions
};

/// sum[p] += weight[p] x(receive[p] + transmit[p]). Of demodulated data sum is [2, tile], real and imaginary
/// parts, and samples are pairs; weight is then a complex number.
using Accumulate = void (*)(const Piece& piece, const Trace& trace, int bits, float* sum) noexcept;

/// Many frames at once: a trace is then [sample, numbers], as many frames side by side or, of demodulated
/// data, the real and then the imaginary parts of half as many; numbers is 32 or 64. A tile is cut into
/// pieces of frame_tile pixels, whose sums, [frame_tile, numbers], stay in the first cache.
inline constexpr Index frame_tile = 64, most_frame_numbers = 64;

/// For nearest, linear, cubic.
struct KernelSet {
    Accumulate one[3];
    Accumulate frames_32[3], frames_64[3];
};

struct Kernels {
    KernelSet real, complex;
};

/// The adjoint: samples[...] += weight[p] pixels[p], with the conjugate weight of demodulated data.
void spread(SampleInterpolation how, const Piece& piece, const Trace& trace, int bits, Index parts,
            const float* pixels, float* samples) noexcept;

// Each compiled from delay_and_sum_simd.cpp with other flags.
namespace baseline {
Kernels kernels() noexcept;
}
namespace avx2 {
Kernels kernels() noexcept;
}
namespace avx512 {
Kernels kernels() noexcept;
}
namespace neon {
Kernels kernels() noexcept;
}

}  // namespace sonolux::delay_and_sum_kernel
