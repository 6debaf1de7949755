// sonolux/core/operators/compose.hpp
//
// Operators out of operators: I, B A, A + B, s A. Each shares the parts it is made of.
#pragma once

#include <memory>

#include <sonolux/core/linear_operator.hpp>

namespace sonolux {

using OperatorPointer = std::shared_ptr<const LinearOperator>;

/// I x = x: the forward operator of denoising.
class Identity final : public LinearOperator {
public:
    explicit Identity(const Shape& shape) : shape_(shape) {}

    Shape domain() const noexcept override { return shape_; }
    Shape range() const noexcept override { return shape_; }
    void apply(View<const float> x, View<float> y, Context& context) const noexcept override;
    void adjoint(View<const float> y, View<float> x, Context& context) const noexcept override;

private:
    Shape shape_;
};

/// outer(inner(x)): inner acts first.
class Chain final : public LinearOperator {
public:
    /// Throws Error{size_mismatch} unless the outer domain is the inner range, Error{invalid_argument} for a
    /// null part.
    Chain(OperatorPointer outer, OperatorPointer inner);

    Shape domain() const noexcept override { return inner_->domain(); }
    Shape range() const noexcept override { return outer_->range(); }
    std::size_t workspace_bytes(const Context& context) const noexcept override;
    void apply(View<const float> x, View<float> y, Context& context) const noexcept override;
    void adjoint(View<const float> y, View<float> x, Context& context) const noexcept override;

private:
    OperatorPointer outer_, inner_;
};

/// A x + B x.
class OperatorSum final : public LinearOperator {
public:
    /// Throws Error{size_mismatch} unless domains and ranges are equal, Error{invalid_argument} for a null
    /// part.
    OperatorSum(OperatorPointer a, OperatorPointer b);

    Shape domain() const noexcept override { return a_->domain(); }
    Shape range() const noexcept override { return a_->range(); }
    std::size_t workspace_bytes(const Context& context) const noexcept override;
    void apply(View<const float> x, View<float> y, Context& context) const noexcept override;
    void adjoint(View<const float> y, View<float> x, Context& context) const noexcept override;

private:
    OperatorPointer a_, b_;
};

/// factor * A x.
class Scaled final : public LinearOperator {
public:
    /// Throws Error{invalid_argument} for a null operator or a factor that is not finite.
    Scaled(float factor, OperatorPointer a);

    Shape domain() const noexcept override { return a_->domain(); }
    Shape range() const noexcept override { return a_->range(); }
    std::size_t workspace_bytes(const Context& context) const noexcept override {
        return a_->workspace_bytes(context);
    }
    void apply(View<const float> x, View<float> y, Context& context) const noexcept override;
    void adjoint(View<const float> y, View<float> x, Context& context) const noexcept override;

private:
    float factor_;
    OperatorPointer a_;
};

}  // namespace sonolux
