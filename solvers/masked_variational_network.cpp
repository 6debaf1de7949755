// sonolux/solvers/masked_variational_network.cpp
#include <algorithm>
#include <string_view>

#include <sonolux/core/random.hpp>
#include <sonolux/solvers/masked_variational_network.hpp>
#include <sonolux/solvers/masked_variational_stage.hpp>

namespace sonolux {

std::unique_ptr<UnrolledNetwork> make_masked_variational_network(const MaskedVariationalOptions& options) {
    require(options.stages >= 1 && options.stages <= 100, Status::invalid_argument,
            "stages must be 1 to 100, got ", options.stages);
    std::vector<std::unique_ptr<Stage>> distinct;
    for (int s = 0; s < (options.shared_parameters ? 1 : options.stages); ++s)
        distinct.push_back(std::make_unique<MaskedVariationalStage>(options));
    return std::make_unique<UnrolledNetwork>(std::move(distinct), options.stages, options.value_scale, false,
                                             1.0f);
}

void initialise(UnrolledNetwork& network, const MaskedVariationalOptions& options, std::uint64_t seed) {
    constexpr float data_range = 4, prior_range = 4;  // deviations; the data soon say better
    // Beside a smooth step. Operators that say little of what is smooth leave images that are tens of
    // deviations of the data: what a prior changes must be of that size for it to be learned soon.
    constexpr float first_data_step = 0.3f, first_prior_step = 30;
    constexpr float data_slope = 1, deviation = 0.01f, momentum = 0.9f;
    constexpr std::uint64_t stream = 110;
    Philox random(seed, stream);
    for (const Parameter& parameter : network.layout()) {
        const std::span<float> values = network.parameters().subspan(
            static_cast<std::size_t>(parameter.offset), static_cast<std::size_t>(parameter.shape.elements()));
        const auto is = [&](std::string_view name) {
            return std::string_view(parameter.name).ends_with(name);
        };
        std::fill(values.begin(), values.end(), 0.0f);
        if (is(".filters")) {
            const std::size_t row = values.size() / static_cast<std::size_t>(options.filters.count);
            const bool mean = options.filters.kind == FilterKind::unit_with_mean;
            for (std::size_t i = 0; i < values.size(); ++i)
                if (!mean || i % row != row - 1) values[i] = random.normal();
        } else if (is(".data_activation")) {
            const auto last = static_cast<float>(values.size() - 1);
            for (std::size_t k = 0; k < values.size(); ++k)
                values[k] = data_slope * data_range * (2 * static_cast<float>(k) / last - 1);
        } else if (is(".activation")) {
            for (float& value : values) value = deviation * random.normal();
        } else if (is("_step") || is(".preconditioner")) {
            const float first = !options.smooth_step ? 1
                                : is(".data_step")   ? first_data_step
                                : is(".prior_step")  ? first_prior_step
                                                     : 1;
            std::fill(values.begin(), values.end(), first);
        } else if (is(".momentum")) {
            values[0] = momentum;
        } else if (is(".ranges")) {
            values[0] = data_range;
            values[1] = prior_range;
        }
    }
}

}  // namespace sonolux
