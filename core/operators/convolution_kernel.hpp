// sonolux/core/operators/convolution_kernel.hpp
//
// The inner loop of convolution and of its adjoint. Private to core/operators.
#pragma once

#include <sonolux/core/shape.hpp>

namespace sonolux::convolution_kernel {

/// One row of taps, and the samples it slides along.
struct Line {
    const float* samples;
    const float* taps;
};

/// out[j] (+)= sum over lines r and taps v of lines[r].taps[v] * lines[r].samples[j + v] for j in [0,
/// length): a chain over r, then v, so that an output has the same bits in whatever vector lane it lands.
using Correlate = void (*)(const Line* lines, Index count, Index taps, float* out, Index length,
                           bool accumulate) noexcept;

// Each compiled from convolution_simd.cpp with other flags.
namespace baseline {
void correlate(const Line*, Index, Index, float*, Index, bool) noexcept;
}
namespace avx2 {
void correlate(const Line*, Index, Index, float*, Index, bool) noexcept;
}
namespace avx512 {
void correlate(const Line*, Index, Index, float*, Index, bool) noexcept;
}
namespace neon {
void correlate(const Line*, Index, Index, float*, Index, bool) noexcept;
}

}  // namespace sonolux::convolution_kernel
