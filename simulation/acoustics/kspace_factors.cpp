// sonolux/simulation/acoustics/kspace_factors.cpp
#include <cmath>
#include <numbers>

#include <sonolux/simulation/acoustics/kspace_factors.hpp>

namespace sonolux {

std::vector<std::complex<float>> shifted_derivative(Index length, double spacing, double sign) {
    std::vector<std::complex<float>> factors;
    for (Index bin = 0; bin < length; ++bin) {
        const Index signed_bin = 2 * bin > length ? bin - length : bin;
        const double k =
            2 * std::numbers::pi * static_cast<double>(signed_bin) / (static_cast<double>(length) * spacing);
        factors.emplace_back(std::complex<double>(0, k) * std::polar(1.0, sign * k * spacing / 2));
    }
    return factors;
}

std::vector<float> kspace_table(const KspaceTransform& transform, const std::array<double, 3>& spacing,
                                double (*value)(double k, const double* parameters),
                                const double* parameters) {
    const KspaceSize& size = transform.size();
    const auto wavenumber = [&](int axis, Index bin) {
        return 2 * std::numbers::pi * static_cast<double>(bin) /
               (static_cast<double>(size.along(axis)) * spacing[static_cast<std::size_t>(axis)]);
    };
    const int last = size.axes() - 1;
    std::vector<float> table;
    for (Index group = 0; group <= (size.volume() ? size.rows / 2 : 0); ++group)
        for (Index column = 0; column < transform.half(); ++column)
            for (Index i = 0; i <= transform.last_length() / 2; ++i) {
                const double ky = size.volume() ? wavenumber(1, group) : 0.0;
                const double k = std::hypot(wavenumber(0, column), ky, wavenumber(last, i));
                table.push_back(static_cast<float>(value(k, parameters) / transform.scale()));
            }
    return table;
}

void unfold(const KspaceTransform& transform, const std::vector<float>& table, Index group, Index column,
            float* factors) noexcept {
    const Index length = transform.last_length(), kept = length / 2 + 1;
    const Index mirrored = group <= transform.last_groups() / 2 ? group : transform.last_groups() - group;
    const float* line = table.data() + (mirrored * transform.half() + column) * kept;
    for (Index i = 0; i < kept; ++i) factors[i] = line[i];
    for (Index i = kept; i < length; ++i) factors[i] = line[length - i];
}

}  // namespace sonolux
