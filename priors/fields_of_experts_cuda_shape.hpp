// sonolux/priors/fields_of_experts_cuda_shape.hpp
//
// What kernels are told of fields of experts, and how their parameters lie on a device. Without CUDA, and
// without the prior's own headers, which nvcc need not read.
#pragma once

#include <sonolux/core/boundary.hpp>

namespace sonolux {

class FieldsOfExperts;

namespace cuda {

struct ExpertsShape {
    int filters = 0, size = 0, channels = 1, segments = 0;
    float place_scale = 0, place_offset = 0;  ///< position in a table = place_scale * z + place_offset
    BoundaryRule boundary = BoundaryRule::symmetric;
    int first_response = 0;  ///< responses are at [first, rows - first) x [first, columns - first)
    int output_pad = 0;      ///< how far the adjoint reaches over the image, to be folded back
    int image_pad = 0;       ///< how far responses see over it

    // Where parameters lie, in floats: taps, in rows that begin at multiples of four; the same turned by 180
    // degrees; tables [filters, segments + 2, 4], the first and last of which hold the values at the ends.
    [[nodiscard]] Index tap_stride() const noexcept { return (size + 3) / 4 * 4; }
    [[nodiscard]] Index taps() const noexcept { return Index{filters} * channels * size * tap_stride(); }
    [[nodiscard]] Index tables_at() const noexcept { return 2 * taps(); }
    [[nodiscard]] Index floats() const noexcept { return tables_at() + Index{filters} * (segments + 2) * 4; }

    // Of gradients: of the filters [filters, channels, size, size], of the tables [filters, segments, 4].
    [[nodiscard]] Index filter_entries() const noexcept { return Index{filters} * channels * size * size; }
    [[nodiscard]] Index table_entries() const noexcept { return Index{filters} * segments * 4; }
};

/// Throws Error{unsupported} where there is no kernel for the prior: other channels than 1 or 3, with 3
/// filters wider than 5, or weights of place.
[[nodiscard]] ExpertsShape experts_shape(const FieldsOfExperts& prior);

/// The prior's present parameters, [shape.floats()].
void pack_experts(const FieldsOfExperts& prior, const ExpertsShape& shape, float* packed);

}  // namespace cuda

}  // namespace sonolux
