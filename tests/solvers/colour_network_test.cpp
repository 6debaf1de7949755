// tests/solvers/colour_network_test.cpp
//
// Networks that look at several channels together.
#include <cmath>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sonolux/core/random.hpp>
#include <sonolux/solvers/network_options.hpp>
#include <sonolux/solvers/training/losses.hpp>
#include <sonolux/solvers/training/validation.hpp>

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

VariationalNetworkOptions colour_options() {
    VariationalNetworkOptions options;
    options.stages = 3;
    options.prior.filters = {FilterKind::dct, 10, 3, 3};
    options.prior.activation.nodes = 15;
    options.prior.activation.width = 20;
    options.prior.activation.lower = -140;
    options.prior.activation.upper = 140;
    return options;
}

Array<float> noisy(const Shape& shape, std::uint64_t seed) {
    Array<float> image(shape);
    fill_normal(image, Philox(seed));
    for (Index i = 0; i < image.elements(); ++i)
        image.data()[i] = 100 + 40 * std::sin(0.05f * static_cast<float>(i)) + 25 * image.data()[i];
    return image;
}

std::unique_ptr<UnrolledNetwork> disturbed(const VariationalNetworkOptions& options) {
    auto network = make_variational_network(options);
    initialise(*network, options);
    Philox random(5);
    for (const Parameter& parameter : network->layout())
        for (Index i = 0; i < parameter.shape.elements(); ++i)
            network->parameters()[parameter.offset + i] += 0.6f * parameter.typical * random.normal();
    return network;
}

TEST(ColourNetwork, GradientsExplainTheLoss) {
    for (const bool momentum : {false, true}) {
        VariationalNetworkOptions options = colour_options();
        options.momentum = momentum;
        options.sigma_degree = 1;
        auto network = disturbed(options);
        network->update(30);
        const Shape shape{3, 13, 17};
        Array<float> start = noisy(shape, 3);
        const Array<float> truth = noisy(shape, 2);
        Array<float> data = noisy(shape, 1), start_bar(shape), data_bar(shape);
        Context context(make_serial_runner());
        context.workspace().reserve(network->training_workspace_bytes(13, 17, context));
        const std::vector<double> weights{0.3, 0, 1};
        std::vector<float> gradient(network->parameters().size()), unused(gradient.size());
        const SquaredLoss squares(2);
        (void)network->loss_gradient(start, {.data = data}, truth, squares, weights, gradient, context,
                                     start_bar, data_bar);
        const auto loss = [&] {
            network->update(30);
            return network->loss_gradient(start, {.data = data}, truth, squares, weights, unused, context);
        };
        // Along its own gradient, both ways: losses are computed in float.
        const auto explained = [&](float* values, const float* bar, Index count, double step) {
            const std::vector<float> at(values, values + count);
            double norm = 0, expected = 0, value[2];
            for (Index i = 0; i < count; ++i) norm += double{bar[i]} * bar[i];
            for (int side = 0; side < 2; ++side) {
                for (Index i = 0; i < count; ++i) {
                    const double move = (side == 0 ? -1 : 1) * step / std::sqrt(norm) * bar[i];
                    values[i] = at[i] + static_cast<float>(move);
                    expected += (side == 0 ? -1 : 1) * (double{values[i]} - at[i]) * bar[i];
                }
                value[side] = loss();
            }
            std::copy(at.begin(), at.end(), values);
            return (value[1] - value[0]) / expected;
        };
        for (const Parameter& group : network->layout()) {
            if (group.name == "stage1.momentum") continue;  // nothing moves yet
            EXPECT_NEAR(explained(network->parameters().data() + group.offset, gradient.data() + group.offset,
                                  group.shape.elements(), 0.005 * group.typical),
                        1, 5e-3)
                << group.name << " " << momentum;
        }
        network->update(30);
        EXPECT_NEAR(explained(start.data(), start_bar.data(), start.elements(), 1), 1, 5e-3) << momentum;
        EXPECT_NEAR(explained(data.data(), data_bar.data(), data.elements(), 1), 1, 5e-3) << momentum;
    }
}

TEST(ColourNetwork, RunsInPlaceInsideABatch) {
    auto network = disturbed(colour_options());
    network->update(25);
    const Array<float> image = noisy({3, 11, 14}, 1);
    Array<float> unit({3, 11, 14}), packed({3, 11, 14}), in({4, 3, 11, 14}), out({4, 3, 11, 14});
    for (Index i = 0; i < image.elements(); ++i) unit.data()[i] = image.data()[i] / 255;
    Context context;
    context.workspace().reserve(network->run_workspace_bytes(11, 14, context));
    EXPECT_EQ(network->channels(), 3);
    ASSERT_EQ(network->run(unit, packed, context), Status::ok);
    // The second image of a batch, in place.
    std::copy(unit.begin(), unit.end(), in.view()[1].data());
    ASSERT_EQ(network->run(in.view()[1], in.view()[1], context), Status::ok);
    EXPECT_EQ(0, std::memcmp(in.view()[1].data(), packed.data(), packed.elements() * sizeof(float)));
}

TEST(ColourNetwork, BeginsWithFiltersOfEveryOpponentPlane) {
    const VariationalNetworkOptions options = colour_options();
    auto network = make_variational_network(options);
    initialise(*network, options);
    // 10 filters 3 x 3: the 8 atoms of the mean of the channels, then the coarsest two of their differences.
    const View<const float> filters(network->parameters().data(), {10, 24});
    for (Index f = 0; f < 8; ++f) EXPECT_EQ(filters(f, f), 1);
    EXPECT_EQ(filters(8, 8), 1);
    EXPECT_EQ(filters(9, 10), 1) << "the same frequency along the columns";
}

TEST(ColourNetwork, IsValidatedOverAllChannels) {
    VariationalNetworkOptions options = colour_options();
    auto network = make_variational_network(options);
    initialise(*network, options);
    for (float& value : network->parameters()) value = 0;
    for (const Parameter& parameter : network->layout())
        if (parameter.name.ends_with("log_data_weight")) network->parameters()[parameter.offset] = -50;
    // With activations and data weight of nothing, the estimate is the noisy image.
    std::vector<Array<float>> images;
    images.push_back(noisy({3, 60, 80}, 4));
    Context context;
    Validation validation(*network, images, {20}, 1, context);
    EXPECT_NEAR(validation.psnr(*network, 3), 20 * std::log10(255.0 / 20), 0.1);  // of 14400 samples of noise

    images.push_back(noisy({60, 80}, 4));
    EXPECT_THAT([&] { Validation(*network, images, {20}, 1, context); },
                ThrowsMessage<Error>(HasSubstr("validation image 1 must be 3 planes larger than 0 x 0")));
}

TEST(Losses, SumOverAllChannels) {
    const Array<float> image = noisy({3, 9, 7}, 1), truth = noisy({3, 9, 7}, 2);
    Array<float> bar({3, 9, 7}), plane_bar({9, 7});
    const SquaredLoss squares(1);
    double sum = 0;
    for (Index c = 0; c < 3; ++c) sum += squares.value_gradient(image.view()[c], truth.view()[c], plane_bar);
    EXPECT_NEAR(squares.value_gradient(image, truth, bar), sum, 1e-9 * sum);
    EXPECT_EQ(0, std::memcmp(bar.view()[2].data(), plane_bar.data(), plane_bar.elements() * sizeof(float)));

    // Of the mean of all squares, half of which is the squared loss over 3 x 7 x 5 samples.
    EXPECT_NEAR(NegativePsnrLoss(255, 1).value_gradient(image, truth, bar),
                10 * std::log10(2 * sum / (3 * 7 * 5) / (255 * 255)), 1e-6);
}

TEST(ShrinkageFields, LookAtOneChannel) {
    ShrinkageFieldsOptions options;
    options.experts.filters.channels = 3;
    EXPECT_THAT([&] { (void)make_network(options); },
                ThrowsMessage<Error>(HasSubstr("channels must be 1 for shrinkage fields, got 3")));
}

}  // namespace
}  // namespace sonolux
