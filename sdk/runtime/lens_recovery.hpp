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
    using Planes = std::span<const View<const float>>;  ///< the channels of one capture, wherever they lie
    using OutPlanes = std::span<const View<float>>;

    /// `kernels` as SpectralBlur::set_kernels takes them, of any size; they are folded into the domain.
    /// Captures [channels, rows, columns] are 1 at white, and what lies beyond their border is not known: the
    /// domain has `border` pixels more on each side, which begin as a mirror image that fades into that of
    /// the other side. Border 0: captures are periodic. Whoever runs reserves workspace_bytes before. Throws
    /// Error naming the model for one that is not for lenses or has other channels than the kernels.
    LensRecovery(const Model& model, View<const float> kernels, Index rows, Index columns, Index border);

    /// The same, and reserves the workspace.
    LensRecovery(const Model& model, View<const float> kernels, Index rows, Index columns, Index border,
                 Context& context);

    /// The model's own lens.
    LensRecovery(const Model& model, Index rows, Index columns, Index border, Context& context)
        : LensRecovery(model, lens_kernels(model), rows, columns, border, context) {}

    [[nodiscard]] Index channels() const noexcept { return network_->channels(); }
    [[nodiscard]] Index stages() const noexcept { return network_->steps(); }

    /// From now on another lens, or another place in the field of one: kernels as the constructor takes them.
    /// Allocates. Throws as the constructor does; the kernels of before then stay.
    void set_kernels(View<const float> kernels);

    /// All memory that `run` takes besides its arguments and memory_bytes.
    [[nodiscard]] std::size_t workspace_bytes(const Context& context) const noexcept;

    /// What the object itself holds in proportion to the domain: spectra of the kernels, and the scratch of
    /// transforms.
    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        return blur_.memory_bytes() + start_solver_->memory_bytes() +
               static_cast<std::size_t>(linear_.elements()) * sizeof(float);
    }

    /// `noise` has the variance of each channel of the capture. The image is that of the sensor without lens,
    /// not negative, not clipped at white. Returns what UnrolledNetwork::run_from does, size_mismatch,
    /// invalid_argument for noise that is not above 0, or out_of_memory where less than workspace_bytes was
    /// reserved. Capture and image may be the same.
    [[nodiscard]] Status run(View<const float> capture, std::span<const double> noise, View<float> image,
                             Context& context) noexcept;

    /// The same for channels that are planes of their own.
    [[nodiscard]] Status run(Planes capture, std::span<const double> noise, OutPlanes image,
                             Context& context) noexcept;

    /// From now on `run` leaves its start in `linear`.
    void keep_linear() { linear_ = Array<float>({channels(), rows_, columns_}); }

    /// The linear estimate that the last `run` started from, [channels, rows, columns]; empty unless it was
    /// to be kept.
    [[nodiscard]] View<const float> linear() const noexcept { return linear_.view(); }

private:
    [[nodiscard]] Observation observation() const noexcept {
        return {.data = {}, .forward = &blur_, .spectral = &blur_, .noise = noise_};
    }
    void extend(View<const float> plane, View<float> domain) const noexcept;
    void cut(View<const float> domain, View<float> plane) const noexcept;

    std::string name_;  // of the model
    std::unique_ptr<UnrolledNetwork> network_;
    Index rows_, columns_, border_, domain_rows_, domain_columns_;
    SpectralBlur blur_;
    std::unique_ptr<ChannelLmmse> start_solver_;
    Array<float> linear_, noise_;
};

/// The variance of the noise of each channel of a capture, from its means; NaN where a mean is not finite.
/// `full_well` is the number of electrons at white; 0: what the model was trained for.
[[nodiscard]] std::vector<double> noise_of_capture(const LensProblem& lens, View<const float> capture,
                                                   double full_well = 0);

/// The same without allocating, into `noise`: as many as there are planes, which are those of the lens.
void noise_of_capture(const LensProblem& lens, std::span<const View<const float>> capture, double full_well,
                      std::span<double> noise) noexcept;

/// The cross-power spectrum that a model's network was trained with. Throws Error{unsupported} naming the
/// model where there is none.
[[nodiscard]] ChannelSpectrum spectrum_of(const UnrolledNetwork& network, const std::string& name);

}  // namespace sonolux
