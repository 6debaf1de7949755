// sonolux/core/isa.cpp
#include <cstdlib>
#include <cstring>

#include <sonolux/core/error.hpp>
#include <sonolux/core/isa.hpp>

namespace sonolux {

const char* to_string(Isa isa) noexcept {
    switch (isa) {
        case Isa::baseline: return "baseline";
        case Isa::avx2: return "avx2";
        case Isa::avx512: return "avx512";
        case Isa::neon: return "neon";
    }
    return "unknown";
}

std::vector<Isa> available_isas() {
    std::vector<Isa> isas{Isa::baseline};
#if defined(__x86_64__)
    __builtin_cpu_init();
    // The whole of x86-64-v3 and v4, not single features: the variants are compiled for the level.
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
        __builtin_cpu_supports("bmi2")) {
        isas.push_back(Isa::avx2);
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
            __builtin_cpu_supports("avx512vl"))
            isas.push_back(Isa::avx512);
    }
#elif defined(__aarch64__)
    isas.push_back(Isa::neon);  // part of the base architecture
#endif
    return isas;
}

Isa default_isa() {
    const std::vector<Isa> available = available_isas();
    const char* wanted = std::getenv("SONOLUX_ISA");
    if (wanted == nullptr || *wanted == '\0') return available.back();
    for (Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512, Isa::neon}) {
        if (std::strcmp(wanted, to_string(isa)) != 0) continue;
        for (Isa one : available)
            if (one == isa) return isa;
        fail(Status::unsupported, "SONOLUX_ISA: this processor cannot run \"", wanted, "\", at best \"",
             to_string(available.back()), "\"");
    }
    fail(Status::invalid_argument, "SONOLUX_ISA must be baseline, avx2, avx512 or neon, got \"", wanted, "\"");
}

}  // namespace sonolux
