// sonolux/priors/pointwise_activation.hpp
//
// One learned function for all numbers of an array: a learned data term, whose slope is what a residual of
// this size weighs (Vishnevskiy et al. 2019).
#pragma once

#include <sonolux/core/array.hpp>
#include <sonolux/core/context.hpp>
#include <sonolux/priors/activation.hpp>

namespace sonolux {

/// phi(z / range) for many z, through the table of an Activation.
///
/// Arrays must have room up to a multiple of `padding` floats, where zeros are written; counts need not be
/// one.
class PointwiseActivation {
public:
    static constexpr Index padding = 16;

    /// Throws Error{invalid_argument} as Activation does.
    explicit PointwiseActivation(const ActivationOptions& options);

    [[nodiscard]] const Activation& activation() const noexcept { return activation_; }

    /// weights [nodes]; range > 0. Does not allocate.
    void update(std::span<const float> weights, float range) noexcept;

    /// phi(z[i] / range); `out` may be `z`.
    void apply(float* z, float* out, Index count, const Context&) const noexcept;

    /// Scratch of `apply_vjp`.
    [[nodiscard]] std::size_t workspace_bytes() const noexcept;

    /// In place z -> phi(z / range), upstream u -> phi'(z / range) / range u; adds the gradient to
    /// weights_bar [nodes].
    void apply_vjp(float* z, float* u, Index count, std::span<float> weights_bar, Context&) const noexcept;

private:
    Activation activation_;
    Array<float> table_;  // [2, 4 * segments]: [4, segments], and [segments, 4]
    float range_ = 1;
};

}  // namespace sonolux
