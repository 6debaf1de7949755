// tests/support/cuda_device.hpp
//
// The device of tests that need one.
#pragma once

#include <gtest/gtest.h>

#include <sonolux/core/cuda/device.hpp>

namespace sonolux {

/// The first CUDA device, or null and in `why` the reason.
inline std::shared_ptr<CudaDevice> cuda_device_or_reason(std::string& why) {
    try {
        return open_cuda_device(0);
    } catch (const Error& error) {
        why = error.what();
        return nullptr;
    }
}

}  // namespace sonolux

/// Names the first CUDA device `device`, or skips the test saying why there is none.
#define SLX_NEEDS_CUDA_DEVICE(device)                                                                  \
    std::string reason_for_no_##device;                                                                \
    const std::shared_ptr<CudaDevice> device = sonolux::cuda_device_or_reason(reason_for_no_##device); \
    if (device == nullptr) GTEST_SKIP() << "needs a CUDA device: " << reason_for_no_##device
