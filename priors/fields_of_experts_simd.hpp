// sonolux/priors/fields_of_experts_simd.hpp
//
// What the SIMD sources of priors share. Compiled once per instruction set, each copy in a namespace of its
// own; see sonolux_add_simd_source.
#pragma once

#include <cstring>
#include <utility>

#include <sonolux/core/multiply_add.hpp>
#include <sonolux/priors/fields_of_experts_kernel.hpp>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace sonolux::foe::SLX_ISA_NAMESPACE {

#if defined(__AVX512F__)
inline constexpr int lanes = 16, registers = 32;
#elif defined(__AVX__)
inline constexpr int lanes = 8, registers = 16;
#elif defined(__aarch64__)
inline constexpr int lanes = 4, registers = 32;
#else
inline constexpr int lanes = 4, registers = 16;
#endif

using Vector = float __attribute__((vector_size(lanes * sizeof(float))));
using Integers = int __attribute__((vector_size(lanes * sizeof(int))));

template <class V = Vector>
V load(const float* p) noexcept {
    V v;
    std::memcpy(&v, p, sizeof v);
    return v;
}

template <class V>
void store(float* p, V v) noexcept {
    std::memcpy(p, &v, sizeof v);
}

template <class V = Vector>
V splat(float x) noexcept {
    return x - V{};
}

template <int... lane>
constexpr Integers lane_numbers(std::integer_sequence<int, lane...>) noexcept {
    return Integers{lane...};
}

/// The lanes below `count`, the others 0.
inline Vector keep(Vector v, Index count) noexcept {
    constexpr Integers number = lane_numbers(std::make_integer_sequence<int, lanes>());
    return number < static_cast<int>(count) ? v : Vector{};
}

// Defined in activation_simd.cpp.
void activate(Plane z, Plane phi, Index rows, Index columns, const Table& table) noexcept;
void activate_vjp(Plane z, Plane q, Index rows, Index columns, const Rectangle& own, const Table& table,
                  float* histogram) noexcept;

// Defined in response_weights_simd.cpp.
void weigh(Plane phi, Index rows, Index columns, const Weights& weights) noexcept;
void weight_gradient(Plane a, Plane b, Index rows, Index columns, const Weights& weights,
                     double* gradient) noexcept;

}  // namespace sonolux::foe::SLX_ISA_NAMESPACE
