// sonolux/core/linear_operator.hpp
//
// The interface of every forward model: a linear map and its exact adjoint.
#pragma once

#include <sonolux/core/context.hpp>

namespace sonolux {

/// A linear map A between real arrays, with <A x, y> = <x, A^T y> to rounding (checked by `dot_test`).
///
/// Inputs and outputs are contiguous, have the shapes the operator states, and must not overlap.
/// `apply` and `adjoint` overwrite their output and may take scratch from the context's workspace; the caller
/// reserves `workspace_bytes(context)` before.
class LinearOperator {
public:
    virtual ~LinearOperator() = default;

    [[nodiscard]] virtual Shape domain() const noexcept = 0;
    [[nodiscard]] virtual Shape range() const noexcept = 0;
    [[nodiscard]] virtual std::size_t workspace_bytes(const Context&) const noexcept { return 0; }

    virtual void apply(View<const float> x, View<float> y, Context& context) const noexcept = 0;
    virtual void adjoint(View<const float> y, View<float> x, Context& context) const noexcept = 0;
};

}  // namespace sonolux
