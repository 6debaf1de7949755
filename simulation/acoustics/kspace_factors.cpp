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
        for (Index block = 0; block < transform.blocks(); ++block)
            for (Index i = 0; i <= transform.last_length() / 2; ++i)
                for (Index column = block * fft_lanes; column < (block + 1) * fft_lanes; ++column) {
                    const double ky = size.volume() ? wavenumber(1, group) : 0.0;
                    const double k = std::hypot(wavenumber(0, column), ky, wavenumber(last, i));
                    table.push_back(column < transform.half()
                                        ? static_cast<float>(value(k, parameters) / transform.scale())
                                        : 0.0f);
                }
    return table;
}

const float* lines_of(const KspaceTransform& transform, const std::vector<float>& table, Index group,
                      Index block) noexcept {
    const Index mirrored = group <= transform.last_groups() / 2 ? group : transform.last_groups() - group;
    return table.data() +
           (mirrored * transform.blocks() + block) * (transform.last_length() / 2 + 1) * fft_lanes;
}

KspaceDerivatives::KspaceDerivatives(const KspaceTransform& transform, const std::array<double, 3>& spacing,
                                     double sign) {
    const KspaceSize& size = transform.size();
    const auto pairs = [&](int axis) {
        std::vector<float> result;
        for (const std::complex<float> factor :
             shifted_derivative(size.along(axis), spacing[static_cast<std::size_t>(axis)], sign))
            result.insert(result.end(), {factor.real(), factor.imag()});
        return result;
    };
    const std::vector<float> along_x = pairs(0);
    x_.assign(static_cast<std::size_t>(transform.blocks() * lane_floats), 0.0f);
    for (Index column = 0; column < transform.half(); ++column)
        for (Index part = 0; part < 2; ++part)
            x_[static_cast<std::size_t>(column / fft_lanes * lane_floats + part * fft_lanes +
                                        column % fft_lanes)] =
                along_x[static_cast<std::size_t>(2 * column + part)];
    if (size.volume()) y_ = pairs(1);
    last_ = pairs(size.axes() - 1);
}

LineDerivatives KspaceDerivatives::on(const KspaceTransform& transform, const std::vector<float>& kappa,
                                      Index group, Index block) const noexcept {
    LineDerivatives lines;
    lines.length = transform.last_length();
    lines.axes = transform.size().axes();
    lines.kappa = lines_of(transform, kappa, group, block);
    lines.x = x_.data() + block * lane_floats;
    if (!y_.empty()) {
        lines.y[0] = y_[static_cast<std::size_t>(2 * group)];
        lines.y[1] = y_[static_cast<std::size_t>(2 * group + 1)];
    }
    lines.last = last_.data();
    return lines;
}

}  // namespace sonolux
