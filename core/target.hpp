// sonolux/core/target.hpp
//
// One loop, compiled for several instruction sets in one file.
//
// For loops that keep the bits of the plain code: the file is compiled without contraction, so a wider
// instruction set changes the speed only. (Loops that want fused multiply-adds live in *_simd.cpp instead;
// see SonoluxCompile.)
//
//     SLX_INLINE void scale_any(float* x, Index n) { ... }
//     void scale(float* x, Index n) { scale_any(x, n); }
//     #ifdef SLX_TARGET_AVX2
//     SLX_TARGET_AVX2 void scale_avx2(float* x, Index n) { scale_any(x, n); }
//     #endif
#pragma once

#define SLX_INLINE inline __attribute__((always_inline))

#if defined(__x86_64__)
#define SLX_TARGET_AVX2 __attribute__((target("avx2")))
#if defined(__clang__)
#define SLX_TARGET_AVX512 __attribute__((target("avx2,avx512f,avx512bw,avx512dq,avx512vl")))
#else
#define SLX_TARGET_AVX512 \
    __attribute__((target("avx2,avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")))
#endif
#endif
