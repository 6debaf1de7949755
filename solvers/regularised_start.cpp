// sonolux/solvers/regularised_start.cpp
#include <algorithm>
#include <cmath>

#include <sonolux/core/error.hpp>
#include <sonolux/core/reduction.hpp>
#include <sonolux/solvers/regularised_start.hpp>

namespace sonolux {

RegularisedStart::RegularisedStart(OperatorPointer forward,
                                   std::shared_ptr<const ExponentialSmoothing> smoothing,
                                   const RegularisedStartOptions& options)
    : forward_(std::move(forward)), smoothing_(std::move(smoothing)), options_(options) {
    require(options.steps >= 0 && options.steps <= 100, Status::invalid_argument,
            "start: steps must be 0 to 100, got ", options.steps);
    require(std::isfinite(options.weight) && options.weight >= 0, Status::invalid_argument,
            "start: weight must be at least 0, got ", options.weight);
}

std::size_t RegularisedStart::workspace_bytes(const Context& context) const noexcept {
    if (options_.steps == 0) return forward_->workspace_bytes(context);
    return 4 * Workspace::bytes<float>(forward_->domain().elements()) +
           Workspace::bytes<float>(forward_->range().elements()) + forward_->workspace_bytes(context);
}

void RegularisedStart::to_image(View<const float> readings, View<float> w, Context& context) const noexcept {
    forward_->adjoint(readings, w, context);
    if (smoothing_ != nullptr) smoothing_->smooth(w, w);
}

void RegularisedStart::run(View<const float> data, View<const float> mask, View<float> x0,
                           Context& context) const noexcept {
    if (options_.steps == 0) return forward_->adjoint(data, x0, context);
    const Shape domain = forward_->domain(), range = forward_->range();
    const Index pixels = domain.elements();
    Scratch scratch(context.workspace());
    const View<float> residual = scratch.take<float>(domain), direction = scratch.take<float>(domain);
    const View<float> image = scratch.take<float>(domain), curved = scratch.take<float>(domain);
    const View<float> readings = scratch.take<float>(range);

    // x0 holds w until the end. r = S A^T M y, the negative gradient at w = 0.
    std::fill_n(x0.data(), pixels, 0.0f);
    to_image(data, residual, context);
    std::copy_n(residual.data(), pixels, direction.data());
    double square = dot(View<const float>(residual), View<const float>(residual));
    const double enough = 1e-12 * square;
    for (int step = 0; step < options_.steps && square > enough; ++step) {
        if (smoothing_ != nullptr)
            smoothing_->smooth(direction, image);
        else
            std::copy_n(direction.data(), pixels, image.data());
        forward_->apply(image, readings, context);
        if (!mask.empty())
            for (Index i = 0; i < readings.elements(); ++i) readings.data()[i] *= mask.data()[i];
        to_image(readings, curved, context);
        const auto weight = static_cast<float>(options_.weight);
        for (Index i = 0; i < pixels; ++i) curved.data()[i] += weight * direction.data()[i];
        const double curvature = dot(View<const float>(direction), View<const float>(curved));
        if (!(curvature > 0)) break;
        const auto length = static_cast<float>(square / curvature);
        for (Index i = 0; i < pixels; ++i) {
            x0.data()[i] += length * direction.data()[i];
            residual.data()[i] -= length * curved.data()[i];
        }
        const double before = square;
        square = dot(View<const float>(residual), View<const float>(residual));
        const auto turn = static_cast<float>(square / before);
        for (Index i = 0; i < pixels; ++i)
            direction.data()[i] = residual.data()[i] + turn * direction.data()[i];
    }
    if (smoothing_ != nullptr) smoothing_->smooth(x0, x0);
}

}  // namespace sonolux
