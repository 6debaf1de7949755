// sonolux/solvers/variational_training_cuda.cu
//
// Gradients of variational networks of images in the CUDA module.
#include <sonolux/core/cuda/device_launcher.cuh>
#include <sonolux/solvers/variational_training_cuda_program.hpp>

namespace {

using namespace sonolux::cuda;

/// A launcher and, on it, the program.
class OnDevice final : public VariationalTrainingBy<DeviceLauncher> {
public:
    OnDevice(std::unique_ptr<DeviceLauncher> launcher, const VariationalShape& shape)
        : VariationalTrainingBy(*launcher, shape), launcher_(std::move(launcher)) {}

private:
    std::unique_ptr<DeviceLauncher> launcher_;
};

}  // namespace

extern "C" __attribute__((visibility("default"))) sonolux::Status slx_cuda_variational_training(
    sonolux::CudaDevice* device, const VariationalShape* shape, VariationalTrainingOnDevice** program,
    Message* message) noexcept {
    return guarded(message, [&] {
        const auto& open = *static_cast<OpenDevice*>(device);
        *program = new OnDevice(std::make_unique<DeviceLauncher>(open), *shape);
    });
}
