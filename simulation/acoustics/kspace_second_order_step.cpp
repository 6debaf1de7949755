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

/// Times the spacing, the derivative half a spacing after (1) or before (0) a place of a row.
template <int after>
float along_row(const float* f) noexcept {
    return tap[0] * (f[after] - f[after - 1]) + tap[1] * (f[after + 1] - f[after - 2]) +
           tap[2] * (f[after + 2] - f[after - 3]) + tap[3] * (f[after + 3] - f[after - 4]);
}

/// The same across rows.
template <int after>
class Stencil {
public:
    Stencil(const float* field, Index row, Index rows, Index columns) noexcept {
        for (Index m = 0; m < taps; ++m) {
            below_[m] = field + around(row + after + m, rows) * columns;
            above_[m] = field + around(row + after - 1 - m, rows) * columns;
        }
    }
    float operator()(Index j) const noexcept {
        return tap[0] * (below_[0][j] - above_[0][j]) + tap[1] * (below_[1][j] - above_[1][j]) +
               tap[2] * (below_[2][j] - above_[2][j]) + tap[3] * (below_[3][j] - above_[3][j]);
    }

private:
    const float *below_[taps], *above_[taps];
};

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
    const float* here = wrapped(p + row * columns, columns, line);
    const Stencil<1> along_y(p, row, rows, columns);
    const float per_dx = static_cast<float>(1 / grid_.spacing[0]),
                per_dy = static_cast<float>(1 / grid_.spacing[1]);
    const float y = damping_[1][static_cast<std::size_t>(row)],
                y_half = staggered_damping_[1][static_cast<std::size_t>(row)];
    const float* x = damping_[0].data();
    const float* x_half = staggered_damping_[0].data();
    float* __restrict phi_x = flux_[0].data() + row * columns;
    float* __restrict phi_y = flux_[1].data() + row * columns;
    float* __restrict mean_x = mean_flux_[0].data() + row * columns;
    float* __restrict mean_y = mean_flux_[1].data() + row * columns;
    const auto update = [&](Index from, Index to) {
        for (Index j = from; j < to; ++j) {
            const float gradient = per_dx * along_row<1>(here + j), own = x_half[j];
            const float next = ((1 - own / 2) * phi_x[j] + (y - own) * gradient) / (1 + own / 2);
            mean_x[j] = (phi_x[j] + next) / 2;
            phi_x[j] = next;
        }
        for (Index j = from; j < to; ++j) {
            const float gradient = per_dy * along_y(j);
            const float next = ((1 - y_half / 2) * phi_y[j] + (x[j] - y_half) * gradient) / (1 + y_half / 2);
            mean_y[j] = (phi_y[j] + next) / 2;
            phi_y[j] = next;
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
    const float* here = wrapped(mean_flux_[0].data() + row * columns, columns, line);
    const Stencil<0> along_y(mean_flux_[1].data(), row, rows, columns);
    const float per_dx = static_cast<float>(1 / grid_.spacing[0]),
                per_dy = static_cast<float>(1 / grid_.spacing[1]);
    float* __restrict sum = change;
    const auto add = [&](Index from, Index to) {
        for (Index j = from; j < to; ++j) sum[j] += per_dx * along_row<0>(here + j) + per_dy * along_y(j);
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
