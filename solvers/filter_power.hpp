// sonolux/solvers/filter_power.hpp
//
// The power spectrum of a set of small filters, D = sum over i of |F_i|^2: what the half-quadratic step of a
// shrinkage field divides by.
//
//     D(k, l) = sum over d of a(d) cos(2 pi (k d_r / rows + l d_c / columns)),
//     a(d)    = sum over i, u of f_i(u) f_i(u + d)
//
// It is the transform of the autocorrelation a, which is no larger than 2 size - 1. Everything is summed in
// double: where the data weight is small, D near zero frequency decides, and what transforms of float filters
// leave there instead of zero costs a shrinkage field many dB.
#pragma once

#include <sonolux/core/context.hpp>

namespace sonolux {

/// Scratch of filter_power for filters [.., size, size] and images of this size.
[[nodiscard]] std::size_t filter_power_workspace_bytes(Index size, Index columns) noexcept;

/// Writes D [rows, columns / 2 + 1] of `filters` [count, size, size], each entry accurate to float.
void filter_power(View<const float> filters, Index columns, View<float> power, Context& context) noexcept;

/// For a loss with d loss / d a(d) = correlation(d), which is [rows, columns] with lag 0 at [0, 0] and
/// negative lags at the far ends: adds d loss / d f_i, [count, size, size], to filters_bar.
void filter_power_vjp(View<const float> filters, View<const float> correlation,
                      View<float> filters_bar) noexcept;

}  // namespace sonolux
