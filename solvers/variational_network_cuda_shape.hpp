// sonolux/solvers/variational_network_cuda_shape.hpp
//
// What the CUDA module is told of a variational network, and what it makes of it. Without the network's own
// headers, which nvcc need not read.
#pragma once

#include <sonolux/core/boundary.hpp>
#include <sonolux/core/cuda/device.hpp>
#include <sonolux/core/cuda/module.hpp>

namespace sonolux::cuda {

/// What the launches of a network depend on; everything else is in its parameters.
struct VariationalShape {
    Index rows = 0, columns = 0;
    int images = 1;  ///< that run together
    int stages = 0, filters = 0, size = 0, channels = 1, segments = 0;
    float place_scale = 0, place_offset = 0;  ///< position in a table = place_scale * z + place_offset
    BoundaryRule boundary = BoundaryRule::symmetric;
    Index first_response = 0;  ///< responses are at [first, rows - first) x [first, columns - first)
    Index output_pad = 0;      ///< how far the adjoint reaches over the image, to be folded back
    bool momentum = false;

    // Where a step's parameters lie, in floats: taps, the same turned by 180 degrees, tables, StepNumbers.
    [[nodiscard]] Index tap_stride() const noexcept { return (size + 3) / 4 * 4; }
    [[nodiscard]] Index taps() const noexcept { return Index{filters} * channels * size * tap_stride(); }
    [[nodiscard]] Index tables_at() const noexcept { return 2 * taps(); }
    [[nodiscard]] Index numbers_at() const noexcept {
        return tables_at() + Index{filters} * (segments + 2) * 4;
    }
    [[nodiscard]] Index stage_floats() const noexcept { return numbers_at() + 8; }
    [[nodiscard]] Index image_floats() const noexcept { return images * channels * rows * columns; }
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
