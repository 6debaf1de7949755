// sonolux/priors/fields_of_experts_tile.cpp
#include <sonolux/priors/fields_of_experts_tile.hpp>

namespace sonolux::foe {

void load_tile(View<const float> x, BoundaryRule rule, const Rectangle& r, Plane plane) noexcept {
    const Index rows = x.rows(), columns = x.columns();
    const Index left = std::clamp<Index>(-r.column, 0, r.columns());
    const Index right = std::clamp<Index>(columns - r.column, left, r.columns());
    for (Index i = 0; i < r.rows(); ++i) {
        float* out = plane.at(i, 0);
        const Index from = boundary_index(rule, r.row + i, rows);
        if (from < 0) {
            std::fill_n(out, plane.stride, 0.0f);
            continue;
        }
        const float* in = x.row(from);
        auto outside = [&](Index j) {
            const Index column = boundary_index(rule, r.column + j, columns);
            return column < 0 ? 0.0f : in[column];
        };
        for (Index j = 0; j < left; ++j) out[j] = outside(j);
        std::copy(in + r.column + left, in + r.column + right, out + left);
        for (Index j = right; j < r.columns(); ++j) out[j] = outside(j);
        std::fill(out + r.columns(), out + plane.stride, 0.0f);
    }
}

void store_tile(Plane sum, const Rectangle& tile, const Rectangle& origin, float scale,
                View<float> out) noexcept {
    for (Index r = 0; r < tile.rows(); ++r) {
        const float* from = sum.at(r, 0);
        float* to = out.row(tile.row - origin.row + r) + (tile.column - origin.column);
        for (Index c = 0; c < tile.columns(); ++c) to[c] = scale * from[c];
    }
}

void fold(View<const float> padded, Index pad, BoundaryRule rule, View<float> x) noexcept {
    for (Index i = 0; i < x.rows(); ++i) std::copy_n(padded.row(i + pad) + pad, x.columns(), x.row(i));
    if (rule == BoundaryRule::zero) return;
    for (Index i = -pad; i < x.rows() + pad; ++i) {
        const bool inside_row = i >= 0 && i < x.rows();
        float* out = x.row(boundary_index(rule, i, x.rows()));
        const float* in = padded.row(i + pad) + pad;
        auto add = [&](Index from, Index to) {
            for (Index j = from; j < to; ++j) out[boundary_index(rule, j, x.columns())] += in[j];
        };
        add(-pad, 0);
        if (!inside_row) add(0, x.columns());
        add(x.columns(), x.columns() + pad);
    }
}

}  // namespace sonolux::foe
