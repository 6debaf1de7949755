// sonolux/simulation/acoustics/absorbing_layer.cpp
#include <cmath>

#include <sonolux/simulation/acoustics/absorbing_layer.hpp>

namespace sonolux {

std::vector<double> absorbing_rate(Index length, Index points, double strength, double spacing,
                                   double reference_speed, double time_step, bool staggered) {
    std::vector<double> rate(static_cast<std::size_t>(length), 0.0);
    const double n = static_cast<double>(points), shift = staggered ? 0.5 : 0.0;
    const auto at_depth = [&](double depth) {
        return strength * (reference_speed / spacing) * std::pow(depth / n, 4) * time_step;
    };
    for (Index x = 1; x <= points; ++x) {
        rate[static_cast<std::size_t>(x - 1)] = at_depth(n + 1 - (static_cast<double>(x) + shift));
        rate[static_cast<std::size_t>(length - points + x - 1)] = at_depth(static_cast<double>(x) + shift);
    }
    return rate;
}

std::vector<float> absorbing_profile(Index length, Index points, double strength, double spacing,
                                     double reference_speed, double time_step, bool staggered) {
    std::vector<float> kept;
    for (double rate :
         absorbing_rate(length, points, strength, spacing, reference_speed, time_step, staggered))
        kept.push_back(static_cast<float>(std::exp(-rate / 2)));
    return kept;
}

}  // namespace sonolux
