// bench/sound_speed_peer.cpp
//
// Our side of compare_torch_sound_speed.py: the network of 20 stages and 32 filters of 8 x 8 on 84 x 64
// pixels and six pairs of elements, with parameters that are neither zero nor all alike.
//
//     sonolux_sound_speed_peer export FOLDER      model.safetensors; scene.safetensors: operator, data,
//     result sonolux_sound_speed_peer FRAMES THREADS     milliseconds of whole frames: p50, p99, and of the
//     operator
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <sonolux/core/random.hpp>
#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/runtime/model_architecture.hpp>
#include <sonolux/sdk/runtime/sound_speed_reconstructor.hpp>

#include "bench_timing.hpp"

namespace sonolux::bench {

namespace {

TravelTimeProblem problem_of_six_pairs() {
    TravelTimeProblem problem;
    problem.geometry = element_pairs(centred_grid(84, 64, 0.6e-3), make_linear_array(128, 0.3e-3, 0.27e-3),
                                     {{14, 24}, {34, 44}, {54, 64}, {74, 84}, {94, 104}, {104, 114}});
    measure_norm(problem);
    return problem;
}

Model disturbed_model() {
    const MaskedVariationalOptions options;
    auto network = make_masked_variational_network(options);
    initialise(*network, options, 1);
    Philox random(7);
    for (const Parameter& parameter : network->layout())
        for (Index i = 0; i < parameter.shape.elements() && parameter.constraint == Constraint::none; ++i)
            network->parameters()[static_cast<std::size_t>(parameter.offset + i)] += 0.01f * random.normal();
    Model model;
    model.name = "benchmark";
    model.training = {"", 1, "", ""};
    set_travel_times(model.problem, problem_of_six_pairs());
    set_network(model, options, *network);
    return model;
}

// Delays of a disc in a uniform medium, 40 % of them missing.
Array<float> delays_of_a_disc(const TravelTimeProblem& problem) {
    const auto op = make_path_integral(problem.geometry, PathIntegralForm::rows);
    Array<float> slowness(op->domain()), delays(op->range());
    for (Index i = 0; i < 84; ++i)
        for (Index j = 0; j < 64; ++j) {
            const Point p = problem.geometry.map.point(static_cast<double>(i), static_cast<double>(j));
            slowness(i, j) = length(p - Point{2e-3, 20e-3}) < 4e-3 ? 1 / 1530.0f : 1 / 1500.0f;
        }
    Context context(make_serial_runner());
    context.workspace().reserve(op->workspace_bytes(context));
    op->apply(slowness, delays, context);
    const Array<float> trust = trusted(problem);
    Philox random(3);
    for (Index i = 0; i < delays.elements(); ++i)
        if (trust.data()[i] == 0 || random.uniform() < 0.4) delays.data()[i] = NAN;
    return delays;
}

NamedTensor tensor(const char* name, const Shape& shape, const auto& values) {
    NamedTensor result{name, Array<float>(shape)};
    std::transform(values.begin(), values.end(), result.values.begin(),
                   [](auto value) { return static_cast<float>(value); });
    return result;
}

void export_to(const std::string& folder) {
    const Model model = disturbed_model();
    write_file_atomically(folder + "/model.safetensors", save_model(model));
    const TravelTimeProblem problem = problem_of_six_pairs();
    const auto rows = std::make_shared<PathIntegralRows>(problem.geometry);
    const Scaled op(static_cast<float>(1 / problem.operator_norm), rows);
    const Array<float> delays = delays_of_a_disc(problem);
    Array<float> mask(delays.shape()), data(delays.shape()), start(op.domain()), image(op.domain());
    for (Index i = 0; i < mask.elements(); ++i) mask.data()[i] = std::isnan(delays.data()[i]) ? 0.0f : 1.0f;
    Context context(make_serial_runner());
    const auto network = network_from_model(model);
    network->update(1);
    Observation observation{.data = data, .forward = &op, .mask = mask, .measured = 0.6f};
    context.workspace().reserve(network->run_workspace_bytes(84, 64, context, observation));
    (void)UniformWhitening(op, context).whiten(delays, mask, data);
    op.adjoint(data, start, context);
    require(network->run_from(start, observation, image, context) == Status::ok, Status::internal_error,
            "the network did not finish");
    const PathIntegralRows::Sparse& sparse = rows->sparse();
    std::vector<float> scaled(sparse.values);
    for (float& value : scaled) value /= static_cast<float>(problem.operator_norm);
    const auto nonzeros = static_cast<Index>(sparse.values.size());
    std::vector<NamedTensor> tensors;
    tensors.push_back(tensor("offsets", {static_cast<Index>(sparse.offsets.size())}, sparse.offsets));
    tensors.push_back(tensor("columns", {nonzeros}, sparse.columns));
    tensors.push_back(tensor("values", {nonzeros}, scaled));
    tensors.push_back(tensor("data", data.shape(), data));
    tensors.push_back(tensor("mask", mask.shape(), mask));
    tensors.push_back(tensor("start", start.shape(), start));
    tensors.push_back(tensor("image", image.shape(), image));
    write_file_atomically(folder + "/scene.safetensors", write_safetensors(tensors, {}));
}

void time_frames(int frames, int threads) {
    const Model model = disturbed_model();
    SoundSpeedReconstructor maps(model, {.threads = threads});
    maps.bind();
    const Array<float> delays = delays_of_a_disc(maps.problem());
    Array<float> speed({84, 64});
    std::vector<double> times;
    const auto frame = [&] {
        if (maps.run(delays, {}, speed) != Status::ok) std::abort();
    };
    for (int i = 0; i < 5; ++i) frame();
    for (int i = 0; i < frames; ++i) times.push_back(1e3 * seconds_of(frame));
    std::sort(times.begin(), times.end());
    const auto at = [&](double q) {
        return times[static_cast<std::size_t>(q * static_cast<double>(times.size() - 1))];
    };
    const double processor = 1e3 * processor_seconds_of(frame);

    const OperatorPointer op = make_operator(maps.problem());
    Context context(make_openmp_runner(threads));
    context.workspace().reserve(op->workspace_bytes(context));
    Array<float> x(op->domain()), y(op->range());
    std::fill(x.begin(), x.end(), 1.0f);
    Measurements there, back;
    for (int i = 0; i < 50; ++i) {
        there.add(1e3 * seconds_of([&] { op->apply(x, y, context); }));
        back.add(1e3 * seconds_of([&] { op->adjoint(y, x, context); }));
    }
    std::printf(
        "{\"frames\": %d, \"threads\": %d, \"p50\": %.3f, \"p99\": %.3f, \"fastest\": %.3f, "
        "\"processor\": %.3f, \"operator\": %.3f, \"adjoint\": %.3f, \"context\": \"%s\"}\n",
        frames, threads, at(0.5), at(0.99), times.front(), processor, there.median(), back.median(),
        maps.context().description().c_str());
}

}  // namespace

}  // namespace sonolux::bench

int main(int count, char** arguments) {
    try {
        if (count == 3 && std::string(arguments[1]) == "export")
            sonolux::bench::export_to(arguments[2]);
        else if (count == 3)
            sonolux::bench::time_frames(std::atoi(arguments[1]), std::atoi(arguments[2]));
        else
            return std::fprintf(stderr, "usage: %s export FOLDER | FRAMES THREADS\n", arguments[0]), 2;
    } catch (const sonolux::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
