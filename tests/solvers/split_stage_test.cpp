// tests/solvers/split_stage_test.cpp
//
// Steps that solve with a blur of channels: against a dense solve, the linear estimate, and differences.
#include <cmath>
#include <complex>
#include <cstring>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <Eigen/Dense>

#include <sonolux/core/check/taylor_test.hpp>
#include <sonolux/core/random.hpp>
#include <sonolux/solvers/classical/channel_lmmse.hpp>
#include <sonolux/solvers/split_stage.hpp>
#include <sonolux/solvers/training/losses.hpp>

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

VariationalNetworkOptions split(int stages) {
    VariationalNetworkOptions options;
    options.stages = stages;
    options.step = StepRule::split;
    options.prior.filters = {FilterKind::dct, 10, 3, 3};
    options.prior.boundary = BoundaryRule::circular;
    options.prior.border = BorderGradient::exact;
    options.prior.activation.nodes = 15;
    options.prior.activation.width = 20;
    options.prior.activation.lower = -140;
    options.prior.activation.upper = 140;
    return options;
}

// A lopsided kernel from each channel to each.
void set_blur(SpectralBlur& blur) {
    Array<float> k({3, 3, 3, 4});
    Philox random(4);
    for (Index o = 0; o < 3; ++o)
        for (Index i = 0; i < 3; ++i)
            for (Index n = 0; n < 12; ++n)
                k.view()[o][i].data()[n] = static_cast<float>((o == i ? 0.12 : 0.01) * random.uniform());
    blur.set_kernels(k);
}

ChannelSpectrum coloured_spectrum() {
    std::vector<float> table;
    for (Index b = 0; b < ChannelSpectrum::bins; ++b)
        for (Index i = 0; i < 3; ++i)
            for (Index j = 0; j < 3; ++j)
                table.push_back(static_cast<float>((i == j ? 1.0 + 0.1 * static_cast<double>(i) : 0.8) /
                                                   (1.0 + 0.3 * static_cast<double>(b * b))));
    return {3, table};
}

std::span<float> part(UnrolledNetwork& network, const std::string& name) {
    for (const Parameter& parameter : network.layout())
        if (parameter.name == name)
            return network.parameters().subspan(static_cast<std::size_t>(parameter.offset),
                                                static_cast<std::size_t>(parameter.shape.elements()));
    ADD_FAILURE() << name;
    return {};
}

std::unique_ptr<UnrolledNetwork> disturbed(const VariationalNetworkOptions& options) {
    auto network = make_variational_network(options);
    initialise(*network, options);
    Philox random(5);
    for (const Parameter& parameter : network->layout())
        for (Index i = 0; i < parameter.shape.elements(); ++i)
            if (parameter.constraint != Constraint::fixed)
                network->parameters()[static_cast<std::size_t>(parameter.offset + i)] +=
                    0.5F * parameter.typical * random.normal();
    const ChannelSpectrum spectrum = coloured_spectrum();
    for (int s = 1; s <= options.stages; ++s)
        std::copy(spectrum.table().begin(), spectrum.table().end(),
                  part(*network, "stage" + std::to_string(s) + ".spectrum").begin());
    network->update(25);
    return network;
}

Array<float> noisy(Index rows, Index columns, std::uint64_t seed) {
    Array<float> image({3, rows, columns});
    fill_normal(image, Philox(seed));
    for (Index i = 0; i < image.elements(); ++i)
        image.data()[i] = 120 + 50 * std::sin(0.3F * static_cast<float>(i)) + 10 * image.data()[i];
    return image;
}

const std::vector<float> variances{1e-3F, 2e-3F, 5e-4F};

Observation observe(const SpectralBlur& blur, View<const float> data) {
    return {.data = data, .forward = &blur, .spectral = &blur, .noise = {variances.data(), {3}}};
}

TEST(SplitStage, SolvesTheWholeSystemOfATinyImage) {
    const Index rows = 4, columns = 5, pixels = 3 * rows * columns;
    SpectralBlur blur(3, 3, rows, columns);
    set_blur(blur);
    const auto options = split(1);
    auto network = disturbed(options);
    const Array<float> data = noisy(rows, columns, 1);
    Array<float> start = noisy(rows, columns, 2), image(data.shape());
    start.data()[7] = -30;  // light is not negative
    Context context(make_serial_runner());
    const Observation observation = observe(blur, data);
    network->check(rows, columns, observation);
    context.workspace().reserve(std::max(blur.workspace_bytes(context),
                                         network->run_workspace_bytes(rows, columns, context, observation)));
    ASSERT_EQ(network->run_from(start, observation, image, context), Status::ok);

    Eigen::MatrixXd K(pixels, pixels), D = Eigen::MatrixXd::Zero(pixels, pixels), P = D;
    for (Index n = 0; n < pixels; ++n) {
        Array<float> unit(data.shape()), response(data.shape());
        unit.data()[n] = 1;
        blur.apply(unit, response, context);
        for (Index m = 0; m < pixels; ++m) K(m, n) = double{response.data()[m]};
    }
    const auto coupling = part(*network, "stage1.log_coupling"), push = part(*network, "stage1.log_push");
    const double a = std::exp(double{part(*network, "stage1.log_spectrum")[0]});
    const double g = std::exp(double{part(*network, "stage1.log_push_spectrum")[0]});
    const ChannelSpectrum spectrum = coloured_spectrum().inverse();
    // Convolutions with S^-1 as sums over all frequencies.
    for (Index k = 0; k < rows; ++k)
        for (Index l = 0; l < columns; ++l) {
            if (k == 0 && l == 0) continue;
            double s[9];
            spectrum.at(bin_frequency(k, std::min(l, columns - l), rows, columns), s);
            for (Index x = 0; x < rows * columns; ++x)
                for (Index y = 0; y < rows * columns; ++y) {
                    const double phase =
                        2 * std::numbers::pi *
                        (static_cast<double>(k * (x / columns - y / columns)) / static_cast<double>(rows) +
                         static_cast<double>(l * (x % columns - y % columns)) / static_cast<double>(columns));
                    for (Index i = 0; i < 3; ++i)
                        for (Index j = 0; j < 3; ++j) {
                            const double part_of = s[i * 3 + j] * std::cos(phase) / (rows * columns);
                            D(i * rows * columns + x, j * rows * columns + y) += a * part_of;
                            P(i * rows * columns + x, j * rows * columns + y) += g * part_of;
                        }
                }
        }
    Eigen::VectorXd weight(pixels), p(pixels), q(pixels), y(pixels);
    Array<float> curved(data.shape()), gradient(data.shape());
    for (Index n = 0; n < pixels; ++n) {
        const auto c = static_cast<std::size_t>(n / (rows * columns));
        D(n, n) += std::exp(double{coupling[c]});
        P(n, n) += std::exp(double{push[c]});
        weight(n) = 1 / double{variances[c]};
        y(n) = double{data.data()[n]};
        p(n) = std::max(0.0, double{start.data()[n]});
        curved.data()[n] = static_cast<float>(255 * std::sqrt(p(n) / 255 + 1.0 / 512));
    }
    FieldsOfExperts prior(options.prior);
    prior.update(network->parameters().first(static_cast<std::size_t>(prior.parameter_count())));
    prior.gradient_reference(curved, gradient);
    for (Index n = 0; n < pixels; ++n) q(n) = double{gradient.data()[n]} * 2 * double{curved.data()[n]} / 255;
    const Eigen::MatrixXd normal = K.transpose() * weight.asDiagonal() * K + D;
    const Eigen::VectorXd expected =
        p + normal.ldlt().solve(K.transpose() * weight.cwiseProduct(y - K * p) - P * q);
    for (Index n = 0; n < pixels; ++n) EXPECT_NEAR(double{image.data()[n]}, expected(n), 2e-3) << n;
}

TEST(SplitStage, IsTheLinearEstimateWhereNothingIsTrustedButTheSpectrum) {
    const Index rows = 24, columns = 18;
    SpectralBlur blur(3, 3, rows, columns);
    set_blur(blur);
    const auto options = split(1);
    auto network = disturbed(options);
    for (const char* name : {"stage1.activation"})
        for (float& value : part(*network, name)) value = 0;
    for (float& value : part(*network, "stage1.log_coupling")) value = -30;
    part(*network, "stage1.log_spectrum")[0] = 0;
    network->update(25);
    const Array<float> data = noisy(rows, columns, 1);
    Array<float> start(data.shape()), image(data.shape()), expected(data.shape());
    Context context(make_serial_runner());
    const Observation observation = observe(blur, data);
    ChannelLmmse linear(blur, coloured_spectrum(), std::vector<double>(variances.begin(), variances.end()));
    context.workspace().reserve(std::max(linear.workspace_bytes(context),
                                         network->run_workspace_bytes(rows, columns, context, observation)));
    ASSERT_EQ(network->run_from(start, observation, image, context), Status::ok);
    ASSERT_EQ(linear.run(data, expected, context), Status::ok);
    // Between bins the one interpolates S, the other its inverse.
    for (Index n = 0; n < image.elements(); ++n) EXPECT_NEAR(image.data()[n], expected.data()[n], 0.4F) << n;
}

// Responses to small images are kept on the way there, those to large ones computed again on the way back.
void expect_gradients(Index rows, Index columns, int stages) {
    SpectralBlur blur(3, 3, rows, columns);
    set_blur(blur);
    const auto options = split(stages);
    auto network = disturbed(options);
    Array<float> start = noisy(rows, columns, 3), data = noisy(rows, columns, 1), start_bar(data.shape()),
                 data_bar(data.shape());
    const Array<float> truth = noisy(rows, columns, 2);
    Context context(make_serial_runner());
    context.workspace().reserve(
        network->training_workspace_bytes(rows, columns, context, observe(blur, data)));
    const std::vector<double> weights = exponential_step_weights(stages, 1.2);
    std::vector<float> gradient(network->parameters().size()), unused(gradient.size());
    const SquaredLoss squares(0);
    (void)network->loss_gradient(start, observe(blur, data), truth, squares, weights, gradient, context,
                                 start_bar, data_bar);
    const auto loss = [&](View<const float> x0, View<const float> y) {
        network->update(25);
        return network->loss_gradient(x0, observe(blur, y), truth, squares, weights, unused, context);
    };
    EXPECT_GT(taylor_test([&](View<const float> x) { return loss(x, data); }, start, start_bar), 1.8);
    EXPECT_GT(taylor_test([&](View<const float> y) { return loss(start, y); }, data, data_bar), 1.8);
    for (const Parameter& parameter : network->layout()) {
        if (parameter.constraint == Constraint::fixed) continue;
        const Index count = parameter.shape.elements();
        float* values = network->parameters().data() + parameter.offset;
        const std::vector<float> at(values, values + count);
        const float* bar = gradient.data() + parameter.offset;
        double norm = 0;
        for (Index i = 0; i < count; ++i) norm += double{bar[i]} * bar[i];
        ASSERT_GT(norm, 0) << parameter.name;
        // Along its own gradient, both ways: losses are computed in float.
        double value[2];
        const double step = 0.02 * parameter.typical;
        for (int side = 0; side < 2; ++side) {
            for (Index i = 0; i < count; ++i)
                values[i] = at[static_cast<std::size_t>(i)] +
                            static_cast<float>((side == 0 ? -1 : 1) * step / std::sqrt(norm) * bar[i]);
            value[side] = loss(start, data);
        }
        std::copy(at.begin(), at.end(), values);
        EXPECT_NEAR((value[1] - value[0]) / (2 * step * std::sqrt(norm)), 1, 0.02) << parameter.name;
    }
}

TEST(SplitStage, GradientsExplainTheLossOfParametersDataAndStart) { expect_gradients(9, 12, 2); }

TEST(SplitStage, GradientsExplainTheLossOfLargeImages) { expect_gradients(130, 96, 1); }

TEST(SplitStage, MakesTheSameBitsOnAnyNumberOfThreads) {
    const Index rows = 30, columns = 26;
    const auto options = split(2);
    auto network = disturbed(options);
    const Array<float> data = noisy(rows, columns, 1);
    std::vector<Array<float>> images;
    std::vector<std::vector<float>> gradients;
    for (const int threads : {1, 2, 5}) {
        SpectralBlur blur(3, 3, rows, columns);
        set_blur(blur);
        Context context(make_openmp_runner(threads));
        const Observation observation = observe(blur, data);
        context.workspace().reserve(network->run_workspace_bytes(rows, columns, context, observation));
        ASSERT_EQ(network->run_from(data, observation, images.emplace_back(data.shape()), context),
                  Status::ok);
        context.workspace().reserve(network->training_workspace_bytes(rows, columns, context, observation));
        auto& gradient = gradients.emplace_back(network->parameters().size());
        (void)network->loss_gradient(data, observation, noisy(rows, columns, 2), SquaredLoss(0),
                                     std::vector<double>{0, 1}, gradient, context);
        EXPECT_EQ(std::memcmp(images[0].data(), images.back().data(),
                              sizeof(float) * static_cast<std::size_t>(data.elements())),
                  0);
        EXPECT_EQ(gradients[0], gradient);
    }
}

TEST(SplitStage, SaysWhatAnObservationLacks) {
    auto network = make_variational_network(split(1));
    SpectralBlur blur(3, 3, 8, 8), patches(3, 3, 8, 8), small(3, 3, 8, 6);
    set_blur(blur);
    set_blur(small);
    Array<float> kernels({3, 3, 3});
    patches.set_kernels({kernels, kernels}, bilinear_windows(1, 2, 8, 8));
    const auto refuses = [&](const Observation& observation, const char* why) {
        EXPECT_THAT([&] { network->check(8, 8, observation); }, ThrowsMessage<Error>(HasSubstr(why)));
    };
    refuses({}, "got none");
    refuses(observe(patches, {}), "one of 2 patches");
    refuses(observe(small, {}), "3 x 8 x 6");
    refuses({.data = {}, .spectral = &blur}, "variance of the noise of 3 channels, got 0");
    const std::vector<float> zero{1, 0, 1};
    refuses({.data = {}, .spectral = &blur, .noise = {zero.data(), {3}}}, "channel 1 must be above 0");
    network->check(8, 8, observe(blur, {}));

    const auto refuses_options = [&](auto change, const char* why) {
        VariationalNetworkOptions options = split(1);
        change(options);
        EXPECT_THAT([&] { (void)make_variational_network(options); }, ThrowsMessage<Error>(HasSubstr(why)));
    };
    refuses_options([](auto& o) { o.momentum = true; }, "momentum");
    refuses_options([](auto& o) { o.sigma_degree = 1; }, "sigma_degree");
    refuses_options([](auto& o) { o.prior.boundary = BoundaryRule::symmetric; }, "circular");
}

}  // namespace
}  // namespace sonolux
