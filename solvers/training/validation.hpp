// sonolux/solvers/training/validation.hpp
//
// How well a network does on images that it does not learn from.
#pragma once

#include <vector>

#include <sonolux/core/random.hpp>
#include <sonolux/solvers/training/training_sample.hpp>
#include <sonolux/solvers/training/validation_workers.hpp>
#include <sonolux/solvers/unrolled_network.hpp>

namespace sonolux {

/// Held-out images with noise, and blurs, of their own that never change, so that figures of different steps
/// compare.
class Validation {
public:
    virtual ~Validation() = default;

    /// Clean images [rows, columns], or [channels, rows, columns] for networks of several, with values 0 to
    /// 255, noise levels in the same units. Image i has noise
    /// from (seed, TrainingStream::validation_noise, i), the same for all levels, and is blurred with kernel
    /// first_validation_kernel + i; then a rim as wide as the radius of the kernels is not observed. Runs on
    /// the threads of `context`, which must outlive this object. Throws Error{invalid_argument} if a level is
    /// negative or nothing of an image would be observed.
    Validation(const UnrolledNetwork& network, const std::vector<Array<float>>& images,
               std::vector<double> sigmas, std::uint64_t seed, Context& context,
               const TrainingBlur* blur = nullptr);

    static constexpr std::uint64_t first_validation_kernel = std::uint64_t{1} << 62;

    [[nodiscard]] virtual bool empty() const noexcept { return samples_.empty() || sigmas_.empty(); }

    /// Mean over levels and images of 10 log10(255^2 / mean square error) of what is observed, neither
    /// clipped nor rounded, after the first `steps` steps of the network. Updates the network to each level
    /// in turn and leaves it at the last. The bits do not depend on the number of threads.
    virtual double psnr(UnrolledNetwork& network, Index steps) noexcept;

protected:
    /// For problems with a figure of merit of their own, which `psnr` then gives: the higher, the better.
    explicit Validation(Context& context) : seed_(0), context_(context) {}

private:
    std::vector<TrainingSample> samples_;
    std::vector<double> sigmas_, psnr_;
    std::uint64_t seed_;
    Context& context_;
    ValidationWorkers workers_;
};

}  // namespace sonolux
