// sonolux/core/operators/exponential_smoothing.hpp
#pragma once

#include <sonolux/core/linear_operator.hpp>

namespace sonolux {

/// Smoothing with two-sided exponentials down and across, as recursions there and back: its cost does not
/// depend on the length.
///
///     (S x)[i, j] = s^2 sum_{k, l} a^(|i - k| + |j - l|) x[k, l],    a = exp(-1 / length), s = (1 - a) / (1
///     + a)
///
/// zero beyond the border, so that S is symmetric; away from it S 1 = 1. What a solver finds as x = S w it
/// finds the sooner, the less the operator says of what is smooth: gradients with respect to w are those of x
/// smoothed, as in a Sobolev space.
///
/// Domain and range [rows, columns]. The recursion is that of a first-order filter (J. Neuberger 1997,
/// Sobolev gradients and differential equations, for why; any book on digital filters for how).
class ExponentialSmoothing final : public LinearOperator {
public:
    /// `length` in pixels. Throws Error{invalid_argument} naming the value unless it is in [0.1, 1000] and
    /// both sizes are at least 1.
    ExponentialSmoothing(Index rows, Index columns, double length);

    Shape domain() const noexcept override { return {rows_, columns_}; }
    Shape range() const noexcept override { return {rows_, columns_}; }
    void apply(View<const float> x, View<float> y, Context&) const noexcept override { smooth(x, y); }
    void adjoint(View<const float> y, View<float> x, Context&) const noexcept override { smooth(y, x); }

    /// The same without a context; `out` may be `in`. Contiguous.
    void smooth(View<const float> in, View<float> out) const noexcept;

private:
    Index rows_, columns_;
    float decay_, scale_;
};

}  // namespace sonolux
