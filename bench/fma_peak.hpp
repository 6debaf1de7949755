// bench/fma_peak.hpp
//
// How many floating-point operations this machine can do at best: the yardstick of the kernels that are
// limited by multiply-adds.
//
// Twelve independent chains a <- a m + c run in vector registers, for a fixed count that takes about a
// millisecond. A multiply-add has a latency of 4 cycles on current processors and at most two begin in a
// cycle, so eight chains are enough to keep the units busy. Nothing is read from memory. What is measured is
// what the machine gives at that moment: clock, other load and all. So measure right before and after what is
// compared with it.
#pragma once

#include <sonolux/core/context.hpp>

namespace sonolux::bench {

/// Floating-point operations per second (a multiply-add is two), one measurement of about a millisecond on
/// each of the context's threads at once, in the context's instruction set. `baseline` multiplies and adds
/// separately.
[[nodiscard]] double fma_peak(Context& context) noexcept;

/// The same on the calling thread, per second of processor time.
[[nodiscard]] double fma_peak_of_this_thread(Isa isa) noexcept;

/// The loops themselves: `rounds` rounds of twelve multiply-adds of `lanes` floats each.
struct PeakKernel {
    float (*run)(Index rounds) noexcept;
    int lanes;
};

// Each compiled from fma_peak_simd.cpp with other flags.
namespace baseline {
PeakKernel peak_kernel() noexcept;
}
namespace avx2 {
PeakKernel peak_kernel() noexcept;
}
namespace avx512 {
PeakKernel peak_kernel() noexcept;
}
namespace neon {
PeakKernel peak_kernel() noexcept;
}

}  // namespace sonolux::bench
