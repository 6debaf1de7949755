// sonolux/simulation/acoustics/kspace_second_order_step.cpp
#include <algorithm>

#include <sonolux/simulation/acoustics/kspace_second_order.hpp>

namespace sonolux {

void KspaceSecondOrder::step(Context& context) noexcept {
    source_.filter(context, transform_, cosines_, source_spectrum_.data(), done_);
    if (done_ > 0 || initial_pressure_.elements() == 0) {
        if (uniform_density_)
            laplacian(context);
        else
            divergence_of_flux(context);
    } else {
        std::copy_n(initial_pressure_.data(), initial_pressure_.elements(), pressure_.data());
    }
    update_pressure(context);
    ++done_;
}

void KspaceSecondOrder::laplacian(Context& context) noexcept {
    layer_.update(transform_.kernels(), context, pressure_.data());
    float* all[] = {spectra_[0].data()};
    transform_.over_lines(context, all, all, [&](Index group, Index block, float* const* lines) {
        transform_.kernels().multiply_even(lines_of(transform_, factors_, group, block),
                                           transform_.last_length(), lines[0], lines[0]);
    });
}

/// grad p / rho0 along both axes, damped in the layer, and the sum of its derivatives.
void KspaceSecondOrder::divergence_of_flux(Context& context) noexcept {
    const KspaceKernels& kernels = transform_.kernels();
    float* all[] = {spectra_[0].data(), spectra_[1].data()};
    const std::span<float*const> both(all), first_one(all, 1);
    const Index columns = grid_.size.columns, stride = lines_.view().stride(1);
    transform_.over_lines(context, first_one, both, [&](Index group, Index block, float* const* lines) {
        const float* in[] = {lines[0], lines[0]};
        kernels.derivatives(forward_.on(transform_, factors_, group, block), in, lines);
    });
    transform_.over_rows(context, both, both, [&](Index first, Index end, int thread) {
        float* flux = lines_.view()[thread].data();
        for (std::size_t axis = 0; axis < 2; ++axis) {
            transform_.rows_inverse(thread, all[axis], first, flux, stride, end - first);
            for (Index row = first; row < end; ++row) {
                float* line = flux + (row - first) * stride;
                kernels.multiply(line, per_density_[axis].data() + row * columns, columns);
                layer_.absorb_row(kernels, axis, row, line);
            }
            transform_.rows_forward(thread, flux, stride, end - first, all[axis], first);
        }
    });
    transform_.over_lines(context, both, first_one, [&](Index group, Index block, float* const* lines) {
        const float* in[] = {lines[0], lines[1]};
        kernels.divergence(backward_.on(transform_, factors_, group, block), in, lines[0]);
    });
}

void KspaceSecondOrder::update_pressure(Context& context) noexcept {
    const bool initial = done_ == 0 && initial_pressure_.elements() > 0;
    float* all[] = {spectra_[0].data()};
    const Index columns = grid_.size.columns, stride = lines_.view().stride(1);
    transform_.over_rows(context, all, all, [&](Index first, Index end, int thread) {
        if (!initial) {
            float* change = lines_.view()[thread].data();
            transform_.rows_inverse(thread, all[0], first, change, stride, end - first);
            for (Index row = first; row < end; ++row)
                update_pressure_row(row, thread, change + (row - first) * stride);
        }
        for (Index row = first; row < end; ++row) layer_.keep_ends(row, pressure_.data() + row * columns);
        transform_.rows_forward(thread, pressure_.data() + first * columns, columns, end - first, all[0],
                                first);
    });
}

/// From the Laplacian of a row to its pressure one step later.
void KspaceSecondOrder::update_pressure_row(Index row, int thread, float* change) noexcept {
    const KspaceKernels& kernels = transform_.kernels();
    const Index columns = grid_.size.columns;
    float* pressure = pressure_.data() + row * columns;
    float* increment = increment_.data() + row * columns;
    const float* squared = squared_.data() + row * squared_stride_;
    const float* density = uniform_density_ ? nullptr : rest_density_.data() + row * columns;
    if (uniform_density_) layer_.add_divergence(kernels, thread, row, change);
    if (done_ == 1 && initial_pressure_.elements() > 0)  // p(-1) = p(1): the velocity starts at zero
        for (Index j = 0; j < columns; ++j) change[j] /= 2;
    layer_.advance_row(kernels, row, pressure, increment, change, squared, density);
    if (!source_.acts(done_)) return;
    // Twice, for both axes' parts of the density; c^2 = (c dt)^2 / dt^2.
    const float scale = static_cast<float>(2 / (grid_.time_step * grid_.time_step));
    std::fill(change, change + columns, 0.0f);
    source_.apply(done_, row, change);
    kernels.add(increment, scale, squared, change, columns);
    kernels.add(pressure, scale, squared, change, columns);
}

}  // namespace sonolux
