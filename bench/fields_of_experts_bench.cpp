// bench/fields_of_experts_bench.cpp
//
// The gradient of fields of experts, and how close to the machine's peak it comes.
//
//     FieldsOfExperts/7x7x48/table:64/512x512/threads:1
//
// Useful work is counted only: two correlations with every filter, 4 filters size^2 operations per pixel.
// Neither the activations nor what tiles compute twice count. The peak is measured before and after each run
// of the gradient, on as many threads. One thread is measured in its processor time, so that other work on
// the machine does not count; more are measured on the clock. Counters are medians over the runs:
//
//     GFLOPS        of the gradient
//     peak_GFLOPS   of the machine, on these threads
//     of_peak       the first by the second
#include <benchmark/benchmark.h>

#include <string>

#include <sonolux/priors/fields_of_experts.hpp>

#include "bench_timing.hpp"
#include "cases.hpp"
#include "fma_peak.hpp"

namespace sonolux::bench {

namespace {

void fields_of_experts(benchmark::State& state, int size, int filters, const ActivationOptions& activation,
                       Index rows, Index columns, int threads) {
    const VariationalNetworkOptions options = network_options(size, filters, activation);
    const auto network = make_network(options);
    FieldsOfExperts prior(options.prior);
    prior.update(network->parameters().first(prior.parameter_count()));  // those of the first stage
    Context context(make_openmp_runner(threads));
    if (context.threads() != threads) return state.SkipWithError("built without that many threads");
    context.workspace().reserve(prior.workspace_bytes(rows, columns, context));
    Array<float> x = noisy_image(rows, columns), gradient({rows, columns});
    for (float& value : x) value *= options.value_scale;

    const double operations = 4.0 * filters * size * size * static_cast<double>(rows * columns);
    Measurements rate, peak;
    prior.gradient(x, gradient, context);
    for (auto _ : state) {
        const auto run = [&] { prior.gradient(x, gradient, context); };
        const auto peak_now = [&] {
            return threads == 1 ? fma_peak_of_this_thread(context.isa()) : fma_peak(context);
        };
        const double before = peak_now();
        const double seconds = threads == 1 ? processor_seconds_of(run) : seconds_of(run);
        const double after = peak_now();
        state.SetIterationTime(seconds);
        rate.add(operations / seconds);
        peak.add(0.5 * (before + after));
    }
    state.counters["GFLOPS"] = 1e-9 * rate.median();
    state.counters["peak_GFLOPS"] = 1e-9 * peak.median();
    state.counters["of_peak"] = rate.median() / peak.median();
    state.SetLabel(context.description());
}

}  // namespace

void register_fields_of_experts() {
    for (const auto& [size, filters] : {std::pair{5, 24}, {7, 48}})
        for (const ActivationOptions& activation : {narrow_activation(), wide_activation()})
            for (const int threads : {1, 2}) {
                const std::string name =
                    sentence("FieldsOfExperts/", size, "x", size, "x", filters,
                             "/table:", activation.segments, "/512x512/threads:", threads);
                benchmark::RegisterBenchmark(name.c_str(),
                                             [=](benchmark::State& state) {
                                                 fields_of_experts(state, size, filters, activation, 512, 512,
                                                                   threads);
                                             })
                    ->UseManualTime()
                    ->Unit(benchmark::kMillisecond);
            }
}

}  // namespace sonolux::bench
