// sonolux/simulation/acoustics/lane_fft_kernel.hpp
//
// The passes of LaneFft, once per instruction set.
#pragma once

#include <sonolux/core/isa.hpp>
#include <sonolux/simulation/acoustics/lane_fft.hpp>

namespace sonolux::lane_fft {

using Kernel = void (*)(const LaneFftPass&, const float* in, Index in_step, float* out, Index out_step,
                        bool inverse) noexcept;

#define SLX_LANE_FFT_KERNEL(isa)                                                     \
    namespace isa {                                                                  \
    void run(const LaneFftPass&, const float*, Index, float*, Index, bool) noexcept; \
    }
SLX_LANE_FFT_KERNEL(baseline)
#if defined(__x86_64__)
SLX_LANE_FFT_KERNEL(avx2)
SLX_LANE_FFT_KERNEL(avx512)
#elif defined(__aarch64__)
SLX_LANE_FFT_KERNEL(neon)
#endif
#undef SLX_LANE_FFT_KERNEL

[[nodiscard]] inline Kernel kernel_of([[maybe_unused]] Isa isa) noexcept {
#if defined(__x86_64__)
    if (isa == Isa::avx512) return avx512::run;
    if (isa == Isa::avx2) return avx2::run;
#elif defined(__aarch64__)
    if (isa == Isa::neon) return neon::run;
#endif
    return baseline::run;
}

}  // namespace sonolux::lane_fft
