// sonolux/core/operators/mask.hpp
#pragma once

#include <sonolux/core/array.hpp>
#include <sonolux/core/linear_operator.hpp>

namespace sonolux {

/// Diagonal weights: (M x)[i] = w[i] x[i]. Its own adjoint. With weights 0 and 1 it says which measurements
/// are valid.
///
/// A weight of 0 gives 0 even where x is NaN or infinite: what is masked out may be anything.
///
/// Domain and range have the shape of the weights, any rank.
class Mask final : public LinearOperator {
public:
    /// Throws Error{invalid_argument} if there is no weight, or one is not finite.
    explicit Mask(Array<float> weights);

    Shape domain() const noexcept override { return weights_.shape(); }
    Shape range() const noexcept override { return weights_.shape(); }
    void apply(View<const float> x, View<float> y, Context& context) const noexcept override;
    void adjoint(View<const float> y, View<float> x, Context& context) const noexcept override {
        apply(y, x, context);
    }

private:
    Array<float> weights_;
};

}  // namespace sonolux
