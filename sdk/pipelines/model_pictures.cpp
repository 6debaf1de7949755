// sonolux/sdk/pipelines/model_pictures.cpp
#include <sonolux/sdk/pipelines/model_pictures.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <sonolux/sdk/files/figure.hpp>
#include <sonolux/sdk/runtime/model_architecture.hpp>

namespace sonolux {
namespace {

// phi_i of one stage from its weights [orders, filters, nodes], orders being those of a polynomial in
// `level`.
std::vector<CurvePanel> curves_of(const FieldsOfExperts& prior, std::span<const float> weights, int orders,
                                  double level) {
    const Activation& activation = prior.activation();
    const ActivationOptions& options = activation.options();
    const Index filters = prior.options().filters.count, nodes = options.nodes;
    constexpr int points = 161;
    std::vector<CurvePanel> curves;
    std::vector<float> own(nodes);
    for (Index f = 0; f < filters; ++f) {
        for (Index j = 0; j < nodes; ++j) {
            double sum = 0;
            for (int d = orders - 1; d >= 0; --d) sum = sum * level + weights[(d * filters + f) * nodes + j];
            own[j] = static_cast<float>(sum);
        }
        CurvePanel& curve = curves.emplace_back();
        curve.caption = fmt::format("{}", f + 1);
        for (int k = 0; k < points; ++k) {
            const double t = static_cast<double>(k) / (points - 1);
            const double z = options.table_lower + t * (options.table_upper - options.table_lower);
            curve.x.push_back(z);
            curve.y.push_back(activation.exact(own, z));
        }
    }
    return curves;
}

}  // namespace

std::vector<StagePictures> draw_stages(const Model& model, double sigma) {
    const VariationalNetworkOptions options = architecture_of(model);
    const auto network = network_from_model(model);
    const double lowest = 255 * model.problem.sigma_min, highest = 255 * model.problem.sigma_max;
    if (sigma == 0) sigma = std::sqrt(lowest * highest);
    // The slack is that of a level that went through 1/255 and back.
    require(sigma >= lowest * (1 - 1e-6) && sigma <= highest * (1 + 1e-6), Status::invalid_argument,
            model.name, ": sigma must be from ", lowest, " to ", highest, ", got ", sigma);
    const double level = options.sigma_degree > 0 ? std::log2(sigma / options.sigma_reference) : 0;
    // Such networks see images scaled to the noise they know best.
    const double white =
        options.value_scale * (options.sigma_degree > 0 ? options.sigma_reference / sigma : 1);
    const std::string at_level = options.sigma_degree > 0 ? fmt::format(" at σ = {:.3g}", sigma) : "";

    FieldsOfExperts prior(options.prior);
    auto parameter = [&](const std::string& name) {
        const auto& layout = network->layout();
        const auto found =
            std::find_if(layout.begin(), layout.end(), [&](const auto& p) { return p.name == name; });
        require(found != layout.end(), Status::internal_error, model.name, ": there is no parameter ", name);
        return std::span<const float>(network->parameters()).subspan(found->offset, found->shape.elements());
    };

    std::vector<StagePictures> stages;
    const int own = options.shared_parameters ? 1 : options.stages;
    for (int s = 1; s <= own; ++s) {
        const std::string stage = fmt::format("stage{}", s);
        const auto& bank = options.prior.filters;
        Array<float> filters({bank.count, bank.size, bank.size});
        prior.filter_bank().realise(parameter(stage + ".filters"), filters);
        const std::string title = options.shared_parameters ? "All stages" : fmt::format("Stage {}", s);
        stages.push_back(
            {stage,
             draw_filters(filters,
                          fmt::format("{}: {} filters {} × {}", title, bank.count, bank.size, bank.size)),
             draw_curves(curves_of(prior, parameter(stage + ".activation"), options.sigma_degree + 1, level),
                         {fmt::format("{}: activation behind each filter{}", title, at_level),
                          fmt::format("filter response z, white = {:.4g}", white), "φ(z), same units", 8})});
    }
    return stages;
}

}  // namespace sonolux
