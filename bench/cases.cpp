// bench/cases.cpp
#include "cases.hpp"

#include <sonolux/core/random.hpp>
#include <sonolux/simulation/phantoms/dead_leaves.hpp>

namespace sonolux::bench {

namespace {

constexpr std::uint64_t seed = 2017, parameter_stream = 1000, noise_stream = 1001;

}  // namespace

ActivationOptions narrow_activation() { return {}; }

ActivationOptions wide_activation() {
    return {.nodes = 63,
            .lower = -310,
            .upper = 310,
            .width = 10,
            .table_lower = -320,
            .table_upper = 320,
            .segments = 128};
}

VariationalNetworkOptions network_options(int size, int filters, const ActivationOptions& activation) {
    VariationalNetworkOptions options;
    options.prior.filters = {FilterKind::dct, filters, size};
    options.prior.activation = activation;
    return options;
}

VariationalNetworkOptions network_options(std::string_view name) {
    if (name == "7x7x48") return network_options(7, 48, wide_activation());
    if (name == "5x5x24") return network_options(5, 24, wide_activation());
    if (name == "7x7x48/narrow") return network_options(7, 48, narrow_activation());
    if (name == "5x5x24/narrow") return network_options(5, 24, narrow_activation());
    fail(Status::invalid_argument,
         "the network must be 7x7x48, 5x5x24, 7x7x48/narrow or 5x5x24/narrow, got \"", name, "\"");
}

std::unique_ptr<UnrolledNetwork> make_network(const VariationalNetworkOptions& options) {
    auto network = make_variational_network(options);
    initialise(*network, options);
    // Small against what training moves, large enough that no two filters and no two activations are alike.
    constexpr float amount = 0.1F;
    Philox random(seed, parameter_stream);
    for (const Parameter& parameter : network->layout())
        for (float& value : network->parameters().subspan(parameter.offset, parameter.shape.elements()))
            value += amount * parameter.typical * random.normal();
    network->update(sigma);
    return network;
}

Array<float> clean_images(Index count, Index rows, Index columns) {
    Array<float> images({count, rows, columns});
    const DeadLeaves leaves({}, seed);
    Context context;
    context.workspace().reserve(leaves.workspace_bytes(rows, columns, context));
    leaves.fill(0, images, context);
    return images;
}

Array<float> noisy_image(Index rows, Index columns) {
    Array<float> clean = clean_images(1, rows, columns), noisy({rows, columns});
    fill_normal(noisy, Philox(seed, noise_stream));
    for (Index i = 0; i < noisy.elements(); ++i)
        noisy.data()[i] = (clean.data()[i] + sigma * noisy.data()[i]) / 255;
    return noisy;
}

}  // namespace sonolux::bench
