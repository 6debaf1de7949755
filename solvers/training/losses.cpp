// sonolux/solvers/training/losses.cpp
#include <sonolux/solvers/training/losses.hpp>

#include <algorithm>
#include <cmath>

#include <sonolux/core/error.hpp>

namespace sonolux {

namespace {

Index checked_margin(Index margin) {
    require(margin >= 0, Status::invalid_argument, "loss margin must be at least 0, got ", margin);
    return margin;
}

/// Calls pixel(x, truth) for each interior pixel, in order, and stores what it returns as the gradient
/// there. Border pixels have gradient zero.
template <class Pixel>
void over_interior(View<const float> image, View<const float> truth, View<float> image_bar, Index margin,
                   Pixel&& pixel) noexcept {
    const Index rows = image.rows(), columns = image.columns();
    for (Index c = 0; c < plane_count(image); ++c)
        for (Index i = 0; i < rows; ++i) {
            const float* x = plane_of(image, c).row(i);
            const float* t = plane_of(truth, c).row(i);
            float* bar = plane_of(image_bar, c).row(i);
            std::fill_n(bar, columns, 0.0f);
            if (i < margin || i >= rows - margin) continue;
            for (Index j = margin; j < columns - margin; ++j)
                bar[j] = static_cast<float>(pixel(double{x[j]}, double{t[j]}));
        }
}

}  // namespace

SquaredLoss::SquaredLoss(Index margin) : margin_(checked_margin(margin)) {}

double SquaredLoss::value_gradient(View<const float> image, View<const float> truth,
                                   View<float> image_bar) const noexcept {
    double sum = 0;
    over_interior(image, truth, image_bar, margin_, [&](double x, double t) {
        const double difference = x - t;
        sum += difference * difference;
        return difference;
    });
    return 0.5 * sum;
}

SmoothedL1Loss::SmoothedL1Loss(double epsilon, Index margin)
    : epsilon_(epsilon), margin_(checked_margin(margin)) {
    require(epsilon > 0 && std::isfinite(epsilon), Status::invalid_argument,
            "epsilon of the smoothed L1 loss must be above 0, got ", epsilon);
}

double SmoothedL1Loss::value_gradient(View<const float> image, View<const float> truth,
                                      View<float> image_bar) const noexcept {
    double sum = 0;
    over_interior(image, truth, image_bar, margin_, [&](double x, double t) {
        const double difference = x - t;
        const double root = std::sqrt(difference * difference + epsilon_ * epsilon_);
        sum += root - epsilon_;
        return difference / root;
    });
    return sum;
}

ToneLoss::ToneLoss(double white, double weight, Index margin)
    : white_(white), weight_(weight), margin_(checked_margin(margin)) {
    require(white > 0 && std::isfinite(white), Status::invalid_argument,
            "white of the tone loss must be above 0, got ", white);
    require(weight >= 0 && std::isfinite(weight), Status::invalid_argument,
            "the weight of the tone loss must be at least 0, got ", weight);
}

double ToneLoss::value_gradient(View<const float> image, View<const float> truth,
                                View<float> image_bar) const noexcept {
    constexpr double offset = 1.0 / 512;
    double sum = 0;
    // The curve and its slope.
    const auto curve = [this](double x, double& slope) {
        const double root = std::sqrt(std::max(x, 0.0) / white_ + offset);
        slope = 0.5 / root;
        return white_ * root + std::min(x, 0.0) * slope;
    };
    over_interior(image, truth, image_bar, margin_, [&](double x, double t) {
        double slope = 0, unused = 0;
        const double difference = x - t, seen = curve(x, slope) - curve(t, unused);
        sum += difference * difference + weight_ * seen * seen;
        return difference + weight_ * seen * slope;
    });
    return 0.5 * sum;
}

NegativePsnrLoss::NegativePsnrLoss(double peak, Index margin) : peak_(peak), margin_(checked_margin(margin)) {
    require(peak > 0 && std::isfinite(peak), Status::invalid_argument,
            "peak of the PSNR loss must be above 0, got ", peak);
}

double NegativePsnrLoss::value_gradient(View<const float> image, View<const float> truth,
                                        View<float> image_bar) const noexcept {
    const Index rows = std::max<Index>(image.rows() - 2 * margin_, 0);
    const Index columns = std::max<Index>(image.columns() - 2 * margin_, 0);
    const auto count = static_cast<double>(plane_count(image) * rows * columns);
    double sum = 0;
    over_interior(image, truth, image_bar, margin_, [&](double x, double t) {
        const double difference = x - t;
        sum += difference * difference;
        return difference;
    });
    if (count == 0) return 0;
    constexpr double smallest = 1e-12;
    const double relative = sum / (count * peak_ * peak_);
    // d/dx of 10 log10(sum) is 20 / ln 10 (x - x*) / sum
    const double factor = relative > smallest ? 20 / (std::log(10.0) * sum) : 0;
    for (Index c = 0; c < plane_count(image); ++c)
        for (Index i = 0; i < image.rows(); ++i)
            for (Index j = 0; j < image.columns(); ++j)
                plane_of(image_bar, c)(i, j) *= static_cast<float>(factor);
    return 10 * std::log10(std::max(relative, smallest));
}

std::vector<double> exponential_step_weights(Index steps, double tau) {
    require(steps >= 1, Status::invalid_argument, "the number of steps must be at least 1, got ", steps);
    require(tau >= 0, Status::invalid_argument, "tau of the step weights must be at least 0, got ", tau);
    std::vector<double> weights(static_cast<std::size_t>(steps), 0.0);
    weights.back() = 1;
    if (std::isfinite(tau))
        for (Index t = 1; t < steps; ++t)
            weights[static_cast<std::size_t>(t - 1)] = std::exp(-tau * static_cast<double>(steps - t));
    return weights;
}

}  // namespace sonolux
