// sonolux/core/check/taylor_test.cpp
#include <sonolux/core/check/taylor_test.hpp>

namespace sonolux::detail {

double observed_order(Remainder remainder, void* data, int halvings, double floor) {
    constexpr std::size_t window = 5;
    constexpr double clear = 32;  // times the rounding: the slope over four halvings is then good to 0.02

    std::vector<double> remainders;
    double step = 1;
    for (int k = 0; k <= halvings; ++k, step /= 2) remainders.push_back(remainder(data, step));

    // The smallest steps show rounding and little else: a wrong gradient adds at most what lies eight
    // halvings below the steps that are used.
    double noise = floor;
    for (int k = halvings - 7; k <= halvings; ++k) {
        const double r = remainders[static_cast<std::size_t>(k)];
        if (std::isnan(r)) return r;
        noise = std::max(noise, r);
    }

    std::vector<double> x, y;
    for (int k = halvings; k >= 0 && x.size() < window; --k) {
        const double r = remainders[static_cast<std::size_t>(k)];
        if (std::isnan(r)) return r;
        if (!std::isfinite(r)) break;
        if (r > clear * noise) {
            x.push_back(-k);
            y.push_back(std::log2(r));
        } else if (!x.empty()) {  // a remainder that passes through zero: start again above it
            x.clear();
            y.clear();
        }
    }
    if (x.empty()) return std::numeric_limits<double>::infinity();
    if (x.size() < 3) return std::numeric_limits<double>::quiet_NaN();

    double mean_x = 0, mean_y = 0, covariance = 0, variance = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        mean_x += x[i] / static_cast<double>(x.size());
        mean_y += y[i] / static_cast<double>(x.size());
    }
    for (std::size_t i = 0; i < x.size(); ++i) {
        covariance += (x[i] - mean_x) * (y[i] - mean_y);
        variance += (x[i] - mean_x) * (x[i] - mean_x);
    }
    return covariance / variance;
}

}  // namespace sonolux::detail
