// sonolux/solvers/training/knot_smoothness.cpp
#include <sonolux/solvers/training/knot_smoothness.hpp>

#include <cmath>

namespace sonolux {

double add_knot_smoothness(std::span<const float> parameters, const std::vector<Parameter>& layout,
                           double weight, std::span<double> gradient) noexcept {
    constexpr double epsilon = 1e-3;
    double total = 0;
    for (const Parameter& parameter : layout) {
        if (parameter.knots < 3) continue;
        const Index end = parameter.offset + parameter.shape.elements();
        for (Index row = parameter.offset; row < end; row += parameter.knots)
            for (Index k = row + 1; k + 1 < row + parameter.knots; ++k) {
                const auto i = static_cast<std::size_t>(k);
                const double bend =
                    double{parameters[i - 1]} - 2 * double{parameters[i]} + double{parameters[i + 1]};
                const double size = std::sqrt(bend * bend + epsilon * epsilon);
                total += size - epsilon;
                const double slope = weight * bend / size;
                gradient[i - 1] += slope;
                gradient[i] -= 2 * slope;
                gradient[i + 1] += slope;
            }
    }
    return weight * total;
}

}  // namespace sonolux
