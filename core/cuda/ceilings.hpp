// sonolux/core/cuda/ceilings.hpp
//
// What a device can do at best, measured: the yardsticks of everything that runs on it.
#pragma once

#include <sonolux/core/cuda/device.hpp>
#include <sonolux/core/cuda/module.hpp>

namespace sonolux {

struct DeviceCeilings {
    double copy_bytes_per_second = 0;    ///< read and written by a copy of 256 MiB within the device
    double operations_per_second = 0;    ///< float32, a multiply-add being two; nothing is read
    double upload_bytes_per_second = 0;  ///< from host memory that the device reads itself
    double launch_seconds = 0;           ///< one after another of a kernel that does nothing
};

/// Takes about a tenth of a second. Measure in the same run as what is compared with it: clocks change.
/// Throws Error{out_of_memory}, Error{device_error}.
[[nodiscard]] DeviceCeilings measure_ceilings(CudaDevice& device);

}  // namespace sonolux

extern "C" {
sonolux::Status slx_cuda_ceilings(sonolux::CudaDevice* device, sonolux::DeviceCeilings* ceilings,
                                  sonolux::cuda::Message* message) noexcept;
}
