// sonolux/core/cuda/device_copy.hpp
//
// Tables that programs keep on the device.
#pragma once

#include <sonolux/core/shape.hpp>

namespace sonolux::cuda {

/// Copies the `count` elements of host memory at `pointer` into memory of the launcher, and lets `pointer`
/// point there. The host's memory must stay until launcher.wait(). At set-up time only; throws what the
/// launcher throws.
template <class Launcher, class T>
void copy_to_device(Launcher& launcher, const T*& pointer, Index count) {
    T* const memory = launcher.template allocate<T>(count);
    launcher.upload(memory, pointer, count);
    pointer = memory;
}

}  // namespace sonolux::cuda
