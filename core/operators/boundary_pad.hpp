// sonolux/core/operators/boundary_pad.hpp
#pragma once

#include <sonolux/core/linear_operator.hpp>
#include <sonolux/core/operators/border_map.hpp>

namespace sonolux {

struct Margins {
    Index top = 0, bottom = 0, left = 0, right = 0;
};

/// Continues images past their border by a boundary rule; the adjoint folds the margins back onto the samples
/// they were copied from.
///
///     (P x)[i, j] = x~[i - top, j - left],     x~ as BoundaryRule says
///
/// Domain [..., rows, columns] of rank 2 to 4, range [..., top + rows + bottom, left + columns + right].
/// Margins may be wider than the image. Input and output must not overlap. Adjoint sums run in a fixed order.
class BoundaryPad final : public LinearOperator {
public:
    /// Throws Error{invalid_argument} for a rank below 2, an empty image or a negative margin.
    BoundaryPad(const Shape& image, const Margins& margins, BoundaryRule rule);

    Shape domain() const noexcept override { return domain_; }
    Shape range() const noexcept override { return range_; }

    /// A padded row for each thread, for the adjoint.
    std::size_t workspace_bytes(const Context& context) const noexcept override;

    void apply(View<const float> x, View<float> padded, Context& context) const noexcept override;
    void adjoint(View<const float> padded, View<float> x, Context& context) const noexcept override;

private:
    Shape domain_, range_;
    BorderMap rows_, columns_;
};

}  // namespace sonolux
