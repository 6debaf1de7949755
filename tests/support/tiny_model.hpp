// tests/support/tiny_model.hpp
//
// Small networks with parameters from a seed, and images to run them on, for tests that need some model and
// not a good one.
#pragma once

#include <sonolux/core/random.hpp>
#include <sonolux/sdk/runtime/model_architecture.hpp>

namespace sonolux {

/// Two stages of four 3x3 filters.
[[nodiscard]] inline VariationalNetworkOptions tiny_architecture() {
    VariationalNetworkOptions options;
    options.stages = 2;
    options.prior.filters = {FilterKind::dct, 4, 3};
    options.prior.activation.nodes = 15;
    return options;
}

/// Two stages of four 3x3 filters with Fourier steps between.
[[nodiscard]] inline ShrinkageFieldsOptions tiny_shrinkage_fields() {
    ShrinkageFieldsOptions options;
    options.stages = 2;
    options.experts.filters = {FilterKind::dct, 4, 3};
    options.experts.activation.nodes = 15;
    options.border_width = 3;
    return options;
}

/// A kernel of sum 1 without any symmetry.
[[nodiscard]] inline Array<float> tiny_kernel(Index rows, Index columns, std::uint64_t seed = 1) {
    Array<float> kernel({rows, columns});
    Philox random(seed);
    double sum = 0;
    for (float& tap : kernel) sum += double{tap = static_cast<float>(random.uniform())};
    for (float& tap : kernel) tap = static_cast<float>(tap / sum);
    return kernel;
}

/// A start for training, disturbed so that no two parameters are alike.
[[nodiscard]] inline std::unique_ptr<UnrolledNetwork> tiny_network(const NetworkOptions& options,
                                                                   std::uint64_t seed = 1) {
    auto network = make_network(options);
    initialise(*network, options);
    Philox random(seed);
    for (const Parameter& parameter : network->layout()) {
        float* values = network->parameters().data() + parameter.offset;
        for (Index i = 0; i < parameter.shape.elements(); ++i)
            values[i] += 0.02f * parameter.typical * random.normal();
    }
    return network;
}

/// Denoises sigma 25; or 5 to 55, if the architecture takes sigma.
[[nodiscard]] inline Model tiny_model(const NetworkOptions& options = tiny_architecture(),
                                      std::uint64_t seed = 1) {
    Model model;
    model.name = "tiny";
    model.problem.sigma_min = (sigma_degree(options) > 0 ? 5 : 25) / 255.0;
    model.problem.sigma_max = (sigma_degree(options) > 0 ? 55 : 25) / 255.0;
    model.licence = "Apache-2.0";
    model.training.recipe = "none";
    model.training.data = "none";
    set_network(model, options, *tiny_network(options, seed));
    return model;
}

/// Values around 0.5 with edges and noise, a function of the size alone.
[[nodiscard]] inline Array<float> tiny_image(const Shape& shape) {
    Array<float> image(shape);
    Philox random(7, static_cast<std::uint64_t>(shape.elements()));
    for (Index i = 0; i < image.elements(); ++i)
        image.data()[i] = ((i / 13) % 2 == 0 ? 0.3f : 0.7f) + 0.1f * random.normal();
    return image;
}

/// Deblurs at sigma 25, with parameters of its own.
[[nodiscard]] inline Model tiny_deblurring_model(
    const ShrinkageFieldsOptions& options = tiny_shrinkage_fields()) {
    Model model = tiny_model(options);
    set_deblurring(model.problem, 9, 7);
    return model;
}

inline const std::vector<std::byte>& tiny_file() {
    static const std::vector<std::byte> bytes = save_model(tiny_model());
    return bytes;
}

}  // namespace sonolux
