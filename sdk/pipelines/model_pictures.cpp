// sonolux/sdk/pipelines/model_pictures.cpp
#include <sonolux/sdk/pipelines/model_pictures.hpp>

#include <algorithm>
#include <cmath>
#include <tuple>

#include <fmt/format.h>

#include <sonolux/sdk/files/figure.hpp>
#include <sonolux/sdk/runtime/model_architecture.hpp>
#include <sonolux/solvers/sigma_polynomial.hpp>

namespace sonolux {
namespace {

// phi_i of one stage from its weights [orders, filters, nodes], orders being those of a polynomial in
// `level`.
std::vector<CurvePanel> curves_of(const FieldsOfExpertsOptions& experts, std::span<const float> weights,
                                  int orders, double level) {
    const Activation activation(experts.activation);
    const ActivationOptions& options = activation.options();
    const Index filters = experts.filters.count, nodes = options.nodes;
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

// Filters may follow the noise level too: [orders, count].
std::vector<float> coefficients_at(std::span<const float> orders, Index count, double level) {
    std::vector<float> values(static_cast<std::size_t>(count));
    const auto degree = static_cast<int>(static_cast<Index>(orders.size()) / count) - 1;
    evaluate_sigma_polynomial(orders.data(), degree, level, count, values.data());
    return values;
}

// What of a network is drawn, whatever its kind.
struct Drawn {
    FieldsOfExpertsOptions experts;
    bool has_activations;
    bool scales_by_sigma;  // such networks see images scaled to the noise they know best
    const char* function;  // how its activations are called where they are defined
};

Drawn drawn_of(const VariationalNetworkOptions& options) {
    return {options.prior, true, options.sigma_degree > 0, "φ"};
}

Drawn drawn_of(const ShrinkageFieldsOptions& options) {
    return {options.experts, options.prior == ShrinkagePrior::fields_of_experts, options.scale_by_sigma,
            options.form == ShrinkageForm::residual ? "ψ" : "φ"};
}

Drawn drawn_of(const MaskedVariationalOptions& options) {
    FieldsOfExpertsOptions experts;
    experts.filters = options.filters;
    experts.activation = unit_knots(options.knots);
    return {experts, true, false, "ψ"};
}

}  // namespace

std::vector<StagePictures> draw_stages(const Model& model, double sigma) {
    const NetworkOptions any = architecture_of(model);
    const auto network = network_from_model(model);
    const Drawn drawn = std::visit([](const auto& options) { return drawn_of(options); }, any);
    const auto [degree, reference, shared] = std::visit(
        [](const auto& options) {
            return std::tuple(options.sigma_degree, double{options.sigma_reference},
                              options.shared_parameters);
        },
        any);
    const double lowest = 255 * model.problem.sigma_min, highest = 255 * model.problem.sigma_max;
    if (sigma == 0) sigma = std::sqrt(lowest * highest);
    // The slack is that of a level that went through 1/255 and back.
    require(sigma >= lowest * (1 - 1e-6) && sigma <= highest * (1 + 1e-6), Status::invalid_argument,
            model.name, ": sigma must be from ", lowest, " to ", highest, ", got ", sigma);
    const double level = degree > 0 ? std::log2(sigma / reference) : 0;
    const double white = value_scale(any) * (drawn.scales_by_sigma ? reference / sigma : 1);
    const std::string at_level = degree > 0 ? fmt::format(" at σ = {:.3g}", sigma) : "";

    auto parameter = [&](const std::string& name) {
        const auto& layout = network->layout();
        const auto found =
            std::find_if(layout.begin(), layout.end(), [&](const auto& p) { return p.name == name; });
        require(found != layout.end(), Status::internal_error, model.name, ": there is no parameter ", name);
        return std::span<const float>(network->parameters()).subspan(found->offset, found->shape.elements());
    };

    std::vector<StagePictures> pictures;
    const FilterBankOptions& bank = drawn.experts.filters;
    const FilterBank filter_bank(bank);
    for (int s = 1; s <= (shared ? 1 : stages(any)); ++s) {
        const std::string stage = fmt::format("stage{}", s);
        Array<float> filters(filter_bank.filters_shape());
        filter_bank.realise(
            coefficients_at(parameter(stage + ".filters"), filter_bank.parameter_count(), level), filters);
        const std::string title = shared ? "All stages" : fmt::format("Stage {}", s);
        pictures.push_back({stage,
                            draw_filters(filters, fmt::format("{}: {} filters {} × {}", title, bank.count,
                                                              bank.size, bank.size)),
                            std::nullopt});
        if (!drawn.has_activations) continue;
        FieldsOfExpertsOptions experts = drawn.experts;
        if (std::holds_alternative<MaskedVariationalOptions>(any)) {
            ActivationOptions& knots = experts.activation;
            knots.upper = knots.table_upper = parameter(stage + ".ranges")[1];
            knots.lower = knots.table_lower = -knots.upper;
        }
        pictures.back().activations =
            draw_curves(curves_of(experts, parameter(stage + ".activation"), degree + 1, level),
                        {fmt::format("{}: activation behind each filter{}", title, at_level),
                         fmt::format("filter response z, white = {:.4g}", white),
                         fmt::format("{}(z), same units", drawn.function), 8});
    }
    return pictures;
}

}  // namespace sonolux
