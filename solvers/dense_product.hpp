// sonolux/solvers/dense_product.hpp
//
// A matrix times a vector, in sums of one order whatever the instruction set.
#pragma once

#include <sonolux/core/isa.hpp>
#include <sonolux/core/view.hpp>

namespace sonolux {

/// y = P x for rows [begin, end) of P [rows, columns].
using DenseProduct = void (*)(const float* matrix, Index columns, const float* x, float* y, Index begin,
                              Index end);

[[nodiscard]] DenseProduct dense_product_for(Isa isa) noexcept;

}  // namespace sonolux
