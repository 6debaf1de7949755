// sonolux/solvers/unrolled_network.cpp
#include <algorithm>
#include <cmath>

#include <sonolux/solvers/unrolled_network.hpp>

namespace sonolux {

UnrolledNetwork::UnrolledNetwork(std::vector<std::unique_ptr<Stage>> distinct, Index steps, float value_scale,
                                 bool scale_by_sigma, float sigma_reference)
    : stages_(std::move(distinct)),
      steps_(steps),
      value_scale_(value_scale),
      sigma_reference_(sigma_reference),
      sigma_(sigma_reference),
      scale_by_sigma_(scale_by_sigma) {
    require(steps >= 1, Status::invalid_argument, "a network has at least 1 stage, got ", steps);
    require(!stages_.empty() && steps % static_cast<Index>(stages_.size()) == 0, Status::invalid_argument,
            steps, " steps are not a multiple of ", stages_.size(), " distinct stages");
    require(std::isfinite(value_scale) && value_scale > 0, Status::invalid_argument,
            "value_scale must be above 0, got ", value_scale);
    require(std::isfinite(sigma_reference) && sigma_reference > 0, Status::invalid_argument,
            "sigma_reference must be above 0, got ", sigma_reference);
    Index offset = 0;
    for (std::size_t s = 0; s < stages_.size(); ++s) {
        offsets_.push_back(offset);
        Index end = offset;
        for (Parameter parameter : stages_[s]->parameters()) {
            parameter.name = sentence("stage", s + 1, ".", parameter.name);
            parameter.offset += offset;
            end = parameter.offset + parameter.shape.elements();
            layout_.push_back(std::move(parameter));
        }
        offset = end;
    }
    offsets_.push_back(offset);
    parameters_.resize(offset);
}

const Stage& UnrolledNetwork::stage(Index step) const noexcept { return *stages_[step % stages_.size()]; }

void UnrolledNetwork::update(float sigma) {
    require(std::isfinite(sigma) && sigma > 0, Status::invalid_argument, "sigma must be above 0, got ",
            sigma);
    sigma_ = sigma;
    const std::span<const float> all(parameters_);
    for (std::size_t s = 0; s < stages_.size(); ++s)
        stages_[s]->update(all.subspan(offsets_[s], offsets_[s + 1] - offsets_[s]), sigma);
}

float UnrolledNetwork::entry_scale() const noexcept {
    return scale_by_sigma_ ? value_scale_ * sigma_reference_ / sigma_ : value_scale_;
}

namespace {

// The start of a run: the image in plane 0, further planes at rest.
void enter(View<const float> image, View<float> state) noexcept {
    std::copy_n(image.data(), image.elements(), state.data());
    std::fill_n(state.data() + image.elements(), state.elements() - image.elements(), 0.0f);
}

}  // namespace

std::size_t UnrolledNetwork::run_workspace_bytes(Index rows, Index columns,
                                                 const Context& context) const noexcept {
    std::size_t inside = 0;
    for (const auto& stage : stages_)
        inside = std::max(inside, stage->workspace_bytes(rows, columns, context));
    return inside + Workspace::bytes<float>(rows * columns) +
           2 * Workspace::bytes<float>(stages_[0]->planes() * rows * columns);
}

Status UnrolledNetwork::run(View<const float> data, View<float> image, Context& context) const noexcept {
    const Index rows = data.rows(), columns = data.columns();
    Scratch scratch(context.workspace());
    const View<float> scaled = scratch.take<float>(Shape{rows, columns});
    View<float> state = scratch.take<float>(Shape{stages_[0]->planes(), rows, columns});
    View<float> next = scratch.take<float>(Shape{stages_[0]->planes(), rows, columns});
    const float scale = entry_scale(), back = 1 / scale;
    for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < columns; ++j) scaled(i, j) = scale * data(i, j);
    enter(scaled, state);
    Status status = Status::ok;
    for (Index step = 0; step < steps_; ++step) {
        status = context.poll();
        if (status != Status::ok) break;
        stage(step).forward(state, scaled, next, context);
        std::swap(state, next);
        context.report({.activity = "reconstructing", .done = step + 1, .total = steps_, .seconds_left = -1});
    }
    for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < columns; ++j) image(i, j) = back * state(Index{0}, i, j);
    return status;
}

void UnrolledNetwork::forward(View<const float> start, View<const float> data, View<float> image, Index steps,
                              Context& context) const noexcept {
    Scratch scratch(context.workspace());
    const Shape shape{stages_[0]->planes(), start.rows(), start.columns()};
    View<float> state = scratch.take<float>(shape), next = scratch.take<float>(shape);
    enter(start, state);
    for (Index step = 0; step < steps; ++step) {
        stage(step).forward(state, data, next, context);
        std::swap(state, next);
    }
    std::copy_n(state.data(), image.elements(), image.data());
}

std::size_t UnrolledNetwork::training_workspace_bytes(Index rows, Index columns,
                                                      const Context& context) const noexcept {
    std::size_t inside = 0;
    for (const auto& stage : stages_)
        inside = std::max(inside, stage->workspace_bytes(rows, columns, context));
    const std::size_t state = Workspace::bytes<float>(stages_[0]->planes() * rows * columns);
    return inside + (steps_ + 3) * state + Workspace::bytes<float>(rows * columns) +
           Workspace::bytes<View<float>>(steps_ + 1);
}

double UnrolledNetwork::loss_gradient(View<const float> start, View<const float> data,
                                      View<const float> truth, const Loss& loss,
                                      std::span<const double> step_weights, std::span<float> gradient,
                                      Context& context) const noexcept {
    const Index steps = static_cast<Index>(step_weights.size());
    assert(steps >= 1 && steps <= steps_);
    Scratch scratch(context.workspace());
    const Shape shape{stages_[0]->planes(), start.rows(), start.columns()};
    auto* states = scratch.take<View<float>>(steps + 1);
    for (Index step = 0; step <= steps; ++step) states[step] = scratch.take<float>(shape);
    View<float> bar = scratch.take<float>(shape), next_bar = scratch.take<float>(shape);
    const View<float> image_bar = scratch.take<float>(start.shape());

    enter(start, states[0]);
    for (Index step = 0; step < steps; ++step)
        stage(step).forward(states[step], data, states[step + 1], context);

    double total = 0;
    std::fill_n(next_bar.data(), next_bar.elements(), 0.0f);
    for (Index step = steps - 1; step >= 0; --step) {
        const double weight = step_weights[step];
        if (weight != 0) {
            total += weight * loss.value_gradient(states[step + 1][0], truth, image_bar);
            for (Index i = 0; i < image_bar.elements(); ++i)
                next_bar.data()[i] += static_cast<float>(weight) * image_bar.data()[i];
        }
        const std::size_t s = step % stages_.size();
        stage(step).backward(states[step], data, next_bar, bar,
                             gradient.subspan(offsets_[s], offsets_[s + 1] - offsets_[s]), context);
        std::swap(bar, next_bar);
    }
    return total;
}

}  // namespace sonolux
