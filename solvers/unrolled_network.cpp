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

// The start of a run: the image in the first planes, further planes at rest.
void enter(View<const float> image, View<float> state) noexcept {
    std::copy_n(image.data(), image.elements(), state.data());
    std::fill_n(state.data() + image.elements(), state.elements() - image.elements(), 0.0f);
}

// to = factor * from, plane by plane, whatever the strides.
void scale_image(View<const float> from, float factor, View<float> to) noexcept {
    for (Index c = 0; c < plane_count(to); ++c) {
        const View<const float> in = plane_of(from, c);
        const View<float> out = plane_of(to, c);
        for (Index i = 0; i < out.rows(); ++i)
            for (Index j = 0; j < out.columns(); ++j) out(i, j) = factor * in(i, j);
    }
}

}  // namespace

std::size_t UnrolledNetwork::run_workspace_bytes(Index rows, Index columns, const Context& context,
                                                 const Observation& observation) const noexcept {
    std::size_t inside = observation.blur != nullptr ? observation.blur->workspace_bytes(context) : 0;
    for (const auto& stage : stages_)
        inside = std::max(inside, stage->forward_workspace_bytes(rows, columns, observation, context));
    if (observation.blur != nullptr && observation.blur->keeps_data())
        inside += Workspace::bytes<std::complex<float>>(rows * (columns / 2 + 1));
    return inside + Workspace::bytes<float>(channels() * rows * columns) +
           2 * Workspace::bytes<float>(stages_[0]->planes() * rows * columns);
}

Status UnrolledNetwork::run(const Observation& observation, View<float> image,
                            Context& context) const noexcept {
    const PaddedBlur* blur = observation.blur;
    const View<const float> data = observation.data;
    const Shape domain = blur != nullptr ? blur->domain() : data.shape();
    const Shape shape{stages_[0]->planes(), domain.last(1), domain.last(0)};
    assert(plane_count(data) == channels());
    Scratch scratch(context.workspace());
    const View<float> scaled = scratch.take<float>(domain);
    View<float> state = scratch.take<float>(shape), next = scratch.take<float>(shape);
    const float scale = entry_scale(), back = 1 / scale;
    const View<float> observed = blur != nullptr ? blur->inside(scaled) : scaled;
    scale_image(data, scale, observed);
    if (blur != nullptr) blur->enter(observed, scaled, context);
    enter(scaled, state);
    Observation seen = observation;
    seen.data = scaled;
    if (blur != nullptr && blur->keeps_data()) {
        RealFft2& fft = blur->blur().fft();
        const View<std::complex<float>> spectrum = scratch.take<std::complex<float>>(fft.spectrum_shape());
        fft.forward(scaled, spectrum);
        seen.data_spectrum = spectrum;
    }
    Status status = Status::ok;
    for (seen.step = 0; seen.step < steps_; ++seen.step) {
        status = context.poll();
        if (status != Status::ok) break;
        stage(seen.step).forward(state, seen, next, context);
        std::swap(state, next);
        context.report(
            {.activity = "reconstructing", .done = seen.step + 1, .total = steps_, .seconds_left = -1});
    }
    if (seen.step == 0) {  // nothing was done: not even what scales and tapers may round or blur
        scale_image(data, 1, image);
        return status;
    }
    const View<float> estimate(state.data(), domain);
    scale_image(blur != nullptr ? blur->inside(estimate) : estimate, back, image);
    return status;
}

Status UnrolledNetwork::run_from(View<const float> start, const Observation& observation, View<float> image,
                                 Context& context) const noexcept {
    Scratch scratch(context.workspace());
    const Shape shape{stages_[0]->planes(), start.rows(), start.columns()};
    View<float> state = scratch.take<float>(shape), next = scratch.take<float>(shape);
    enter(start, state);
    Observation seen = observation;
    Status status = Status::ok;
    for (seen.step = 0; seen.step < steps_; ++seen.step) {
        status = context.poll();
        if (status != Status::ok) break;
        stage(seen.step).forward(state, seen, next, context);
        std::swap(state, next);
        context.report(
            {.activity = "reconstructing", .done = seen.step + 1, .total = steps_, .seconds_left = -1});
    }
    std::copy_n(state.data(), image.elements(), image.data());
    return status;
}

Index UnrolledNetwork::range_count() const noexcept {
    Index count = 0;
    for (const auto& stage : stages_) count += stage->ranges();
    return count;
}

void UnrolledNetwork::resample(std::span<const float> ranges) {
    require(static_cast<Index>(ranges.size()) == range_count(), Status::size_mismatch, "a network of ",
            range_count(), " ranges cannot take ", ranges.size());
    const std::span<float> all = parameters();
    Index first = 0;
    for (std::size_t s = 0; s < stages_.size(); ++s) {
        const auto count = static_cast<std::size_t>(stages_[s]->ranges());
        stages_[s]->resample(all.subspan(offsets_[s], offsets_[s + 1] - offsets_[s]),
                             ranges.subspan(static_cast<std::size_t>(first), count));
        first += stages_[s]->ranges();
    }
}

void UnrolledNetwork::forward(View<const float> start, const Observation& observation, View<float> image,
                              Index steps, Context& context) const noexcept {
    Scratch scratch(context.workspace());
    const Shape shape{stages_[0]->planes(), start.rows(), start.columns()};
    View<float> state = scratch.take<float>(shape), next = scratch.take<float>(shape);
    enter(start, state);
    Observation seen = observation;
    for (seen.step = 0; seen.step < steps; ++seen.step) {
        stage(seen.step).forward(state, seen, next, context);
        std::swap(state, next);
    }
    std::copy_n(state.data(), image.elements(), image.data());
}

std::size_t UnrolledNetwork::training_workspace_bytes(Index rows, Index columns, const Context& context,
                                                      const Observation& observation) const noexcept {
    std::size_t inside = 0;
    for (const auto& stage : stages_)
        inside = std::max(inside, stage->workspace_bytes(rows, columns, observation, context));
    std::size_t kept = Workspace::bytes<float*>(steps_);
    for (Index step = 0; step < steps_; ++step)
        kept += Workspace::bytes<float>(stage(step).kept_floats(rows, columns));
    const std::size_t state = Workspace::bytes<float>(stages_[0]->planes() * rows * columns);
    return inside + kept + (steps_ + 3) * state + Workspace::bytes<float>(channels() * rows * columns) +
           Workspace::bytes<View<float>>(steps_ + 1);
}

double UnrolledNetwork::loss_gradient(View<const float> start, const Observation& observation,
                                      View<const float> truth, const Loss& loss,
                                      std::span<const double> step_weights, std::span<float> gradient,
                                      Context& context, View<float> start_bar, View<float> data_bar,
                                      float* peaks) const noexcept {
    const Index steps = static_cast<Index>(step_weights.size());
    assert(steps >= 1 && steps <= steps_);
    Scratch scratch(context.workspace());
    const Shape shape{stages_[0]->planes(), start.rows(), start.columns()};
    auto* states = scratch.take<View<float>>(steps + 1);
    for (Index step = 0; step <= steps; ++step) states[step] = scratch.take<float>(shape);
    auto** kept = scratch.take<float*>(steps);
    for (Index step = 0; step < steps; ++step) {
        const Index floats = stage(step).kept_floats(start.rows(), start.columns());
        kept[step] = floats > 0 ? scratch.take<float>(floats) : nullptr;
    }
    View<float> bar = scratch.take<float>(shape), next_bar = scratch.take<float>(shape);
    const View<float> image_bar = scratch.take<float>(start.shape());
    const auto inside = [&](View<float> image) {
        return observation.blur != nullptr ? observation.blur->inside(image) : image;
    };

    enter(start, states[0]);
    Observation seen = observation;
    for (seen.step = 0; seen.step < steps; ++seen.step) {
        seen.kept = kept[seen.step];
        stage(seen.step).forward(states[seen.step], seen, states[seen.step + 1], context);
    }

    double total = 0;
    std::fill_n(next_bar.data(), next_bar.elements(), 0.0f);
    if (!data_bar.empty()) std::fill_n(data_bar.data(), data_bar.elements(), 0.0f);
    for (Index step = steps - 1; step >= 0; --step) {
        const double weight = step_weights[step];
        if (weight != 0) {
            std::fill_n(image_bar.data(), image_bar.elements(), 0.0f);
            const View<float> image(states[step + 1].data(), start.shape());
            total += weight * loss.value_gradient(inside(image), truth, inside(image_bar));
            for (Index i = 0; i < image_bar.elements(); ++i)
                next_bar.data()[i] += static_cast<float>(weight) * image_bar.data()[i];
        }
        const std::size_t s = step % stages_.size();
        seen.step = step;
        seen.kept = kept[step];
        if (peaks != nullptr) {
            seen.peaks = peaks;
            for (std::size_t before = 0; before < s; ++before) seen.peaks += stages_[before]->ranges();
        }
        const bool nobody_asks = step == 0 && start_bar.empty();
        stage(step).backward(states[step], seen, states[step + 1], next_bar,
                             nobody_asks ? View<float>() : bar,
                             gradient.subspan(offsets_[s], offsets_[s + 1] - offsets_[s]), data_bar, context);
        std::swap(bar, next_bar);
    }
    if (!start_bar.empty()) std::copy_n(next_bar.data(), start_bar.elements(), start_bar.data());
    return total;
}

}  // namespace sonolux
