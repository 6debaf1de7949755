// sonolux/solvers/variational_training_cuda.hpp
//
// Gradients of variational networks of images on a CUDA device, for training. Nothing here needs CUDA: the
// work is done by the module.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include <sonolux/solvers/unrolled_network.hpp>
#include <sonolux/solvers/variational_training_cuda_interface.hpp>

namespace sonolux {

/// The gradient of a network on many images at once. Every sum has one order: the same bits each time.
class VariationalTrainingCuda {
public:
    /// Throws as variational_shape does, Error{unsupported} for momentum and for tables of more than 64
    /// segments, Error{out_of_memory} naming what is needed and what is free, Error{device_error}.
    VariationalTrainingCuda(const UnrolledNetwork& network, Index rows, Index columns, int images,
                            CudaDevice& device);

    /// With the work done by `program`, which was made for the same shape.
    VariationalTrainingCuda(const cuda::VariationalShape& shape,
                            std::unique_ptr<cuda::VariationalTrainingOnDevice> program);

    /// x_0 = start to x_steps, by the network's parameters as its last `update` made them.
    [[nodiscard]] Status forward(const UnrolledNetwork& network, const float* start, const float* data,
                                 Index steps) noexcept;

    /// x_step.
    [[nodiscard]] Status state(Index step, float* images) noexcept {
        return program_->state(step, images, &message_);
    }

    /// Adds to the gradient of the loss with respect to the last state that `backward` has not passed.
    [[nodiscard]] Status add_upstream(const float* image_bar) noexcept {
        return program_->add_upstream(image_bar, &message_);
    }

    /// One step back: adds the sum over all images to `parameter_bar`, the network's whole gradient.
    /// Workspace: the network's training workspace.
    [[nodiscard]] Status backward(const UnrolledNetwork& network, Index step, std::span<float> parameter_bar,
                                  Context& context) noexcept;

    /// The gradient with respect to the state that `backward` has come to.
    [[nodiscard]] Status upstream(float* image_bar) noexcept {
        return program_->upstream(image_bar, &message_);
    }

    /// What the device said when one of these returned something else than ok.
    [[nodiscard]] const char* message() const noexcept { return message_.text; }

private:
    cuda::VariationalShape shape_;
    std::unique_ptr<cuda::VariationalTrainingOnDevice> program_;
    std::vector<float> packed_;
    std::vector<double> gradient_, tables_;
    cuda::Message message_;
};

}  // namespace sonolux
