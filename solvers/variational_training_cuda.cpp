// sonolux/solvers/variational_training_cuda.cpp
#include <sonolux/solvers/variational_network_cuda.hpp>
#include <sonolux/solvers/variational_training_cuda.hpp>

namespace sonolux {

namespace {

std::unique_ptr<cuda::VariationalTrainingOnDevice> make_program(CudaDevice& device,
                                                                const cuda::VariationalShape& shape) {
    cuda::Message message;
    cuda::VariationalTrainingOnDevice* program = nullptr;
    cuda::require_ok(cuda::module_call<decltype(slx_cuda_variational_training)>(
                         "slx_cuda_variational_training")(&device, &shape, &program, &message),
                     message);
    return std::unique_ptr<cuda::VariationalTrainingOnDevice>(program);
}

}  // namespace

VariationalTrainingCuda::VariationalTrainingCuda(const UnrolledNetwork& network, Index rows, Index columns,
                                                 int images, CudaDevice& device)
    : VariationalTrainingCuda(cuda::variational_shape(network, rows, columns, images),
                              make_program(device, cuda::variational_shape(network, rows, columns, images))) {
}

VariationalTrainingCuda::VariationalTrainingCuda(const cuda::VariationalShape& shape,
                                                 std::unique_ptr<cuda::VariationalTrainingOnDevice> program)
    : shape_(shape),
      program_(std::move(program)),
      packed_(static_cast<std::size_t>(shape.stages * shape.stage_floats())),
      gradient_(static_cast<std::size_t>(shape.prior.filter_entries() + shape.prior.table_entries() + 2)),
      tables_(static_cast<std::size_t>(shape.prior.table_entries())) {}

Status VariationalTrainingCuda::forward(const UnrolledNetwork& network, const float* start, const float* data,
                                        Index steps) noexcept {
    cuda::pack_variational_parameters(network, shape_, 1, packed_);
    const Status status = program_->update(packed_.data(), &message_);
    return status == Status::ok ? program_->forward(start, data, steps, &message_) : status;
}

Status VariationalTrainingCuda::backward(const UnrolledNetwork& network, Index step,
                                         std::span<float> parameter_bar, Context& context) noexcept {
    const Status status = program_->backward(step, gradient_.data(), &message_);
    if (status != Status::ok) return status;
    const auto& stage = static_cast<const VariationalStage&>(network.stage(step));
    const double scale = stage.prior().options().scale;
    const Index filters = shape_.prior.filter_entries(), segments = shape_.prior.segments;
    double* of_tables = gradient_.data() + filters;
    for (Index i = 0; i < filters; ++i) gradient_[static_cast<std::size_t>(i)] *= scale;
    for (Index filter = 0; filter < shape_.prior.filters; ++filter)
        for (Index k = 0; k < segments; ++k)
            for (Index power = 0; power < 4; ++power)
                tables_[static_cast<std::size_t>((filter * 4 + power) * segments + k)] =
                    scale * of_tables[(filter * segments + k) * 4 + power];
    const double* products = of_tables + shape_.prior.table_entries();
    stage.add_gradient(gradient_.data(), tables_.data(), products[0], products[1],
                       network.parameters_of(step, parameter_bar), context);
    return Status::ok;
}

}  // namespace sonolux
