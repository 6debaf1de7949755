// tests/priors/convolutional_network_test.cpp
#include <cstring>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sonolux/core/check/taylor_test.hpp>
#include <sonolux/core/random.hpp>
#include <sonolux/core/reduction.hpp>
#include <sonolux/priors/convolutional_network.hpp>

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr std::pair<Index, Index> awkward_sizes[] = {{1, 1}, {1, 7}, {5, 3}, {17, 31}};

std::vector<float> random_parameters(const ConvolutionalNetwork& network, std::uint64_t seed = 5) {
    std::vector<float> parameters = network.initial_parameters(seed);
    Philox random(seed, 1);
    for (const auto& layer : network.layers())
        for (Index o = 0; o < layer.outputs; ++o) parameters[layer.biases + o] = 0.3f * random.normal();
    return parameters;
}

Array<float> random_image(Index rows, Index columns, std::uint64_t seed = 3) {
    Array<float> image({rows, columns});
    fill_normal(image, Philox(seed));
    return image;
}

double largest_difference(const Array<float>& a, const Array<double>& b) {
    double largest = 0;
    for (Index i = 0; i < a.elements(); ++i) largest = std::max(largest, std::abs(a.data()[i] - b.data()[i]));
    return largest;
}

double largest(std::span<const double> values) {
    double largest = 0;
    for (double value : values) largest = std::max(largest, std::abs(value));
    return largest;
}

void reserve(Context& context, const ConvolutionalNetwork& network, const Array<float>& x) {
    context.workspace().reserve(network.workspace_bytes(x.shape()[0], x.shape()[1], context));
}

class ConvolutionalNetworkOnEveryIsa : public testing::TestWithParam<Isa> {};
INSTANTIATE_TEST_SUITE_P(Isas, ConvolutionalNetworkOnEveryIsa, testing::ValuesIn(available_isas()),
                         [](const auto& instance) { return to_string(instance.param); });

// Gradient and vector-Jacobian products beside the plain loops.
void expect_reference(const ConvolutionalNetworkOptions& options, Index rows, Index columns, Isa isa) {
    SCOPED_TRACE(sentence(options.layers, " layers, ", options.features, " features, size ", options.size,
                          ", ", to_string(options.nonlinearity), ", ", to_string(options.boundary), ", ",
                          rows, " x ", columns));
    ConvolutionalNetwork network(options);
    network.update(random_parameters(network));
    const Array<float> x = random_image(rows, columns), v = random_image(rows, columns, 9);
    Context context;
    context.set_isa(isa);
    reserve(context, network, x);

    Array<float> fast({rows, columns});
    Array<double> plain({rows, columns});
    network.gradient(x, fast, context);
    network.gradient_reference(x, plain);
    // Sums of a few hundred products in float, layer after layer.
    EXPECT_LT(largest_difference(fast, plain), 4e-6 * (1 + largest({plain.begin(), plain.end()})));

    std::vector<float> parameter_bar(network.parameter_count(), 0.5f);  // is added to
    std::vector<double> plain_parameter_bar(network.parameter_count(), 0.5);
    network.gradient_vjp(x, v, fast, parameter_bar, context);
    network.gradient_vjp_reference(x, v, plain, plain_parameter_bar);
    EXPECT_LT(largest_difference(fast, plain), 4e-6 * (1 + largest({plain.begin(), plain.end()})));
    const double size = 1 + largest(plain_parameter_bar);
    for (std::size_t k = 0; k < parameter_bar.size(); ++k)
        ASSERT_NEAR(parameter_bar[k], plain_parameter_bar[k], 4e-6 * size) << "parameter " << k;
}

TEST_P(ConvolutionalNetworkOnEveryIsa, EqualsItsReferenceForEverySizeRuleAndNonlinearity) {
    for (int size : {3, 5, 7})
        for (BoundaryRule rule : boundary_rules)
            for (Nonlinearity nonlinearity : {Nonlinearity::elu, Nonlinearity::relu})
                for (auto [rows, columns] : awkward_sizes)
                    expect_reference({3, 5, size, nonlinearity, rule}, rows, columns, GetParam());
}

TEST_P(ConvolutionalNetworkOnEveryIsa, EqualsItsReferenceForEveryNumberOfLayers) {
    for (int layers : {1, 2, 4, 9})
        for (BoundaryRule rule : {BoundaryRule::zero, BoundaryRule::circular, BoundaryRule::reflect})
            expect_reference({layers, 3, 3, Nonlinearity::elu, rule}, 13, 11, GetParam());
}

TEST_P(ConvolutionalNetworkOnEveryIsa, EqualsItsReferenceForEveryNumberOfFeatures) {
    for (int features : {1, 2, 7, 15, 16, 17, 31, 32, 33, 48, 63, 64})
        expect_reference({3, features}, 6, 19, GetParam());
}

// ELU only: the kinks of a rectifier lie closer than the steps that stand clear of rounding. What it computes
// is compared with the plain loops above.
TEST_P(ConvolutionalNetworkOnEveryIsa, PassesTheTaylorTestForTheImageAndEveryKindOfParameter) {
    for (auto [rows, columns] : {std::pair<Index, Index>{37, 41}, {32, 48}}) {
        ConvolutionalNetwork network({4, 6});
        const std::vector<float> parameters = random_parameters(network);
        network.update(parameters);
        const Array<float> x = random_image(rows, columns);
        Context context;
        context.set_isa(GetParam());
        reserve(context, network, x);
        Array<float> x_bar({rows, columns}), gradient({rows, columns}), v({rows, columns});
        network.gradient(x, v, context);  // d |n|^2 / 2, so that no sums cancel
        std::vector<float> parameter_bar(parameters.size());
        network.gradient_vjp(x, v, x_bar, parameter_bar, context);
        auto energy = [&](View<const float> image) {
            network.gradient(image, gradient, context);
            return 0.5 * squared_norm(gradient);
        };
        EXPECT_GT(taylor_test(energy, x.view(), x_bar.view()), 1.8);
        for (const auto& layer : network.layers())
            for (auto [from, to] : {std::pair{layer.weights, layer.biases},
                                    std::pair{layer.biases, layer.biases + layer.outputs}}) {
                std::vector<float> moved = parameters;
                const double order = taylor_test(
                    [&, from = from](View<const float> part) {
                        std::copy(part.begin(), part.end(), moved.begin() + from);
                        network.update(moved);
                        return energy(x);
                    },
                    View<const float>(parameters.data() + from, {to - from}),
                    View<const float>(parameter_bar.data() + from, {to - from}));
                EXPECT_GT(order, 1.8) << "parameters from " << from;
                network.update(parameters);
            }
    }
}

TEST(ConvolutionalNetwork, LaysParametersOutLayerByLayer) {
    ConvolutionalNetwork network({3, 4, 5});
    const auto layers = network.layers();
    ASSERT_EQ(layers.size(), 3u);
    EXPECT_EQ(layers[0].weights, 0);
    EXPECT_EQ(layers[0].biases, 4 * 25);
    EXPECT_EQ(layers[1].weights, 4 * 25 + 4);
    EXPECT_EQ(layers[1].biases, 4 * 25 + 4 + 16 * 25);
    EXPECT_EQ(layers[2].weights, 4 * 25 + 4 + 16 * 25 + 4);
    EXPECT_EQ(network.parameter_count(), 4 * 25 + 4 + 16 * 25 + 4 + 4 * 25 + 1);
    EXPECT_EQ(ConvolutionalNetwork({}).parameter_count(), 9 * (32 + 4 * 1024 + 32) + 5 * 32 + 1);
}

TEST(ConvolutionalNetwork, NamesTheFieldItRefuses) {
    auto refuses = [](const ConvolutionalNetworkOptions& options, const char* message) {
        EXPECT_THAT([&] { ConvolutionalNetwork{options}; }, ThrowsMessage<Error>(HasSubstr(message)));
    };
    refuses({.layers = 0}, "network layers must be 1 to 16, got 0");
    refuses({.layers = 17}, "network layers must be 1 to 16, got 17");
    refuses({.features = 0}, "network features must be 1 to 64, got 0");
    refuses({.features = 65}, "network features must be 1 to 64, got 65");
    refuses({.size = 4}, "network filter size must be odd and 3 to 7, got 4");
    refuses({.size = 9}, "network filter size must be odd and 3 to 7, got 9");
    EXPECT_THAT([] { (void)nonlinearity_from_string("tanh"); },
                ThrowsMessage<Error>(HasSubstr("nonlinearity must be elu or relu, got \"tanh\"")));
    EXPECT_EQ(nonlinearity_from_string("relu"), Nonlinearity::relu);
    ConvolutionalNetwork network({2, 2});
    EXPECT_THAT([&] { network.update(std::vector<float>(3)); },
                ThrowsMessage<Error>(HasSubstr("takes 39 parameters, got 3")));
}

}  // namespace
}  // namespace sonolux
