// sonolux/solvers/variational_network.cpp
#include <algorithm>
#include <cmath>
#include <numeric>

#include <sonolux/solvers/split_stage.hpp>
#include <sonolux/solvers/variational_network.hpp>
#include <sonolux/solvers/variational_stage.hpp>

namespace sonolux {

std::unique_ptr<UnrolledNetwork> make_variational_network(const VariationalNetworkOptions& options) {
    require(options.stages >= 1 && options.stages <= 100, Status::invalid_argument,
            "stages must be 1 to 100, got ", options.stages);
    std::vector<std::unique_ptr<Stage>> distinct;
    for (int s = 0; s < (options.shared_parameters ? 1 : options.stages); ++s)
        if (options.step == StepRule::split)
            distinct.push_back(std::make_unique<SplitStage>(options));
        else
            distinct.push_back(std::make_unique<VariationalStage>(options));
    return std::make_unique<UnrolledNetwork>(std::move(distinct), options.stages, options.value_scale,
                                             options.sigma_degree > 0, options.sigma_reference);
}

namespace {

// DCT atoms in the order in which filters begin as them: those of one channel as they are numbered. Of
// several channels first those of the channels' mean, which has most to say, then the coarsest of their
// differences; or the coarsest of all.
std::vector<Index> first_atoms(const FilterBankOptions& filters, bool mean_first) {
    const Index size = filters.size, of_a_channel = size * size - 1;
    std::vector<Index> atoms(static_cast<std::size_t>(filters.channels * of_a_channel));
    std::iota(atoms.begin(), atoms.end(), Index{0});
    const auto frequency = [&](Index atom) {
        const Index place = atom % of_a_channel + 1, u = place % size, v = place / size;
        return u * u + v * v;
    };
    std::stable_sort(atoms.begin() + (mean_first ? of_a_channel : 0), atoms.end(),
                     [&](Index a, Index b) { return frequency(a) < frequency(b); });
    return atoms;
}

}  // namespace

void initialise(UnrolledNetwork& network, const VariationalNetworkOptions& options) {
    const FieldsOfExpertsOptions& prior = options.prior;
    const FilterBank bank(prior.filters);
    const FilterBank dct({FilterKind::dct, 1, prior.filters.size});
    const Index taps = Index{prior.filters.size} * prior.filters.size;
    const std::vector<Index> atoms = first_atoms(prior.filters, options.step != StepRule::split);
    // Together the filters pass about 1 / 4 of a small response: a stable step that leaves edges alone.
    const double edge = 0.2 * prior.activation.table_upper;
    const double slope = 0.25 / static_cast<double>(taps) / prior.scale;
    const std::vector<float> weights =
        Activation(prior.activation).fit([&](double z) { return slope * z / (1 + (z / edge) * (z / edge)); });

    const std::span<float> all = network.parameters();
    std::fill(all.begin(), all.end(), 0.0f);
    for (const Parameter& parameter : network.layout()) {
        float* values = all.data() + parameter.offset;
        if (parameter.name.ends_with(".filters")) {
            const Index n = bank.coefficients();
            for (Index f = 0; f < prior.filters.count; ++f) {
                const Index atom = atoms[f % static_cast<Index>(atoms.size())];
                if (prior.filters.kind == FilterKind::dct) {
                    values[f * n + atom] = 1;
                } else {
                    std::vector<float> unit(taps - 1);
                    unit[atom] = 1;
                    dct.realise(unit,
                                View<float>(values + f * taps, {1, prior.filters.size, prior.filters.size}));
                }
            }
        } else if (parameter.name.ends_with(".activation")) {
            for (Index f = 0; f < prior.filters.count; ++f)
                std::copy(weights.begin(), weights.end(), values + f * prior.activation.nodes);
        } else if (parameter.name.ends_with(".log_data_weight")) {
            values[0] = static_cast<float>(std::log(0.1));
        } else if (parameter.name.ends_with(".log_coupling") || parameter.name.ends_with(".log_push")) {
            // Images that are wrong by about 1 / 30 of the range.
            std::fill_n(values, parameter.shape.elements(), static_cast<float>(std::log(1000.0)));
        } else if (parameter.name.ends_with(".spectrum")) {
            const std::vector<double> power(static_cast<std::size_t>(prior.filters.channels), 1e-3);
            const ChannelSpectrum spectrum = ChannelSpectrum::inverse_square(power);
            std::copy(spectrum.table().begin(), spectrum.table().end(), values);
        }
    }
}

}  // namespace sonolux
