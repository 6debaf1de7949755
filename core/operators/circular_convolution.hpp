// sonolux/core/operators/circular_convolution.hpp
//
// Convolution with a periodic border, by the Fourier transform: the one blur whose normal equations are
// diagonal.
#pragma once

#include <complex>
#include <memory>
#include <optional>

#include <sonolux/core/fft.hpp>
#include <sonolux/core/linear_operator.hpp>
#include <sonolux/core/operators/convolution.hpp>

namespace sonolux {

/// Filters images [rows, columns] with a kernel k and a border that wraps around:
///
///     (A x)[i, j] = sum over u, v of k[u, v] x[(i + c_row - u) mod rows, (j + c_column - v) mod columns]
///
/// where c is the centre, by default the middle tap as in Convolution; as spectra, Y = K X. The adjoint
/// multiplies with the conjugate, K*. Any kernel size; what is larger than the image wraps around and adds
/// up.
///
/// Owns the transform of its size, whose scratch serves one caller at a time: so does this operator, const or
/// not. Runs on the calling thread. Begins as the identity.
class CircularConvolution final : public LinearOperator {
public:
    using Complex = std::complex<float>;

    /// Throws as make_real_fft2 does.
    CircularConvolution(Index rows, Index columns, FftBackend backend = default_fft_backend());

    void set_identity() noexcept;

    /// The kernel [rows, columns] from now on; summed up in float, transformed at once. Allocates nothing.
    /// Throws Error{invalid_argument} for an empty kernel, one of the wrong rank, or a centre outside it.
    void set_kernel(View<const float> kernel, std::optional<KernelCentre> centre = std::nullopt);

    [[nodiscard]] Index rows() const noexcept { return fft_->rows(); }
    [[nodiscard]] Index columns() const noexcept { return fft_->columns(); }
    [[nodiscard]] bool is_identity() const noexcept { return identity_; }

    /// What the operator itself holds, apart from its workspace.
    [[nodiscard]] std::size_t memory_bytes() const noexcept;

    /// The transform of images of this size.
    [[nodiscard]] RealFft2& fft() const noexcept { return *fft_; }

    /// K [rows, columns / 2 + 1].
    [[nodiscard]] View<const Complex> spectrum() const noexcept { return spectrum_.view(); }

    Shape domain() const noexcept override { return fft_->image_shape(); }
    Shape range() const noexcept override { return fft_->image_shape(); }
    std::size_t workspace_bytes(const Context& context) const noexcept override;

    void apply(View<const float> x, View<float> y, Context& context) const noexcept override;
    void adjoint(View<const float> y, View<float> x, Context& context) const noexcept override;

private:
    template <class Multiply>
    void filter(View<const float> in, View<float> out, Context& context,
                const Multiply& multiply) const noexcept;

    std::unique_ptr<RealFft2> fft_;
    Array<float> wrapped_;  // the kernel with its centre at [0, 0]
    Array<Complex> spectrum_;
    bool identity_ = true;
};

}  // namespace sonolux
