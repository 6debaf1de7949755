// bench/psf_bank_bench.cpp
//
// The point spread functions of a diffractive lens (f 50 mm, D 4 mm, fused silica) at 121 wavelengths from
// 400 to 700 nm, on 512 x 512 pixels of 8 um.
//
//     PsfBank/m1_16levels/121x512x512/threads:1
//
// One thread is measured in its processor time, more are measured on the clock.
#include <benchmark/benchmark.h>

#include <string>

#include <sonolux/simulation/optics/psf_bank.hpp>

#include "bench_timing.hpp"

namespace sonolux::bench {

namespace {

void psf_bank(benchmark::State& state, const DiffractiveLens& lens, int threads) {
    PsfBankOptions options;
    options.wavelengths = wavelengths_between(400e-9, 700e-9, 121);
    options.size = 512;
    Context context(make_openmp_runner(threads));
    if (context.threads() != threads) return state.SkipWithError("built without that many threads");
    for (auto _ : state) {
        const auto run = [&] {
            const PsfBank bank = make_psf_bank(optics_of(lens), options, context);
            benchmark::DoNotOptimize(bank.psf.data());
        };
        state.SetIterationTime(threads == 1 ? processor_seconds_of(run) : seconds_of(run));
    }
    state.SetLabel(context.description());
}

}  // namespace

void register_psf_banks() {
    DiffractiveLens fresnel, harmonic;
    fresnel.levels = 16;
    harmonic.order = 7;
    for (const auto& [word, lens] :
         {std::pair<const char*, DiffractiveLens>{"m1_16levels", fresnel}, {"m7_continuous", harmonic}})
        for (const int threads : {1, 2})
            benchmark::RegisterBenchmark(
                sentence("PsfBank/", word, "/121x512x512/threads:", threads).c_str(),
                [lens = lens, threads](benchmark::State& state) { psf_bank(state, lens, threads); })
                ->UseManualTime()
                ->Unit(benchmark::kMillisecond);
}

}  // namespace sonolux::bench
