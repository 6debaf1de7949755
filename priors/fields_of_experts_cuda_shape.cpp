// sonolux/priors/fields_of_experts_cuda_shape.cpp
#include <algorithm>

#include <sonolux/priors/fields_of_experts.hpp>
#include <sonolux/priors/fields_of_experts_cuda_shape.hpp>

namespace sonolux::cuda {

ExpertsShape experts_shape(const FieldsOfExperts& prior) {
    const FieldsOfExpertsOptions& options = prior.options();
    const int size = options.filters.size, channels = options.filters.channels;
    require(options.weight_nodes == 0, Status::unsupported,
            "the network has no CUDA form: its responses have weights of place");
    require(size % 2 == 1 && (channels == 1 || (channels == 3 && size <= 5)), Status::unsupported,
            "the network has no CUDA form: its filters look at ", channels, " channels and are ", size,
            " wide, and those that have one at 1 channel and 3, 5, 7, 9 or 11 wide, or at 3 channels and 3 "
            "or 5 wide");
    ExpertsShape shape;
    shape.filters = options.filters.count;
    shape.size = size;
    shape.channels = channels;
    shape.segments = options.activation.segments;
    shape.place_scale = prior.activation().inverse_step();
    // Segments are counted from 1: the first of the device's tables lies before them.
    shape.place_offset =
        static_cast<float>(1 - double{options.activation.table_lower} * options.activation.segments /
                                   (double{options.activation.table_upper} - options.activation.table_lower));
    shape.boundary = options.boundary;
    const int radius = size / 2;
    switch (options.border) {
        case BorderGradient::exact: shape.output_pad = shape.image_pad = radius; break;
        case BorderGradient::cropped:
            shape.first_response = -radius;
            shape.image_pad = 2 * radius;
            break;
        case BorderGradient::valid: shape.first_response = radius; break;
    }
    return shape;
}

void pack_experts(const FieldsOfExperts& prior, const ExpertsShape& shape, float* packed) {
    const Index size = shape.size, stride = shape.tap_stride(), segments = shape.segments;
    std::fill_n(packed, shape.floats(), 0.0f);
    for (Index row = 0; row < Index{shape.filters} * shape.channels * size; ++row)
        for (Index dx = 0; dx < size; ++dx) {
            const Index turned = row / size * size + size - 1 - row % size;
            const float tap = prior.filters().data()[row * size + dx];
            packed[row * stride + dx] = tap;
            packed[shape.taps() + turned * stride + size - 1 - dx] = tap;
        }
    for (Index filter = 0; filter < shape.filters; ++filter) {
        const float* table = prior.table_by_segment(filter).data();
        const float* last = table + 4 * (segments - 1);
        float* to = packed + shape.tables_at() + filter * 4 * (segments + 2);
        to[0] = table[0];
        std::copy_n(table, 4 * segments, to + 4);
        to[4 * (segments + 1)] = last[0] + (last[1] + (last[2] + last[3]));
    }
}

}  // namespace sonolux::cuda
