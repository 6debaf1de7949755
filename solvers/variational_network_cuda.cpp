// sonolux/solvers/variational_network_cuda.cpp
#include <algorithm>
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

// Rows of taps begin at multiples of four floats.
void pack_taps(View<const float> filters, const VariationalShape& shape, bool flip, float* to) {
    const Index size = shape.size, stride = shape.tap_stride();
    for (Index plane = 0; plane < Index{shape.filters} * shape.channels; ++plane)
        for (Index dy = 0; dy < size; ++dy)
            for (Index dx = 0; dx < size; ++dx) {
                const float* taps = filters.data() + plane * size * size;
                to[(plane * size + dy) * stride + dx] =
                    flip ? taps[(size - 1 - dy) * size + size - 1 - dx] : taps[dy * size + dx];
            }
}

// Before the first and after the last segment phi keeps its value.
void pack_table(const float* by_segment, Index segments, float* to) {
    const float* last = by_segment + 4 * (segments - 1);
    std::fill_n(to, 4 * (segments + 2), 0.0f);
    to[0] = by_segment[0];
    std::copy_n(by_segment, 4 * segments, to + 4);
    to[4 * (segments + 1)] = last[0] + (last[1] + (last[2] + last[3]));
}

}  // namespace

VariationalShape variational_shape(const UnrolledNetwork& network, Index rows, Index columns, int images) {
    const VariationalStage& first = stage_of(network, 0);
    const FieldsOfExperts& prior = first.prior();
    const FieldsOfExpertsOptions& options = prior.options();
    const int size = options.filters.size;
    require(prior.channels() == 1 || (prior.channels() == 3 && size <= 5), Status::unsupported,
            "the network has no CUDA form: its filters look at ", prior.channels(), " channels and are ",
            size,
            " wide, and those that have one at 1 channel and 3 to 11 wide, or at 3 channels and 3 or 5 "
            "wide");
    VariationalShape shape;
    shape.rows = rows;
    shape.columns = columns;
    shape.images = images;
    shape.stages = static_cast<int>(network.steps());
    shape.filters = options.filters.count;
    shape.size = size;
    shape.channels = options.filters.channels;
    shape.segments = options.activation.segments;
    shape.place_scale = prior.activation().inverse_step();
    // Segments are counted from 1: the first of the device's tables lies before them.
    shape.place_offset =
        static_cast<float>(1 - double{options.activation.table_lower} * options.activation.segments /
                                   (double{options.activation.table_upper} - options.activation.table_lower));
    shape.boundary = options.boundary;
    const Index radius = size / 2;
    shape.first_response = options.border == BorderGradient::cropped ? -radius
                           : options.border == BorderGradient::valid ? radius
                                                                     : 0;
    shape.output_pad = options.border == BorderGradient::exact ? radius : 0;
    shape.momentum = first.planes() > first.channels();
    for (Index step = 1; step < network.steps(); ++step) (void)stage_of(network, step);
    return shape;
}

void pack_variational_parameters(const UnrolledNetwork& network, const VariationalShape& shape,
                                 std::span<float> packed) {
    const Index segments = shape.segments;
    for (Index step = 0; step < shape.stages; ++step) {
        const VariationalStage& stage = stage_of(network, step);
        float* to = packed.data() + step * shape.stage_floats();
        pack_taps(stage.prior().filters(), shape, false, to);
        pack_taps(stage.prior().filters(), shape, true, to + shape.taps());
        for (Index filter = 0; filter < shape.filters; ++filter)
            pack_table(stage.prior().table_by_segment(filter).data(), segments,
                       to + shape.tables_at() + filter * 4 * (segments + 2));
        StepNumbers numbers;
        numbers.damping = stage.damping();
        numbers.data_weight = stage.data_weight();
        numbers.momentum = stage.momentum();
        numbers.prior_scale = stage.prior().options().scale;
        numbers.image_scale = step == 0 ? network.entry_scale() : 1;
        numbers.data_scale = network.entry_scale();
        numbers.leave = step + 1 == shape.stages ? 1 / network.entry_scale() : 1;
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
    cuda::pack_variational_parameters(network, shape_, packed_);
    cuda::require_ok(program_->update(packed_.data(), &message_), message_);
}

double VariationalNetworkCuda::seconds(int times) {
    double seconds = 0;
    cuda::require_ok(program_->time(times, &seconds, &message_), message_);
    return seconds / times;
}

}  // namespace sonolux
