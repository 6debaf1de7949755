// sonolux/core/operators/resample.hpp
#pragma once

#include <sonolux/core/linear_operator.hpp>

namespace sonolux {

/// Down-sampling by a whole factor f, each pixel the mean of a box:
///
///     (S x)[i, j] = 1 / f^2 * sum over u, v in [0, f) of x[f i + u, f j + v]
///
/// The adjoint spreads y / f^2 over the box. S S^T = I / f^2, so |S| = 1 / f.
///
/// Domain [..., rows, columns] of rank 2 to 4, range [..., rows / f, columns / f]. Input and output must not
/// overlap.
class BoxDownsampling final : public LinearOperator {
public:
    /// Throws Error{invalid_argument} for an empty image, a factor below 1, or rows or columns that the
    /// factor does not divide.
    BoxDownsampling(const Shape& image, Index factor);

    Shape domain() const noexcept override { return domain_; }
    Shape range() const noexcept override { return range_; }
    void apply(View<const float> x, View<float> y, Context& context) const noexcept override;
    void adjoint(View<const float> y, View<float> x, Context& context) const noexcept override;

private:
    Shape domain_, range_;
    Index factor_;
};

}  // namespace sonolux
