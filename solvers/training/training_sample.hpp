// sonolux/solvers/training/training_sample.hpp
//
// One sample of a training set: a clean patch, what a camera makes of it, and what a network is told of that.
//
//     y = valid part of (k * x) + sigma n
//
// The patch is larger than what is observed of it by the radius of the kernel on every side, so that y is
// what a real camera sees: blurred with what lies beyond its border.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include <sonolux/core/random.hpp>
#include <sonolux/solvers/padded_blur.hpp>
#include <sonolux/solvers/stage.hpp>

namespace sonolux {

/// Writes the kernel that blurs sample number `sample`, and the one that the network is told: the same, or an
/// estimate of it. Both [2 radius + 1, 2 radius + 1], the centre in the middle. A function of `sample` alone;
/// called from several threads at once; must not throw.
using KernelFunction = std::function<void(std::uint64_t sample, View<float> kernel, View<float> told)>;

/// For networks whose observations have a blur.
struct TrainingBlur {
    KernelFunction kernels;   ///< null: no blur, the network denoises
    Index kernel_radius = 0;  ///< of what `kernels` writes
    Index border = 0;         ///< of the network's domain; at least the radius
    BorderTreatment treatment = BorderTreatment::valid;
};

/// Where the random numbers of a sample come from.
struct SampleNoise {
    std::uint64_t seed, stream, sample;
    double sigma;  ///< in units of 1/255 of the image range
};

class TrainingSample {
public:
    /// Observations are [rows, columns], or [channels, rows, columns] of several, which have noise of their
    /// own each. Throws Error{invalid_argument} naming the field; one is a blur of several channels.
    TrainingSample(Index rows, Index columns, const TrainingBlur* blur, Index channels = 1);

    /// The clean patch, to be filled in: values 0 to 255, [rows + 2 radius, columns + 2 radius], of several
    /// channels [channels, rows, columns].
    [[nodiscard]] View<float> clean() noexcept { return clean_.view(); }

    /// Of `degrade`.
    [[nodiscard]] std::size_t workspace_bytes(const Context& context) const noexcept;

    /// Makes what follows from the clean patch, times `scale`. Kernel number `kernel`.
    void degrade(std::uint64_t kernel, const SampleNoise& noise, float scale, Context& context) noexcept;

    [[nodiscard]] View<const float> truth() const noexcept { return truth_.view(); }    ///< as observed
    [[nodiscard]] View<const float> observed() const noexcept { return data_.view(); }  ///< y, likewise
    /// As the stages of a network want it, and x_0 at the same time.
    [[nodiscard]] Observation observation() const noexcept {
        return {.data = blur_ ? on_domain_.view() : data_.view(), .blur = blur_ ? &*blur_ : nullptr};
    }
    [[nodiscard]] Shape domain() const noexcept { return blur_ ? blur_->domain() : data_.shape(); }

private:
    Index radius_;
    KernelFunction kernels_;
    Array<float> clean_, blurred_, kernel_, told_, data_, truth_, on_domain_;
    std::optional<CircularConvolution> camera_;
    std::optional<PaddedBlur> blur_;
};

}  // namespace sonolux
