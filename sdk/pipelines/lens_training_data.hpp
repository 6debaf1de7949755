// sonolux/sdk/pipelines/lens_training_data.hpp
//
// What networks for a lens learn from: pieces of photographs and of dead leaves, lifted to spectra
// (simulation/optics/spectral_lift.hpp), and what the sensor sees of them through the lens.
//
// Behind a mosaic the channels that a pixel does not have are interpolated (core/mosaic.hpp); the network is
// told the noise of those that it has.
//
// Samples are periodic, as the blur that networks solve with: a piece larger than the sample by a seam on two
// sides, which is faded into the other two. Kernels larger than a sample are folded into it. The network is
// told the kernels of grey scenes; the scenes have colours, whose kernels differ (metamerism).
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <sonolux/core/random.hpp>
#include <sonolux/sdk/pipelines/lens_training_recipe.hpp>
#include <sonolux/solvers/classical/channel_lmmse.hpp>
#include <sonolux/solvers/training/training_case.hpp>
#include <sonolux/solvers/training/validation.hpp>

namespace sonolux {

/// Light in linear sRGB, [3, rows, columns] each.
struct LensScenes {
    std::vector<Array<float>> photographs, leaves;
    std::string description;

    /// Reads the photographs, draws the leaves. `least` is the smallest that a picture may be, rows and
    /// columns. Throws Error naming the file; pictures that are grey or too small are passed over.
    static LensScenes read(const LensSceneRecipe& recipe, const std::string& data, Index least,
                           std::uint64_t seed, Context& context);
};

/// Writes piece number `number` [3, size, size] of the scenes: light in linear sRGB. Allocates nothing.
void cut_scene(const LensScenes& scenes, const LensSceneRecipe& recipe, Index seam, std::uint64_t seed,
               std::uint64_t stream, std::uint64_t number, View<float> scene) noexcept;

/// The mean cross-power of camera channels of such pieces.
[[nodiscard]] ChannelSpectrum estimate_spectrum(const LensScenes& scenes, const LensTrainingRecipe& recipe);

/// One sample: capture as data, the linear estimate as start, the image without lens as truth; times 255.
class LensCase final : public TrainingCase {
public:
    /// Recipe and scenes must outlive the case. Samples draw from `stream` and the next one.
    LensCase(const LensTrainingRecipe& recipe, const LensScenes& scenes, const ChannelSpectrum& spectrum,
             Index size, std::uint64_t stream);

    [[nodiscard]] Shape domain() const override { return truth_.shape(); }
    [[nodiscard]] std::size_t workspace_bytes(const Context& context) const noexcept override;
    void make(std::uint64_t sample, Context& context) noexcept override;
    [[nodiscard]] Observation observation() const noexcept override {
        return {.data = data_, .forward = &told_, .spectral = &told_, .noise = noise_};
    }
    [[nodiscard]] View<const float> start() const noexcept override { return start_.view(); }
    [[nodiscard]] View<const float> truth() const noexcept override { return truth_.view(); }

private:
    const LensTrainingRecipe& recipe_;
    const LensScenes& scenes_;
    std::uint64_t stream_;
    SpectralBlur lens_, told_;
    ChannelLmmse linear_;
    Array<float> scene_, data_, start_, truth_, noise_, raw_;
};

/// Mean PSNR of held-out samples in dB, of light, all channels; estimates are made positive first.
class LensValidation final : public Validation {
public:
    LensValidation(const LensTrainingRecipe& recipe, const LensScenes& scenes,
                   const ChannelSpectrum& spectrum, const UnrolledNetwork& network, Context& context);

    [[nodiscard]] bool empty() const noexcept override { return cases_.empty(); }
    [[nodiscard]] Index size() const noexcept { return std::ssize(cases_); }
    double psnr(UnrolledNetwork& network, Index steps) noexcept override;

    /// Of the linear estimates that the network starts from.
    [[nodiscard]] double start_psnr() const noexcept;

private:
    std::vector<std::unique_ptr<LensCase>> cases_;
    std::vector<double> psnr_;
    Context& threads_;
    ValidationWorkers workers_;
};

}  // namespace sonolux
