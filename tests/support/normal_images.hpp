// tests/support/normal_images.hpp
//
// Arrays of noise.
#pragma once

#include <sonolux/core/array.hpp>
#include <sonolux/core/random.hpp>

namespace sonolux {

/// Standard normal numbers, other ones for each seed.
[[nodiscard]] inline Array<float> normal(const Shape& shape, std::uint64_t seed) {
    Array<float> values(shape);
    fill_normal(values, Philox(seed));
    return values;
}

}  // namespace sonolux
