// sonolux/simulation/acoustics/kspace_second_order_step.cpp
#include <algorithm>

#include <sonolux/simulation/acoustics/kspace_second_order.hpp>

namespace sonolux {

void KspaceSecondOrder::step(Context& context) noexcept {
    source_.filter(context, transform_, cosines_, source_spectrum_.data(), done_);
    whole_source_.filter(context, transform_, cosines_, source_spectrum_.data(), done_);
    if (done_ > 0 || initial_pressure_.elements() == 0) {
        if (uniform_density_)
            laplacian(context);
        else
            divergence_of_flux(context);
    } else {
        std::copy_n(initial_pressure_.data(), initial_pressure_.elements(), pressure_.data());
        for (Index i = 0; i < density_.elements(); ++i)
            density_.data()[i] = initial_pressure_.data()[i] /
                                 squared_.data()[squared_stride_ > 0 ? i : i % grid_.size.columns];
    }
    update_pressure(context);
    if (absorption_ == KspaceAbsorption::power_law) absorb(context);
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
    const Index columns = grid_.size.columns, stride = lines_.view().stride(2);
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

/// Ends with the transforms along x of the pressure, or of the density, which absorb() goes on with.
void KspaceSecondOrder::update_pressure(Context& context) noexcept {
    float* all[] = {spectra_[0].data()};
    const bool goes_on = absorption_ == KspaceAbsorption::power_law;
    const Index columns = grid_.size.columns, stride = lines_.view().stride(2);
    transform_.over_rows(context, all, all, [&](Index first, Index end, int thread) {
        if (!starts()) {
            float* change = lines_.view()[thread].data();
            transform_.rows_inverse(thread, all[0], first, change, stride, end - first);
            for (Index row = first; row < end; ++row)
                update_pressure_row(row, thread, change + (row - first) * stride);
        }
        if (!goes_on)
            for (Index row = first; row < end; ++row) layer_.keep_ends(row, pressure_.data() + row * columns);
        transform_.rows_forward(thread, (goes_on ? density_ : pressure_).data() + first * columns, columns,
                                end - first, all[0], first);
        // absorb() takes from the change of the density what the source brought, which is left in the rows.
        if (goes_on && whole_source_.acts(done_))
            transform_.rows_forward(thread, lines_.view()[thread].data(), stride, end - first,
                                    spectra_[1].data(), first);
    });
}

/// From the Laplacian of a row to its pressure one step later, or its density where absorption comes between.
void KspaceSecondOrder::update_pressure_row(Index row, int thread, float* change) noexcept {
    const KspaceKernels& kernels = transform_.kernels();
    const Index columns = grid_.size.columns;
    const bool lossy = absorption_ != KspaceAbsorption::none;
    float* pressure = pressure_.data() + row * columns;
    float* state = lossy ? density_.data() + row * columns : pressure;
    float* increment = increment_.data() + row * columns;
    const float* squared = squared_.data() + row * squared_stride_;
    const float* weight = uniform_density_ ? nullptr : rest_density_.data() + row * columns;
    if (uniform_density_) layer_.add_divergence(kernels, thread, row, change);
    if (done_ == 1 && initial_pressure_.elements() > 0)  // p(-1) = p(1): the velocity starts at zero
        for (Index j = 0; j < columns; ++j) change[j] /= 2;
    layer_.advance_row(kernels, row, state, increment, change, lossy ? ones_.data() : squared, weight);
    if (source_.acts(done_)) {
        std::fill(change, change + columns, 0.0f);
        source_.apply(done_, row, change);
        kernels.add(increment, source_scale(), lossy ? nullptr : squared, change, columns);
        kernels.add(state, source_scale(), lossy ? nullptr : squared, change, columns);
    }
    if (whole_source_.acts(done_)) {
        std::fill(change, change + columns, 0.0f);
        whole_source_.apply(done_, row, change);
    }
    if (absorption_ != KspaceAbsorption::stokes) return;
    const float* tau = tau_.data() + row * absorption_stride_;
    std::copy_n(state, columns, pressure);
    kernels.add(pressure, 1, tau, increment, columns);
    if (whole_source_.acts(done_)) kernels.add(pressure, -source_scale(), tau, change, columns);
    kernels.multiply(pressure, squared, columns);
}

/// The fractional powers of the Laplacian, and the pressure that they complete.
void KspaceSecondOrder::absorb(Context& context) noexcept {
    const KspaceKernels& kernels = transform_.kernels();
    float* all[] = {spectra_[0].data(), spectra_[1].data()};
    const std::span<float*const> both(all), first_one(all, 1);
    const Index columns = grid_.size.columns, stride = lines_.view().stride(2);
    const Index length = transform_.last_length();
    const bool source = whole_source_.acts(done_);
    const float scale = source_scale();
    transform_.over_lines(
        context, source ? both : first_one, both, [&](Index group, Index block, float* const* lines) {
            float* before = density_spectrum_.data() + block * length * lane_floats;
            for (Index i = 0; i < length * lane_floats; ++i) {
                const float now = lines[0][i];
                lines[1][i] = source ? now - before[i] - scale * lines[1][i] : now - before[i];
                before[i] = now;
            }
            kernels.multiply_even(lines_of(transform_, eta_powers_, group, block), length, lines[0],
                                  lines[0]);
            kernels.multiply_even(lines_of(transform_, tau_powers_, group, block), length, lines[1],
                                  lines[1]);
        });
    transform_.over_rows(context, both, first_one, [&](Index first, Index end, int thread) {
        float* dispersion = lines_.view()[thread].data();
        float* change = dispersion + lines_.view().stride(1);
        transform_.rows_inverse(thread, all[0], first, dispersion, stride, end - first);
        transform_.rows_inverse(thread, all[1], first, change, stride, end - first);
        for (Index row = first; row < end; ++row) {
            float* pressure = pressure_.data() + row * columns;
            if (!starts()) {
                std::copy_n(density_.data() + row * columns, columns, pressure);
                kernels.pressure(pressure, squared_.data() + row * squared_stride_, nullptr,
                                 tau_.data() + row * absorption_stride_, change + (row - first) * stride,
                                 eta_.data() + row * absorption_stride_, dispersion + (row - first) * stride,
                                 columns);
            }
            layer_.keep_ends(row, pressure);
        }
        transform_.rows_forward(thread, pressure_.data() + first * columns, columns, end - first, all[0],
                                first);
    });
}

}  // namespace sonolux
