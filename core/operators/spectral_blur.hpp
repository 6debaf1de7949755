// sonolux/core/operators/spectral_blur.hpp
//
// Blur from channels into channels, the same everywhere or changing across the image.
#pragma once

#include <complex>
#include <memory>
#include <vector>

#include <sonolux/core/array.hpp>
#include <sonolux/core/fft.hpp>
#include <sonolux/core/linear_operator.hpp>

namespace sonolux {

/// Each of the `outputs` channels of y sums up all `inputs` channels of x, each blurred by a kernel of its
/// own:
///
///     y_o = sum over patches p, inputs i of k_{p,o,i} * (w_p x_i)
///
/// with convolutions on a periodic image, kernels centred at their middle tap (rows / 2, columns / 2), and
/// windows w_p that say where each patch's kernels hold: light from a point spreads by the kernel of the
/// place it comes from (scatter; product-convolution, J. Nagy and D. O'Leary 1998, SIAM J. Sci. Comput. 19,
/// 1063). One patch without window is the shift-invariant blur. In spectra, for one patch, Y = K X with a
/// matrix K at each frequency.
///
/// Domain [inputs, rows, columns], range [outputs, rows, columns], of rank 3 also for one channel. Runs one
/// channel per thread; the bits do not depend on the number of threads. Transforms have scratch of their own,
/// so an operator serves one caller at a time. Begins as zero.
class SpectralBlur final : public LinearOperator {
public:
    using Complex = std::complex<float>;

    /// Throws Error{invalid_argument} for a size or number of channels below 1, and as make_real_fft2 does.
    SpectralBlur(Index inputs, Index outputs, Index rows, Index columns,
                 FftBackend backend = default_fft_backend());

    /// One patch: kernels [outputs, inputs, kernel rows, kernel columns], or [channels, kernel rows, kernel
    /// columns] where channel c of x goes to channel c of y alone. Throws Error{invalid_argument} for other
    /// shapes, for kernels larger than the image, and for values that are not finite; the kernels of before
    /// then stay.
    void set_kernels(View<const float> kernels);

    /// Several patches: kernels of each as above, and windows [patches, rows, columns]. Throws
    /// Error{size_mismatch} for windows of another number or size, and as set_kernels does.
    void set_kernels(const std::vector<View<const float>>& kernels, View<const float> windows);

    [[nodiscard]] Index inputs() const noexcept { return inputs_; }
    [[nodiscard]] Index outputs() const noexcept { return outputs_; }
    [[nodiscard]] Index patches() const noexcept { return patches_; }

    /// The spectrum [rows, columns / 2 + 1] from input to output in a patch; empty where no light goes.
    [[nodiscard]] View<const Complex> spectrum(Index patch, Index output, Index input) const noexcept;

    /// Windows [patches, rows, columns]; empty for one patch that is everywhere.
    [[nodiscard]] View<const float> windows() const noexcept { return windows_.view(); }

    /// The transform of one of its channels, for who solves with the spectra; like the operator for one
    /// caller at a time.
    [[nodiscard]] RealFft2& fft(Index channel) const noexcept {
        return *ffts_[static_cast<std::size_t>(channel)];
    }

    /// What the operator itself holds, apart from its workspace.
    [[nodiscard]] std::size_t memory_bytes() const noexcept;

    Shape domain() const noexcept override { return {inputs_, rows_, columns_}; }
    Shape range() const noexcept override { return {outputs_, rows_, columns_}; }
    std::size_t workspace_bytes(const Context& context) const noexcept override;

    void apply(View<const float> x, View<float> y, Context& context) const noexcept override;
    void adjoint(View<const float> y, View<float> x, Context& context) const noexcept override;

private:
    void add_patch(View<const float> kernels, std::vector<Array<Complex>>& spectra);

    Index inputs_, outputs_, rows_, columns_, patches_ = 0;
    std::vector<std::unique_ptr<RealFft2>> ffts_;  // one for each channel
    std::vector<Array<Complex>> spectra_;          // [patch][output][input]; empty where zero
    Array<float> windows_;                         // [patches, rows, columns], or empty
};

/// Kernels [..., kernel rows, kernel columns] as a periodic image of `rows` by `columns` sees them, centres
/// on centres: taps that lie a period apart are added up, so that no kernel is larger than the image. Where
/// none is, a copy. Throws Error{invalid_argument} for an empty image or kernels of rank below 2.
[[nodiscard]] Array<float> fold_kernels(View<const float> kernels, Index rows, Index columns);

/// Windows [grid rows * grid columns, rows, columns] that add up to 1 everywhere: bilinear between the
/// middles of a grid of equal fields, constant beyond the outermost ones. Throws Error{invalid_argument} for
/// a grid that is empty or finer than the image.
[[nodiscard]] Array<float> bilinear_windows(Index grid_rows, Index grid_columns, Index rows, Index columns);

}  // namespace sonolux
