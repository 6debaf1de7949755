// tests/solvers/variational_network_cuda_test.cpp
//
// Variational networks as a device computes them, on the host and on a device, against the CPU's.
#include <gmock/gmock.h>

#include <sonolux/core/cuda/host_launcher.hpp>
#include <sonolux/sdk/runtime/model_architecture.hpp>
#include <sonolux/solvers/variational_network_cuda.hpp>
#include <sonolux/solvers/variational_network_cuda_program.hpp>

#include "tests/support/cuda_device.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/relative_difference.hpp"
#include "tests/support/tiny_model.hpp"

using namespace sonolux;
using namespace sonolux::cuda;
using testing::HasSubstr;
using testing::ThrowsMessage;

namespace {

Array<float> on_cpu(const UnrolledNetwork& network, const Array<float>& image) {
    Context context(make_serial_runner());
    const View<const float> view = image;
    context.workspace().reserve(network.run_workspace_bytes(view.rows(), view.columns(), context));
    Array<float> out(image.shape());
    EXPECT_EQ(network.run({.data = image}, out, context), Status::ok);
    return out;
}

Array<float> on_host(const UnrolledNetwork& network, const Array<float>& image, HostOrder order,
                     int groups = 1, int images = 1) {
    const View<const float> view = image;
    const VariationalShape shape = variational_shape(network, view.rows(), view.columns(), images);
    std::vector<float> packed(static_cast<std::size_t>(shape.stages * shape.stage_floats()));
    pack_variational_parameters(network, shape, network.entry_scale(), packed);
    HostLauncher launcher(order);
    VariationalProgram<HostLauncher> program(launcher, shape, 132, groups);
    program.update(packed.data());
    Array<float> out(image.shape());
    program.run(image.data(), out.data());
    return out;
}

// On a device, through the module; empty after a failure, which is reported.
Array<float> through(VariationalNetworkCuda& network, const Array<float>& image) {
    std::copy(image.begin(), image.end(), network.images());
    EXPECT_EQ(network.run(), Status::ok) << network.message();
    Array<float> out(image.shape());
    std::copy_n(network.images(), out.elements(), out.data());
    return out;
}

bool same_bits(const Array<float>& a, const Array<float>& b) {
    return std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.elements()) * sizeof(float)) == 0;
}

// Both orders of the host agree to the bit, and with the CPU to 1e-5: sums of 9 to 121 products of values
// near 128 have other orders of rounding.
void expect_parity(const VariationalNetworkOptions& options, const Shape& size, int groups,
                   const std::string& what, float sigma = 25) {
    const auto network = tiny_network(options);
    network->update(sigma);
    const Array<float> image = tiny_image(size);
    const Array<float> forward = on_host(*network, image, HostOrder::forward, groups);
    EXPECT_TRUE(same_bits(forward, on_host(*network, image, HostOrder::backward, groups))) << what;
    EXPECT_LT(relative_difference(forward, on_cpu(*network, image)), 1e-5) << what;
}

}  // namespace

TEST(VariationalNetworkCuda, EqualsTheCpuForEveryRuleAndBorder) {
    for (BoundaryRule rule : boundary_rules)
        for (BorderGradient border : {BorderGradient::exact, BorderGradient::cropped, BorderGradient::valid})
            for (auto [rows, columns] : {std::pair{1, 1}, {1, 7}, {5, 3}, {9, 70}}) {
                VariationalNetworkOptions options = tiny_architecture();
                options.prior.boundary = rule;
                options.prior.border = border;
                options.prior.scale = 0.7f;
                for (int groups : {1, 3})
                    expect_parity(options, {rows, columns}, groups,
                                  sentence(to_string(rule), " ", static_cast<int>(border), " ", rows, " x ",
                                           columns, ", groups ", groups));
            }
}

TEST(VariationalNetworkCuda, EqualsTheCpuForEverySizeOfFilters) {
    for (int size : {5, 7, 9, 11})
        for (int channels : {1, 3}) {
            if (channels == 3 && size > 5) continue;
            VariationalNetworkOptions options = tiny_architecture();
            options.stages = 1;
            options.prior.filters.size = size;
            options.prior.filters.channels = channels;
            expect_parity(options, image_shape(channels, 61, 12), 1,
                          sentence(size, " taps, ", channels, " channels"));
        }
}

TEST(VariationalNetworkCuda, EqualsTheCpuForEveryKindOfStep) {
    VariationalNetworkOptions options = tiny_architecture();
    options.stages = 3;
    options.momentum = true;
    options.step = StepRule::damped;
    auto network = tiny_network(options);
    for (const Parameter& parameter : network->layout())
        if (parameter.name.ends_with(".momentum")) network->parameters()[parameter.offset] = 0.4f;
    network->update(25);
    const Array<float> image = tiny_image({20, 30});
    for (int groups : {1, 2})
        EXPECT_LT(relative_difference(on_host(*network, image, HostOrder::forward, groups),
                                      on_cpu(*network, image)),
                  1e-5);
    options.momentum = false;
    options.shared_parameters = true;
    options.sigma_degree = 2;
    options.filter_sigma_degree = 1;
    options.prior.activation.segments = 100;  // longer than what shared memory holds
    for (float sigma : {10.0f, 40.0f}) expect_parity(options, {20, 30}, 1, "any sigma", sigma);
}

TEST(VariationalNetworkCuda, ImagesThatRunTogetherAreEqualToThoseThatRunAlone) {
    VariationalNetworkOptions options = tiny_architecture();
    options.prior.filters.channels = 3;
    options.prior.border = BorderGradient::exact;
    const auto network = tiny_network(options);
    network->update(25);
    const Array<float> both = tiny_image({6, 11, 13});
    const Array<float> together = on_host(*network, both, HostOrder::forward, 2, 2);
    for (Index i = 0; i < 2; ++i) {
        Array<float> one({3, 11, 13}), of_both({3, 11, 13});
        std::copy_n(both.data() + i * one.elements(), one.elements(), one.data());
        std::copy_n(together.data() + i * one.elements(), one.elements(), of_both.data());
        EXPECT_TRUE(same_bits(on_host(*network, one, HostOrder::forward, 2), of_both)) << i;
    }
}

TEST(VariationalNetworkCuda, ANanSpoilsWhatItSpoilsOnTheCpu) {
    for (int segments : {64, 100}) {
        VariationalNetworkOptions options = tiny_architecture();
        options.prior.activation.segments = segments;
        const auto network = tiny_network(options);
        network->update(25);
        Array<float> image = tiny_image({24, 31});
        image.data()[11 * 31 + 14] = NAN;
        const Array<float> cpu = on_cpu(*network, image);
        EXPECT_LT(relative_difference(on_host(*network, image, HostOrder::forward), cpu), 1e-5);
        EXPECT_EQ(std::count_if(cpu.begin(), cpu.end(), [](float v) { return std::isnan(v); }), 81);
    }
}

TEST(VariationalNetworkCuda, ShippedModelsAgreeWithTheCpu) {
    for (const char* name : {"denoise_sigma25", "denoise_any_sigma", "denoise_color_any_sigma"}) {
        const Model model = load_model_file(sentence(source_root(), "/models/", name, ".safetensors"));
        const auto network = network_from_model(model);
        network->update(25);
        const Array<float> image = tiny_image(image_shape(network->channels(), 13, 17));
        EXPECT_LT(relative_difference(on_host(*network, image, HostOrder::forward), on_cpu(*network, image)),
                  1e-5)
            << name;
    }
}

TEST(VariationalNetworkCuda, NetworksWithoutACudaFormSaySo) {
    const auto shape_of = [](const NetworkOptions& options) {
        return [options] { (void)variational_shape(*tiny_network(options), 8, 8); };
    };
    EXPECT_THAT(shape_of(tiny_shrinkage_fields()), ThrowsMessage<Error>(HasSubstr("has no CUDA form")));
    VariationalNetworkOptions two = tiny_architecture();
    two.prior.filters.channels = 2;
    EXPECT_THAT(shape_of(two), ThrowsMessage<Error>(HasSubstr("look at 2 channels and are 3 wide")));
}

TEST(VariationalNetworkCuda, FiltersAreDealtWhereProcessorsWouldBeIdle) {
    EXPECT_EQ(best_groups(1000000, 1000000, 48, 132), 1);  // many tiles fill every device
    EXPECT_GT(best_groups(81, 512 * 512, 48, 132), 2);     // a photograph does not
    EXPECT_EQ(best_groups(1, 64, 1, 132), 1);              // nothing to deal
}

TEST(VariationalNetworkCudaGpu, ShippedModelsAgreeWithTheCpuAndWithThemselves) {
    SLX_NEEDS_CUDA_DEVICE(device);
    for (const char* name : {"denoise_sigma15", "denoise_sigma25", "denoise_sigma50", "denoise_any_sigma",
                             "denoise_color_any_sigma"})
        for (auto [rows, columns] : {std::pair{97, 131}, {512, 512}}) {
            const Model model = load_model_file(sentence(source_root(), "/models/", name, ".safetensors"));
            const auto network = network_from_model(model);
            network->update(static_cast<float>(255 * model.problem.sigma_max));
            const Array<float> image = tiny_image(image_shape(network->channels(), rows, columns));
            VariationalNetworkCuda on_device(*network, rows, columns, *device);
            const Array<float> first = through(on_device, image), second = through(on_device, image);
            EXPECT_TRUE(same_bits(first, second)) << name;
            EXPECT_LT(relative_difference(first, on_cpu(*network, image)), 1e-5) << name;
        }
}

TEST(VariationalNetworkCudaGpu, EveryRuleBorderAndSizeAgreesWithTheCpu) {
    SLX_NEEDS_CUDA_DEVICE(device);
    for (BoundaryRule rule : boundary_rules)
        for (BorderGradient border : {BorderGradient::exact, BorderGradient::cropped, BorderGradient::valid})
            for (int size : {3, 5, 7, 9, 11})
                for (int channels : {1, 3}) {
                    if (channels == 3 && size > 5) continue;
                    VariationalNetworkOptions options = tiny_architecture();
                    options.prior.filters.size = size;
                    options.prior.filters.channels = channels;
                    options.prior.boundary = rule;
                    options.prior.border = border;
                    const auto network = tiny_network(options);
                    network->update(25);
                    const Array<float> image = tiny_image(image_shape(channels, 61, 75));
                    VariationalNetworkCuda on_device(*network, 61, 75, *device);
                    EXPECT_LT(relative_difference(through(on_device, image), on_cpu(*network, image)), 1e-5)
                        << to_string(rule) << " " << static_cast<int>(border) << " " << size << " x "
                        << channels;
                }
}
