// sonolux/simulation/acoustics/lane_vector.hpp
//
// Vectors of the instruction set at hand, for the *_simd.cpp files of this folder. Everything has internal
// linkage: each instruction set has its own copy.
#pragma once

#include <cstring>
#include <utility>

#include <sonolux/core/multiply_add.hpp>
#include <sonolux/core/shape.hpp>

namespace sonolux {
namespace {

#if defined(__AVX512F__)
constexpr Index lanes = 16;
#elif defined(__AVX__)
constexpr Index lanes = 8;
#else
constexpr Index lanes = 4;
#endif

using Vector = float __attribute__((vector_size(lanes * sizeof(float))));

static SLX_INLINE Vector load(const float* from) noexcept {
    Vector v;
    std::memcpy(&v, from, sizeof v);
    return v;
}

static SLX_INLINE void store(float* to, Vector v) noexcept { std::memcpy(to, &v, sizeof v); }

static SLX_INLINE Vector splat(float value) noexcept { return value - Vector{}; }

/// Exchanges the lanes of two vectors that have bit `bit` set in the first with those that have not in the
/// second.
template <int bit, int... lane>
static SLX_INLINE void exchange(Vector& a, Vector& b, std::integer_sequence<int, lane...>) noexcept {
    constexpr int count = static_cast<int>(lanes);
    const Vector low = __builtin_shufflevector(a, b, ((lane & bit) == 0 ? lane : count + lane - bit)...);
    b = __builtin_shufflevector(a, b, ((lane & bit) == 0 ? lane + bit : count + lane)...);
    a = low;
}

template <int bit>
static SLX_INLINE void exchange_all(Vector (&v)[lanes]) noexcept {
#pragma GCC unroll 16
    for (int i = 0; i < static_cast<int>(lanes); ++i)
        if ((i & bit) == 0)
            exchange<bit>(v[i], v[i + bit], std::make_integer_sequence<int, static_cast<int>(lanes)>{});
}

/// The transpose of a square of vectors.
static SLX_INLINE void transpose(Vector (&v)[lanes]) noexcept {
    exchange_all<1>(v);
    exchange_all<2>(v);
    if constexpr (lanes > 4) exchange_all<4>(v);
    if constexpr (lanes > 8) exchange_all<8>(v);
}

}  // namespace
}  // namespace sonolux
