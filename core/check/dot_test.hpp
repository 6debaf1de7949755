// sonolux/core/check/dot_test.hpp
//
// Checks for linear operators, ours and yours.
#pragma once

#include <cstdint>

#include <sonolux/core/linear_operator.hpp>

namespace sonolux {

/// How far `adjoint` is from the adjoint of `apply`: for standard normal x and y
///
///     | <A x, y> - <x, A^T y> | / max(|A x| |y|, |x| |A^T y|)
///
/// with inner products in double precision. An exact adjoint in float arithmetic stays below 1e-6; a wrong
/// sign, border or index gives at least about 1 / (number of elements). 0 where both sides vanish; NaN if the
/// operator leaves an output element unwritten (outputs start as NaN) or makes NaN itself.
///
/// Throws Error{out_of_memory}. Reserves the operator's workspace.
[[nodiscard]] double dot_test(const LinearOperator& op, std::uint64_t seed = 1);
[[nodiscard]] double dot_test(const LinearOperator& op, Context& context, std::uint64_t seed = 1);

/// |A|, the largest singular value, by the Lanczos iteration on A^T A (power iteration, with its history kept
/// in a Krylov space): a lower bound that rises with every iteration and stops when 8 of them gain less than
/// `tolerance`, relatively. 0 for the zero operator.
///
/// Source: G. Golub, C. Van Loan, Matrix computations, section 10.1.
[[nodiscard]] double operator_norm(const LinearOperator& op, double tolerance = 1e-6,
                                   int most_iterations = 500, std::uint64_t seed = 1);

}  // namespace sonolux
