// tests/solvers/variational_training_cuda_test.cpp
//
// Gradients of variational networks as a device computes them, on the host, against the CPU's.
#include <gmock/gmock.h>

#include <sonolux/core/cuda/host_launcher.hpp>
#include <sonolux/solvers/training/batch_gradient.hpp>
#include <sonolux/solvers/training/losses.hpp>
#include <sonolux/solvers/variational_network_cuda.hpp>
#include <sonolux/solvers/variational_training_cuda.hpp>
#include <sonolux/solvers/variational_training_cuda_program.hpp>

#include "tests/support/cuda_device.hpp"
#include "tests/support/tiny_model.hpp"

using namespace sonolux;
using namespace sonolux::cuda;
using testing::HasSubstr;
using testing::ThrowsMessage;

namespace {

struct Gradients {
    double loss = 0;
    std::vector<float> parameters;
    Array<float> start;
};

Array<float> image_of(const Shape& shape, std::uint64_t seed) {
    Array<float> image(shape);
    fill_normal(image, Philox(seed));
    for (float& value : image) value = 128 + 40 * value;
    return image;
}

Gradients on_cpu(const UnrolledNetwork& network, const Array<float>& start, const Array<float>& truth,
                 std::span<const double> weights) {
    Context context(make_serial_runner());
    const View<const float> view = start;
    context.workspace().reserve(network.training_workspace_bytes(view.rows(), view.columns(), context));
    Gradients result{0, std::vector<float>(network.parameters().size()), Array<float>(start.shape())};
    result.loss = network.loss_gradient(start, {.data = start}, truth, SquaredLoss(), weights,
                                        result.parameters, context, result.start);
    return result;
}

Gradients by(VariationalTrainingCuda& training, const UnrolledNetwork& network, const Array<float>& start,
             const Array<float>& truth, std::span<const double> weights) {
    const View<const float> view = start;
    Gradients result{0, std::vector<float>(network.parameters().size()), Array<float>(start.shape())};
    const auto steps = static_cast<Index>(weights.size());
    EXPECT_EQ(training.forward(network, start.data(), start.data(), steps), Status::ok) << training.message();
    Context context(make_serial_runner());
    context.workspace().reserve(network.training_workspace_bytes(view.rows(), view.columns(), context));
    Array<float> image(start.shape()), image_bar(start.shape());
    for (Index step = steps - 1; step >= 0; --step) {
        if (const double weight = weights[static_cast<std::size_t>(step)]; weight != 0) {
            EXPECT_EQ(training.state(step + 1, image.data()), Status::ok) << training.message();
            std::fill(image_bar.begin(), image_bar.end(), 0.0f);
            result.loss += weight * SquaredLoss().value_gradient(image, truth, image_bar);
            for (float& value : image_bar) value *= static_cast<float>(weight);
            EXPECT_EQ(training.add_upstream(image_bar.data()), Status::ok) << training.message();
        }
        EXPECT_EQ(training.backward(network, step, result.parameters, context), Status::ok)
            << training.message();
    }
    EXPECT_EQ(training.upstream(result.start.data()), Status::ok) << training.message();
    return result;
}

Gradients on_host(const UnrolledNetwork& network, const Array<float>& start, const Array<float>& truth,
                  std::span<const double> weights, HostOrder order) {
    const View<const float> view = start;
    const VariationalShape shape = variational_shape(network, view.rows(), view.columns());
    HostLauncher launcher(order);
    VariationalTrainingCuda training(shape,
                                     std::make_unique<VariationalTrainingBy<HostLauncher>>(launcher, shape));
    return by(training, network, start, truth, weights);
}

template <class A, class B>
double relative_error(const A& a, const B& b, Index first, Index count) {
    double error = 0, size = 1e-30;
    for (Index i = first; i < first + count; ++i) {
        error += std::pow(double{a[i]} - b[i], 2);
        size += std::pow(double{b[i]}, 2);
    }
    return std::sqrt(error / size);
}

// Each group of parameters by itself, since their gradients differ by orders of magnitude. Responses to
// values near 128 carry roundings of some 1e-5, which gradients of activations see whole: 1e-4 of the
// gradient's norm.
void expect_parity(const VariationalNetworkOptions& options, const Shape& size, const std::string& what) {
    const auto network = tiny_network(options);
    network->update(25);
    const Array<float> start = image_of(size, 3), truth = image_of(size, 2);
    std::vector<double> weights(static_cast<std::size_t>(network->steps()), 1);
    if (weights.size() > 2) weights[1] = 0;
    const Gradients cpu = on_cpu(*network, start, truth, weights);
    const Gradients forward = on_host(*network, start, truth, weights, HostOrder::forward);
    const Gradients backward = on_host(*network, start, truth, weights, HostOrder::backward);
    EXPECT_EQ(forward.parameters, backward.parameters) << what;
    EXPECT_TRUE(std::equal(forward.start.begin(), forward.start.end(), backward.start.begin())) << what;
    EXPECT_NEAR(forward.loss, cpu.loss, 1e-5 * cpu.loss) << what;
    EXPECT_LT(relative_error(forward.start.data(), cpu.start.data(), 0, cpu.start.elements()), 1e-5) << what;
    for (const Parameter& group : network->layout())
        EXPECT_LT(relative_error(forward.parameters.data(), cpu.parameters.data(), group.offset,
                                 group.shape.elements()),
                  1e-4)
            << what << ": " << group.name;
}

}  // namespace

TEST(VariationalTrainingCuda, GradientsEqualTheCpusForEveryRuleAndBorder) {
    for (BoundaryRule rule : boundary_rules)
        for (BorderGradient border :
             {BorderGradient::exact, BorderGradient::cropped, BorderGradient::valid}) {
            VariationalNetworkOptions options = tiny_architecture();
            options.prior.boundary = rule;
            options.prior.border = border;
            options.prior.scale = 0.7f;
            for (auto [rows, columns] : {std::pair{5, 3}, {33, 21}})
                expect_parity(
                    options, {rows, columns},
                    sentence(to_string(rule), " ", static_cast<int>(border), " ", rows, " x ", columns));
        }
}

TEST(VariationalTrainingCuda, GradientsEqualTheCpusForEveryKindOfNetwork) {
    VariationalNetworkOptions options = tiny_architecture();
    options.stages = 3;
    options.step = StepRule::damped;
    options.sigma_degree = 2;
    options.filter_sigma_degree = 1;
    expect_parity(options, {20, 70}, "damped, any sigma");
    options.prior.filters = {FilterKind::free, 3, 7};
    options.filter_sigma_degree = 0;
    expect_parity(options, {20, 30}, "free filters of 7 x 7");
    options = tiny_architecture();
    options.prior.filters.size = 5;
    options.prior.filters.channels = 3;
    expect_parity(options, {3, 20, 30}, "colour");
}

TEST(VariationalTrainingCuda, BatchesHaveTheGradientThatTheCpuComputes) {
    VariationalNetworkOptions options = tiny_architecture();
    options.sigma_degree = 1;
    const auto network = tiny_network(options);
    network->update(20);
    const BatchOptions batch{.rows = 12, .columns = 17, .batch = 3, .group = 2};
    Context context(make_serial_runner());
    BatchGradient cpu(*network, batch, context), device(*network, batch, context);
    const VariationalShape shape = variational_shape(*network, 12, 17, 3);
    HostLauncher launcher;
    device.compute_by(std::make_unique<VariationalTrainingCuda>(
        shape, std::make_unique<VariationalTrainingBy<HostLauncher>>(launcher, shape)));
    const PatchFunction source = [](std::uint64_t sample, View<float> patch) {
        fill_normal(patch, Philox(sample));
        for (float& value : patch) value = 128 + 30 * value;
    };
    const std::vector<double> weights{0.5, 1};
    std::vector<double> expected(network->parameters().size()), gradient(expected.size());
    for (Index count : {Index{3}, Index{2}}) {
        const auto evaluate = [&](BatchGradient& by, std::vector<double>& sum) {
            return by.evaluate(source, 5, count, 1, TrainingStream::noise, 20, SquaredLoss(2), weights, sum);
        };
        const double loss = evaluate(cpu, expected);
        EXPECT_NEAR(evaluate(device, gradient), loss, 1e-5 * loss);
        EXPECT_STREQ(device.device_message(), "");
        for (const Parameter& group : network->layout())
            EXPECT_LT(relative_error(gradient.data(), expected.data(), group.offset, group.shape.elements()),
                      1e-4)
                << group.name;
    }
}

TEST(VariationalTrainingCuda, WhatItCannotTrainIsRefused) {
    const auto train = [](const VariationalNetworkOptions& options) {
        return [options] {
            HostLauncher launcher;
            VariationalTrainingProgram<HostLauncher>(launcher,
                                                     variational_shape(*tiny_network(options), 8, 8));
        };
    };
    VariationalNetworkOptions options = tiny_architecture();
    options.momentum = true;
    EXPECT_THAT(train(options), ThrowsMessage<Error>(HasSubstr("no form for networks with momentum")));
    options.momentum = false;
    options.prior.activation.segments = 128;
    EXPECT_THAT(train(options), ThrowsMessage<Error>(HasSubstr("at most 64 segments, got 128")));
}

TEST(VariationalTrainingCudaGpu, GradientsEqualTheCpusAndThemselves) {
    SLX_NEEDS_CUDA_DEVICE(device);
    for (BorderGradient border : {BorderGradient::exact, BorderGradient::cropped, BorderGradient::valid})
        for (auto [size, channels] : {std::pair{3, 1}, {5, 3}, {7, 1}, {9, 1}, {11, 1}}) {
            VariationalNetworkOptions options = tiny_architecture();
            options.prior.filters.size = size;
            options.prior.filters.channels = channels;
            options.prior.border = border;
            const auto network = tiny_network(options);
            network->update(25);
            const Shape shape = image_shape(channels, 64, 75);
            const Array<float> start = image_of(shape, 3), truth = image_of(shape, 2);
            const std::vector<double> weights{0.5, 1};
            const Gradients cpu = on_cpu(*network, start, truth, weights);
            VariationalTrainingCuda training(*network, 64, 75, 1, *device);
            const Gradients first = by(training, *network, start, truth, weights);
            const Gradients second = by(training, *network, start, truth, weights);
            EXPECT_EQ(first.parameters, second.parameters);
            EXPECT_LT(relative_error(first.start.data(), cpu.start.data(), 0, cpu.start.elements()), 1e-5);
            for (const Parameter& group : network->layout())
                EXPECT_LT(relative_error(first.parameters.data(), cpu.parameters.data(), group.offset,
                                         group.shape.elements()),
                          1e-4)
                    << size << ": " << group.name;
        }
}
