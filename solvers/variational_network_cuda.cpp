// sonolux/solvers/variational_network_cuda.cpp
#include <cstring>

#include <sonolux/priors/fields_of_experts_cuda.hpp>
#include <sonolux/solvers/variational_network_cuda.hpp>

namespace sonolux {

namespace cuda {

namespace {

const VariationalStage& stage_of(const UnrolledNetwork& network, Index step) {
    const auto* stage = dynamic_cast<const VariationalStage*>(&network.stage(step));
    require(stage != nullptr, Status::unsupported,
            "the network has no CUDA form: only variational networks of images whose steps are \"plain\" or "
            "\"damped\" have one");
    return *stage;
}

}  // namespace

VariationalShape variational_shape(const UnrolledNetwork& network, Index rows, Index columns, int images) {
    const VariationalStage& first = stage_of(network, 0);
    VariationalShape shape;
    shape.rows = rows;
    shape.columns = columns;
    shape.images = images;
    shape.stages = static_cast<int>(network.steps());
    shape.prior = experts_shape(first.prior());
    shape.momentum = first.planes() > first.channels();
    for (Index step = 1; step < network.steps(); ++step) (void)stage_of(network, step);
    return shape;
}

void pack_variational_parameters(const UnrolledNetwork& network, const VariationalShape& shape,
                                 float entry_scale, std::span<float> packed) {
    for (Index step = 0; step < shape.stages; ++step) {
        const VariationalStage& stage = stage_of(network, step);
        float* to = packed.data() + step * shape.stage_floats();
        pack_experts(stage.prior(), shape.prior, to);
        StepNumbers numbers;
        numbers.damping = stage.damping();
        numbers.data_weight = stage.data_weight();
        numbers.momentum = stage.momentum();
        numbers.prior_scale = stage.prior().options().scale;
        numbers.image_scale = step == 0 ? entry_scale : 1;
        numbers.data_scale = entry_scale;
        numbers.leave = step + 1 == shape.stages ? 1 / entry_scale : 1;
        static_assert(sizeof numbers <= 8 * sizeof(float));
        std::memcpy(to + shape.numbers_at(), &numbers, sizeof numbers);
    }
}

}  // namespace cuda

VariationalNetworkCuda::VariationalNetworkCuda(const UnrolledNetwork& network, Index rows, Index columns,
                                               CudaDevice& device, int images)
    : shape_(cuda::variational_shape(network, rows, columns, images)),
      packed_(static_cast<std::size_t>(shape_.stages * shape_.stage_floats())) {
    const auto make =
        cuda::module_call<decltype(slx_cuda_variational_network)>("slx_cuda_variational_network");
    cuda::VariationalProgramOnDevice* program = nullptr;
    const Status status = make(&device, &shape_, &program, &message_);
    program_.reset(program);
    cuda::require_ok(status, message_);
    update(network);
}

void VariationalNetworkCuda::update(const UnrolledNetwork& network) {
    cuda::pack_variational_parameters(network, shape_, network.entry_scale(), packed_);
    cuda::require_ok(program_->update(packed_.data(), &message_), message_);
}

double VariationalNetworkCuda::seconds(int times) {
    double seconds = 0;
    cuda::require_ok(program_->time(times, &seconds, &message_), message_);
    return seconds / times;
}

}  // namespace sonolux
