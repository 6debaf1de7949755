// bench/fma_peak.cpp
#include "fma_peak.hpp"

#include "bench_timing.hpp"

namespace sonolux::bench {

namespace {

PeakKernel kernel(Isa isa) noexcept {
    switch (isa) {
#if defined(__x86_64__)
        case Isa::avx512: return avx512::peak_kernel();
        case Isa::avx2: return avx2::peak_kernel();
#elif defined(__aarch64__)
        case Isa::neon: return neon::peak_kernel();
#endif
        default: return baseline::peak_kernel();
    }
}

constexpr Index rounds = 250'000, chains = 12;

}  // namespace

double fma_peak_of_this_thread(Isa isa) noexcept {
    const PeakKernel peak = kernel(isa);
    const double seconds = processor_seconds_of([&] {
        [[maybe_unused]] const volatile float used = peak.run(rounds);  // so that it is computed at all
    });
    return 2.0 * static_cast<double>(chains * rounds * peak.lanes) / seconds;
}

double fma_peak(Context& context) noexcept {
    const PeakKernel peak = kernel(context.isa());
    const Index threads = context.threads();
    const auto start = Context::Clock::now();
    parallel_for(context, threads, [&](Index, int) noexcept {
        [[maybe_unused]] const volatile float used = peak.run(rounds);  // so that it is computed at all
    });
    const double seconds = std::chrono::duration<double>(Context::Clock::now() - start).count();
    return 2.0 * static_cast<double>(chains * rounds * threads * peak.lanes) / seconds;
}

}  // namespace sonolux::bench
