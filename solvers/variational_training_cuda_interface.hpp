// sonolux/solvers/variational_training_cuda_interface.hpp
//
// What the CUDA module makes for training. Without the network's own headers, which nvcc need not read.
#pragma once

#include <sonolux/solvers/variational_network_cuda_shape.hpp>

namespace sonolux {

namespace cuda {

/// What the module makes of a shape. Images are [images, channels, rows, columns] in the network's units.
class VariationalTrainingOnDevice {
public:
    virtual ~VariationalTrainingOnDevice() = default;
    VariationalTrainingOnDevice(const VariationalTrainingOnDevice&) = delete;
    VariationalTrainingOnDevice& operator=(const VariationalTrainingOnDevice&) = delete;

    /// The network's parameters, as pack_variational_parameters makes them with an entry scale of 1.
    [[nodiscard]] virtual Status update(const float* packed, Message* message) noexcept = 0;

    /// Keeps x_1 to x_steps, and clears the upstream.
    [[nodiscard]] virtual Status forward(const float* start, const float* data, Index steps,
                                         Message* message) noexcept = 0;
    [[nodiscard]] virtual Status state(Index step, float* image, Message* message) noexcept = 0;
    [[nodiscard]] virtual Status add_upstream(const float* image_bar, Message* message) noexcept = 0;

    /// From the upstream of x_{step + 1} to that of x_step. `gradient` [gradient_doubles]: of filters
    /// [filters, channels, size, size] and tables [filters, segments, 4], both without the prior's scale,
    /// then the products of the step's upstream with its misfit and with the step.
    [[nodiscard]] virtual Status backward(Index step, double* gradient, Message* message) noexcept = 0;
    [[nodiscard]] virtual Status upstream(float* image_bar, Message* message) noexcept = 0;

protected:
    VariationalTrainingOnDevice() = default;
};

}  // namespace cuda

}  // namespace sonolux

extern "C" {
/// The program of a shape on a device that slx_cuda_open made, or why there is none. Delete it.
sonolux::Status slx_cuda_variational_training(sonolux::CudaDevice* device,
                                              const sonolux::cuda::VariationalShape* shape,
                                              sonolux::cuda::VariationalTrainingOnDevice** program,
                                              sonolux::cuda::Message* message) noexcept;
}
