// sonolux/solvers/coarse_inverse.cpp
#include <sonolux/solvers/coarse_inverse.hpp>

#include <Eigen/Dense>

#include <algorithm>
#include <cmath>

#include <sonolux/core/error.hpp>
#include <sonolux/core/reduction.hpp>
#include <sonolux/solvers/dense_product.hpp>
#include <sonolux/solvers/mode_gradients.hpp>

namespace sonolux {

namespace {

constexpr auto invalid = Status::invalid_argument;
constexpr int most_modes = 64;

const CoarseInverseOptions& checked(const CoarseInverseOptions& options, const Shape& image) {
    validate(options);
    require(options.any() && options.modes_down <= image[0] && options.modes_across <= image[1], invalid,
            "coarse inverse: modes must be at least 1 and at most the image's pixels, ", image[0], " x ",
            image[1], ", got ", options.modes_down, " x ", options.modes_across);
    return options;
}

double product(const float* a, const float* b, Index count) noexcept {
    return dot(View<const float>(a, {count}), View<const float>(b, {count}));
}

}  // namespace

void validate(const CoarseInverseOptions& options) {
    require((options.modes_down == 0) == (options.modes_across == 0) && options.modes_down >= 0 &&
                options.modes_across >= 0 && options.modes_down <= most_modes &&
                options.modes_across <= most_modes,
            invalid, "coarse inverse: modes must be 1 to ", most_modes, " both ways, or 0, got ",
            options.modes_down, " x ", options.modes_across);
    require(std::isfinite(options.weight) && options.weight > 0, invalid,
            "coarse inverse: weight must be above 0, got ", options.weight);
    require(options.steps >= 0 && options.steps <= 100, invalid,
            "coarse inverse: steps must be 0 to 100, got ", options.steps);
}

CoarseInverse::CoarseInverse(OperatorPointer forward, View<const float> possible,
                             const CoarseInverseOptions& options)
    : forward_(std::move(forward)),
      options_(checked(options, forward_->domain())),
      modes_(options.modes_down, options.modes_across, forward_->domain()),
      possible_(forward_->range()) {
    require(possible.shape() == forward_->range(), Status::size_mismatch,
            "coarse inverse: the mask must be of the operator's range, ", to_string(forward_->range()),
            ", got ", to_string(possible.shape()));
    std::copy_n(possible.data(), possible.elements(), possible_.data());
    const Index count = modes_.count();
    for (const double value : modes_.penalty(1))
        penalty_.push_back(static_cast<float>(options.weight * value));
    Context context(make_serial_runner());
    context.workspace().reserve(workspace_bytes(context));
    Eigen::MatrixXd normal(count, count);
    {
        Scratch scratch(context.workspace());
        const Buffers buffers = this->buffers(scratch);
        Array<float> unit({count}), column({count});
        for (Index k = 0; k < count; ++k) {
            unit.data()[k] = 1;
            normal_product(unit.data(), possible_, column.data(), buffers, context);
            unit.data()[k] = 0;
            for (Index l = 0; l < count; ++l) normal(l, k) = static_cast<double>(column.data()[l]);
        }
    }
    normal = 0.5 * (normal + normal.transpose()).eval();  // float rounding
    const Eigen::LLT<Eigen::MatrixXd> factors(normal);
    require(factors.info() == Eigen::Success, invalid, "coarse inverse: weight ", options.weight,
            " is too small for single precision: the equations are not positive definite");
    const Eigen::MatrixXd inverse = factors.solve(Eigen::MatrixXd::Identity(count, count));
    inverse_ = Array<float>({count, count});
    for (Index k = 0; k < count; ++k)
        for (Index l = 0; l < count; ++l) inverse_(k, l) = static_cast<float>(inverse(k, l));
}

std::size_t CoarseInverse::workspace_bytes(const Context& context) const noexcept {
    return Workspace::bytes<float>(forward_->range().elements()) +
           Workspace::bytes<float>(forward_->domain().elements()) +
           Workspace::bytes<float>(modes_.scratch_floats()) + 6 * Workspace::bytes<float>(modes_.count()) +
           forward_->workspace_bytes(context);
}

CoarseInverse::Buffers CoarseInverse::buffers(Scratch& scratch) const noexcept {
    return {scratch.take<float>(forward_->range()), scratch.take<float>(forward_->domain()),
            scratch.take<float>(modes_.scratch_floats())};
}

/// S^T A^T
void CoarseInverse::to_modes(View<const float> readings, float* c, const Buffers& buffers,
                             Context& context) const noexcept {
    forward_->adjoint(readings, buffers.image, context);
    modes_.analyse(buffers.image.data(), c, buffers.transform);
}

/// S^T A^T M A S + weight E
void CoarseInverse::normal_product(const float* c, View<const float> mask, float* out, const Buffers& buffers,
                                   Context& context) const noexcept {
    modes_.synthesise(c, buffers.image.data(), buffers.transform);
    forward_->apply(buffers.image, buffers.readings, context);
    for (Index n = 0; n < mask.elements(); ++n)
        if (mask.data()[n] == 0) buffers.readings.data()[n] = 0;
    to_modes(buffers.readings, out, buffers, context);
    for (Index k = 0; k < modes_.count(); ++k) out[k] += penalty_[static_cast<std::size_t>(k)] * c[k];
}

void CoarseInverse::precondition(const float* r, float* z, Context& context) const noexcept {
    dense_product_for(context.isa())(inverse_.data(), modes_.count(), r, z, 0, modes_.count());
}

void CoarseInverse::apply(View<const float> image, View<float> out, Context& context) const noexcept {
    Scratch scratch(context.workspace());
    float* transform = scratch.take<float>(modes_.scratch_floats());
    float *c = scratch.take<float>(modes_.count()), *z = scratch.take<float>(modes_.count());
    modes_.analyse(image.data(), c, transform);
    precondition(c, z, context);
    modes_.synthesise(z, out.data(), transform);
}

void CoarseInverse::start(View<float> data, View<const float> mask, View<float> x0, Whitening& whitening,
                          Context& context) const noexcept {
    constexpr double least_contrast = 0.003;
    {
        Scratch scratch(context.workspace());
        const Buffers buffers = this->buffers(scratch);
        float *b = scratch.take<float>(modes_.count()), *c = scratch.take<float>(modes_.count());
        to_modes(data, b, buffers, context);
        precondition(b, c, context);
        if (!std::equal(mask.data(), mask.data() + mask.elements(), possible_.data()))
            correct(mask, b, c, buffers, context);
        modes_.synthesise(c, x0.data(), buffers.transform);
    }
    if (!whitening.found()) return;
    const double mean_square = squared_norm(x0) / static_cast<double>(x0.elements());
    const double unit =
        std::hypot(std::sqrt(mean_square), least_contrast * whitening.level / whitening.deviation);
    if (!(unit > 0) || !std::isfinite(unit)) return;
    const auto scale = static_cast<float>(1 / unit);
    for (Index i = 0; i < x0.elements(); ++i) x0.data()[i] *= scale;
    for (Index i = 0; i < data.elements(); ++i) data.data()[i] *= scale;
    whitening.deviation *= unit;
}

/// Preconditioned conjugate gradients; c comes as P b.
void CoarseInverse::correct(View<const float> mask, const float* b, float* c, const Buffers& buffers,
                            Context& context) const noexcept {
    constexpr double enough = 1e-6;  // of the squared right side
    Scratch scratch(context.workspace());
    const Index count = modes_.count();
    solve_modes(
        count, b, c, scratch,
        [&](const float* v, float* to) { normal_product(v, mask, to, buffers, context); },
        [&](const float* r, float* z) { precondition(r, z, context); },
        [&](const float* u, const float* v) { return product(u, v, count); },
        [&](const ModeGradientsStep& step) {
            return step.iteration < options_.steps && step.residual > enough * step.right;
        });
}

}  // namespace sonolux
