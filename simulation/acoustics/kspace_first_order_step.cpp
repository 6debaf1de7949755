// sonolux/simulation/acoustics/kspace_first_order_step.cpp
#include <algorithm>

#include <sonolux/simulation/acoustics/kspace_factors.hpp>
#include <sonolux/simulation/acoustics/kspace_first_order.hpp>

namespace sonolux {
namespace {

using Complex = KspaceTransform::Complex;

/// out[i] = a factors[i] in[i]: the derivative along an axis that is constant on the line.
void multiply(Complex a, const float* factors, const Complex* in, Complex* out, Index length) noexcept {
    const float* z = reinterpret_cast<const float*>(in);
    float* w = reinterpret_cast<float*>(out);
    const float re = a.real(), im = a.imag();
    for (Index i = 0; i < length; ++i) {
        const float x = factors[i] * z[2 * i], y = factors[i] * z[2 * i + 1];
        w[2 * i] = re * x - im * y;
        w[2 * i + 1] = re * y + im * x;
    }
}

/// out[i] = a[i] factors[i] in[i]: along the line itself.
void multiply(const Complex* a, const float* factors, const Complex* in, Complex* out,
              Index length) noexcept {
    const float* m = reinterpret_cast<const float*>(a);
    const float* z = reinterpret_cast<const float*>(in);
    float* w = reinterpret_cast<float*>(out);
    for (Index i = 0; i < length; ++i) {
        const float x = factors[i] * z[2 * i], y = factors[i] * z[2 * i + 1];
        w[2 * i] = m[2 * i] * x - m[2 * i + 1] * y;
        w[2 * i + 1] = m[2 * i] * y + m[2 * i + 1] * x;
    }
}

}  // namespace

void KspaceFirstOrder::step(Context& context) noexcept {
    const View<Complex> free = spectra_[0];  // the transform along x of the pressure is in the last
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
    const std::size_t last = axes - 1;
    Complex* all[] = {spectra_[0].data(), spectra_[1].data(), spectra_[2].data()};
    const std::span<Complex* const> spectra(all, axes);
    const std::span<Complex* const> in = of_pressure ? spectra.subspan(last) : spectra;
    const auto& factors = of_pressure ? forward_ : backward_;
    const Index length = transform_.last_length();
    transform_.over_lines(
        context, in, spectra, [&](Index group, Index column, auto* from, auto* to, float* kappa) {
            unfold(transform_, kappa_, group, column, kappa);
            multiply(factors[0][static_cast<std::size_t>(column)], kappa, from[0], to[0], length);
            if (axes == 3)
                multiply(factors[1][static_cast<std::size_t>(group)], kappa, from[of_pressure ? 0 : 1], to[1],
                         length);
            multiply(factors[last].data(), kappa, from[of_pressure ? 0 : last], to[last], length);
        });
}

/// u <- P (P u - dt / rho0 grad p), row by row, and each row's transform along x in the gradient's place.
void KspaceFirstOrder::update_velocities(Context& context) noexcept {
    Complex* all[] = {spectra_[0].data(), spectra_[1].data(), spectra_[2].data()};
    const std::span<Complex* const> spectra(all, static_cast<std::size_t>(axes_));
    const Index columns = grid_.size.columns;
    transform_.over_rows(context, spectra, spectra, [&](Index first, Index end, int thread) {
        float* gradient = lines_.view()[thread].data();
        float* gradient_below = gradient + lines_.view().stride(1);
        for (int axis = 0; axis < axes_; ++axis) {
            const View<Complex> spectrum = spectra_[static_cast<std::size_t>(axis)];
            float* velocity = velocity_[static_cast<std::size_t>(axis)].data();
            for (Index row = first; row < end; row += 2) {
                const bool pair = row + 1 < end;
                Complex* a = spectrum.row(row);
                Complex* b = pair ? spectrum.row(row + 1) : nullptr;
                transform_.rows_inverse(thread, a, b, gradient, pair ? gradient_below : nullptr);
                update_velocity_row(axis, row, gradient);
                if (pair) update_velocity_row(axis, row + 1, gradient_below);
                transform_.rows_forward(thread, velocity + row * columns,
                                        pair ? velocity + (row + 1) * columns : nullptr, a, b);
            }
        }
    });
}

void KspaceFirstOrder::update_velocity_row(int axis, Index row, const float* gradient) noexcept {
    const auto a = static_cast<std::size_t>(axis);
    const Index columns = grid_.size.columns;
    float* u = velocity_[a].data() + row * columns;
    const float* step = step_over_density_[a].row(row);
    const float* kept = staggered_layer_[a].data();
    if (axis == 0) {
        for (Index j = 0; j < columns; ++j) u[j] = kept[j] * (kept[j] * u[j] - step[j] * gradient[j]);
    } else {
        const float k = kept[axis == 1 ? row % grid_.size.rows : row / grid_.size.rows];
        for (Index j = 0; j < columns; ++j) u[j] = k * (k * u[j] - step[j] * gradient[j]);
    }
    if (velocity_source_[a].acts(done_)) velocity_source_[a].apply(done_, row, u);
}

/// rho <- P (P rho - dt rho0 du/dx) for each axis, and the pressure where it needs no more than that; else
/// what absorption is made of: the sum of rho, kept in the place of the pressure, and rho0 div u.
void KspaceFirstOrder::update_densities(Context& context) noexcept {
    const auto axes = static_cast<std::size_t>(axes_);
    Complex* all[] = {spectra_[0].data(), spectra_[1].data(), spectra_[2].data()};
    const std::span<Complex* const> spectra(all, axes);
    Complex* both[] = {spectra_[axes - 1].data(), spectra_[0].data()};
    const bool lossy = absorption_ == KspaceAbsorption::power_law;
    const std::span<Complex* const> results(both, lossy ? 2 : 1);
    const Index columns = grid_.size.columns;
    transform_.over_rows(context, spectra, results, [&](Index first, Index end, int thread) {
        const Index stride = lines_.view().stride(1);
        float* lines = lines_.view()[thread].data();
        float* divergence = lines + 2 * static_cast<Index>(axes) * stride;
        for (Index row = first; row < end; row += 2) {
            const bool pair = row + 1 < end;
            const float *here[3] = {}, *below[3] = {};
            for (std::size_t axis = 0; axis < axes; ++axis) {
                float* line = lines + 2 * static_cast<Index>(axis) * stride;
                const View<Complex> spectrum = spectra_[axis];
                transform_.rows_inverse(thread, spectrum.row(row), pair ? spectrum.row(row + 1) : nullptr,
                                        line, pair ? line + stride : nullptr);
                here[axis] = line;
                below[axis] = line + stride;
            }
            update_density_row(row, here, divergence);
            if (pair) update_density_row(row + 1, below, divergence + stride);
            if (!lossy) {
                update_pressure_row(row, divergence, nullptr);
                if (pair) update_pressure_row(row + 1, divergence + stride, nullptr);
            }
            const float* p = pressure_.data() + row * columns;
            const View<Complex> spectrum = spectra_[axes - 1], of_divergence = spectra_[0];
            transform_.rows_forward(thread, p, pair ? p + columns : nullptr, spectrum.row(row),
                                    pair ? spectrum.row(row + 1) : nullptr);
            if (lossy)
                transform_.rows_forward(thread, divergence, pair ? divergence + stride : nullptr,
                                        of_divergence.row(row), pair ? of_divergence.row(row + 1) : nullptr);
        }
    });
}

void KspaceFirstOrder::update_density_row(Index row, const float* const* gradients,
                                          float* divergence) noexcept {
    const Index columns = grid_.size.columns;
    const float dt = static_cast<float>(grid_.time_step);
    const float* rest = rest_density_.row(row);
    float* sum = pressure_.data() + row * columns;
    float* rho[3] = {};
    for (int axis = 0; axis < axes_; ++axis)
        rho[axis] = density_[static_cast<std::size_t>(axis)].data() + row * columns;
    if (absorption_ != KspaceAbsorption::none) {
        for (Index j = 0; j < columns; ++j) divergence[j] = gradients[0][j] + gradients[1][j];
        if (axes_ == 3)
            for (Index j = 0; j < columns; ++j) divergence[j] += gradients[2][j];
        for (Index j = 0; j < columns; ++j) divergence[j] *= rest[j];
    }
    // dt times the density that moves: rho0, and in nonlinear media 2 sum rho + rho0, of before this step.
    for (Index j = 0; j < columns; ++j) sum[j] = rest[j];
    if (nonlinear_)
        for (int axis = 0; axis < axes_; ++axis)
            for (Index j = 0; j < columns; ++j) sum[j] += 2 * rho[axis][j];
    for (Index j = 0; j < columns; ++j) sum[j] *= dt;
    for (int axis = 0; axis < axes_; ++axis) {
        const float* kept = layer_[static_cast<std::size_t>(axis)].data();
        float* r = rho[axis];
        const float* du = gradients[axis];
        if (axis == 0) {
            for (Index j = 0; j < columns; ++j) r[j] = kept[j] * (kept[j] * r[j] - sum[j] * du[j]);
        } else {
            const float k = kept[axis == 1 ? row % grid_.size.rows : row / grid_.size.rows];
            for (Index j = 0; j < columns; ++j) r[j] = k * (k * r[j] - sum[j] * du[j]);
        }
        if (pressure_source_.acts(done_)) pressure_source_.apply(done_, row, r);
    }
    for (Index j = 0; j < columns; ++j) sum[j] = rho[0][j] + rho[1][j];
    if (axes_ == 3)
        for (Index j = 0; j < columns; ++j) sum[j] += rho[2][j];
}

/// From the sum of rho, in the place of the pressure, to the pressure.
void KspaceFirstOrder::update_pressure_row(Index row, const float* divergence,
                                           const float* dispersion) noexcept {
    const Index columns = grid_.size.columns;
    float* p = pressure_.data() + row * columns;
    const float* c2 = squared_speed_.row(row);
    if (nonlinear_) {
        const float* nonlinearity = nonlinearity_.row(row);
        for (Index j = 0; j < columns; ++j) p[j] += nonlinearity[j] * p[j] * p[j];
    }
    if (absorption_ != KspaceAbsorption::none) {
        const float* tau = tau_.row(row);
        for (Index j = 0; j < columns; ++j) p[j] += tau[j] * divergence[j];
    }
    if (dispersion != nullptr) {
        const float* eta = eta_.row(row);
        for (Index j = 0; j < columns; ++j) p[j] -= eta[j] * dispersion[j];
    }
    for (Index j = 0; j < columns; ++j) p[j] *= c2[j];
}

/// The fractional powers of the Laplacian, and the pressure that they complete.
void KspaceFirstOrder::absorb(Context& context) noexcept {
    const std::size_t last = static_cast<std::size_t>(axes_) - 1;
    Complex* both[] = {spectra_[last].data(), spectra_[0].data()};
    const Index length = transform_.last_length(), columns = grid_.size.columns;
    transform_.over_lines(
        context, both, both, [&](Index group, Index column, auto* in, auto* out, float* factors) {
            for (int which = 0; which < 2; ++which) {
                unfold(transform_, which == 0 ? eta_powers_ : tau_powers_, group, column, factors);
                multiply(Complex(1), factors, in[which], out[which], length);
            }
        });
    transform_.over_rows(
        context, both, std::span<Complex* const>(both, 1), [&](Index first, Index end, int thread) {
            const Index stride = lines_.view().stride(1);
            float* dispersion = lines_.view()[thread].data();
            float* divergence = dispersion + 2 * stride;
            const View<Complex> spectrum = spectra_[last], of_divergence = spectra_[0];
            for (Index row = first; row < end; row += 2) {
                const bool pair = row + 1 < end;
                Complex* a = spectrum.row(row);
                Complex* b = pair ? spectrum.row(row + 1) : nullptr;
                transform_.rows_inverse(thread, a, b, dispersion, pair ? dispersion + stride : nullptr);
                transform_.rows_inverse(thread, of_divergence.row(row),
                                        pair ? of_divergence.row(row + 1) : nullptr, divergence,
                                        pair ? divergence + stride : nullptr);
                update_pressure_row(row, divergence, dispersion);
                if (pair) update_pressure_row(row + 1, divergence + stride, dispersion + stride);
                const float* p = pressure_.data() + row * columns;
                transform_.rows_forward(thread, p, pair ? p + columns : nullptr, a, b);
            }
        });
}

/// p = p0, rho_i = p0 / (axes c^2), u_i = +dt / (2 rho0) grad p0: half a step before, so that the next step
/// has u_i = -dt / (2 rho0) grad p0 and p is even in time.
void KspaceFirstOrder::start_from_initial_pressure(Context& context) noexcept {
    const Index columns = grid_.size.columns, rows = grid_.size.planes * grid_.size.rows;
    const auto axes = static_cast<std::size_t>(axes_);
    Complex* all[] = {spectra_[0].data(), spectra_[1].data(), spectra_[2].data()};
    const std::span<Complex*const> spectra(all, axes), last = spectra.subspan(axes - 1);
    const auto transform_pressure = [&] {
        transform_.over_rows(context, {}, last, [&](Index first, Index end, int thread) {
            const View<Complex> spectrum = spectra_[axes - 1];
            for (Index row = first; row < end; row += 2) {
                const bool pair = row + 1 < end;
                const float* p = pressure_.data() + row * columns;
                transform_.rows_forward(thread, p, pair ? p + columns : nullptr, spectrum.row(row),
                                        pair ? spectrum.row(row + 1) : nullptr);
            }
        });
    };
    for (Index row = 0; row < rows; ++row) {
        const float* c2 = squared_speed_.row(row);
        for (Index j = 0; j < columns; ++j) {
            const float p0 = initial_pressure_.data()[row * columns + j];
            pressure_.data()[row * columns + j] = p0;
            for (int axis = 0; axis < axes_; ++axis)
                density_[static_cast<std::size_t>(axis)].data()[row * columns + j] =
                    p0 / (static_cast<float>(axes_) * c2[j]);
        }
    }
    transform_pressure();
    differentiate(context, true);
    transform_.over_rows(context, spectra, {}, [&](Index first, Index end, int thread) {
        float* gradient = lines_.view()[thread].data();
        for (std::size_t axis = 0; axis < axes; ++axis)
            for (Index row = first; row < end; ++row) {
                transform_.rows_inverse(thread, View<Complex>(spectra_[axis]).row(row), nullptr, gradient,
                                        nullptr);
                const float* step = step_over_density_[axis].row(row);
                float* u = velocity_[axis].data() + row * columns;
                for (Index j = 0; j < columns; ++j) u[j] = step[j] * gradient[j] / 2;
            }
    });
    transform_pressure();
}

}  // namespace sonolux
