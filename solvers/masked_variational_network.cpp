// sonolux/solvers/masked_variational_network.cpp
#include <algorithm>
#include <cmath>
#include <numbers>
#include <string_view>
#include <vector>

#include <sonolux/core/random.hpp>
#include <sonolux/solvers/masked_variational_network.hpp>
#include <sonolux/solvers/masked_variational_stage.hpp>

namespace sonolux {

std::unique_ptr<UnrolledNetwork> make_masked_variational_network(const MaskedVariationalOptions& options) {
    require(options.stages >= 1 && options.stages <= 100, Status::invalid_argument,
            "stages must be 1 to 100, got ", options.stages);
    validate(options.coarse);
    std::vector<std::unique_ptr<Stage>> distinct;
    for (int s = 0; s < (options.shared_parameters ? 1 : options.stages); ++s)
        distinct.push_back(std::make_unique<MaskedVariationalStage>(options));
    return std::make_unique<UnrolledNetwork>(std::move(distinct), options.stages, options.value_scale, false,
                                             1.0f);
}

namespace {

/// The functions of the discrete cosine transform on size x size but the constant one, from smooth to fine.
std::vector<std::vector<double>> cosine_basis(Index size) {
    std::vector<std::pair<Index, Index>> waves;
    for (Index u = 0; u < size; ++u)
        for (Index v = u == 0 ? 1 : 0; v < size; ++v) waves.emplace_back(u, v);
    std::ranges::stable_sort(waves, {},
                             [](const auto& w) { return w.first * w.first + w.second * w.second; });
    std::vector<std::vector<double>> basis;
    for (const auto& [u, v] : waves) {
        std::vector<double>& values = basis.emplace_back();
        for (Index i = 0; i < size; ++i)
            for (Index j = 0; j < size; ++j)
                values.push_back(std::cos(std::numbers::pi * static_cast<double>(u * (2 * i + 1)) /
                                          static_cast<double>(2 * size)) *
                                 std::cos(std::numbers::pi * static_cast<double>(v * (2 * j + 1)) /
                                          static_cast<double>(2 * size)));
    }
    return basis;
}

}  // namespace

void initialise(UnrolledNetwork& network, const MaskedVariationalOptions& options, std::uint64_t seed) {
    constexpr float data_range = 4, prior_range = 4;                   // deviations; the data soon say better
    constexpr float first_data_step = 0.3f, first_coarse_step = 0.1f;  // beside a coarse step
    constexpr float data_slope = 1, momentum = 0.9f;
    constexpr float filter_noise = 0.05f, prior_slope = 0.01f, prior_noise = 0.002f;
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
            const auto row = values.size() / static_cast<std::size_t>(options.filters.count);
            const auto basis = cosine_basis(options.filters.size);
            for (std::size_t f = 0; f * row < values.size(); ++f) {
                const std::vector<double>& cosine = basis[f % basis.size()];
                for (std::size_t i = 0; i < std::min(row, cosine.size()); ++i)
                    values[f * row + i] = static_cast<float>(cosine[i]) + filter_noise * random.normal();
            }
        } else if (is(".data_activation")) {
            const auto last = static_cast<float>(values.size() - 1);
            for (std::size_t k = 0; k < values.size(); ++k)
                values[k] = data_slope * data_range * (2 * static_cast<float>(k) / last - 1);
        } else if (is(".activation")) {
            // A penalty that grows as the response's magnitude does beyond a third of the image's.
            const auto knots = static_cast<std::size_t>(options.knots);
            for (std::size_t k = 0; k < values.size(); ++k) {
                const double place =
                    prior_range * (2.0 * static_cast<double>(k % knots) / static_cast<double>(knots - 1) - 1);
                values[k] =
                    prior_slope * static_cast<float>(std::tanh(3 * place)) + prior_noise * random.normal();
            }
        } else if (is("_step") || is(".preconditioner")) {
            float first = 1;
            if (options.coarse.any() && is(".data_step")) first = first_data_step;
            if (is(".coarse_step")) first = first_coarse_step;
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
