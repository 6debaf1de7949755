// sonolux/priors/prior.hpp
//
// The interface of every regulariser that a solver can unroll.
#pragma once

#include <span>

#include <sonolux/core/context.hpp>

namespace sonolux {

/// What an unrolled step and its training need of a regulariser: a learned map n(x; theta) of images
/// [rows, columns], or [channels, rows, columns], to images of the same size that stands where the
/// regulariser's gradient does. It need not be the gradient of anything: a convolutional network seldom is.
///
/// Images are contiguous, of any size from 1 x 1. Parameters are one flat array whose layout the map
/// states; `update` turns them into whatever the fast path wants and must be called after they change.
/// Workspace: the caller reserves `workspace_bytes` for the largest plane before running.
class PriorGradient {
public:
    virtual ~PriorGradient() = default;

    [[nodiscard]] virtual Index parameter_count() const noexcept = 0;

    /// Set-up after the parameters changed. Does not allocate after the first call.
    virtual void update(std::span<const float> parameters) = 0;

    [[nodiscard]] virtual std::size_t workspace_bytes(Index rows, Index columns,
                                                      const Context&) const noexcept = 0;

    /// gradient = n(x).
    virtual void gradient(View<const float> x, View<float> gradient, Context&) const noexcept = 0;

    /// Vector-Jacobian products of `gradient`: for an upstream v, adds (d gradient / d theta)^T v to
    /// `parameter_bar`, and writes (d gradient / d x)^T v to `x_bar`.
    virtual void gradient_vjp(View<const float> x, View<const float> v, View<float> x_bar,
                              std::span<float> parameter_bar, Context&) const noexcept = 0;
};

/// A regulariser R(x; theta); its `gradient` is dR/dx.
class Prior : public PriorGradient {
public:
    /// R(x), accumulated in double.
    [[nodiscard]] virtual double value(View<const float> x, Context&) const noexcept = 0;
};

}  // namespace sonolux
