// sonolux/solvers/variational_stage.cpp
#include <algorithm>
#include <cmath>

#include <sonolux/solvers/sigma_polynomial.hpp>
#include <sonolux/solvers/variational_stage.hpp>

namespace sonolux {

namespace {

double dot(View<const float> a, View<const float> b) noexcept {
    double sum = 0;
    for (Index i = 0; i < a.elements(); ++i) sum += double{a.data()[i]} * b.data()[i];
    return sum;
}

// The image in a state, or the momentum behind it: [rows, columns] of one channel, as priors take it.
template <class T>
View<T> part(View<T> state, Index channels, Index i) noexcept {
    return {state[i * channels].data(), image_shape(channels, state.rows(), state.columns())};
}

// out = A^T (A x - y)
void data_gradient(View<const float> x, const Observation& observation, View<float> out,
                   Context& context) noexcept {
    const View<const float> data = observation.data;
    if (observation.forward == nullptr) {
        for (Index i = 0; i < x.elements(); ++i) out.data()[i] = x.data()[i] - data.data()[i];
        return;
    }
    Scratch scratch(context.workspace());
    const View<float> residual = scratch.take<float>(observation.forward->range());
    observation.forward->apply(x, residual, context);
    for (Index i = 0; i < residual.elements(); ++i) residual.data()[i] -= data.data()[i];
    observation.forward->adjoint(residual, out, context);
}

// x_bar += weight A^T A v, data_bar -= weight A v, where not empty: the transpose of weight times the data
// gradient.
void data_gradient_vjp(View<const float> v, const Observation& observation, float weight, View<float> x_bar,
                       View<float> data_bar, Context& context) noexcept {
    Scratch scratch(context.workspace());
    View<const float> projected = v, back = v;
    if (observation.forward != nullptr) {
        const View<float> into = scratch.take<float>(observation.forward->range());
        const View<float> from = scratch.take<float>(v.shape());
        observation.forward->apply(v, into, context);
        observation.forward->adjoint(into, from, context);
        projected = into;
        back = from;
    }
    if (!x_bar.empty())
        for (Index i = 0; i < v.elements(); ++i) x_bar.data()[i] += weight * back.data()[i];
    if (data_bar.empty()) return;
    for (Index i = 0; i < projected.elements(); ++i) data_bar.data()[i] -= weight * projected.data()[i];
}

}  // namespace

VariationalStage::VariationalStage(const VariationalNetworkOptions& options)
    : options_(options), prior_(options.prior), prior_parameters_(prior_.parameter_count()) {
    require(options.sigma_degree >= 0 && options.sigma_degree <= 4, Status::invalid_argument,
            "sigma_degree must be 0 to 4, got ", options.sigma_degree);
    require(options.filter_sigma_degree >= 0 && options.filter_sigma_degree <= options.sigma_degree,
            Status::invalid_argument, "filter_sigma_degree must be 0 to sigma_degree, ", options.sigma_degree,
            ", got ", options.filter_sigma_degree);
    require(options.prior.weight_nodes == 0 && options.prior.filters.kind != FilterKind::unit_with_mean,
            Status::invalid_argument,
            "variational networks of images take no weights of place, nor filters with a mean");
    require(options.filter_sigma_degree == 0 || options.prior.filters.kind == FilterKind::dct,
            Status::invalid_argument, "filter_sigma_degree must be 0 for free filters, got ",
            options.filter_sigma_degree);
}

std::vector<Parameter> VariationalStage::parameters() const {
    const FieldsOfExpertsOptions& prior = options_.prior;
    const Index filters = prior.filters.count, orders = options_.sigma_degree + 1;
    const bool free = prior.filters.kind == FilterKind::free;
    const float size = static_cast<float>(prior.filters.size);
    // With unit filters, sum_i K_i^T phi(K_i x) cancels x for phi(z) = z / size^2: that sets the size of
    // weights.
    const float activation_size =
        0.4f * prior.activation.table_upper / 5 / (size * size * std::abs(prior.scale));
    std::vector<Parameter> list{
        {.name = "filters",
         .shape = {(options_.filter_sigma_degree + 1) * filters, prior_.filter_bank().coefficients()},
         .constraint = free ? Constraint::zero_mean_unit_ball : Constraint::none,
         .typical = free ? 1 / size : 0.3f},
        {.name = "activation",
         .shape = {orders, filters * prior.activation.nodes},
         .typical = activation_size},
        {.name = "log_data_weight", .shape = {orders}}};
    if (options_.momentum) list.push_back({.name = "momentum", .shape = {1}});
    Index offset = 0;
    for (Parameter& parameter : list) {
        parameter.offset = offset;
        offset += parameter.shape.elements();
    }
    return list;
}

void VariationalStage::update(std::span<const float> parameters, float sigma) {
    level_ = options_.sigma_degree > 0 ? std::log2(double{sigma} / options_.sigma_reference) : 0;
    const Index filters = prior_.filter_parameter_count(), weights = prior_.activation_parameter_count();
    evaluate_sigma_polynomial(parameters.data(), options_.filter_sigma_degree, level_, filters,
                              prior_parameters_.data());
    const float* activation = parameters.data() + (options_.filter_sigma_degree + 1) * filters;
    const float* log_weight = activation + (options_.sigma_degree + 1) * weights;
    evaluate_sigma_polynomial(activation, options_.sigma_degree, level_, weights,
                              prior_parameters_.data() + filters);
    float log_sum = 0;
    evaluate_sigma_polynomial(log_weight, options_.sigma_degree, level_, 1, &log_sum);
    data_weight_ = static_cast<float>(std::exp(double{log_sum}));
    momentum_ = options_.momentum ? log_weight[options_.sigma_degree + 1] : 0;
    prior_.update(prior_parameters_);
}

float VariationalStage::damping() const noexcept {
    return options_.step == StepRule::damped ? 1 / (1 + data_weight_) : 1;
}

float VariationalStage::damping_slope() const noexcept {
    return options_.step == StepRule::damped ? -damping() * damping() : 0;
}

std::size_t VariationalStage::workspace_bytes(Index rows, Index columns, const Observation& observation,
                                              const Context& context) const noexcept {
    const std::size_t image = Workspace::bytes<float>(channels() * rows * columns);
    std::size_t inside = prior_.workspace_bytes(rows, columns, context);
    if (const LinearOperator* forward = observation.forward; forward != nullptr)
        inside = std::max(inside, Workspace::bytes<float>(forward->range().elements()) + image +
                                      forward->workspace_bytes(context));
    return inside + 3 * image + Workspace::bytes<float>(static_cast<Index>(prior_parameters_.size()));
}

void VariationalStage::forward(View<const float> state, const Observation& observation, View<float> next,
                               Context& context) const noexcept {
    const View<const float> x = part(state, channels(), 0);
    const Index count = x.elements();
    Scratch scratch(context.workspace());
    const View<float> prior_gradient = scratch.take<float>(x.shape());
    const View<float> misfit = scratch.take<float>(x.shape());
    prior_.gradient(x, prior_gradient, observation.kept, context);
    data_gradient(x, observation, misfit, context);
    const float a = damping(), lambda = data_weight_;
    const float* velocity = options_.momentum ? part(state, channels(), 1).data() : nullptr;
    float* next_velocity = options_.momentum ? part(next, channels(), 1).data() : nullptr;
    float* image = next.data();
    constexpr Index block = 1 << 14;
    parallel_for(context, (count + block - 1) / block, [&](Index b, int) {
        for (Index i = b * block; i < std::min(count, (b + 1) * block); ++i) {
            float step = a * (prior_gradient.data()[i] + lambda * misfit.data()[i]);
            if (velocity != nullptr) {
                step += momentum_ * velocity[i];
                next_velocity[i] = step;
            }
            image[i] = x.data()[i] - step;
        }
    });
}

void VariationalStage::backward(View<const float> state, const Observation& observation,
                                View<const float> /*next*/, View<const float> next_bar, View<float> state_bar,
                                std::span<float> parameter_bar, View<float> data_bar,
                                Context& context) const noexcept {
    const View<const float> x = part(state, channels(), 0), image_bar = part(next_bar, channels(), 0);
    const View<float> x_bar = state_bar.empty() ? View<float>() : part(state_bar, channels(), 0);
    const Index count = x.elements(), orders = options_.sigma_degree + 1;
    const Index filters = prior_.filter_parameter_count(), weights = prior_.activation_parameter_count();
    const float a = damping(), lambda = data_weight_;
    Scratch scratch(context.workspace());
    const View<float> step_bar = scratch.take<float>(x.shape());
    const View<float> direction = scratch.take<float>(x.shape());
    const View<float> misfit = scratch.take<float>(x.shape());
    const std::span<float> prior_bar(scratch.take<float>(static_cast<Index>(prior_parameters_.size())),
                                     prior_parameters_.size());

    // Upstream of v': it enters x' with a minus sign and, with momentum, the next state itself.
    const float* next_velocity_bar = options_.momentum ? part(next_bar, channels(), 1).data() : nullptr;
    for (Index i = 0; i < count; ++i)
        step_bar.data()[i] =
            (next_velocity_bar != nullptr ? next_velocity_bar[i] : 0.0f) - image_bar.data()[i];

    float* activation_bar = parameter_bar.data() + (options_.filter_sigma_degree + 1) * filters;
    float* log_weight_bar = activation_bar + orders * weights;
    data_gradient(x, observation, misfit, context);
    double lambda_bar = a * dot(misfit, step_bar);
    if (options_.step == StepRule::damped) {
        prior_.gradient(x, direction, context);
        lambda_bar += damping_slope() * (dot(direction, step_bar) + lambda * dot(misfit, step_bar));
    }
    const auto own_log_weight_bar = static_cast<float>(lambda_bar * lambda);
    add_sigma_polynomial_vjp(&own_log_weight_bar, options_.sigma_degree, level_, 1, log_weight_bar);
    if (options_.momentum) {
        log_weight_bar[orders] += static_cast<float>(dot(part(state, channels(), 1), step_bar));
        if (!state_bar.empty()) {
            const View<float> velocity_bar = part(state_bar, channels(), 1);
            for (Index i = 0; i < count; ++i) velocity_bar.data()[i] = momentum_ * step_bar.data()[i];
        }
    }

    for (Index i = 0; i < count; ++i) direction.data()[i] = a * step_bar.data()[i];
    std::fill(prior_bar.begin(), prior_bar.end(), 0.0f);
    prior_.gradient_vjp(x, observation.kept, direction, x_bar, prior_bar, context);
    if (!x_bar.empty())
        for (Index i = 0; i < count; ++i) x_bar.data()[i] += image_bar.data()[i];
    data_gradient_vjp(direction, observation, lambda, x_bar, data_bar, context);
    add_sigma_polynomial_vjp(prior_bar.data(), options_.filter_sigma_degree, level_, filters,
                             parameter_bar.data());
    add_sigma_polynomial_vjp(prior_bar.data() + filters, options_.sigma_degree, level_, weights,
                             activation_bar);
}

void VariationalStage::add_gradient(const double* filters_bar, const double* tables_bar,
                                    double misfit_product, double step_product,
                                    std::span<float> parameter_bar, Context& context) const noexcept {
    const Index filters = prior_.filter_parameter_count(), weights = prior_.activation_parameter_count();
    Scratch scratch(context.workspace());
    const std::span<float> prior_bar(scratch.take<float>(static_cast<Index>(prior_parameters_.size())),
                                     prior_parameters_.size());
    std::fill(prior_bar.begin(), prior_bar.end(), 0.0f);
    prior_.update_vjp(filters_bar, tables_bar, prior_bar, context);
    float* activation_bar = parameter_bar.data() + (options_.filter_sigma_degree + 1) * filters;
    add_sigma_polynomial_vjp(prior_bar.data(), options_.filter_sigma_degree, level_, filters,
                             parameter_bar.data());
    add_sigma_polynomial_vjp(prior_bar.data() + filters, options_.sigma_degree, level_, weights,
                             activation_bar);
    // x - x' is a times what lambda's damping multiplies.
    const double lambda_bar = damping() * misfit_product + damping_slope() / double{damping()} * step_product;
    const auto log_weight_bar = static_cast<float>(lambda_bar * data_weight_);
    add_sigma_polynomial_vjp(&log_weight_bar, options_.sigma_degree, level_, 1,
                             activation_bar + (options_.sigma_degree + 1) * weights);
}

}  // namespace sonolux
