// bench/cases.cpp
#include "cases.hpp"

#include <sonolux/core/random.hpp>
#include <sonolux/simulation/phantoms/dead_leaves.hpp>

namespace sonolux::bench {

namespace {

constexpr std::uint64_t seed = 2017, parameter_stream = 1000, noise_stream = 1001;

// Small against what training moves, large enough that no two filters and no two activations are alike.
template <class Options>
std::unique_ptr<UnrolledNetwork> moved(std::unique_ptr<UnrolledNetwork> network, const Options& options) {
    initialise(*network, options);
    constexpr float amount = 0.1F;
    Philox random(seed, parameter_stream);
    for (const Parameter& parameter : network->layout())
        for (float& value : network->parameters().subspan(parameter.offset, parameter.shape.elements()))
            value += amount * parameter.typical * random.normal();
    network->update(sigma);
    return network;
}

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

bool names_shrinkage_fields(std::string_view name) noexcept { return name.starts_with("csf"); }

ShrinkageFieldsOptions shrinkage_options(std::string_view name) {
    require(name == "csf7x7x48" || name == "csf5x5x24", Status::invalid_argument,
            "shrinkage fields must be csf7x7x48 or csf5x5x24, got \"", name, "\"");
    const bool large = name == "csf7x7x48";
    ShrinkageFieldsOptions options;
    options.experts.filters = {FilterKind::dct, large ? 48 : 24, large ? 7 : 5};
    options.experts.activation = wide_activation();
    options.experts.activation.nodes = 53;
    options.experts.activation.lower = -260;
    options.experts.activation.upper = 260;
    options.form = ShrinkageForm::direct;
    options.border = BorderTreatment::replicate;
    options.border_width = 10;
    return options;
}

std::unique_ptr<UnrolledNetwork> make_network(const VariationalNetworkOptions& options) {
    return moved(make_variational_network(options), options);
}

std::unique_ptr<UnrolledNetwork> make_network(const ShrinkageFieldsOptions& options) {
    return moved(make_shrinkage_fields(options), options);
}

Denoiser::Denoiser(std::string_view name, Index rows, Index columns) : rows_(rows), columns_(columns) {
    if (names_shrinkage_fields(name)) {
        const ShrinkageFieldsOptions options = shrinkage_options(name);
        network = make_network(options);
        prior = options.experts;
        value_scale = options.value_scale;
        border = make_padded_blur(options, rows, columns, 0, 0);
    } else {
        const VariationalNetworkOptions options = network_options(name);
        network = make_network(options);
        prior = options.prior;
        value_scale = options.value_scale;
    }
}

std::size_t Denoiser::workspace_bytes(const Context& context) const {
    const Shape domain = border != nullptr ? border->domain() : Shape{rows_, columns_};
    Observation observation;
    observation.blur = border.get();
    return network->run_workspace_bytes(domain[0], domain[1], context, observation);
}

Status Denoiser::run(View<const float> data, View<float> image, Context& context) const noexcept {
    Observation observation{data};
    observation.blur = border.get();
    return network->run(observation, image, context);
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
