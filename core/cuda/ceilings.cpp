// sonolux/core/cuda/ceilings.cpp
#include <sonolux/core/cuda/ceilings.hpp>

namespace sonolux {

DeviceCeilings measure_ceilings(CudaDevice& device) {
    DeviceCeilings ceilings;
    cuda::Message message;
    cuda::require_ok(
        cuda::module_call<decltype(slx_cuda_ceilings)>("slx_cuda_ceilings")(&device, &ceilings, &message),
        message);
    return ceilings;
}

}  // namespace sonolux
