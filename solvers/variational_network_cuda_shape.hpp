// sonolux/solvers/variational_network_cuda_shape.hpp
//
// What the CUDA module is told of a variational network, and what it makes of it. Without the network's own
// headers, which nvcc need not read.
#pragma once

#include <sonolux/core/cuda/device.hpp>
#include <sonolux/core/cuda/module.hpp>
#include <sonolux/priors/fields_of_experts_cuda_shape.hpp>

namespace sonolux::cuda {

/// What the launches of a network depend on; everything else is in its parameters.
struct VariationalShape {
    Index rows = 0, columns = 0;
    int images = 1;  ///< that run together
    int stages = 0;
    bool momentum = false;
    ExpertsShape prior;

    // Of a step's parameters: those of its prior, then StepNumbers.
    [[nodiscard]] Index numbers_at() const noexcept { return prior.floats(); }
    [[nodiscard]] Index stage_floats() const noexcept { return numbers_at() + 8; }
    [[nodiscard]] Index image_floats() const noexcept { return images * prior.channels * rows * columns; }
};

/// What the module makes of a shape. Messages say what went wrong.
class VariationalProgramOnDevice {
public:
    virtual ~VariationalProgramOnDevice() = default;
    VariationalProgramOnDevice(const VariationalProgramOnDevice&) = delete;
    VariationalProgramOnDevice& operator=(const VariationalProgramOnDevice&) = delete;

    [[nodiscard]] virtual Status update(const float* packed, Message* message) noexcept = 0;

    /// Host memory that the device reads and writes itself.
    [[nodiscard]] virtual float* staging() noexcept = 0;
    [[nodiscard]] virtual Status run(Message* message) noexcept = 0;

    /// Runs `times` on the images that are on the device, between two looks at the device's clock.
    [[nodiscard]] virtual Status time(int times, double* seconds, Message* message) noexcept = 0;

protected:
    VariationalProgramOnDevice() = default;
};

}  // namespace sonolux::cuda

extern "C" {
/// The program of a shape on a device that slx_cuda_open made, or why there is none. Delete it.
sonolux::Status slx_cuda_variational_network(sonolux::CudaDevice* device,
                                             const sonolux::cuda::VariationalShape* shape,
                                             sonolux::cuda::VariationalProgramOnDevice** program,
                                             sonolux::cuda::Message* message) noexcept;
}
