// sonolux/simulation/acoustics/kspace_second_order_step.cpp
#include <algorithm>

#include <sonolux/simulation/acoustics/kspace_factors.hpp>
#include <sonolux/simulation/acoustics/kspace_second_order.hpp>

namespace sonolux {
namespace {

using Complex = KspaceTransform::Complex;

/// Of the derivative half a spacing away, eighth order: sum of taps[m] (f[m + 1] - f[-m]).
constexpr Index taps = 4;
constexpr float tap[taps] = {1225.0f / 1024, -245.0f / 3072, 49.0f / 5120, -5.0f / 7168};

/// line[-taps ... columns + taps) around which the row goes on: the grid is periodic.
float* wrapped(const float* row, Index columns, float* memory) noexcept {
    float* line = memory + taps;
    std::copy_n(row, columns, line);
    for (Index m = 1; m <= taps; ++m) {
        line[-m] = row[((columns - m) % columns + columns) % columns];
        line[columns + m - 1] = row[(m - 1) % columns];
    }
    return line;
}

Index around(Index i, Index length) noexcept { return (i % length + length) % length; }

}  // namespace

void KspaceSecondOrder::step(Context& context) noexcept {
    source_.filter(context, transform_, cosines_, source_spectrum_, done_);
    if (done_ > 0 || initial_pressure_.elements() == 0) {
        if (uniform_density_)
            laplacian(context);
        else
            divergence_of_flux(context);
    } else {
        std::copy_n(initial_pressure_.data(), initial_pressure_.elements(), pressure_[1 - now_].data());
    }
    update_pressure(context);
    now_ = 1 - now_;
    ++done_;
}

void KspaceSecondOrder::laplacian(Context& context) noexcept {
    update_layer(context);
    Complex* all[] = {spectra_[0].data()};
    const Index length = transform_.last_length();
    transform_.over_lines(context, all, all,
                          [&](Index group, Index column, auto* in, auto* out, float* factors) {
                              unfold(transform_, factors_, group, column, factors);
                              for (Index i = 0; i < length; ++i) out[0][i] = in[0][i] * factors[i];
                          });
}

/// grad p / rho0 + phi along both axes, and the sum of its derivatives, all by Fourier transforms.
void KspaceSecondOrder::divergence_of_flux(Context& context) noexcept {
    Complex* all[] = {spectra_[0].data(), spectra_[1].data()};
    const std::span<Complex*const> both(all), first(all, 1);
    const Index length = transform_.last_length();
    const auto times = [](Complex a, Complex b) {
        return Complex(a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real());
    };
    transform_.over_lines(context, first, both,
                          [&](Index group, Index column, auto* in, auto* out, float* kappa) {
                              unfold(transform_, factors_, group, column, kappa);
                              const Complex along_x = forward_[0][static_cast<std::size_t>(column)];
                              for (Index i = 0; i < length; ++i) {
                                  const Complex p = in[0][i] * kappa[i];
                                  out[0][i] = times(along_x, p);
                                  out[1][i] = times(forward_[1].data()[i], p);
                              }
                          });
    transform_.over_rows(context, both, both, [&](Index begin, Index end, int thread) {
        float* here = lines_.view()[thread].data();
        float* below = here + lines_.view().stride(1);
        for (std::size_t axis = 0; axis < 2; ++axis) {
            const View<Complex> spectrum = spectra_[axis];
            for (Index row = begin; row < end; row += 2) {
                const bool pair = row + 1 < end;
                Complex* a = spectrum.row(row);
                Complex* b = pair ? spectrum.row(row + 1) : nullptr;
                transform_.rows_inverse(thread, a, b, here, pair ? below : nullptr);
                flux_row(axis, row, here);
                if (pair) flux_row(axis, row + 1, below);
                transform_.rows_forward(thread, here, pair ? below : nullptr, a, b);
            }
        }
    });
    transform_.over_lines(
        context, both, first, [&](Index group, Index column, auto* in, auto* out, float* kappa) {
            unfold(transform_, factors_, group, column, kappa);
            const Complex along_x = backward_[0][static_cast<std::size_t>(column)];
            for (Index i = 0; i < length; ++i)
                out[0][i] = (times(along_x, in[0][i]) + times(backward_[1].data()[i], in[1][i])) * kappa[i];
        });
}

/// From a row of dp/dx to one of (dp/dx) / rho0 + phi.
void KspaceSecondOrder::flux_row(std::size_t axis, Index row, float* gradient) noexcept {
    const Index columns = grid_.size.columns;
    const float* per_density = per_density_[axis].data() + row * columns;
    for (Index j = 0; j < columns; ++j) gradient[j] *= per_density[j];
    if (flux_[axis].elements() == 0) return;
    float* phi = flux_[axis].data() + row * columns;
    const float* along_x = (axis == 0 ? staggered_damping_ : damping_)[0].data();
    const float along_y = (axis == 1 ? staggered_damping_ : damping_)[1][static_cast<std::size_t>(row)];
    const auto update = [&](Index from, Index to) {
        for (Index j = from; j < to; ++j) {
            const float own = axis == 0 ? along_x[j] : along_y, other = axis == 0 ? along_y : along_x[j];
            const float next = ((1 - own / 2) * phi[j] + (other - own) * gradient[j]) / (1 + own / 2);
            gradient[j] += (phi[j] + next) / 2;
            phi[j] = next;
        }
    };
    const Ends parts = ends(row, 0);
    update(0, parts.left_end);
    update(parts.right_begin, columns);
}

KspaceSecondOrder::Ends KspaceSecondOrder::ends(Index row, Index more) const noexcept {
    const Index columns = grid_.size.columns, rows = grid_.size.rows;
    const Index wide = layer_[0] > 0 ? layer_[0] + more : 0, high = layer_[1] > 0 ? layer_[1] + more : 0;
    if (row < high || row >= rows - high || 2 * wide >= columns) return {columns, columns};
    return {wide, columns - wide};
}

/// phi of the next half step, and its mean with that of the last.
void KspaceSecondOrder::update_layer(Context& context) noexcept {
    if (flux_[0].elements() == 0) return;
    transform_.over_rows(context, {}, {}, [&](Index begin, Index end, int thread) {
        for (Index row = begin; row < end; ++row) update_layer_row(row, lines_.view()[thread].data());
    });
}

void KspaceSecondOrder::update_layer_row(Index row, float* line) noexcept {
    const Index columns = grid_.size.columns, rows = grid_.size.rows;
    const float* p = pressure_[now_].data();
    const float* around_row = wrapped(p + row * columns, columns, line);
    const float* above[taps];
    const float* below[taps];
    for (Index m = 0; m < taps; ++m) {
        above[m] = p + around(row - m, rows) * columns;
        below[m] = p + around(row + 1 + m, rows) * columns;
    }
    const float per_dx = static_cast<float>(1 / grid_.spacing[0]),
                per_dy = static_cast<float>(1 / grid_.spacing[1]);
    const auto advance = [&](std::size_t axis, Index j, float gradient, float own, float other) {
        float& phi = flux_[axis].data()[row * columns + j];
        const float next = ((1 - own / 2) * phi + (other - own) * gradient) / (1 + own / 2);
        mean_flux_[axis].data()[row * columns + j] = (phi + next) / 2;
        phi = next;
    };
    const float y = damping_[1][static_cast<std::size_t>(row)],
                y_half = staggered_damping_[1][static_cast<std::size_t>(row)];
    const auto update = [&](Index from, Index to) {
        for (Index j = from; j < to; ++j) {
            float dx = 0, dy = 0;
            for (Index m = 0; m < taps; ++m) {
                dx += tap[m] * (around_row[j + 1 + m] - around_row[j - m]);
                dy += tap[m] * (below[m][j] - above[m][j]);
            }
            advance(0, j, dx * per_dx, staggered_damping_[0].data()[j], y);
            advance(1, j, dy * per_dy, y_half, damping_[0].data()[j]);
        }
    };
    const Ends parts = ends(row, 0);
    update(0, parts.left_end);
    update(parts.right_begin, columns);
}

/// Adds the divergence of phi to a row of the Laplacian.
void KspaceSecondOrder::add_layer_divergence(Index row, float* change, float* line) const noexcept {
    const Ends parts = ends(row, taps);
    const Index columns = grid_.size.columns, rows = grid_.size.rows;
    if (parts.left_end == 0 && parts.right_begin == columns) return;
    const float* along_x = wrapped(mean_flux_[0].data() + row * columns, columns, line);
    const float* here[taps];
    const float* above[taps];
    for (Index m = 0; m < taps; ++m) {
        here[m] = mean_flux_[1].data() + around(row + m, rows) * columns;
        above[m] = mean_flux_[1].data() + around(row - 1 - m, rows) * columns;
    }
    const float per_dx = static_cast<float>(1 / grid_.spacing[0]),
                per_dy = static_cast<float>(1 / grid_.spacing[1]);
    const auto add = [&](Index from, Index to) {
        for (Index j = from; j < to; ++j) {
            float dx = 0, dy = 0;
            for (Index m = 0; m < taps; ++m) {
                dx += tap[m] * (along_x[j + m] - along_x[j - 1 - m]);
                dy += tap[m] * (here[m][j] - above[m][j]);
            }
            change[j] += dx * per_dx + dy * per_dy;
        }
    };
    add(0, parts.left_end);
    add(parts.right_begin, columns);
}

void KspaceSecondOrder::update_pressure(Context& context) noexcept {
    const bool initial = done_ == 0 && initial_pressure_.elements() > 0;
    Complex* all[] = {spectra_[0].data()};
    const Index columns = grid_.size.columns;
    transform_.over_rows(context, all, all, [&](Index begin, Index end, int thread) {
        float* here = lines_.view()[thread].data();
        float* below = here + lines_.view().stride(1);
        float* line = below + lines_.view().stride(1);
        const View<Complex> spectrum = spectra_[0];
        for (Index row = begin; row < end; row += 2) {
            const bool pair = row + 1 < end;
            Complex* a = spectrum.row(row);
            Complex* b = pair ? spectrum.row(row + 1) : nullptr;
            if (!initial) {
                transform_.rows_inverse(thread, a, b, here, pair ? below : nullptr);
                update_pressure_row(row, here, line);
                if (pair) update_pressure_row(row + 1, below, line);
            }
            const float* next = pressure_[1 - now_].data() + row * columns;
            transform_.rows_forward(thread, next, pair ? next + columns : nullptr, a, b);
        }
    });
}

/// From the Laplacian of a row to its pressure one step later, in the place of that of one step before.
void KspaceSecondOrder::update_pressure_row(Index row, float* change, float* line) noexcept {
    const Index columns = grid_.size.columns;
    const float* now = pressure_[now_].data() + row * columns;
    float* old = pressure_[1 - now_].data() + row * columns;
    const float* squared = squared_.data() + row * squared_stride_;
    if (uniform_density_) {
        if (flux_[0].elements() > 0) add_layer_divergence(row, change, line);
    } else {
        const float* density = rest_density_.data() + row * columns;
        for (Index j = 0; j < columns; ++j) change[j] *= density[j];
    }
    for (Index j = 0; j < columns; ++j) change[j] *= squared[j];
    if (done_ == 1 && initial_pressure_.elements() > 0) {  // p(-1) = p(1): the velocity starts at zero
        for (Index j = 0; j < columns; ++j) old[j] = now[j] + change[j] / 2;
        return;
    }
    const Ends parts = ends(row, 0);
    const float* x = damping_[0].data();
    const float y = damping_[1][static_cast<std::size_t>(row)];
    const auto damped = [&](Index from, Index to) {
        for (Index j = from; j < to; ++j) {
            const float sum = (x[j] + y) / 2;
            old[j] = ((2 - x[j] * y) * now[j] - (1 - sum) * old[j] + change[j]) / (1 + sum);
        }
    };
    damped(0, parts.left_end);
    for (Index j = parts.left_end; j < parts.right_begin; ++j) old[j] = 2 * now[j] - old[j] + change[j];
    damped(parts.right_begin, columns);
    if (!source_.acts(done_)) return;
    // Twice, for both axes' parts of the density; c^2 = (c dt)^2 / dt^2.
    const float scale = static_cast<float>(2 / (grid_.time_step * grid_.time_step));
    std::fill(line, line + columns, 0.0f);
    source_.apply(done_, row, line);
    for (Index j = 0; j < columns; ++j) old[j] += scale * squared[j] * line[j];
}

}  // namespace sonolux
