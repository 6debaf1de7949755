// sonolux/solvers/filter_power.cpp
#include <algorithm>
#include <cmath>
#include <numbers>

#include <sonolux/core/boundary.hpp>
#include <sonolux/solvers/filter_power.hpp>

namespace sonolux {

namespace {

constexpr Index largest_filter = 11;

// a(d_r, d_c) for d_r >= 0 and |d_c| < size; the rest follows from a(-d) = a(d).
double autocorrelation(View<const float> filters, Index lag_row, Index lag_column) noexcept {
    const Index size = filters.columns();
    double sum = 0;
    for (Index i = 0; i < filters.size(0); ++i) {
        const View<const float> f = filters[i];
        for (Index u = 0; u + lag_row < size; ++u)
            for (Index v = std::max<Index>(0, -lag_column); v < size - std::max<Index>(0, lag_column); ++v)
                sum += double{f(u, v)} * f(u + lag_row, v + lag_column);
    }
    return sum;
}

}  // namespace

std::size_t filter_power_workspace_bytes(Index size, Index columns) noexcept {
    return 2 * Workspace::bytes<double>(size * (columns / 2 + 1));
}

void filter_power(View<const float> filters, Index columns, View<float> power, Context& context) noexcept {
    const Index size = filters.columns(), rows = power.rows(), half = power.columns();
    assert(size <= largest_filter && half == columns / 2 + 1);
    Scratch scratch(context.workspace());
    // Along the columns: sums of a(d_r, d_c) cos and a(d_r, d_c) sin (2 pi l d_c / columns) over d_c.
    const View<double> even = scratch.take<double>(Shape{size, half});
    const View<double> odd = scratch.take<double>(Shape{size, half});
    constexpr double turn = 2 * std::numbers::pi;
    double a[largest_filter][2 * largest_filter - 1];
    for (Index r = 0; r < size; ++r)
        for (Index c = 1 - size; c < size; ++c) a[r][c + size - 1] = autocorrelation(filters, r, c);
    for (Index l = 0; l < half; ++l)
        for (Index r = 0; r < size; ++r) {
            double cosines = a[r][size - 1], sines = 0;
            for (Index c = 1; c < size; ++c) {
                const double angle =
                    turn * static_cast<double>(l * c % columns) / static_cast<double>(columns);
                cosines += (a[r][size - 1 + c] + a[r][size - 1 - c]) * std::cos(angle);
                sines += (a[r][size - 1 + c] - a[r][size - 1 - c]) * std::sin(angle);
            }
            even(r, l) = cosines;
            odd(r, l) = sines;
        }
    // Rows k and rows - k share their cosines and differ in the sign of their sines.
    parallel_for(context, rows / 2 + 1, [&](Index k, int) {
        double cosine[largest_filter], sine[largest_filter];
        for (Index r = 0; r < size; ++r) {
            const double angle = turn * static_cast<double>(k * r % rows) / static_cast<double>(rows);
            cosine[r] = (r > 0 ? 2 : 1) * std::cos(angle);
            sine[r] = (r > 0 ? 2 : 1) * std::sin(angle);
        }
        float* out = power.row(k);
        float* mirrored = power.row(k > 0 ? rows - k : 0);
        constexpr Index block = 64;  // sums of so many frequencies stay in cache
        for (Index begin = 0; begin < half; begin += block) {
            const Index count = std::min(block, half - begin);
            double sum[block] = {}, difference[block] = {};
            for (Index r = 0; r < size; ++r) {
                const double *p = even.row(r) + begin, *q = odd.row(r) + begin;
                for (Index l = 0; l < count; ++l) {
                    sum[l] += cosine[r] * p[l];
                    difference[l] += sine[r] * q[l];
                }
            }
            for (Index l = 0; l < count; ++l) {
                mirrored[begin + l] = static_cast<float>(std::max(sum[l] + difference[l], 0.0));
                out[begin + l] = static_cast<float>(std::max(sum[l] - difference[l], 0.0));
            }
        }
    });
    double constant = 0;  // exactly what is left at zero frequency
    for (Index i = 0; i < filters.size(0); ++i) {
        double sum = 0;
        for (Index t = 0; t < size * size; ++t) sum += filters[i].data()[t];
        constant += sum * sum;
    }
    power(0, 0) = static_cast<float>(constant);
}

void filter_power_vjp(View<const float> filters, View<const float> correlation,
                      View<float> filters_bar) noexcept {
    const Index size = filters.columns();
    assert(size <= largest_filter);
    const auto at = [&](Index row, Index column) {
        return double{correlation(boundary_index(BoundaryRule::circular, row, correlation.rows()),
                                  boundary_index(BoundaryRule::circular, column, correlation.columns()))};
    };
    double sums[2 * largest_filter - 1][2 * largest_filter - 1];
    for (Index r = 1 - size; r < size; ++r)
        for (Index c = 1 - size; c < size; ++c) sums[r + size - 1][c + size - 1] = at(r, c) + at(-r, -c);
    for (Index i = 0; i < filters.size(0); ++i)
        for (Index u = 0; u < size; ++u)
            for (Index v = 0; v < size; ++v) {
                double sum = 0;
                for (Index p = 0; p < size; ++p)
                    for (Index q = 0; q < size; ++q)
                        sum += sums[p - u + size - 1][q - v + size - 1] * filters(i, p, q);
                filters_bar(i, u, v) += static_cast<float>(sum);
            }
}

}  // namespace sonolux
