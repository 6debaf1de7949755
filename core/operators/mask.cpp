// sonolux/core/operators/mask.cpp
#include <cmath>

#include <sonolux/core/operators/mask.hpp>
#include <sonolux/core/parallel_rows.hpp>

namespace sonolux {

Mask::Mask(Array<float> weights) : weights_(std::move(weights)) {
    require(weights_.elements() >= 1, Status::invalid_argument, "mask: there must be at least 1 weight, got ",
            to_string(weights_.shape()));
    for (Index i = 0; i < weights_.elements(); ++i)
        require(std::isfinite(weights_.data()[i]), Status::invalid_argument,
                "mask: weights must be finite, got ", weights_.data()[i], " at element ", i);
}

void Mask::apply(View<const float> x, View<float> y, Context& context) const noexcept {
    parallel_rows(context, weights_.elements(), 1, [&](Index begin, Index end, int) {
        const float* from = x.data();
        const float* weight = weights_.data();
        float* to = y.data();
        for (Index i = begin; i < end; ++i) to[i] = weight[i] == 0 ? 0.0f : weight[i] * from[i];
    });
}

}  // namespace sonolux
