// bench/convolutional_network_bench.cpp
//
// The convolutional network of a Fourier deconvolution stage, 1 -> 32 -> 32 -> 32 -> 32 -> 32 -> 1 channels
// with filters 3 x 3, and one of its layers alone.
//
//     ConvolutionalNetwork/layer/32to32/256x256     the convolution 32 -> 32, neither bias nor activation
//     counted ConvolutionalNetwork/gradient/256x256         n(x) ConvolutionalNetwork/vjp/256x256 both
//     vector-Jacobian products
//
// On one thread, in its processor time, so that other work on the machine does not count. Useful work only:
// the multiply-adds of the convolutions, three times those of n(x) for the vector-Jacobian products; neither
// activations nor what tiles compute twice. Counters as in fields_of_experts_bench.cpp.
#include <benchmark/benchmark.h>

#include <string>

#include <sonolux/core/random.hpp>
#include <sonolux/priors/convolutional_network.hpp>
#include <sonolux/priors/convolutional_network_kernel.hpp>

#include "bench_timing.hpp"
#include "cases.hpp"
#include "fma_peak.hpp"

namespace sonolux::bench {

namespace {

constexpr Index size = 3;

template <class Body>
void measure(benchmark::State& state, const Context& context, double operations, Body body) {
    Measurements rate, peak;
    body();
    for (auto _ : state) {
        const double before = fma_peak_of_this_thread(context.isa());
        const double seconds = processor_seconds_of(body);
        const double after = fma_peak_of_this_thread(context.isa());
        state.SetIterationTime(seconds);
        rate.add(operations / seconds);
        peak.add(0.5 * (before + after));
    }
    state.counters["GFLOPS"] = 1e-9 * rate.median();
    state.counters["peak_GFLOPS"] = 1e-9 * peak.median();
    state.counters["of_peak"] = rate.median() / peak.median();
    state.SetLabel(context.description());
}

Array<float> random_numbers(const Shape& shape, std::uint64_t seed) {
    Array<float> numbers(shape);
    fill_normal(numbers.view(), Philox(seed));
    return numbers;
}

void layer(benchmark::State& state, Index channels, Index rows, Index columns) {
    const Context context(make_serial_runner());
    const cnn::KernelTable& kernel = cnn::kernels(context.isa());
    const Index blocks = cnn::blocks_of(channels), stride = (columns + size - 1) * cnn::block;
    const Array<float> in = random_numbers({rows + size - 1, blocks * stride}, 1);
    const Array<float> weights = random_numbers({channels * channels * size * size}, 2);
    const Array<float> bias({blocks * cnn::block});
    Array<float> out({rows, blocks * columns * cnn::block});
    measure(
        state, context, 2.0 * static_cast<double>(channels * channels * size * size * rows * columns), [&] {
            for (Index r = 0; r < rows; ++r)
                kernel.convolve({{&in(r, 0), &in(r + 1, 0), &in(r + 2, 0)}, stride, channels}, weights.data(),
                                bias.data(), size, {&out(r, 0), columns * cnn::block, channels}, columns);
        });
}

void network(benchmark::State& state, bool backward, Index rows, Index columns) {
    ConvolutionalNetwork network({});
    network.update(network.initial_parameters(1));
    Context context(make_serial_runner());
    context.workspace().reserve(network.workspace_bytes(rows, columns, context));
    const Array<float> x = noisy_image(rows, columns), v = random_numbers({rows, columns}, 3);
    Array<float> out({rows, columns});
    std::vector<float> parameter_bar(network.parameter_count());
    double operations = 0;
    for (const auto& l : network.layers())
        operations += 2.0 * static_cast<double>(l.inputs * l.outputs * size * size * rows * columns);
    if (backward)
        measure(state, context, 3 * operations,
                [&] { network.gradient_vjp(x, v, out, parameter_bar, context); });
    else
        measure(state, context, operations, [&] { network.gradient(x, out, context); });
}

}  // namespace

void register_convolutional_networks() {
    auto add = [](const std::string& name, auto body) {
        benchmark::RegisterBenchmark(("ConvolutionalNetwork/" + name).c_str(), body)
            ->UseManualTime()
            ->Unit(benchmark::kMillisecond);
    };
    for (const Index n : {256, 512}) {
        const std::string image = sentence("/", n, "x", n);
        add("layer/32to32" + image, [n](benchmark::State& state) { layer(state, 32, n, n); });
        add("gradient" + image, [n](benchmark::State& state) { network(state, false, n, n); });
        add("vjp" + image, [n](benchmark::State& state) { network(state, true, n, n); });
    }
}

}  // namespace sonolux::bench
