// sonolux/core/operators/convolution.hpp
#pragma once

#include <optional>
#include <vector>

#include <sonolux/core/linear_operator.hpp>
#include <sonolux/core/operators/border_map.hpp>

namespace sonolux {

enum class KernelOrientation { convolution, correlation };

/// Which tap of a kernel stands over the pixel that is computed.
struct KernelCentre {
    Index row = 0, column = 0;
};

/// Filters images with one two-dimensional kernel k of any size; the output is as large as the input.
///
///     convolution   (A x)[i, j] = sum over u, v of k[u, v] x~[i + c_row - u, j + c_column - v]
///     correlation   (A x)[i, j] = sum over u, v of k[u, v] x~[i - c_row + u, j - c_column + v]
///
/// where x~ continues x by the boundary rule and c is the centre, by default the middle tap, or of an even
/// number of taps the one after the middle (rows / 2, columns / 2).
///
/// Domain and range [..., rows, columns] of rank 2 to 4; each plane is filtered by itself. Kernels may be
/// larger than the image. Input and output must not overlap. The sums run in float, in the order of the
/// kernel as it is correlated, with fused multiply-adds where the instruction set has them: the bits depend
/// neither on the number of threads nor on which of AVX2, AVX-512 and NEON runs.
class Convolution final : public LinearOperator {
public:
    /// Copies the kernel [rows, columns]. Throws Error{invalid_argument} for an empty image or kernel, one of
    /// the wrong rank, or a centre outside the kernel.
    Convolution(const Shape& image, View<const float> kernel, BoundaryRule rule,
                KernelOrientation orientation = KernelOrientation::convolution,
                std::optional<KernelCentre> centre = std::nullopt);

    Shape domain() const noexcept override { return shape_; }
    Shape range() const noexcept override { return shape_; }
    std::size_t workspace_bytes(const Context& context) const noexcept override;

    void apply(View<const float> x, View<float> y, Context& context) const noexcept override;
    void adjoint(View<const float> y, View<float> x, Context& context) const noexcept override;

    /// The definition, as plain loops.
    void apply_reference(View<const float> x, View<float> y) const noexcept;
    void adjoint_reference(View<const float> y, View<float> x) const noexcept;

private:
    template <class Body>
    void for_each_row(Context& context, const Body& body) const noexcept;
    [[nodiscard]] Index window_width() const noexcept;

    Shape shape_;
    Index kernel_rows_, kernel_columns_;
    std::vector<float> taps_;      // as they are correlated: y[i, j] = sum of taps[u, v] padded[i + u, j + v]
    std::vector<float> reversed_;  // each row of taps backwards, for the adjoint
    BorderMap rows_, columns_;
};

}  // namespace sonolux
