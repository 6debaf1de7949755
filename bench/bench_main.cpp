// bench/bench_main.cpp
#include <benchmark/benchmark.h>

#include <sonolux/core/context.hpp>

#ifndef SLX_VERSION
#define SLX_VERSION "unknown"
#endif

namespace sonolux::bench {
void register_fields_of_experts();
void register_networks();
void register_convolutional_networks();
void register_psf_banks();
}  // namespace sonolux::bench

int main(int count, char** arguments) {
    benchmark::Initialize(&count, arguments);
    if (benchmark::ReportUnrecognizedArguments(count, arguments)) return 2;
    benchmark::AddCustomContext("sonolux", SLX_VERSION);
    benchmark::AddCustomContext("compiler", __VERSION__);
    benchmark::AddCustomContext("default device", sonolux::Context().description());
    sonolux::bench::register_fields_of_experts();
    sonolux::bench::register_networks();
    sonolux::bench::register_convolutional_networks();
    sonolux::bench::register_psf_banks();
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}
