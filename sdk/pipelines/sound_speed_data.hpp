// sonolux/sdk/pipelines/sound_speed_data.hpp
//
// Delays and maps of training sets, and the samples that networks learn from: some readings taken away, noise
// added, whitened.
#pragma once

#include <memory>
#include <vector>

#include <sonolux/core/random.hpp>
#include <sonolux/sdk/pipelines/sound_speed_recipe.hpp>
#include <sonolux/solvers/training/training_case.hpp>
#include <sonolux/solvers/training/validation.hpp>
#include <sonolux/solvers/uniform_whitening.hpp>

namespace sonolux {

/// Samples of one set in memory.
class DelaySamples {
public:
    /// Reads fields "delays" [measurement, rows, columns] in s, NaN where nothing was measured, and
    /// "sound_speed" [rows, columns] in m/s; at most `most` samples. Throws Error naming the file and the
    /// field where there are none, where sizes, grid or elements are not the problem's, or where delays are
    /// not in seconds.
    DelaySamples(const DelaySource& source, const TravelTimeProblem& problem, Index most);

    [[nodiscard]] Index count() const noexcept { return maps_.shape()[0]; }
    [[nodiscard]] View<const float> speed(Index i) const noexcept { return maps_.view()[i]; }
    [[nodiscard]] View<const float> delays(Index i) const noexcept { return delays_.view()[i]; }
    [[nodiscard]] const DelayAugmentation& augmentation() const noexcept { return augmentation_; }
    [[nodiscard]] const std::string& description() const noexcept { return description_; }

private:
    DelayAugmentation augmentation_;
    Array<float> maps_, delays_;
    std::string description_;
};

/// What all samples of a training share.
struct SoundSpeedSetup {
    TravelTimeProblem problem;
    OperatorPointer forward;  ///< of norm 1
    Array<float> trust;       ///< [measurement, rows, columns]
    Index readings = 0;       ///< that are trusted
    std::unique_ptr<UniformWhitening> whitening;
    std::unique_ptr<CoarseInverse> coarse;  ///< null: networks start from the adjoint

    /// Measures the problem's norm if it is not known.
    SoundSpeedSetup(TravelTimeProblem problem, const CoarseInverseOptions& coarse, Context& context);
};

/// What the delays of a set have that neither the best uniform speed nor the operator, of the map's deviation
/// from it, explains, as noise for other samples: errors of tracking, and of the operator itself, with the
/// shapes and the gaps that they come with.
class DelayResiduals {
public:
    /// Throws as Array where memory is short.
    DelayResiduals(const DelaySamples& samples, const SoundSpeedSetup& setup, Context& context);

    [[nodiscard]] Index count() const noexcept { return residuals_.shape()[0]; }
    /// [measurement, rows, columns], s; NaN where nothing was measured or trusted.
    [[nodiscard]] View<const float> of(Index i) const noexcept { return residuals_.view()[i]; }

private:
    Array<float> residuals_;
};

/// Sets this fraction of each map of `mask` [measurement, rows, columns] to 0: where a random field of nodes
/// x nodes values (2 to 256), interpolated between them, is lowest. Allocates.
void leave_out_patches(View<float> mask, double fraction, Index nodes, Philox random);

/// One sample of a set as a network sees it.
class DelayCase {
public:
    /// `residuals` (which may be null) are added to samples whose augmentation asks for them.
    explicit DelayCase(const SoundSpeedSetup& setup, const DelayResiduals* residuals = nullptr);

    [[nodiscard]] std::size_t workspace_bytes(const Context& context) const noexcept {
        return setup_.coarse != nullptr ? setup_.coarse->workspace_bytes(context)
                                        : setup_.forward->workspace_bytes(context);
    }

    /// Sample i of the set; what is taken away and added comes from streams `stream` to stream + 3, sample
    /// `number`. Neither throws nor allocates.
    void make(const DelaySamples& samples, Index i, std::uint64_t seed, std::uint64_t stream,
              std::uint64_t number, Context& context) noexcept;

    [[nodiscard]] Observation observation() const noexcept {
        return {.data = data_,
                .forward = setup_.forward.get(),
                .coarse = setup_.coarse.get(),
                .mask = mask_,
                .measured = measured_};
    }
    [[nodiscard]] View<const float> start() const noexcept { return start_.view(); }
    [[nodiscard]] View<const float> truth() const noexcept { return truth_.view(); }
    [[nodiscard]] const Whitening& whitening() const noexcept { return found_; }

private:
    const SoundSpeedSetup& setup_;
    const DelayResiduals* residuals_;
    Array<float> data_, mask_, start_, truth_, noise_, field_, sorted_, nodes_;
    Whitening found_;
    float measured_ = 1;
};

/// Held-out samples, each with missing readings and noise of its own that never change. The score is minus
/// the median over samples of the root mean square error over the map, in m/s.
class SoundSpeedValidation final : public Validation {
public:
    SoundSpeedValidation(const SoundSpeedSetup& setup, const UnrolledNetwork& network,
                         std::vector<DelaySamples> sources, std::uint64_t seed, Context& context);

    [[nodiscard]] bool empty() const noexcept override { return cases_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return cases_.size(); }
    double psnr(UnrolledNetwork& network, Index steps) noexcept override;

    /// Of the last `psnr`, sample by sample (m/s).
    [[nodiscard]] const std::vector<double>& errors() const noexcept { return errors_; }

private:
    const SoundSpeedSetup& setup_;
    std::vector<DelaySamples> sources_;
    std::vector<std::unique_ptr<DelayCase>> cases_;
    std::vector<View<const float>> truths_;
    std::vector<double> errors_;
    Context& threads_;
    ValidationWorkers workers_;
};

}  // namespace sonolux
