// sonolux/core/cuda/device.hpp
//
// A CUDA device, as the rest of Sonolux sees it: without a line of CUDA.
//
// Everything that needs the toolkit is in a module of its own (libsonolux_cuda.so), which is loaded when
// somebody asks for a device. Programs are therefore the same on machines with and without one.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <sonolux/core/error.hpp>

namespace sonolux {

/// An open device: its memory and its stream. Made by the module, kept by Context.
class CudaDevice {
public:
    virtual ~CudaDevice() = default;

    /// "NVIDIA H200 (compute 9.0)".
    [[nodiscard]] virtual std::string name() const = 0;

    /// Bytes of device memory that are free now, whoever else uses the device.
    [[nodiscard]] virtual std::size_t free_bytes() const = 0;
    [[nodiscard]] virtual std::size_t total_bytes() const = 0;

    /// ok, or device_error after a fault: a device that has faulted answers nothing else, and has to be
    /// opened again in a new process.
    [[nodiscard]] virtual Status status() const noexcept = 0;

protected:
    CudaDevice() = default;
    CudaDevice(const CudaDevice&) = default;
    CudaDevice& operator=(const CudaDevice&) = default;
};

/// Opens device `index`, counted from 0.
///
/// Throws Error{unsupported} where the module is missing, of another version, or cannot be loaded, where the
/// driver is missing or older than the module, and where there is no such device: each with what was found.
/// Never falls back to the CPU.
[[nodiscard]] std::shared_ptr<CudaDevice> open_cuda_device(int index = 0);

/// Whether a word names a device: "cpu", "cuda" (the first one) or "cuda:N".
[[nodiscard]] bool names_device(std::string_view word) noexcept;

/// The device of that name, as open_cuda_device; null for "cpu". Throws Error{invalid_argument} for a word
/// that names none.
[[nodiscard]] std::shared_ptr<CudaDevice> open_device(std::string_view name);

}  // namespace sonolux
