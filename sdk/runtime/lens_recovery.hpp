// sonolux/sdk/runtime/lens_recovery.hpp
//
// Recovers captures through a lens with a trained network.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <sonolux/core/context.hpp>
#include <sonolux/core/operators/spectral_blur.hpp>
#include <sonolux/sdk/runtime/lens_problem.hpp>
#include <sonolux/sdk/runtime/model.hpp>
#include <sonolux/solvers/classical/channel_lmmse.hpp>
#include <sonolux/solvers/unrolled_network.hpp>

namespace sonolux {

/// A model bound to a lens and to a size of captures.
class LensRecovery {
public:
    /// `kernels` as SpectralBlur::set_kernels takes them, of any size; they are folded into the domain.
    /// Captures [channels, rows, columns] are 1 at white, and what lies beyond their border is not known: the
    /// domain has `border` pixels more on each side, which begin as a mirror image that fades into that of
    /// the other side. Border 0: captures are periodic. Reserves the workspace. Throws Error naming the model
    /// for one that is not for lenses or has other channels than the kernels.
    LensRecovery(const Model& model, View<const float> kernels, Index rows, Index columns, Index border,
                 Context& context);

    /// The model's own lens.
    LensRecovery(const Model& model, Index rows, Index columns, Index border, Context& context)
        : LensRecovery(model, lens_kernels(model), rows, columns, border, context) {}

    /// From now on another lens, or another place in the field of one: kernels as the constructor takes them.
    /// Allocates. Throws as the constructor does; the kernels of before then stay.
    void set_kernels(View<const float> kernels);

    /// `noise` has the variance of each channel of the capture. The image is that of the sensor without lens,
    /// not negative, not clipped at white. Returns what UnrolledNetwork::run does, or size_mismatch.
    /// Capture and image may be the same.
    [[nodiscard]] Status run(View<const float> capture, std::span<const double> noise, View<float> image,
                             Context& context) noexcept;

    /// From now on `run` leaves its start in `linear`.
    void keep_linear() { linear_ = Array<float>({data_.shape()[0], rows_, columns_}); }

    /// The linear estimate that the last `run` started from, [channels, rows, columns]; empty unless it was
    /// to be kept.
    [[nodiscard]] View<const float> linear() const noexcept { return linear_.view(); }

private:
    void cut(View<const float> domain, View<float> image) const noexcept;

    std::string name_;  // of the model
    std::unique_ptr<UnrolledNetwork> network_;
    Index rows_, columns_, border_, domain_rows_, domain_columns_;
    SpectralBlur blur_;
    std::unique_ptr<ChannelLmmse> start_solver_;
    Array<float> data_, estimate_, linear_, noise_;
};

/// The variance of the noise of each channel of a capture, from its means. `full_well` is the number of
/// electrons at white; 0: what the model was trained for.
[[nodiscard]] std::vector<double> noise_of_capture(const LensProblem& lens, View<const float> capture,
                                                   double full_well = 0);

/// The cross-power spectrum that a model's network was trained with. Throws Error{unsupported} naming the
/// model where there is none.
[[nodiscard]] ChannelSpectrum spectrum_of(const UnrolledNetwork& network, const std::string& name);

}  // namespace sonolux
