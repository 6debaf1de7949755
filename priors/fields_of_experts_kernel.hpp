// sonolux/priors/fields_of_experts_kernel.hpp
//
// The inner loops of fields of experts, on small planes of scratch memory. Private to priors.
//
// Planes are rows of floats at a stride. Kernels work on whole vectors: they may read up to `slack` floats
// past the last column and write columns up to the next multiple of `slack`, which the caller's planes have
// room for.
#pragma once

#include <sonolux/core/isa.hpp>
#include <sonolux/core/shape.hpp>

namespace sonolux::foe {

inline constexpr Index slack = 16;  // floats in the longest vector

[[nodiscard]] constexpr Index round_up(Index n) noexcept { return (n + slack - 1) / slack * slack; }

/// A plane of scratch memory.
struct Plane {
    float* data;
    Index stride;

    [[nodiscard]] float* at(Index row, Index column) const noexcept { return data + row * stride + column; }
};

/// A cubic Hermite table as the kernels read it: coefficients [4, segments], t = (z - lower) * inverse_step.
/// Which of the two orders is faster to look up depends on the instruction set.
struct Table {
    const float* coefficients;
    const float* by_segment;  ///< the same as [segments, 4]
    int segments;
    float lower, inverse_step;
};

/// out(r, c) (+)= sum_{dx, dy} filter[dy, dx] in(r + dy, c + dx), one fused multiply-add per tap, dx
/// outermost.
using Correlate = void (*)(Plane in, const float* filter, int size, Plane out, Index rows, Index columns,
                           bool accumulate) noexcept;

/// phi = phi(z); columns of `phi` from `columns` to the next multiple of slack become 0. `phi` may be `z`.
using Activate = void (*)(Plane z, Plane phi, Index rows, Index columns, const Table& table) noexcept;

/// Rows [row, row_end) and columns [column, column_end).
struct Rectangle {
    Index row, row_end, column, column_end;

    [[nodiscard]] Index rows() const noexcept { return row_end - row; }
    [[nodiscard]] Index columns() const noexcept { return column_end - column; }
};

inline constexpr Index histogram_floats = 16;  // of a segment: four copies of (1, t, t^2, t^3)

/// For responses z and q, in place: z -> phi(z), q -> phi'(z) q (both 0 past the last column), and inside
/// `own` histogram[segment, any copy, :] += q (1, t, t^2, t^3). `histogram` is [segments, 4, 4] floats.
using ActivateVjp = void (*)(Plane z, Plane q, Index rows, Index columns, const Rectangle& own,
                             const Table& table, float* histogram) noexcept;

/// gradient[dy, dx] += sum_{r, c} a(r, c) b(r + dy, c + dx); `a` is 0 past the last column.
using FilterGradient = void (*)(Plane a, Plane b, Index rows, Index columns, int size,
                                double* gradient) noexcept;

/// Weights of responses, from nodes [count, count] on a grid whose corners are those of all responses:
///
///     w(r, c) = sum_{m, n} hat_m(r) hat_n(c) nodes[m, n]
///
/// with hats linear between nodes. Those of the columns are tabulated, [count, stride], and with them the
/// first node that matters in each column; `row` and `column` say where the window begins.
struct Weights {
    const float* nodes;
    int count;
    const float* hats;
    const int* first;
    Index stride;
    double row_step;  ///< from response to response, in nodes
    Index row, column;
};

/// phi(r, c) *= w(r, c).
using Weigh = void (*)(Plane phi, Index rows, Index columns, const Weights& weights) noexcept;

/// gradient[m, n] += sum_{r, c} hat_m(r) hat_n(c) a(r, c) b(r, c); `a` is 0 past the last column.
using WeightGradient = void (*)(Plane a, Plane b, Index rows, Index columns, const Weights& weights,
                                double* gradient) noexcept;

inline constexpr int most_weight_nodes = 32;

/// The kernels of one instruction set.
struct KernelTable {
    Correlate correlate;
    Activate activate;
    ActivateVjp activate_vjp;
    FilterGradient filter_gradient;
    Weigh weigh;
    WeightGradient weight_gradient;
    int vector_floats;
};

[[nodiscard]] const KernelTable& kernels(Isa isa) noexcept;

// Each compiled from fields_of_experts_simd.cpp with other flags.
namespace baseline {
const KernelTable& table() noexcept;
}
namespace avx2 {
const KernelTable& table() noexcept;
}
namespace avx512 {
const KernelTable& table() noexcept;
}
namespace neon {
const KernelTable& table() noexcept;
}

}  // namespace sonolux::foe
