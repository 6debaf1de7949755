// tests/priors/convolutional_network_test.cpp
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sonolux/core/check/taylor_test.hpp>
#include <sonolux/core/random.hpp>
#include <sonolux/core/reduction.hpp>
#include <sonolux/priors/convolutional_network.hpp>
#include <sonolux/priors/convolutional_network_kernel.hpp>

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

TEST_P(ConvolutionalNetworkOnEveryIsa, EqualsItsReferenceAcrossTiles) {
    for (BoundaryRule rule : boundary_rules)
        expect_reference({3, 2, 3, Nonlinearity::elu, rule}, 259, 530, GetParam());
    expect_reference({2, 2, 7, Nonlinearity::relu, BoundaryRule::reflect}, 513, 20, GetParam());
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
                    [&, start = from](View<const float> part) {
                        std::copy(part.begin(), part.end(), moved.begin() + start);
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

bool same_kind(double a, double b) {
    if (std::isnan(a) || std::isinf(a)) return std::isnan(a) ? std::isnan(b) : a == b;
    return std::isfinite(b);
}

TEST_P(ConvolutionalNetworkOnEveryIsa, TreatsNotANumberAndInfinityAsItsReferenceDoes) {
    for (float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                      -std::numeric_limits<float>::infinity()})
        for (Nonlinearity nonlinearity : {Nonlinearity::elu, Nonlinearity::relu})
            for (int features : {1, 5, 20}) {
                ConvolutionalNetwork network({3, features, 3, nonlinearity});
                network.update(random_parameters(network));
                Array<float> x = random_image(15, 21), clean({15, 21}), dirty({15, 21});
                Array<double> plain({15, 21});
                Context context;
                context.set_isa(GetParam());
                reserve(context, network, x);
                network.gradient(x, clean, context);
                x(7, 4) = bad;
                network.gradient(x, dirty, context);
                network.gradient_reference(x, plain);
                int not_finite = 0;
                for (Index i = 0; i < 15; ++i)
                    for (Index j = 0; j < 21; ++j) {
                        not_finite += std::isfinite(plain(i, j)) ? 0 : 1;
                        ASSERT_TRUE(same_kind(plain(i, j), dirty(i, j)))
                            << i << ", " << j << ": " << plain(i, j) << " and " << dirty(i, j);
                        if (std::abs(i - 7) > network.reach() || std::abs(j - 4) > network.reach()) {
                            ASSERT_EQ(clean(i, j), dirty(i, j)) << i << ", " << j;
                        }
                    }
                EXPECT_TRUE(features == 1 || not_finite > 0);
            }
}

struct Results {
    Array<float> gradient, x_bar;
    std::vector<float> parameter_bar;

    bool operator==(const Results& other) const {
        auto equal = [](const float* a, const float* b, std::size_t count) {
            return std::memcmp(a, b, count * sizeof(float)) == 0;
        };
        const auto pixels = static_cast<std::size_t>(gradient.elements());
        return equal(gradient.data(), other.gradient.data(), pixels) &&
               equal(x_bar.data(), other.x_bar.data(), pixels) &&
               equal(parameter_bar.data(), other.parameter_bar.data(), parameter_bar.size());
    }
};

Results run(const ConvolutionalNetwork& network, const Array<float>& x, Context& context) {
    Results results{Array<float>(x.shape()), Array<float>(x.shape()),
                    std::vector<float>(network.parameter_count())};
    reserve(context, network, x);
    network.gradient(x, results.gradient, context);
    network.gradient_vjp(x, x, results.x_bar, results.parameter_bar, context);
    EXPECT_LE(context.workspace().peak(), context.workspace().size());
    return results;
}

TEST_P(ConvolutionalNetworkOnEveryIsa, ThreadsDoNotChangeABit) {
    for (BoundaryRule rule : {BoundaryRule::zero, BoundaryRule::circular, BoundaryRule::symmetric}) {
        ConvolutionalNetwork network({4, 7, 3, Nonlinearity::elu, rule});
        network.update(random_parameters(network));
        const Array<float> x = random_image(301, 283);
        Context serial(make_serial_runner()), parallel(make_openmp_runner(3));
        serial.set_isa(GetParam());
        parallel.set_isa(GetParam());
        EXPECT_TRUE(run(network, x, serial) == run(network, x, parallel)) << to_string(rule);
    }
}

TEST_P(ConvolutionalNetworkOnEveryIsa, ThePlaceOfAPixelDoesNotChangeABit) {
    ConvolutionalNetwork network({4, 18});
    network.update(random_parameters(network));
    const Array<float> x = random_image(70, 290);
    Array<float> part({31, 101}), whole({70, 290}), of_part({31, 101});
    for (Index i = 0; i < 31; ++i)
        for (Index j = 0; j < 101; ++j) part(i, j) = x(i + 17, j + 113);
    Context context;
    context.set_isa(GetParam());
    reserve(context, network, x);
    network.gradient(x, whole, context);
    network.gradient(part, of_part, context);
    const Index reach = network.reach();
    for (Index i = reach; i < 31 - reach; ++i)
        for (Index j = reach; j < 101 - reach; ++j) ASSERT_EQ(of_part(i, j), whole(i + 17, j + 113));
}

TEST(ConvolutionalNetwork, AvxTwoAndAvx512AgreeToTheBit) {  // both fuse every multiply-add, in the same order
    const std::vector<Isa> isas = available_isas();
    if (std::find(isas.begin(), isas.end(), Isa::avx512) == isas.end())
        GTEST_SKIP() << "this processor has no AVX-512 to compare AVX2 with";
    for (int features : {5, 32, 48}) {
        ConvolutionalNetwork network({4, features});
        network.update(random_parameters(network));
        const Array<float> x = random_image(43, 67);
        Context avx2, avx512;
        avx2.set_isa(Isa::avx2);
        avx512.set_isa(Isa::avx512);
        EXPECT_TRUE(run(network, x, avx2) == run(network, x, avx512)) << features;
    }
}

TEST(ConvolutionalNetwork, WorkspaceForALargeImageServesEverySmallerOne) {
    for (BoundaryRule rule : {BoundaryRule::zero, BoundaryRule::circular, BoundaryRule::replicate}) {
        ConvolutionalNetwork network({3, 3, 5, Nonlinearity::elu, rule});
        network.update(random_parameters(network));
        Context context;
        context.workspace().reserve(network.workspace_bytes(600, 800, context));
        const std::size_t reserved = context.workspace().size();
        for (auto [rows, columns] :
             {std::pair<Index, Index>{256, 256}, {257, 258}, {1, 512}, {511, 3}, {2, 2}})
            run(network, random_image(rows, columns), context);
        EXPECT_EQ(context.workspace().size(), reserved);  // `run` asked for less every time
        EXPECT_LE(network.gradient_workspace_bytes(4000, 3000, context), std::size_t{1} << 20);
    }
}

// Every 1009th negative float down to where exp is 0 beside 1, against the C library's double.
TEST_P(ConvolutionalNetworkOnEveryIsa, TheExponentialIsWithinAUnitAndAFifthInTheLastPlace) {
    std::vector<float> inputs{-0.0f, -std::numeric_limits<float>::denorm_min(),
                              -std::numeric_limits<float>::max(), -std::numeric_limits<float>::infinity()};
    for (std::uint32_t bits = 0x80000001; bits < 0xc2d00000; bits += 1009) {
        float value;
        std::memcpy(&value, &bits, sizeof value);
        inputs.push_back(value);
    }
    inputs.resize(inputs.size() / 16 * 16);
    Array<float> row({static_cast<Index>(inputs.size())});
    std::copy(inputs.begin(), inputs.end(), row.data());
    cnn::kernels(GetParam()).elu({row.data(), 0, 16}, static_cast<Index>(inputs.size()) / 16);
    double worst = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const double exact = std::expm1(double{inputs[i]});
        const int exponent = exact == 0 ? -126 : std::max(std::ilogb(exact), -126);
        worst = std::max(worst, std::abs(row.data()[i] - exact) / std::ldexp(1.0, exponent - 23));
    }
    EXPECT_LE(worst, 1.2);
    EXPECT_GT(worst, 0.4);  // or else nothing was compared
}

void write_floats(const std::filesystem::path& path, std::span<const float> values) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(values.data()),
               static_cast<std::streamsize>(values.size() * sizeof(float)));
}

std::vector<float> read_floats(const std::filesystem::path& path, Index count) {
    std::vector<float> values(static_cast<std::size_t>(count), std::numeric_limits<float>::quiet_NaN());
    std::ifstream(path, std::ios::binary)
        .read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(count * sizeof(float)));
    return values;
}

constexpr const char* peer_script = R"(
import sys, numpy, torch
import torch.nn.functional as F
torch.set_num_threads(1)
folder = sys.argv[1]
for number, case in enumerate(sys.argv[2:]):
    layers, features, size, activation, rule, rows, columns = case.split(":")
    layers, features, size, rows, columns = map(int, (layers, features, size, rows, columns))
    read = lambda name: torch.from_numpy(numpy.fromfile(f"{folder}/{name}{number}.f32", "<f4")).double()
    theta = read("theta").requires_grad_()
    x = read("x").reshape(1, 1, rows, columns).requires_grad_()
    v = read("v").reshape(1, 1, rows, columns)
    offset, h = 0, x
    for layer in range(layers):
        i, o = (1 if layer == 0 else features), (1 if layer == layers - 1 else features)
        w = theta[offset:offset + o * i * size * size].reshape(o, i, size, size)
        offset += w.numel()
        b = theta[offset:offset + o]
        offset += o
        mode = {"zero": "constant"}.get(rule, rule)
        h = F.conv2d(F.pad(h, 4 * [size // 2], mode=mode), w, b)
        if layer < layers - 1: h = getattr(F, activation)(h)
    assert offset == theta.numel()
    (h * v).sum().backward()
    for name, value in ("n", h.detach()), ("x_bar", x.grad), ("theta_bar", theta.grad):
        value.numpy().astype("<f4").tofile(f"{folder}/{name}{number}.f32")
)";

TEST(ConvolutionalNetwork, AgreesWithTorch) {
    const char* python = std::getenv("SONOLUX_PEERS_PYTHON");
    if (python == nullptr) GTEST_SKIP() << "SONOLUX_PEERS_PYTHON names no Python with torch and numpy";
    const std::string interpreter = std::string("'") + python + "'";
    if (std::system((interpreter + " -c 'import torch, numpy' 2>/dev/null").c_str()) != 0)
        GTEST_SKIP() << python << " has no torch and numpy";
    const auto folder = std::filesystem::path(testing::TempDir()) / "sonolux_convolutional_network";
    std::filesystem::create_directories(folder);

    struct Case {
        ConvolutionalNetworkOptions options;
        Index rows, columns;
    };
    const Case cases[] = {{{}, 41, 53},
                          {{3, 5, 7, Nonlinearity::relu, BoundaryRule::zero}, 19, 8},
                          {{4, 20, 5, Nonlinearity::elu, BoundaryRule::reflect}, 23, 31},
                          {{4, 9, 3, Nonlinearity::relu, BoundaryRule::replicate}, 16, 33},
                          {{3, 33, 3, Nonlinearity::elu, BoundaryRule::circular}, 15, 20}};
    auto file = [&](const char* name, int number) {
        return folder / (name + std::to_string(number) + ".f32");
    };
    std::ofstream(folder / "peer.py") << peer_script;
    std::string command = interpreter + " '" + (folder / "peer.py").string() + "' '" + folder.string() + "'";
    int number = 0;
    for (const auto& [options, rows, columns] : cases) {
        const ConvolutionalNetwork network(options);
        const Array<float> x = random_image(rows, columns), v = random_image(rows, columns, 9);
        write_floats(file("theta", number), random_parameters(network));
        write_floats(file("x", number), {x.begin(), x.end()});
        write_floats(file("v", number), {v.begin(), v.end()});
        command += sentence(" ", options.layers, ":", options.features, ":", options.size, ":",
                            to_string(options.nonlinearity), ":", to_string(options.boundary), ":", rows, ":",
                            columns);
        ++number;
    }
    ASSERT_EQ(std::system(command.c_str()), 0);

    number = 0;
    for (const auto& [options, rows, columns] : cases) {
        ConvolutionalNetwork network(options);
        network.update(random_parameters(network));
        const Array<float> x = random_image(rows, columns), v = random_image(rows, columns, 9);
        Array<float> result({rows, columns});
        std::vector<float> parameter_bar(network.parameter_count());
        Context context;
        reserve(context, network, x);
        auto expect_near = [&](std::span<const float> ours, const char* name) {
            const std::vector<float> theirs =
                read_floats(file(name, number), static_cast<Index>(ours.size()));
            double difference = 0, size = 0;
            for (std::size_t i = 0; i < ours.size(); ++i) {
                difference += std::pow(double{ours[i]} - theirs[i], 2);
                size += std::pow(double{theirs[i]}, 2);
            }
            EXPECT_LT(std::sqrt(difference / size), 1e-5) << name << " of case " << number;
        };
        network.gradient(x, result, context);
        expect_near({result.begin(), result.end()}, "n");
        network.gradient_vjp(x, v, result, parameter_bar, context);
        expect_near({result.begin(), result.end()}, "x_bar");
        expect_near(parameter_bar, "theta_bar");
        ++number;
    }
    std::filesystem::remove_all(folder);
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
