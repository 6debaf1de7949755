// sonolux/core/multiply_add.hpp
//
// a * b + c as one rounding, for the *_simd.cpp files.
//
// Contraction (-ffp-contract=fast) is a licence, not a promise: GCC leaves a product and a sum apart when a
// branch has come between them, on one instruction set and not on another. Where bits shall agree, ask for
// the fused operation. Instruction sets without one (x86-64-v2) round twice.
#pragma once

#include <sonolux/core/target.hpp>

#if defined(__FMA__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace sonolux {

// Internal linkage: every instruction set has its own copy.

static SLX_INLINE float multiply_add(float a, float b, float c) noexcept {
#if defined(__FMA__) || defined(__aarch64__)
    return __builtin_fmaf(a, b, c);
#else
    return a * b + c;
#endif
}

/// For GCC vectors of 4, 8 or 16 floats that are registers of the instruction set.
template <class Vector>
static SLX_INLINE Vector multiply_add(Vector a, Vector b, Vector c) noexcept {
#if defined(__AVX512F__)
    if constexpr (sizeof(Vector) == 64)
        return reinterpret_cast<Vector>(_mm512_fmadd_ps(
            reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b), reinterpret_cast<__m512>(c)));
#endif
#if defined(__FMA__)
    if constexpr (sizeof(Vector) == 32)
        return reinterpret_cast<Vector>(_mm256_fmadd_ps(
            reinterpret_cast<__m256>(a), reinterpret_cast<__m256>(b), reinterpret_cast<__m256>(c)));
    if constexpr (sizeof(Vector) == 16)
        return reinterpret_cast<Vector>(_mm_fmadd_ps(reinterpret_cast<__m128>(a), reinterpret_cast<__m128>(b),
                                                     reinterpret_cast<__m128>(c)));
#elif defined(__aarch64__)
    if constexpr (sizeof(Vector) == 16)
        return reinterpret_cast<Vector>(vfmaq_f32(reinterpret_cast<float32x4_t>(c),
                                                  reinterpret_cast<float32x4_t>(a),
                                                  reinterpret_cast<float32x4_t>(b)));
#endif
    return a * b + c;
}

}  // namespace sonolux
