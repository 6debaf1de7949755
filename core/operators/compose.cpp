// sonolux/core/operators/compose.cpp
#include <cmath>

#include <sonolux/core/operators/compose.hpp>
#include <sonolux/core/parallel_rows.hpp>

namespace sonolux {

namespace {

/// body(i) for each element, in strips on the context's threads.
template <class Body>
void for_each_element(Context& context, Index elements, const Body& body) noexcept {
    parallel_rows(context, elements, 1, [&](Index begin, Index end, int) {
        for (Index i = begin; i < end; ++i) body(i);
    });
}

void add(View<const float> x, View<float> y, Context& context) noexcept {
    const float* from = x.data();
    float* to = y.data();
    for_each_element(context, y.elements(), [=](Index i) { to[i] += from[i]; });
}

void require_part(const char* who, const OperatorPointer& part) {
    require(part != nullptr, Status::invalid_argument, who, ": an operator is missing (null)");
}

}  // namespace

void Identity::apply(View<const float> x, View<float> y, Context& context) const noexcept {
    const float* from = x.data();
    float* to = y.data();
    for_each_element(context, y.elements(), [=](Index i) { to[i] = from[i]; });
}

void Identity::adjoint(View<const float> y, View<float> x, Context& context) const noexcept {
    apply(y, x, context);
}

Chain::Chain(OperatorPointer outer, OperatorPointer inner)
    : outer_(std::move(outer)), inner_(std::move(inner)) {
    require_part("chain", outer_);
    require_part("chain", inner_);
    require(outer_->domain() == inner_->range(), Status::size_mismatch, "chain: the outer operator takes ",
            to_string(outer_->domain()), ", but the inner one gives ", to_string(inner_->range()));
}

std::size_t Chain::workspace_bytes(const Context& context) const noexcept {
    return Workspace::bytes<float>(inner_->range().elements()) +
           std::max(inner_->workspace_bytes(context), outer_->workspace_bytes(context));
}

void Chain::apply(View<const float> x, View<float> y, Context& context) const noexcept {
    Scratch scratch(context.workspace());
    View<float> between = scratch.take<float>(inner_->range());
    inner_->apply(x, between, context);
    outer_->apply(between, y, context);
}

void Chain::adjoint(View<const float> y, View<float> x, Context& context) const noexcept {
    Scratch scratch(context.workspace());
    View<float> between = scratch.take<float>(inner_->range());
    outer_->adjoint(y, between, context);
    inner_->adjoint(between, x, context);
}

OperatorSum::OperatorSum(OperatorPointer a, OperatorPointer b) : a_(std::move(a)), b_(std::move(b)) {
    require_part("operator sum", a_);
    require_part("operator sum", b_);
    require(a_->domain() == b_->domain() && a_->range() == b_->range(), Status::size_mismatch,
            "operator sum: one operator maps ", to_string(a_->domain()), " to ", to_string(a_->range()),
            ", the other ", to_string(b_->domain()), " to ", to_string(b_->range()));
}

std::size_t OperatorSum::workspace_bytes(const Context& context) const noexcept {
    return Workspace::bytes<float>(std::max(domain().elements(), range().elements())) +
           std::max(a_->workspace_bytes(context), b_->workspace_bytes(context));
}

void OperatorSum::apply(View<const float> x, View<float> y, Context& context) const noexcept {
    Scratch scratch(context.workspace());
    View<float> other = scratch.take<float>(range());
    a_->apply(x, y, context);
    b_->apply(x, other, context);
    add(other, y, context);
}

void OperatorSum::adjoint(View<const float> y, View<float> x, Context& context) const noexcept {
    Scratch scratch(context.workspace());
    View<float> other = scratch.take<float>(domain());
    a_->adjoint(y, x, context);
    b_->adjoint(y, other, context);
    add(other, x, context);
}

Scaled::Scaled(float factor, OperatorPointer a) : factor_(factor), a_(std::move(a)) {
    require_part("scaled operator", a_);
    require(std::isfinite(factor), Status::invalid_argument,
            "scaled operator: the factor must be finite, got ", factor);
}

void Scaled::apply(View<const float> x, View<float> y, Context& context) const noexcept {
    a_->apply(x, y, context);
    float* to = y.data();
    for_each_element(context, y.elements(), [=, factor = factor_](Index i) { to[i] *= factor; });
}

void Scaled::adjoint(View<const float> y, View<float> x, Context& context) const noexcept {
    a_->adjoint(y, x, context);
    float* to = x.data();
    for_each_element(context, x.elements(), [=, factor = factor_](Index i) { to[i] *= factor; });
}

}  // namespace sonolux
