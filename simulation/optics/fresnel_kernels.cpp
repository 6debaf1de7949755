// sonolux/simulation/optics/fresnel_kernels.cpp
#include <sonolux/simulation/optics/fresnel_kernels.hpp>

namespace sonolux::detail {

const FresnelKernels& fresnel_kernels([[maybe_unused]] Isa isa) noexcept {
#if defined(__x86_64__)
    if (isa == Isa::avx512) return fresnel::avx512::kernels;
    if (isa == Isa::avx2) return fresnel::avx2::kernels;
#elif defined(__aarch64__)
    if (isa == Isa::neon) return fresnel::neon::kernels;
#endif
    return fresnel::baseline::kernels;
}

}  // namespace sonolux::detail
