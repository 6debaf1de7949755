// sonolux/core/operators/exponential_smoothing.cpp
#include <algorithm>
#include <cmath>

#include <sonolux/core/error.hpp>
#include <sonolux/core/operators/exponential_smoothing.hpp>

namespace sonolux {

ExponentialSmoothing::ExponentialSmoothing(Index rows, Index columns, double length)
    : rows_(rows), columns_(columns) {
    require(rows >= 1 && columns >= 1, Status::invalid_argument,
            "an image must have at least 1 x 1 pixels, got ", rows, " x ", columns);
    require(length >= 0.1 && length <= 1000, Status::invalid_argument,
            "the length of a smoothing must be from 0.1 to 1000 pixels, got ", length);
    const double a = std::exp(-1 / length);
    decay_ = static_cast<float>(a);
    scale_ = static_cast<float>((1 - a) / (1 + a));
}

// Along a line: f_n = x_n + a f_{n-1} going there, then y_n = f_n + a b_{n+1} going back, where b_n = x_n + a
// b_{n+1} and x_n = f_n - a f_{n-1}: nothing but the line itself is needed.
void ExponentialSmoothing::smooth(View<const float> in, View<float> out) const noexcept {
    const float a = decay_, s = scale_;
    constexpr Index block = 64;  // columns that go down together
    if (out.data() != in.data()) std::copy_n(in.data(), in.elements(), out.data());
    for (Index first = 0; first < columns_; first += block) {
        const Index count = std::min(block, columns_ - first);
        float* top = out.data() + first;
        for (Index i = 1; i < rows_; ++i) {
            float* row = top + i * columns_;
            const float* above = row - columns_;
            for (Index j = 0; j < count; ++j) row[j] += a * above[j];
        }
        float carry[block] = {};
        for (Index i = rows_ - 1; i >= 0; --i) {
            float* row = top + i * columns_;
            const float* above = i > 0 ? row - columns_ : nullptr;
            for (Index j = 0; j < count; ++j) {
                const float f = row[j], x = above != nullptr ? f - a * above[j] : f;
                row[j] = s * (f + a * carry[j]);
                carry[j] = x + a * carry[j];
            }
        }
    }
    for (Index i = 0; i < rows_; ++i) {
        float* row = out.data() + i * columns_;
        for (Index j = 1; j < columns_; ++j) row[j] += a * row[j - 1];
        float carry = 0;
        for (Index j = columns_ - 1; j >= 0; --j) {
            const float f = row[j], x = j > 0 ? f - a * row[j - 1] : f;
            row[j] = s * (f + a * carry);
            carry = x + a * carry;
        }
    }
}

}  // namespace sonolux
