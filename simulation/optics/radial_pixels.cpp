// sonolux/simulation/optics/radial_pixels.cpp
#include <algorithm>
#include <cmath>
#include <numbers>

#include <sonolux/simulation/optics/radial_pixels.hpp>

namespace sonolux::detail {

GaussLegendre::GaussLegendre(int points)
    : nodes(static_cast<std::size_t>(points)), weights(static_cast<std::size_t>(points)) {
    for (int i = 0; i < points; ++i) {
        // Newton's method from Tricomi's estimate, on P_n by its recurrence.
        double x = std::cos(std::numbers::pi * (i + 0.75) / (points + 0.5)), slope = 1;
        for (int iteration = 0; iteration < 20; ++iteration) {
            double before = 1, value = x;
            for (int n = 2; n <= points; ++n) {
                const double next = ((2 * n - 1) * x * value - (n - 1) * before) / n;
                before = value;
                value = next;
            }
            slope = points * (x * value - before) / (x * x - 1);
            const double change = value / slope;
            x -= change;
            if (std::abs(change) < 1e-15) break;
        }
        nodes[static_cast<std::size_t>(i)] = x;
        weights[static_cast<std::size_t>(i)] = 2 / ((1 - x * x) * slope * slope);
    }
}

RadialPixels::RadialPixels(Index size, double pixel, double step, int points) : size_(size) {
    const GaussLegendre rule(points);
    const Index half = size / 2;
    std::vector<double> span;
    for (Index a = 0; a <= half; ++a)
        for (Index b = 0; b <= a; ++b) {
            // In units of the radial step.
            const double x = static_cast<double>(a) * pixel / step, y = static_cast<double>(b) * pixel / step;
            const double side = pixel / step;
            const double nearest = std::hypot(std::max(0.0, x - side / 2), std::max(0.0, y - side / 2));
            const Index first = std::max<Index>(0, static_cast<Index>(nearest) - 1);
            const auto last = static_cast<Index>(std::hypot(x + side / 2, y + side / 2)) + 2;
            span.assign(static_cast<std::size_t>(last - first + 1), 0.0);
            for (int u = 0; u < points; ++u)
                for (int v = 0; v < points; ++v) {
                    const double r = std::hypot(x + side / 2 * rule.nodes[static_cast<std::size_t>(u)],
                                                y + side / 2 * rule.nodes[static_cast<std::size_t>(v)]);
                    const double weight = pixel * pixel / 4 * rule.weights[static_cast<std::size_t>(u)] *
                                          rule.weights[static_cast<std::size_t>(v)];
                    const auto cell = static_cast<Index>(r);
                    const double t = r - static_cast<double>(cell);
                    const double taps[4] = {-t * (t - 1) * (t - 2) / 6, (t + 1) * (t - 1) * (t - 2) / 2,
                                            -(t + 1) * t * (t - 2) / 2, (t + 1) * t * (t - 1) / 6};
                    for (Index k = 0; k < 4; ++k)  // the function is even: sample -1 is sample 1
                        span[static_cast<std::size_t>(std::abs(cell - 1 + k) - first)] += weight * taps[k];
                }
            pixels_.push_back({first, static_cast<Index>(weights_.size()), last - first + 1});
            weights_.insert(weights_.end(), span.begin(), span.end());
            samples_ = std::max(samples_, last + 1);
        }
}

void RadialPixels::integrate(const double* samples, View<float> image) const noexcept {
    const Index half = size_ / 2, end = (size_ - 1) / 2;  // -half .. end
    std::size_t next = 0;
    for (Index a = 0; a <= half; ++a)
        for (Index b = 0; b <= a; ++b) {
            const Pixel& pixel = pixels_[next++];
            const double* weights = weights_.data() + pixel.first_weight;
            const double* values = samples + pixel.first_sample;
            double sum = 0;
            for (Index k = 0; k < pixel.count; ++k) sum += weights[k] * values[k];
            const auto value = static_cast<float>(std::max(sum, 0.0));
            for (const Index i : {a, -a})
                for (const Index j : {b, -b}) {
                    if (i <= end && j <= end) image(half + i, half + j) = value;
                    if (j <= end && i <= end) image(half + j, half + i) = value;
                }
        }
}

}  // namespace sonolux::detail
