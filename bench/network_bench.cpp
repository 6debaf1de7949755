// bench/network_bench.cpp
//
// Whole networks of five stages, and the gradient of a training step.
//
//     Network/7x7x48/512x512/threads:1              UnrolledNetwork::run on one image
//     Network/csf7x7x48/512x512/threads:1           the same of shrinkage fields
//     TrainingStep/7x7x48/32x64x64/threads:1        forward and backward of 32 patches of 64 x 64, noise
//     included
#include <benchmark/benchmark.h>

#include <limits>
#include <string>

#include <sonolux/solvers/training/batch_gradient.hpp>
#include <sonolux/solvers/training/losses.hpp>

#include "cases.hpp"

namespace sonolux::bench {

namespace {

void run_network(benchmark::State& state, const std::string& name, Index rows, Index columns, int threads) {
    Context context(make_openmp_runner(threads));
    if (context.threads() != threads) return state.SkipWithError("built without that many threads");
    Denoiser denoiser(name, rows, columns);
    context.workspace().reserve(denoiser.workspace_bytes(context));
    const Array<float> data = noisy_image(rows, columns);
    Array<float> image({rows, columns});
    for (auto _ : state) benchmark::DoNotOptimize(denoiser.run(data, image, context));
    state.counters["MPixel"] = benchmark::Counter(1e-6 * static_cast<double>(rows * columns),
                                                  benchmark::Counter::kIsIterationInvariantRate);
    state.SetLabel(context.description());
}

void training_step(benchmark::State& state, const std::string& name, const BatchOptions& batch, int threads) {
    const auto network = make_network(network_options(name));
    Context context(make_openmp_runner(threads));
    if (context.threads() != threads) return state.SkipWithError("built without that many threads");
    BatchGradient gradient(*network, batch, context);
    const Array<float> images = clean_images(batch.batch, batch.rows, batch.columns);
    const PatchFunction patches = [&](std::uint64_t sample, View<float> patch) {
        const View<const float> image = images.view()[static_cast<Index>(sample)];
        std::copy(image.begin(), image.end(), patch.begin());
    };
    const SquaredLoss loss;
    const std::vector<double> weights =
        exponential_step_weights(network->steps(), std::numeric_limits<double>::infinity());
    std::vector<double> sum(network->parameters().size());
    for (auto _ : state)
        benchmark::DoNotOptimize(
            gradient.evaluate(patches, 0, batch.batch, 1, TrainingStream::noise, sigma, loss, weights, sum));
    state.counters["patches"] =
        benchmark::Counter(static_cast<double>(batch.batch), benchmark::Counter::kIsIterationInvariantRate);
    state.SetLabel(context.description());
}

}  // namespace

void register_networks() {
    const BatchOptions batch{.rows = 64, .columns = 64, .batch = 32, .group = 4};
    for (const std::string name : {"5x5x24/narrow", "7x7x48/narrow", "7x7x48", "csf5x5x24", "csf7x7x48"})
        for (const int threads : {1, 2}) {
            benchmark::RegisterBenchmark(
                sentence("Network/", name, "/512x512/threads:", threads).c_str(),
                [=](benchmark::State& state) { run_network(state, name, 512, 512, threads); })
                ->UseRealTime()
                ->Unit(benchmark::kMillisecond);
            if (names_shrinkage_fields(name)) continue;
            benchmark::RegisterBenchmark(
                sentence("TrainingStep/", name, "/32x64x64/threads:", threads).c_str(),
                [=](benchmark::State& state) { training_step(state, name, batch, threads); })
                ->UseRealTime()
                ->Unit(benchmark::kMillisecond);
        }
}

}  // namespace sonolux::bench
