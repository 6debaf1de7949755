// sonolux/solvers/shrinkage_stage_setup.cpp
//
// What a stage has and needs; what it computes is in shrinkage_stage.cpp.
#include <algorithm>
#include <cmath>

#include <sonolux/solvers/filter_power.hpp>
#include <sonolux/solvers/shrinkage_stage.hpp>
#include <sonolux/solvers/sigma_polynomial.hpp>

namespace sonolux {

ShrinkageStage::ShrinkageStage(const ShrinkageFieldsOptions& options)
    : options_(options),
      bank_(options.experts.filters),
      coefficients_(static_cast<std::size_t>(bank_.parameter_count())),
      filters_({options.experts.filters.count, options.experts.filters.size, options.experts.filters.size}) {
    require(options.sigma_degree >= 0 && options.sigma_degree <= 4, Status::invalid_argument,
            "sigma_degree must be 0 to 4, got ", options.sigma_degree);
    require(options.experts.filters.channels == 1, Status::invalid_argument,
            "channels must be 1 for shrinkage fields, got ", options.experts.filters.channels);
    const FieldsOfExpertsOptions& experts = options.experts;
    require(
        experts.filters.kind != FilterKind::unit_with_mean && experts.border != BorderGradient::valid &&
            experts.weight_nodes == 0,
        Status::invalid_argument,
        "shrinkage fields take filters of zero mean, borders that are not valid, and no weights of place");
    if (options.prior == ShrinkagePrior::fields_of_experts)
        experts_ = std::make_unique<FieldsOfExperts>(options.experts);
    else
        network_ = std::make_unique<ConvolutionalNetwork>(options.network);
    prior_parameters_.resize(static_cast<std::size_t>(prior().parameter_count()));
}

const PriorGradient& ShrinkageStage::prior() const noexcept {
    return has_experts() ? static_cast<const PriorGradient&>(*experts_) : *network_;
}

// By how much the image is continued for the prior, which then sees no border of its own.
Index ShrinkageStage::margin() const noexcept { return has_experts() ? 0 : network_->reach(); }

std::vector<Parameter> ShrinkageStage::parameters() const {
    const FilterBankOptions& filters = options_.experts.filters;
    const Index orders = options_.sigma_degree + 1;
    const bool free = filters.kind == FilterKind::free;
    std::vector<Parameter> list{{.name = "filters",
                                 .shape = {filters.count, bank_.coefficients()},
                                 .constraint = free ? Constraint::zero_mean_unit_ball : Constraint::none,
                                 .typical = free ? 1 / static_cast<float>(filters.size) : 0.3f}};
    if (has_experts()) {
        const ActivationOptions& activation = options_.experts.activation;
        list.push_back({.name = "activation",
                        .shape = {orders, Index{filters.count} * activation.nodes},
                        .typical = 0.08f * activation.table_upper / std::abs(options_.experts.scale)});
    } else {
        int number = 1;
        for (const ConvolutionalNetwork::Layer& layer : network_->layers()) {
            const Index taps = layer.inputs * options_.network.size * options_.network.size;
            const std::string name = sentence("layer", number++);
            list.push_back({.name = name + ".weights",
                            .shape = {layer.outputs, taps},
                            .typical = 1 / std::sqrt(static_cast<float>(taps))});
            list.push_back({.name = name + ".biases", .shape = {layer.outputs}, .typical = 0.1f});
        }
    }
    list.push_back({.name = "log_data_weight", .shape = {orders}});
    Index offset = 0;
    for (Parameter& parameter : list) {
        parameter.offset = offset;
        offset += parameter.shape.elements();
    }
    return list;
}

void ShrinkageStage::update(std::span<const float> parameters, float sigma) {
    const int degree = options_.sigma_degree;
    level_ = degree > 0 ? std::log2(double{sigma} / options_.sigma_reference) : 0;
    const auto filters = static_cast<std::size_t>(filter_parameters());
    std::copy_n(parameters.begin(), filters, coefficients_.begin());
    bank_.realise(coefficients_, filters_);
    const float* learned = parameters.data() + filters;
    if (has_experts()) {
        const Index weights = experts_->activation_parameter_count();
        std::copy_n(parameters.begin(), filters, prior_parameters_.begin());
        evaluate_sigma_polynomial(learned, degree, level_, weights, prior_parameters_.data() + filters);
        experts_->update(prior_parameters_);
        learned += (degree + 1) * weights;
    } else {
        std::copy_n(learned, prior_parameters_.size(), prior_parameters_.begin());
        network_->update(prior_parameters_);
        learned += prior_parameters_.size();
    }
    float log_weight = 0;
    evaluate_sigma_polynomial(learned, degree, level_, 1, &log_weight);
    data_weight_ = static_cast<float>(std::exp(double{log_weight}));

    const FieldsOfExpertsOptions& experts = options_.experts;
    zero_mean_ = has_experts() && experts.boundary == BoundaryRule::circular &&
                 experts.border == BorderGradient::exact;
    for (Index i = 0; i < experts.filters.count && zero_mean_; ++i) {
        double sum = 0, size = 0;
        const View<const float> filter = filters_.view()[i];
        for (Index t = 0; t < filter.elements(); ++t) {
            sum += filter.data()[t];
            size += std::abs(filter.data()[t]);
        }
        zero_mean_ = std::abs(sum) <= 1e-5 * size;
    }
}

std::size_t ShrinkageStage::workspace_bytes(Index rows, Index columns, const Observation& observation,
                                            const Context& context) const noexcept {
    const Index extra = 2 * margin();
    const std::size_t image = Workspace::bytes<float>(rows * columns);
    const std::size_t larger = Workspace::bytes<float>((rows + extra) * (columns + extra));
    const std::size_t spectrum = Workspace::bytes<Complex>(rows * (columns / 2 + 1));
    const std::size_t power = Workspace::bytes<float>(rows * (columns / 2 + 1));
    const std::size_t prior_bytes =
        prior().workspace_bytes(rows + extra, columns + extra, context) + 3 * larger;
    std::size_t inside =
        std::max(prior_bytes, filter_power_workspace_bytes(options_.experts.filters.size, columns));
    if (observation.blur != nullptr) inside = std::max(inside, observation.blur->workspace_bytes(context));
    inside = std::max(inside, spectrum + image);
    const std::size_t parameters = Workspace::bytes<float>(static_cast<Index>(prior_parameters_.size())) +
                                   Workspace::bytes<float>(filters_.elements());
    return inside + power + 6 * spectrum + 4 * image + parameters;
}

std::size_t ShrinkageStage::forward_workspace_bytes(Index rows, Index columns, const Observation& observation,
                                                    const Context& context) const noexcept {
    const Index extra = 2 * margin();
    const std::size_t image = Workspace::bytes<float>(rows * columns);
    const std::size_t spectrum = Workspace::bytes<Complex>(rows * (columns / 2 + 1));
    const std::size_t power = Workspace::bytes<float>(rows * (columns / 2 + 1));
    std::size_t inside = filter_power_workspace_bytes(options_.experts.filters.size, columns);
    inside = std::max(
        inside, has_experts() ? experts_->workspace_bytes(rows, columns, context)
                              : network_->gradient_workspace_bytes(rows + extra, columns + extra, context) +
                                    2 * Workspace::bytes<float>((rows + extra) * (columns + extra)));
    if (observation.blur != nullptr && observation.blur->renews_border())
        inside = std::max(inside, observation.blur->workspace_bytes(context)) + image;
    return inside + power + 2 * spectrum;
}

Index ShrinkageStage::kept_floats(Index rows, Index columns) const noexcept {
    return has_experts() ? experts_->kept_floats(rows, columns) : 0;
}

}  // namespace sonolux
