// sonolux/core/operators/finite_difference.hpp
#pragma once

#include <sonolux/core/linear_operator.hpp>

namespace sonolux {

/// Forward differences along columns and rows: the discrete image gradient.
///
///     (D x)[0, i, j] = x[i, j+1] - x[i, j]        (D x)[1, i, j] = x[i+1, j] - x[i, j]
///
/// and zero across the last column and row (Neumann), so that D 1 = 0 and |D|^2 <= 8
/// (Chambolle 2004, J. Math. Imaging Vis. 20, section 2).
///
/// Domain [rows, columns], range [2, rows, columns]. Input and output must not overlap.
class FiniteDifference final : public LinearOperator {
public:
    /// Throws Error{invalid_argument} if either size is zero.
    FiniteDifference(Index rows, Index columns);

    Shape domain() const noexcept override { return {rows_, columns_}; }
    Shape range() const noexcept override { return {2, rows_, columns_}; }

    void apply(View<const float> x, View<float> gradient, Context& context) const noexcept override;

    /// The negative divergence.
    void adjoint(View<const float> gradient, View<float> x, Context& context) const noexcept override;

private:
    Index rows_, columns_;
};

}  // namespace sonolux
