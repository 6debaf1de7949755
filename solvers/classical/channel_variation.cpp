// sonolux/solvers/classical/channel_variation.cpp
#include <algorithm>
#include <cmath>
#include <numbers>

#include <sonolux/core/check/dot_test.hpp>
#include <sonolux/core/parallel_rows.hpp>
#include <sonolux/core/reduction.hpp>
#include <sonolux/solvers/classical/channel_variation.hpp>

namespace sonolux {

namespace {

constexpr Index most_channels = 16;

/// (V D x) of one pixel, [2][channels].
void differences(View<const float> x, View<const float> mix, Index i, Index j, float (&d)[2][most_channels]) {
    const Index channels = x.size(0);
    float plain[2][most_channels];
    for (Index c = 0; c < channels; ++c) {
        plain[0][c] = j + 1 < x.columns() ? x(c, i, j + 1) - x(c, i, j) : 0;
        plain[1][c] = i + 1 < x.rows() ? x(c, i + 1, j) - x(c, i, j) : 0;
    }
    for (Index k = 0; k < 2; ++k)
        for (Index m = 0; m < channels; ++m) {
            float sum = 0;
            for (Index c = 0; c < channels; ++c) sum += mix(m, c) * plain[k][c];
            d[k][m] = sum;
        }
}

}  // namespace

ChannelVariation::ChannelVariation(OperatorPointer forward, const ChannelVariationOptions& options,
                                   std::optional<double> norm)
    : forward_(std::move(forward)), options_(options) {
    require(forward_ != nullptr, Status::invalid_argument, "channel variation: there is no operator");
    const Shape domain = forward_->domain();
    require(domain.rank() == 3 && domain[0] <= most_channels, Status::invalid_argument,
            "channel variation: the operator's domain must be [channels, rows, columns] of at most ",
            most_channels, " channels, got ", to_string(domain));
    const auto positive = [](const char* what, double value) {
        require(value > 0 && std::isfinite(value), Status::invalid_argument, "channel variation: ", what,
                " must be above 0, got ", value);
    };
    positive("weight", options.weight);
    positive("colour_weight", options.colour_weight);
    positive("balance", options.balance);
    require(options.iterations >= 1 && options.iterations <= 100000, Status::invalid_argument,
            "channel variation: iterations must be 1 to 100000, got ", options.iterations);
    require(options.tolerance >= 0, Status::invalid_argument,
            "channel variation: tolerance must be at least 0, got ", options.tolerance);
    const Index channels = domain[0];
    mix_ = Array<float>({channels, channels});
    const double n = static_cast<double>(channels);
    for (Index m = 0; m < channels; ++m)
        for (Index c = 0; c < channels; ++c)
            mix_(m, c) = static_cast<float>(
                (m == 0 ? std::sqrt(1 / n) : options.colour_weight * std::sqrt(2 / n)) *
                std::cos(std::numbers::pi * static_cast<double>(m) * (static_cast<double>(c) + 0.5) / n));
    // 2 % above the Lanczos estimate, which is a lower bound.
    const double a = norm ? *norm : 1.02 * operator_norm(*forward_, 1e-3, 60);
    require(a >= 0 && std::isfinite(a), Status::invalid_argument,
            "channel variation: the operator's norm must be at least 0, got ", a);
    const double v = std::max(1.0, options.colour_weight);
    const double bound = std::sqrt(a * a + 8 * v * v);
    primal_step_ = 1 / (bound * options.balance);
    dual_step_ = options.balance / bound;
}

std::size_t ChannelVariation::workspace_bytes(const Context& context) const noexcept {
    const Index image = forward_->domain().elements(), data = forward_->range().elements();
    return forward_->workspace_bytes(context) + 2 * Workspace::bytes<float>(data) +
           2 * Workspace::bytes<float>(image) + Workspace::bytes<float>(2 * image) +
           Workspace::bytes<double>(2 * forward_->domain()[1]);
}

Status ChannelVariation::run(View<const float> data, View<float> image, Context& context,
                             ConvergenceLog* log) noexcept {
    if (data.shape() != forward_->range() || image.shape() != forward_->domain())
        return Status::size_mismatch;
    if (context.workspace().size() - context.workspace().used() < workspace_bytes(context))
        return Status::out_of_memory;
    if (log) log->clear();
    const Shape shape = image.shape();
    const Index channels = shape[0], rows = shape[1], columns = shape[2];
    const auto s = static_cast<float>(dual_step_), t = static_cast<float>(primal_step_);
    const auto weight = static_cast<float>(options_.weight);
    Scratch scratch(context.workspace());
    const auto p = scratch.take<float>(forward_->range()), predicted = scratch.take<float>(forward_->range());
    const auto ahead = scratch.take<float>(shape), back = scratch.take<float>(shape);
    const auto q = scratch.take<float>({2, channels, rows, columns});
    double* moved = scratch.take<double>(2 * rows);
    std::fill_n(p.data(), p.elements(), 0.0f);
    std::fill_n(q.data(), q.elements(), 0.0f);
    std::copy_n(image.data(), image.elements(), ahead.data());
    const View<const float> mix = mix_.view();
    Status status = Status::ok;
    StopReason reason = StopReason::iteration_limit;
    for (int iteration = 1; iteration <= options_.iterations; ++iteration) {
        forward_->apply(ahead, predicted, context);
        for (Index n = 0; n < p.elements(); ++n)
            p.data()[n] = (p.data()[n] + s * (predicted.data()[n] - data.data()[n])) / (1 + s);
        forward_->adjoint(p, back, context);
        parallel_rows(context, rows, 8 * channels * columns, [&](Index begin, Index end, int) {
            float d[2][most_channels];
            for (Index i = begin; i < end; ++i)
                for (Index j = 0; j < columns; ++j) {
                    differences(ahead, mix, i, j, d);
                    float length = 0;
                    for (Index k = 0; k < 2; ++k)
                        for (Index m = 0; m < channels; ++m) {
                            d[k][m] = q(k, m, i, j) + s * d[k][m];
                            length += d[k][m] * d[k][m];
                        }
                    length = std::sqrt(length);
                    const float factor = length > weight ? weight / length : 1;
                    for (Index k = 0; k < 2; ++k)
                        for (Index m = 0; m < channels; ++m) q(k, m, i, j) = factor * d[k][m];
                }
        });
        parallel_rows(context, rows, 8 * channels * columns, [&](Index begin, Index end, int) {
            for (Index i = begin; i < end; ++i) {
                double change = 0, size = 0;
                for (Index j = 0; j < columns; ++j) {
                    float divergence[most_channels];
                    for (Index m = 0; m < channels; ++m)
                        divergence[m] = (j > 0 ? q(0, m, i, j - 1) : 0) -
                                        (j + 1 < columns ? q(0, m, i, j) : 0) +
                                        (i > 0 ? q(1, m, i - 1, j) : 0) - (i + 1 < rows ? q(1, m, i, j) : 0);
                    for (Index c = 0; c < channels; ++c) {
                        float step = back(c, i, j);
                        for (Index m = 0; m < channels; ++m) step += mix(m, c) * divergence[m];
                        const float old = image(c, i, j);
                        float next = old - t * step;
                        if (options_.nonnegative) next = std::max(next, 0.0f);
                        image(c, i, j) = next;
                        ahead(c, i, j) = 2 * next - old;
                        change += double{next - old} * double{next - old};
                        size += double{next} * double{next};
                    }
                }
                moved[2 * i] = change;
                moved[2 * i + 1] = size;
            }
        });
        double change = 0, size = 0;
        for (Index i = 0; i < rows; ++i) {
            change += moved[2 * i];
            size += moved[2 * i + 1];
        }
        const double residual = size > 0 ? std::sqrt(change / size) : 0;
        if (log) log->record({iteration, 0, residual});
        context.report({.activity = "recovering channels",
                        .done = iteration,
                        .total = options_.iterations,
                        .seconds_left = -1});
        status = context.poll();
        if (status != Status::ok) {
            reason = StopReason::stopped_by_caller;
            break;
        }
        if (options_.tolerance > 0 && residual <= options_.tolerance) {
            reason = StopReason::converged;
            break;
        }
    }
    if (log) log->end(reason);
    return status;
}

double ChannelVariation::objective(View<const float> data, View<const float> image,
                                   Context& context) noexcept {
    Scratch scratch(context.workspace());
    const auto predicted = scratch.take<float>(forward_->range());
    forward_->apply(image, predicted, context);
    double misfit = 0, variation = 0;
    for (Index n = 0; n < predicted.elements(); ++n)
        misfit += std::pow(double{predicted.data()[n]} - double{data.data()[n]}, 2) / 2;
    float d[2][most_channels];
    for (Index i = 0; i < image.rows(); ++i)
        for (Index j = 0; j < image.columns(); ++j) {
            differences(image, mix_.view(), i, j, d);
            double length = 0;
            for (Index k = 0; k < 2; ++k)
                for (Index m = 0; m < image.size(0); ++m) length += double{d[k][m]} * double{d[k][m]};
            variation += std::sqrt(length);
        }
    return misfit + options_.weight * variation;
}

}  // namespace sonolux
