// sonolux/priors/pointwise_activation.cpp
#include <sonolux/priors/fields_of_experts_kernel.hpp>
#include <sonolux/priors/pointwise_activation.hpp>

namespace sonolux {

namespace {

foe::Table table_of(const Array<float>& table, const Activation& activation, float range) noexcept {
    const ActivationOptions& options = activation.options();
    return {table.data(), table.data() + activation.table_size(), options.segments,
            range * options.table_lower, activation.inverse_step() / range};
}

// One row of the kernels' planes.
foe::Plane row(float* values, Index count) noexcept { return {values, foe::round_up(count)}; }

}  // namespace

PointwiseActivation::PointwiseActivation(const ActivationOptions& options)
    : activation_(options), table_({2, activation_.table_size()}) {
    static_assert(padding == foe::slack);
}

void PointwiseActivation::update(std::span<const float> weights, float range) noexcept {
    range_ = range;
    float* table = table_.data();
    activation_.tabulate(weights, table);
    const Index segments = activation_.options().segments;
    for (Index k = 0; k < segments; ++k)
        for (Index power = 0; power < 4; ++power)
            table[4 * segments + 4 * k + power] = table[power * segments + k];
}

void PointwiseActivation::apply(float* z, float* out, Index count, const Context& context) const noexcept {
    foe::kernels(context.isa())
        .activate(row(z, count), row(out, count), 1, count, table_of(table_, activation_, range_));
}

std::size_t PointwiseActivation::workspace_bytes() const noexcept {
    return Workspace::bytes<float>(foe::histogram_floats * activation_.options().segments) +
           Workspace::bytes<double>(activation_.table_size());
}

void PointwiseActivation::apply_vjp(float* z, float* u, Index count, std::span<float> weights_bar,
                                    Context& context) const noexcept {
    const Index segments = activation_.options().segments;
    Scratch scratch(context.workspace());
    float* histogram = scratch.take<float>(foe::histogram_floats * segments);
    double* table_bar = scratch.take<double>(activation_.table_size());
    std::fill_n(histogram, foe::histogram_floats * segments, 0.0f);
    foe::kernels(context.isa())
        .activate_vjp(row(z, count), row(u, count), 1, count, {0, 1, 0, count},
                      table_of(table_, activation_, range_), histogram);
    for (Index k = 0; k < segments; ++k)
        for (Index power = 0; power < 4; ++power) {
            const float* bin = histogram + k * foe::histogram_floats + power;
            table_bar[power * segments + k] = double{bin[0]} + bin[4] + bin[8] + bin[12];
        }
    activation_.tabulate_vjp(table_bar, weights_bar);
}

}  // namespace sonolux
