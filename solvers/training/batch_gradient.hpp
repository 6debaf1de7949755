// sonolux/solvers/training/batch_gradient.hpp
//
// The loss of a network on many patches, and its gradient with respect to the parameters: what a training
// step spends its time on.
//
// Patches are worked on in groups of a fixed size. Each group has a gradient of its own and adds its patches
// to it in order; the groups are then added in order. The bits do not depend on the number of threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <sonolux/core/random.hpp>
#include <sonolux/solvers/training/training_case.hpp>
#include <sonolux/solvers/training/training_sample.hpp>
#include <sonolux/solvers/unrolled_network.hpp>
#include <sonolux/solvers/variational_training_cuda.hpp>

namespace sonolux {

/// Writes clean patch number `sample`, values 0 to 255, to `patch`: [rows, columns] of the batch, and as much
/// more on every side as the radius of the blurs; [channels, rows, columns] for networks of several. A
/// function of `sample` alone; called from several threads at once; must not throw.
using PatchFunction = std::function<void(std::uint64_t sample, View<float> patch)>;

/// The streams of Philox under the run's seed that training draws from. Those below 100 mean what
/// simulation/streams.hpp says they mean.
enum class TrainingStream : std::uint64_t {
    noise = 2,
    noise_level = 3,
    validation_noise = 100,  ///< of the held-out images
    fixed_noise = 101,       ///< of the patches of L-BFGS, which see the same noise every time
    kernel_choice = 102,     ///< which of the kernels blurs a sample
};

struct BatchOptions {
    Index rows = 64, columns = 64;  ///< of what is observed of a patch
    Index batch = 64;               ///< patches per gradient at most
    Index group = 4;                ///< patches that share a gradient; part of what decides the bits

    friend bool operator==(const BatchOptions&, const BatchOptions&) = default;
};

class BatchGradient {
public:
    /// Reserves all memory. Runs on the threads of `context`. Network and context must outlive this object.
    /// `blur` is for networks that want one in their observations. Throws Error{invalid_argument} naming the
    /// option. Where the context has a CUDA device the gradient is computed there (VariationalTrainingCuda,
    /// whose errors are thrown), and only samples and losses here.
    BatchGradient(const UnrolledNetwork& network, const BatchOptions& options, Context& context,
                  const TrainingBlur* blur = nullptr);

    /// For problems that make their own samples; of the options, rows and columns are not looked at.
    /// `evaluate` then looks at no source, seed, stream or sigma.
    BatchGradient(const UnrolledNetwork& network, const BatchOptions& options, Context& context,
                  const CaseFactory& cases);

    /// The mean over patches [first, first + count) of
    ///
    ///     sum_t step_weights[t] loss(x_{t+1}, x*),    x_0 = y = A x* + sigma n
    ///
    /// with x* from `source`, A = 1 or a blur, n standard normal from (seed, stream, sample), sigma in units
    /// of 1/255 of the image range, everything in the units of the network, which must have been updated. The
    /// first step_weights.size() steps run. Writes the mean's gradient [parameters] to `gradient`, in double.
    /// Neither allocates nor throws. count is from 1 to the batch.
    double evaluate(const PatchFunction& source, std::uint64_t first, Index count, std::uint64_t seed,
                    TrainingStream stream, double sigma, const Loss& loss,
                    std::span<const double> step_weights, std::span<double> gradient) noexcept;

    /// From now on gradients are computed by `training`, which was made for batches of this size of patches
    /// of this size.
    void compute_by(std::unique_ptr<VariationalTrainingCuda> training);

    /// What the device said, where `evaluate` returned NaN because it failed; otherwise empty.
    [[nodiscard]] const char* device_message() const noexcept;

    /// The largest magnitudes that learned functions saw in the last `evaluate`, of networks whose ranges
    /// follow the data: [range_count].
    [[nodiscard]] std::span<const float> peaks() const noexcept { return {peaks_.data(), ranges_}; }

    [[nodiscard]] const BatchOptions& options() const noexcept { return options_; }

private:
    struct Worker {
        Context context;
        TrainingSample sample;
        std::unique_ptr<TrainingCase> own;  // in place of the sample
        Worker(const UnrolledNetwork& network, const BatchOptions& options, Isa isa,
               const TrainingBlur* blur);
        Worker(const UnrolledNetwork& network, Isa isa, std::unique_ptr<TrainingCase> made);
    };
    void reserve();

    /// Where gradients are computed on a device: a batch, [patches, channels, rows, columns] each.
    struct OnDevice {
        std::unique_ptr<VariationalTrainingCuda> training;
        Array<float> data, truth, images, images_bar;
        std::vector<float> gradient;
        std::vector<double> losses;  // of each patch
        bool failed = false;
    };
    [[nodiscard]] Status evaluate_on_device(const PatchFunction& source, std::uint64_t first, Index count,
                                            const SampleNoise& noise, const Loss& loss,
                                            std::span<const double> step_weights) noexcept;

    const UnrolledNetwork& network_;
    BatchOptions options_;
    Context& context_;
    std::vector<std::unique_ptr<Worker>> workers_;  // one per thread
    Array<float> gradients_;                        // [groups, parameters]
    std::vector<double> losses_;                    // [groups]
    std::vector<float> peaks_;                      // [groups, ranges]; the first row those of all
    std::size_t ranges_ = 0;
    std::unique_ptr<OnDevice> device_;
};

}  // namespace sonolux
