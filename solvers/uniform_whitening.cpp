// sonolux/solvers/uniform_whitening.cpp
#include <sonolux/solvers/uniform_whitening.hpp>

#include <algorithm>
#include <cmath>

namespace sonolux {

UniformWhitening::UniformWhitening(const LinearOperator& op, Context& context) : response_(op.range()) {
    Array<float> ones(op.domain());
    std::fill(ones.begin(), ones.end(), 1.0f);
    op.apply(ones, response_, context);
}

Whitening UniformWhitening::whiten(View<const float> data, View<const float> mask,
                                   View<float> whitened) const noexcept {
    constexpr double smallest = 1e-6;
    const Index readings = response_.elements();
    const float* a = response_.data();
    const float* d = data.data();
    const float* m = mask.data();
    float* out = whitened.data();
    Whitening result;
    double along = 0, power = 0, energy = 0;
    for (Index i = 0; i < readings; ++i) {
        if (m[i] == 0) continue;
        ++result.measured;
        along += double{d[i]} * a[i];
        power += double{a[i]} * a[i];
        energy += double{d[i]} * d[i];
    }
    if (!(power > 0)) {
        result.deviation = 0;
        std::fill_n(out, readings, 0.0f);
        return result;
    }
    result.level = along / power;
    double squares = 0;
    for (Index i = 0; i < readings; ++i) {
        if (m[i] == 0) continue;
        const double rest = d[i] - result.level * a[i];
        squares += rest * rest;
    }
    const auto count = static_cast<double>(result.measured);
    result.deviation = std::max(std::sqrt(squares / count), smallest * std::sqrt(energy / count));
    const double factor = result.deviation > 0 ? 1 / result.deviation : 0;
    for (Index i = 0; i < readings; ++i)
        out[i] = m[i] != 0 ? static_cast<float>((d[i] - result.level * a[i]) * factor) : 0.0f;
    return result;
}

}  // namespace sonolux
