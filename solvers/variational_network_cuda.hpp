// sonolux/solvers/variational_network_cuda.hpp
//
// Variational networks of images on a CUDA device. Nothing here needs CUDA: the work is done by the module.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include <sonolux/solvers/unrolled_network.hpp>
#include <sonolux/solvers/variational_network_cuda_shape.hpp>
#include <sonolux/solvers/variational_stage.hpp>

namespace sonolux {

namespace cuda {

/// Of a network whose stages are all such steps. Throws Error{unsupported} saying why a network has no CUDA
/// form: another kind of stage, or filters of other sizes than the module has.
[[nodiscard]] VariationalShape variational_shape(const UnrolledNetwork& network, Index rows, Index columns,
                                                 int images = 1);

/// The network's parameters for its present noise level, as VariationalShape places them, [stages *
/// stage_floats]; for images in [0, 1] that become `entry_scale` times as large on the way in and small again
/// on the way out, or 1 for images in the network's units.
void pack_variational_parameters(const UnrolledNetwork& network, const VariationalShape& shape,
                                 float entry_scale, std::span<float> packed);

}  // namespace cuda

/// A variational network bound to a device and a size: `run` allocates nothing and is one recorded graph.
class VariationalNetworkCuda {
public:
    /// Throws as variational_shape does; Error{out_of_memory} naming what is needed and what is free,
    /// Error{device_error}.
    VariationalNetworkCuda(const UnrolledNetwork& network, Index rows, Index columns, CudaDevice& device,
                           int images = 1);

    /// After the network's parameters or noise level changed. Throws Error{device_error}.
    void update(const UnrolledNetwork& network);

    /// Where `run` finds the images, [images, channels, rows, columns] with values in [0, 1], and leaves what
    /// became of them.
    [[nodiscard]] float* images() noexcept { return program_->staging(); }
    [[nodiscard]] std::size_t image_bytes() const noexcept {
        return static_cast<std::size_t>(shape_.image_floats()) * sizeof(float);
    }

    /// ok, or device_error, and then `message` says what the device said.
    [[nodiscard]] Status run() noexcept { return program_->run(&message_); }
    [[nodiscard]] const char* message() const noexcept { return message_.text; }

    /// Seconds of one run on the device alone, the mean of `times`, of images that lie there.
    [[nodiscard]] double seconds(int times);

private:
    cuda::VariationalShape shape_;
    std::vector<float> packed_;
    std::unique_ptr<cuda::VariationalProgramOnDevice> program_;
    cuda::Message message_;
};

}  // namespace sonolux
