// tests/solvers/spectral_network_test.cpp
//
// Unrolled networks over a blur that mixes channels and changes from place to place.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sonolux/core/operators/spectral_blur.hpp>
#include <sonolux/core/random.hpp>
#include <sonolux/solvers/colour_metrics.hpp>
#include <sonolux/solvers/training/losses.hpp>
#include <sonolux/solvers/variational_network.hpp>

namespace sonolux {
namespace {

VariationalNetworkOptions three_channels(int stages) {
    VariationalNetworkOptions options;
    options.stages = stages;
    options.prior.filters = {FilterKind::dct, 8, 3, 3};
    options.prior.activation.nodes = 15;
    options.prior.activation.width = 20;
    options.prior.activation.lower = -140;
    options.prior.activation.upper = 140;
    return options;
}

// Four patches, a Gaussian wider in each and in each channel, with a little of the next channel in it.
void set_blur(SpectralBlur& blur, Index rows, Index columns) {
    std::vector<Array<float>> kernels;
    for (Index patch = 0; patch < 4; ++patch) {
        Array<float>& k = kernels.emplace_back(Shape{3, 3, 7, 7});
        for (Index c = 0; c < 3; ++c) {
            const double sigma = 0.7 + 0.2 * static_cast<double>(patch) + 0.3 * static_cast<double>(c);
            double sum = 0;
            for (Index u = 0; u < 7; ++u)
                for (Index v = 0; v < 7; ++v) {
                    const double r2 =
                        std::pow(static_cast<double>(u - 3), 2) + std::pow(static_cast<double>(v - 3), 2);
                    k(c, c, u, v) = static_cast<float>(std::exp(-r2 / (2 * sigma * sigma)));
                    sum += double{k(c, c, u, v)};
                }
            for (Index n = 0; n < 49; ++n) {
                float& value = k.view()[c][c].data()[n];
                k.view()[c][(c + 1) % 3].data()[n] = 0.1F * value / static_cast<float>(sum);
                value *= 0.9F / static_cast<float>(sum);
            }
        }
    }
    blur.set_kernels({kernels.begin(), kernels.end()}, bilinear_windows(2, 2, rows, columns));
}

Array<float> smooth(Index rows, Index columns) {
    Array<float> image({3, rows, columns});
    for (Index c = 0; c < 3; ++c)
        for (Index i = 0; i < rows; ++i)
            for (Index j = 0; j < columns; ++j)
                image(c, i, j) = static_cast<float>(
                    0.5 + 0.3 * std::sin(0.9 * static_cast<double>(i) + static_cast<double>(c)) *
                              std::cos(0.7 * static_cast<double>(j)));
    return image;
}

TEST(SpectralNetwork, StepsTowardsTheDataThroughTheBlur) {
    const Index rows = 24, columns = 20;
    SpectralBlur blur(3, 3, rows, columns);
    set_blur(blur, rows, columns);
    const auto options = three_channels(12);
    auto network = make_variational_network(options);
    initialise(*network, options);
    for (const Parameter& parameter : network->layout()) {  // the data alone: steps of gradient descent
        const auto part = network->parameters().subspan(static_cast<std::size_t>(parameter.offset),
                                                        static_cast<std::size_t>(parameter.shape.elements()));
        if (parameter.name.ends_with("log_data_weight"))
            part[0] = 0;
        else if (!parameter.name.ends_with("filters"))
            std::fill(part.begin(), part.end(), 0.0F);
    }
    network->update(25);
    const Array<float> truth = smooth(rows, columns);
    Array<float> data(truth.shape()), image(truth.shape());
    Context context(make_serial_runner());
    const Observation observation{.data = data, .forward = &blur};
    context.workspace().reserve(std::max(blur.workspace_bytes(context),
                                         network->run_workspace_bytes(rows, columns, context, observation)));
    blur.apply(truth, data, context);
    ASSERT_EQ(network->run(observation, image, context), Status::ok);
    EXPECT_GT(channel_psnr(image, truth), channel_psnr(data, truth) + 4);
    // x + A^T (y - A x), twelve times.
    Array<float> x = data.clone(), residual(data.shape()), step(data.shape());
    for (int k = 0; k < 12; ++k) {
        blur.apply(x, residual, context);
        for (Index n = 0; n < x.elements(); ++n) residual.data()[n] -= data.data()[n];
        blur.adjoint(residual, step, context);
        for (Index n = 0; n < x.elements(); ++n) x.data()[n] -= step.data()[n];
    }
    for (Index n = 0; n < x.elements(); ++n) EXPECT_NEAR(image.data()[n], x.data()[n], 1e-5);
}

TEST(SpectralNetwork, GradientsGoThroughTheBlur) {
    const Index rows = 11, columns = 13;
    SpectralBlur blur(3, 3, rows, columns);
    set_blur(blur, rows, columns);
    const auto options = three_channels(2);
    auto network = make_variational_network(options);
    initialise(*network, options);
    network->update(25);
    Array<float> start({3, rows, columns}), truth = smooth(rows, columns), data({3, rows, columns}),
                                            data_bar({3, rows, columns}), direction({3, rows, columns});
    fill_normal(start, Philox(1));
    fill_normal(data, Philox(2));
    fill_normal(direction, Philox(3));
    for (float& value : start) value = 100 + 20 * value;
    for (float& value : data) value = 100 + 20 * value;
    for (float& value : truth) value *= 255;
    Context context(make_serial_runner());
    const Observation observation{.data = data, .forward = &blur};
    context.workspace().reserve(network->training_workspace_bytes(rows, columns, context, observation));
    const SquaredLoss squares(0);
    const std::vector<double> weights{0, 1};
    std::vector<float> gradient(network->parameters().size()), unused(gradient.size());
    (void)network->loss_gradient(start, observation, truth, squares, weights, gradient, context, {},
                                 data_bar);
    double expected = 0, value[2];
    for (Index n = 0; n < data.elements(); ++n) expected += double{data_bar.data()[n]} * direction.data()[n];
    for (int side = 0; side < 2; ++side) {
        for (Index n = 0; n < data.elements(); ++n)
            data.data()[n] += (side == 0 ? -0.5F : 1.0F) * direction.data()[n];
        value[side] = network->loss_gradient(start, observation, truth, squares, weights, unused, context);
    }
    EXPECT_NEAR((value[1] - value[0]) / expected, 1, 5e-3);  // differences of losses in float
}

}  // namespace
}  // namespace sonolux
