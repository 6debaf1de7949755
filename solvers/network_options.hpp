// sonolux/solvers/network_options.hpp
//
// The architecture of any network that Sonolux knows, and the network it makes.
#pragma once

#include <cstdint>
#include <memory>
#include <variant>

#include <sonolux/solvers/masked_variational_network.hpp>
#include <sonolux/solvers/shrinkage_fields.hpp>
#include <sonolux/solvers/variational_network.hpp>

namespace sonolux {

using NetworkOptions =
    std::variant<VariationalNetworkOptions, ShrinkageFieldsOptions, MaskedVariationalOptions>;

/// Throws Error{invalid_argument} naming the field.
[[nodiscard]] inline std::unique_ptr<UnrolledNetwork> make_network(const NetworkOptions& options) {
    if (const auto* shrinkage = std::get_if<ShrinkageFieldsOptions>(&options))
        return make_shrinkage_fields(*shrinkage);
    if (const auto* masked = std::get_if<MaskedVariationalOptions>(&options))
        return make_masked_variational_network(*masked);
    return make_variational_network(std::get<VariationalNetworkOptions>(options));
}

/// Parameters to start training from; `seed` for the networks that start at random.
inline void initialise(UnrolledNetwork& network, const NetworkOptions& options, std::uint64_t seed = 1) {
    if (const auto* shrinkage = std::get_if<ShrinkageFieldsOptions>(&options))
        initialise(network, *shrinkage, seed);
    else if (const auto* masked = std::get_if<MaskedVariationalOptions>(&options))
        initialise(network, *masked, seed);
    else
        initialise(network, std::get<VariationalNetworkOptions>(options));
}

[[nodiscard]] inline int stages(const NetworkOptions& options) noexcept {
    return std::visit([](const auto& any) { return any.stages; }, options);
}

[[nodiscard]] inline float value_scale(const NetworkOptions& options) noexcept {
    return std::visit([](const auto& any) { return any.value_scale; }, options);
}

/// That the network looks at together: 1, or 3 for colour.
[[nodiscard]] inline int channels(const NetworkOptions& options) noexcept {
    const auto* variational = std::get_if<VariationalNetworkOptions>(&options);
    return variational != nullptr ? variational->prior.filters.channels : 1;
}

/// 0 for a network that was made for one noise level.
[[nodiscard]] inline int sigma_degree(const NetworkOptions& options) noexcept {
    return std::visit([](const auto& any) { return any.sigma_degree; }, options);
}

}  // namespace sonolux
