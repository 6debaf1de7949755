// sonolux/simulation/acoustics/kspace_kernels.cpp
#include <sonolux/simulation/acoustics/kspace_kernels.hpp>

namespace sonolux {

const KspaceKernels& kspace_kernels([[maybe_unused]] Isa isa) noexcept {
#if defined(__x86_64__)
    if (isa == Isa::avx512) return kspace::avx512::kernels;
    if (isa == Isa::avx2) return kspace::avx2::kernels;
#elif defined(__aarch64__)
    if (isa == Isa::neon) return kspace::neon::kernels;
#endif
    return kspace::baseline::kernels;
}

}  // namespace sonolux
