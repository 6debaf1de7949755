// sonolux/core/isa.hpp
//
// Which instruction set the hot kernels use, chosen at run time.
#pragma once

#include <string>
#include <vector>

namespace sonolux {

/// Levels of the x86-64 psABI, and 64-bit Arm. `baseline` runs everywhere the library does.
enum class Isa : int {
    baseline = 0,  ///< x86-64-v2 (SSE4.2), or plain C++ on other machines
    avx2 = 1,      ///< x86-64-v3: AVX2 and FMA
    avx512 = 2,    ///< x86-64-v4: AVX-512 F, BW, CD, DQ, VL
    neon = 3,      ///< AArch64 Advanced SIMD
};

[[nodiscard]] const char* to_string(Isa isa) noexcept;

/// Everything this processor can run, slowest first. Never empty.
[[nodiscard]] std::vector<Isa> available_isas();

/// The fastest of available_isas(), or what the environment variable SONOLUX_ISA asks for
/// (baseline, avx2, avx512, neon).
/// Throws Error{unsupported} when the variable names one that this processor cannot run, and
/// Error{invalid_argument} when it names none at all.
[[nodiscard]] Isa default_isa();

}  // namespace sonolux
