// sonolux/solvers/masked_variational_stage.cpp
#include <algorithm>
#include <cmath>

#include <sonolux/solvers/masked_variational_stage.hpp>

namespace sonolux {

namespace {

constexpr Index block = 4096;  // readings or pixels that one thread takes at a time
static_assert(block % PointwiseActivation::padding == 0);

double dot(View<const float> a, View<const float> b) noexcept {
    double sum = 0;
    for (Index i = 0; i < a.elements(); ++i) sum += double{a.data()[i]} * b.data()[i];
    return sum;
}

template <class T>
View<T> plane(View<T> state, Index i) noexcept {
    return {state[i].data(), {state.rows(), state.columns()}};
}

// z *= factors, element by element; none: 1.
void multiply(float* z, const float* factors, Index count) noexcept {
    for (Index i = 0; factors != nullptr && i < count; ++i) z[i] *= factors[i];
}

Index padded(Index count) noexcept {
    constexpr Index padding = PointwiseActivation::padding;
    return (count + padding - 1) / padding * padding;
}

FieldsOfExpertsOptions prior_options(const MaskedVariationalOptions& options) {
    FieldsOfExpertsOptions prior;
    prior.filters = options.filters;
    prior.activation = unit_knots(options.knots);
    prior.boundary = BoundaryRule::zero;
    prior.border = BorderGradient::valid;
    prior.weight_nodes = options.weight_nodes;
    return prior;
}

ActivationOptions step_options(int knots) {
    ActivationOptions options = unit_knots(knots);
    options.lower = options.table_lower = 0;
    return options;
}

const MaskedVariationalOptions& checked(const MaskedVariationalOptions& options) {
    require(options.knots >= 2 && options.knots <= 256, Status::invalid_argument,
            "knots must be 2 to 256, got ", options.knots);
    require(options.step_knots >= 2 && options.step_knots <= 256, Status::invalid_argument,
            "step_knots must be 2 to 256, got ", options.step_knots);
    require(options.filters.channels == 1, Status::invalid_argument,
            "filter channels must be 1 for masked variational networks, got ", options.filters.channels);
    require(options.preconditioner >= 0, Status::invalid_argument,
            "preconditioner must be 0 or the number of readings, got ", options.preconditioner);
    return options;
}

// Moves the knots of a row from [-from, from] to [-to, to].
void move_knots(std::span<float> row, double from, double to) {
    const std::vector<float> old(row.begin(), row.end());
    const auto last = static_cast<double>(row.size() - 1);
    for (std::size_t k = 0; k < row.size(); ++k) {
        const double z = to * (2 * static_cast<double>(k) / last - 1);
        const double at = std::clamp((z / from + 1) / 2 * last, 0.0, last);
        const auto left = std::min(static_cast<std::size_t>(at), row.size() - 2);
        const double t = at - static_cast<double>(left);
        row[k] = static_cast<float>((1 - t) * old[left] + t * old[left + 1]);
    }
}

}  // namespace

MaskedVariationalStage::MaskedVariationalStage(const MaskedVariationalOptions& options)
    : options_(checked(options)),
      prior_(prior_options(options)),
      phi_(unit_knots(options.knots)),
      steps_(step_options(options.step_knots)) {
    const Index filters = options.filters.count;
    const Index sizes[parts] = {prior_.filter_parameter_count(),
                                filters * options.knots,
                                prior_.weight_parameter_count(),
                                options.knots,
                                options.step_knots,
                                options.step_knots,
                                options.coarse.any() ? options.step_knots : 0,
                                1,
                                options.preconditioner,
                                2};
    offsets_[0] = 0;
    for (int i = 0; i < parts; ++i) offsets_[i + 1] = offsets_[i] + sizes[i];
    parameters_.resize(static_cast<std::size_t>(offsets_[parts]));
}

std::vector<Parameter> MaskedVariationalStage::parameters() const {
    const Index filters = options_.filters.count, knots = options_.knots, steps = options_.step_knots;
    std::vector<Parameter> list{
        {.name = "filters", .shape = {filters, prior_.filter_bank().coefficients()}},
        {.name = "activation", .shape = {filters, knots}, .knots = knots},
        {.name = "weights", .shape = {filters, prior_.weight_parameter_count() / filters}},
        {.name = "data_activation", .shape = {1, knots}, .knots = knots},
        {.name = "data_step", .shape = {1, steps}},
        {.name = "prior_step", .shape = {1, steps}},
        {.name = "coarse_step", .shape = {1, options_.coarse.any() ? steps : 0}},
        {.name = "momentum", .shape = {1}, .constraint = Constraint::unit_interval},
        {.name = "preconditioner", .shape = {options_.preconditioner}},
        {.name = "ranges", .shape = {2}, .constraint = Constraint::fixed}};
    for (std::size_t i = 0; i < list.size(); ++i) list[i].offset = offsets_[i];
    std::erase_if(list, [](const Parameter& parameter) { return parameter.shape.elements() == 0; });
    return list;
}

void MaskedVariationalStage::update(std::span<const float> parameters, float /*sigma*/) {
    std::copy(parameters.begin(), parameters.end(), parameters_.begin());
    const std::span<const float> own(parameters_);
    const std::span<const float> ranges = part(own, range_part);
    for (const float range : ranges)
        require(std::isfinite(range) && range > 0, Status::invalid_argument,
                "the range of a learned function must be above 0, got ", range);
    prior_.update(own.first(static_cast<std::size_t>(offsets_[data_activation_part])));
    prior_.set_range(ranges[1]);
    phi_.update(part(own, data_activation_part), ranges[0]);
    momentum_ = std::abs(part(own, momentum_part)[0]);
}

void MaskedVariationalStage::resample(std::span<float> parameters, std::span<const float> new_ranges) const {
    const std::span<float> ranges = part(parameters, range_part);
    move_knots(part(parameters, data_activation_part), ranges[0], new_ranges[0]);
    const std::span<float> psi = part(parameters, activation_part);
    const auto knots = static_cast<std::size_t>(options_.knots);
    for (std::size_t row = 0; row < psi.size(); row += knots)
        move_knots(psi.subspan(row, knots), ranges[1], new_ranges[1]);
    std::copy(new_ranges.begin(), new_ranges.end(), ranges.begin());
}

std::size_t MaskedVariationalStage::workspace_bytes(Index rows, Index columns, const Observation& observation,
                                                    const Context& context) const noexcept {
    const std::size_t image = Workspace::bytes<float>(rows * columns);
    std::size_t inside = prior_.workspace_bytes(rows, columns, context);
    if (const LinearOperator* forward = observation.forward; forward != nullptr)
        inside = std::max(inside, (options_.preconditioner > 0 ? 4 : 3) *
                                          Workspace::bytes<float>(padded(forward->range().elements())) +
                                      std::max(forward->workspace_bytes(context), phi_.workspace_bytes()));
    if (observation.coarse != nullptr)
        inside = std::max(inside, observation.coarse->workspace_bytes(context));
    return inside + 4 * image + Workspace::bytes<float>(static_cast<Index>(parameters_.size()));
}

Index MaskedVariationalStage::kept_floats(Index rows, Index columns) const noexcept {
    return prior_.kept_floats(rows, columns) + gradients_kept() * rows * columns;
}

float MaskedVariationalStage::step(Part which, const Observation& observation) const noexcept {
    const std::span<const float> own(parameters_);
    return static_cast<float>(steps_.exact(part(own, which), double{observation.measured}));
}

void MaskedVariationalStage::weigh(View<const float> mask, Index first, Index count,
                                   float* z) const noexcept {
    multiply(z, mask.empty() ? nullptr : mask.data() + first, count);
    if (options_.preconditioner > 0)
        multiply(z, parameters_.data() + offsets_[preconditioner_part] + first, count);
}

void MaskedVariationalStage::residual(View<const float> x, const Observation& observation, float* z,
                                      Context& context) const noexcept {
    const Shape range = observation.forward->range();
    assert(observation.data.elements() == range.elements());
    observation.forward->apply(x, View<float>(z, range), context);
    const Index readings = range.elements();
    const float* y = observation.data.data();
    parallel_for(context, (readings + block - 1) / block, [&](Index b, int) {
        const Index first = b * block, end = std::min(readings, first + block);
        for (Index i = first; i < end; ++i) z[i] -= y[i];
        weigh(observation.mask, first, end - first, z + first);
    });
}

void MaskedVariationalStage::forward(View<const float> state, const Observation& observation,
                                     View<float> next, Context& context) const noexcept {
    const View<const float> x = plane(state, 0), velocity = plane(state, 1);
    const Index pixels = x.elements(), readings = observation.forward->range().elements();
    Scratch scratch(context.workspace());
    // All gradients, kept for the way back where there is room.
    float* kept = observation.kept;
    float* kept_responses = nullptr;
    if (kept != nullptr && prior_.kept_floats(x.rows(), x.columns()) > 0)
        kept_responses = kept + gradients_kept() * pixels;
    const auto gradient = [&](Index i) {
        return View<float>(kept != nullptr ? kept + i * pixels : scratch.take<float>(pixels), x.shape());
    };
    const View<float> of_data = gradient(0), of_prior = gradient(1);
    const View<float> coarse = options_.coarse.any() ? gradient(2) : View<float>();
    prior_.gradient(x, of_prior, kept_responses, context);
    {
        Scratch inner(context.workspace());
        float* z = inner.take<float>(padded(readings));
        residual(x, observation, z, context);
        parallel_for(context, (readings + block - 1) / block, [&](Index b, int) {
            const Index first = b * block, count = std::min(block, readings - first);
            phi_.apply(z + first, z + first, count, context);
            weigh(observation.mask, first, count, z + first);
        });
        observation.forward->adjoint(View<const float>(z, observation.forward->range()), of_data, context);
    }
    const float u1 = step(data_step_part, observation), u2 = step(prior_step_part, observation);
    float u3 = 0;
    if (options_.coarse.any()) {
        u3 = step(coarse_step_part, observation);
        observation.coarse->apply(of_data, coarse, context);
    }
    float* image = plane(next, 0).data();
    float* next_velocity = plane(next, 1).data();
    parallel_for(context, (pixels + block - 1) / block, [&](Index b, int) {
        for (Index i = b * block; i < std::min(pixels, (b + 1) * block); ++i) {
            float s = momentum_ * velocity.data()[i] + (u1 * of_data.data()[i] + u2 * of_prior.data()[i]);
            if (u3 != 0) s += u3 * coarse.data()[i];
            next_velocity[i] = s;
            image[i] = x.data()[i] - s;
        }
    });
}

// With t the upstream of s, s_bar - x_bar of what comes after: r = A x - y, q = m p, z = q r, e = q phi(z),
//
//     u1_bar = <A^T e, t>    w = A (u1 t + u3 G t)    phi upstream: q w    z_bar = phi'(z) q w
//     u3_bar = <G A^T e, t>    (A x)_bar = q z_bar
//     p_bar = m (w phi(z) + z_bar r)
void MaskedVariationalStage::backward(View<const float> state, const Observation& observation,
                                      View<const float> /*next*/, View<const float> next_bar,
                                      View<float> state_bar, std::span<float> parameter_bar,
                                      View<float> data_bar, Context& context) const noexcept {
    const View<const float> x = plane(state, 0), velocity = plane(state, 1);
    const View<const float> image_bar = plane(next_bar, 0), next_velocity_bar = plane(next_bar, 1);
    const Index pixels = x.elements(), readings = observation.forward->range().elements();
    float* kept = observation.kept;
    assert(kept != nullptr);
    const View<const float> of_data(kept, x.shape()), of_prior(kept + pixels, x.shape());
    const bool keeps_responses = prior_.kept_floats(x.rows(), x.columns()) > 0;
    float* responses = keeps_responses ? kept + gradients_kept() * pixels : nullptr;
    if (observation.peaks != nullptr && responses != nullptr)
        observation.peaks[1] =
            std::max(observation.peaks[1], prior_.largest_kept(responses, x.rows(), x.columns()));

    Scratch scratch(context.workspace());
    const View<float> upstream = scratch.take<float>(x.shape()), direction = scratch.take<float>(x.shape());
    const View<float> back = scratch.take<float>(x.shape());
    for (Index i = 0; i < pixels; ++i) upstream.data()[i] = next_velocity_bar.data()[i] - image_bar.data()[i];

    // u1(rho) is linear in its knots: their gradients are the hats at rho.
    const auto add_step = [&](Part which, double bar) {
        const std::span<float> knots_bar = part(parameter_bar, which);
        const double last = static_cast<double>(knots_bar.size() - 1);
        const double at = std::clamp(double{observation.measured}, 0.0, 1.0) * last;
        const auto left = std::min(static_cast<std::size_t>(at), knots_bar.size() - 2);
        const double t = at - static_cast<double>(left);
        knots_bar[left] += static_cast<float>((1 - t) * bar);
        knots_bar[left + 1] += static_cast<float>(t * bar);
    };
    add_step(data_step_part, dot(of_data, upstream));
    add_step(prior_step_part, dot(of_prior, upstream));
    if (options_.coarse.any())
        add_step(coarse_step_part, dot(View<const float>(kept + 2 * pixels, x.shape()), upstream));
    part(parameter_bar, momentum_part)[0] += static_cast<float>(dot(velocity, upstream));
    const float u1 = step(data_step_part, observation), u2 = step(prior_step_part, observation);

    const View<float> x_bar = state_bar.empty() ? View<float>() : plane(state_bar, 0);
    if (!state_bar.empty()) {
        float* velocity_bar = plane(state_bar, 1).data();
        for (Index i = 0; i < pixels; ++i) velocity_bar[i] = momentum_ * upstream.data()[i];
    }

    for (Index i = 0; i < pixels; ++i) direction.data()[i] = u2 * upstream.data()[i];
    {
        Scratch inner(context.workspace());
        const auto count = static_cast<std::size_t>(offsets_[data_activation_part]);
        prior_.gradient_vjp(x, responses, direction, x_bar, parameter_bar.first(count), context);
    }
    if (!x_bar.empty())
        for (Index i = 0; i < pixels; ++i) x_bar.data()[i] += image_bar.data()[i];

    if (options_.coarse.any()) {
        const float u3 = step(coarse_step_part, observation);
        observation.coarse->apply(upstream, direction, context);
        for (Index i = 0; i < pixels; ++i)
            direction.data()[i] = u1 * upstream.data()[i] + u3 * direction.data()[i];
    } else {
        for (Index i = 0; i < pixels; ++i) direction.data()[i] = u1 * upstream.data()[i];
    }
    const Shape range = observation.forward->range();
    float* z = scratch.take<float>(padded(readings));
    float* u = scratch.take<float>(padded(readings));
    float* w = scratch.take<float>(padded(readings));
    residual(x, observation, z, context);
    if (observation.peaks != nullptr)
        for (Index i = 0; i < readings; ++i)
            observation.peaks[0] = std::max(observation.peaks[0], std::abs(z[i]));
    observation.forward->apply(direction, View<float>(w, range), context);
    std::copy_n(w, readings, u);
    weigh(observation.mask, 0, readings, u);
    phi_.apply_vjp(z, u, readings, part(parameter_bar, data_activation_part), context);
    if (options_.preconditioner > 0) {
        float* p_bar = part(parameter_bar, preconditioner_part).data();
        float* r = scratch.take<float>(padded(readings));
        observation.forward->apply(x, View<float>(r, range), context);
        for (Index i = 0; i < readings; ++i)
            if (observation.mask.empty() || observation.mask.data()[i] != 0)
                p_bar[i] += w[i] * z[i] + u[i] * (r[i] - observation.data.data()[i]);
    }
    weigh(observation.mask, 0, readings, u);
    if (!data_bar.empty())
        for (Index i = 0; i < readings; ++i) data_bar.data()[i] -= u[i];
    if (x_bar.empty()) return;
    observation.forward->adjoint(View<const float>(u, range), back, context);
    for (Index i = 0; i < pixels; ++i) x_bar.data()[i] += back.data()[i];
}

}  // namespace sonolux
