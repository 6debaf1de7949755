// bench/psf_bank_bench.cpp
//
// The point spread functions of a diffractive lens (f 50 mm, D 4 mm, fused silica) at 121 wavelengths from
// 400 to 700 nm, on 512 x 512 pixels of 8 um.
//
//     PsfBank/m1_16levels/121x512x512/threads:1
//
// And one of the same lens away from its axis, from its height map, which kernels of a field need for each
// wavelength, beside a complex transform of the whole grid that its field would fill:
//
//     FieldPsf/m7_continuous/511x511
//
// One thread is measured in its processor time, more are measured on the clock.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <string>

#include <sonolux/simulation/optics/field_transform.hpp>
#include <sonolux/simulation/optics/propagation.hpp>
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

void field_psf(benchmark::State& state, const DiffractiveLens& lens) {
    const double half = lens.diameter / 2;
    const double zone = lens.order * lens.wavelength * std::hypot(half, lens.focal_length) / half;
    const MapOptics optics{map_of(relief_of(lens), std::min(zone / 4, 4e-6)), lens.material,
                           lens.focal_length, 0};
    const PsfWindow window{8e-6, 511, 0.25, 0.15};
    const FieldGrid grid = field_grid(optics, 550e-9, window, Propagator::fresnel);
    const FieldTransform transform(grid.size);
    Array<FieldTransform::Complex> field({grid.size, grid.size});
    double psf_seconds = 0, transform_seconds = 0;
    for (auto _ : state) {
        const double seconds =
            processor_seconds_of([&] { benchmark::DoNotOptimize(map_psf(optics, 550e-9, window).data()); });
        transform_seconds += processor_seconds_of([&] { transform.forward(field); });
        psf_seconds += seconds;
        state.SetIterationTime(seconds);
    }
    state.SetLabel(sentence("grid of ", grid.size));
    state.counters["of_a_whole_transform"] = psf_seconds / transform_seconds;
}

}  // namespace

void register_psf_banks() {
    DiffractiveLens fresnel, harmonic;
    fresnel.levels = 16;
    harmonic.order = 7;
    for (const auto& [word, lens] :
         {std::pair<const char*, DiffractiveLens>{"m1_16levels", fresnel}, {"m7_continuous", harmonic}})
        benchmark::RegisterBenchmark(sentence("FieldPsf/", word, "/511x511").c_str(),
                                     [lens = lens](benchmark::State& state) { field_psf(state, lens); })
            ->UseManualTime()
            ->Unit(benchmark::kMillisecond);
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
