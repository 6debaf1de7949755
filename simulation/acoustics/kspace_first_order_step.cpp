// sonolux/simulation/acoustics/kspace_first_order_step.cpp
#include <algorithm>

#include <sonolux/simulation/acoustics/kspace_first_order.hpp>

namespace sonolux {

void KspaceFirstOrder::step(Context& context) noexcept {
    float* const free = spectra_[0].data();  // the transform along x of the pressure is in the last
    pressure_source_.filter(context, transform_, cosines_, free, done_);
    for (RowSource& source : velocity_source_) source.filter(context, transform_, cosines_, free, done_);

    differentiate(context, true);
    update_velocities(context);
    differentiate(context, false);
    update_densities(context);
    if (absorption_ == KspaceAbsorption::power_law) absorb(context);
    if (done_ == 0 && initial_pressure_.elements() > 0) start_from_initial_pressure(context);
    ++done_;
}

/// The middle of both derivatives: of the pressure along all axes, or of each velocity along its own.
void KspaceFirstOrder::differentiate(Context& context, bool of_pressure) noexcept {
    const auto axes = static_cast<std::size_t>(axes_);
    float* all[] = {spectra_[0].data(), spectra_[1].data(), spectra_[2].data()};
    const std::span<float* const> spectra(all, axes);
    const KspaceDerivatives& derivatives = of_pressure ? forward_ : backward_;
    transform_.over_lines(
        context, of_pressure ? spectra.subspan(axes - 1) : spectra, spectra,
        [&](Index group, Index block, float* const* lines) {
            const float* in[] = {lines[0], lines[of_pressure ? 0 : 1], lines[of_pressure ? 0 : 2]};
            transform_.kernels().derivatives(derivatives.on(transform_, kappa_, group, block), in, lines);
        });
}

/// u <- P (P u - dt / rho0 grad p), a strip at a time, and its transform along x in the gradient's place.
void KspaceFirstOrder::update_velocities(Context& context) noexcept {
    float* all[] = {spectra_[0].data(), spectra_[1].data(), spectra_[2].data()};
    const std::span<float* const> spectra(all, static_cast<std::size_t>(axes_));
    const Index columns = grid_.size.columns, stride = lines_.view().stride(2);
    transform_.over_rows(context, spectra, spectra, [&](Index first, Index end, int thread) {
        float* gradient = lines_.view()[thread].data();
        for (int axis = 0; axis < axes_; ++axis) {
            float* spectrum = all[axis];
            float* velocity = velocity_[static_cast<std::size_t>(axis)].data() + first * columns;
            transform_.rows_inverse(thread, spectrum, first, gradient, stride, end - first);
            for (Index row = first; row < end; ++row)
                update_velocity_row(axis, row, gradient + (row - first) * stride);
            transform_.rows_forward(thread, velocity, columns, end - first, spectrum, first);
        }
    });
}

void KspaceFirstOrder::update_velocity_row(int axis, Index row, const float* gradient) noexcept {
    const auto a = static_cast<std::size_t>(axis);
    const Index columns = grid_.size.columns;
    float* u = velocity_[a].data() + row * columns;
    const float* step = step_over_density_[a].row(row);
    const float* kept = staggered_layer_[a].data();
    if (axis == 0)
        transform_.kernels().damped_step(u, kept, step, gradient, columns);
    else
        transform_.kernels().damped_step_by(
            u, kept[axis == 1 ? row % grid_.size.rows : row / grid_.size.rows], step, gradient, columns);
    if (velocity_source_[a].acts(done_)) velocity_source_[a].apply(done_, row, u);
}

/// rho <- P (P rho - dt rho0 du/dx) for each axis, and the pressure where it needs no more than that; else
/// what absorption is made of: the sum of rho, kept in the place of the pressure, and rho0 div u.
void KspaceFirstOrder::update_densities(Context& context) noexcept {
    const auto axes = static_cast<std::size_t>(axes_);
    float* all[] = {spectra_[0].data(), spectra_[1].data(), spectra_[2].data()};
    const std::span<float* const> spectra(all, axes);
    float* both[] = {spectra_[axes - 1].data(), spectra_[0].data()};
    const bool lossy = absorption_ == KspaceAbsorption::power_law;
    const std::span<float* const> results(both, lossy ? 2 : 1);
    const Index columns = grid_.size.columns, stride = lines_.view().stride(2);
    transform_.over_rows(context, spectra, results, [&](Index first, Index end, int thread) {
        const Index each = lines_.view().stride(1), count = end - first;
        float* lines = lines_.view()[thread].data();
        float* divergence = lines + axes_ * each;
        for (int axis = 0; axis < axes_; ++axis)
            transform_.rows_inverse(thread, all[axis], first, lines + axis * each, stride, count);
        for (Index row = first; row < end; ++row) {
            const Index at = (row - first) * stride;
            const float* gradients[] = {lines + at, lines + each + at, lines + (axes_ - 1) * each + at};
            update_density_row(row, gradients, divergence + at);
            if (!lossy) update_pressure_row(row, divergence + at, nullptr);
        }
        transform_.rows_forward(thread, pressure_.data() + first * columns, columns, count, both[0], first);
        if (lossy) transform_.rows_forward(thread, divergence, stride, count, both[1], first);
    });
}

void KspaceFirstOrder::update_density_row(Index row, const float* const* gradients,
                                          float* divergence) noexcept {
    const KspaceKernels& kernels = transform_.kernels();
    const Index columns = grid_.size.columns;
    const float* rest = rest_density_.row(row);
    float* sum = pressure_.data() + row * columns;
    float* rho[3] = {};
    for (int axis = 0; axis < axes_; ++axis)
        rho[axis] = density_[static_cast<std::size_t>(axis)].data() + row * columns;
    if (absorption_ != KspaceAbsorption::none)
        kernels.sum(divergence, gradients[0], gradients[1], axes_ == 3 ? gradients[2] : nullptr, rest,
                    columns);
    // dt times the density that moves: rho0, and in nonlinear media 2 sum rho + rho0, of before this step.
    kernels.moving_density(sum, static_cast<float>(grid_.time_step), rest, nonlinear_ ? rho[0] : nullptr,
                           nonlinear_ ? rho[1] : nullptr, nonlinear_ ? rho[2] : nullptr, columns);
    for (int axis = 0; axis < axes_; ++axis) {
        const float* kept = layer_[static_cast<std::size_t>(axis)].data();
        if (axis == 0)
            kernels.damped_step(rho[axis], kept, sum, gradients[axis], columns);
        else
            kernels.damped_step_by(rho[axis], kept[axis == 1 ? row % grid_.size.rows : row / grid_.size.rows],
                                   sum, gradients[axis], columns);
        if (pressure_source_.acts(done_)) pressure_source_.apply(done_, row, rho[axis]);
    }
    kernels.sum(sum, rho[0], rho[1], rho[2], nullptr, columns);
}

/// From the sum of rho, in the place of the pressure, to the pressure.
void KspaceFirstOrder::update_pressure_row(Index row, const float* divergence,
                                           const float* dispersion) noexcept {
    const bool lossy = absorption_ != KspaceAbsorption::none;
    transform_.kernels().pressure(
        pressure_.data() + row * grid_.size.columns, squared_speed_.row(row),
        nonlinear_ ? nonlinearity_.row(row) : nullptr, lossy ? tau_.row(row) : nullptr, divergence,
        dispersion != nullptr ? eta_.row(row) : nullptr, dispersion, grid_.size.columns);
}

/// The fractional powers of the Laplacian, and the pressure that they complete.
void KspaceFirstOrder::absorb(Context& context) noexcept {
    float* both[] = {spectra_[static_cast<std::size_t>(axes_) - 1].data(), spectra_[0].data()};
    const Index columns = grid_.size.columns, stride = lines_.view().stride(2);
    transform_.over_lines(context, both, both, [&](Index group, Index block, float* const* lines) {
        for (int which = 0; which < 2; ++which)
            transform_.kernels().multiply_even(
                lines_of(transform_, which == 0 ? eta_powers_ : tau_powers_, group, block),
                transform_.last_length(), lines[which], lines[which]);
    });
    transform_.over_rows(context, both, std::span<float* const>(both, 1),
                         [&](Index first, Index end, int thread) {
                             float* dispersion = lines_.view()[thread].data();
                             float* divergence = dispersion + lines_.view().stride(1);
                             transform_.rows_inverse(thread, both[0], first, dispersion, stride, end - first);
                             transform_.rows_inverse(thread, both[1], first, divergence, stride, end - first);
                             for (Index row = first; row < end; ++row)
                                 update_pressure_row(row, divergence + (row - first) * stride,
                                                     dispersion + (row - first) * stride);
                             transform_.rows_forward(thread, pressure_.data() + first * columns, columns,
                                                     end - first, both[0], first);
                         });
}

/// p = p0, rho_i = p0 / (axes c^2), u_i = +dt / (2 rho0) grad p0: half a step before, so that the next step
/// has u_i = -dt / (2 rho0) grad p0 and p is even in time.
void KspaceFirstOrder::start_from_initial_pressure(Context& context) noexcept {
    const Index columns = grid_.size.columns, rows = grid_.size.planes * grid_.size.rows;
    const auto axes = static_cast<std::size_t>(axes_);
    float* all[] = {spectra_[0].data(), spectra_[1].data(), spectra_[2].data()};
    const std::span<float*const> spectra(all, axes), last = spectra.subspan(axes - 1);
    const auto transform_pressure = [&] {
        transform_.over_rows(context, {}, last, [&](Index first, Index end, int thread) {
            transform_.rows_forward(thread, pressure_.data() + first * columns, columns, end - first, last[0],
                                    first);
        });
    };
    for (Index row = 0; row < rows; ++row) {
        const float* c2 = squared_speed_.row(row);
        for (Index j = 0; j < columns; ++j) {
            const float p0 = initial_pressure_.data()[row * columns + j];
            pressure_.data()[row * columns + j] = p0;
            for (std::size_t axis = 0; axis < axes; ++axis)
                density_[axis].data()[row * columns + j] = p0 / (static_cast<float>(axes_) * c2[j]);
        }
    }
    transform_pressure();
    differentiate(context, true);
    transform_.over_rows(context, spectra, {}, [&](Index first, Index end, int thread) {
        float* gradient = lines_.view()[thread].data();
        const Index stride = lines_.view().stride(2);
        for (std::size_t axis = 0; axis < axes; ++axis) {
            transform_.rows_inverse(thread, all[axis], first, gradient, stride, end - first);
            for (Index row = first; row < end; ++row) {
                const float* step = step_over_density_[axis].row(row);
                float* u = velocity_[axis].data() + row * columns;
                for (Index j = 0; j < columns; ++j) u[j] = step[j] * gradient[(row - first) * stride + j] / 2;
            }
        }
    });
    transform_pressure();
}

}  // namespace sonolux
