// sonolux/solvers/training/validation.hpp
//
// How well a network does on images that it does not learn from.
#pragma once

#include <memory>
#include <vector>

#include <sonolux/core/random.hpp>
#include <sonolux/solvers/unrolled_network.hpp>

namespace sonolux {

/// Held-out images with noise of their own that never changes, so that figures of different steps compare.
class Validation {
public:
    /// Clean images [rows, columns] with values 0 to 255, noise levels in the same units. Image i has noise
    /// from (seed, TrainingStream::validation_noise, i), the same for all levels. Runs on the threads of
    /// `context`, which must outlive this object. Throws Error{invalid_argument} if a level is negative or an
    /// image is empty.
    Validation(const UnrolledNetwork& network, const std::vector<Array<float>>& images,
               std::vector<double> sigmas, std::uint64_t seed, Context& context);

    [[nodiscard]] bool empty() const noexcept { return images_.empty() || sigmas_.empty(); }

    /// Mean over levels and images of 10 log10(255^2 / mean square error), neither clipped nor rounded, after
    /// the first `steps` steps of the network. Updates the network to each level in turn and leaves it at the
    /// last. The bits do not depend on the number of threads.
    double psnr(UnrolledNetwork& network, Index steps) noexcept;

private:
    struct Worker {
        Context context;
        Array<float> data, estimate;
        Worker(Index elements, std::size_t workspace, Isa isa);
    };

    std::vector<Array<float>> images_, noise_;
    std::vector<double> sigmas_, psnr_;
    Context& context_;
    std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace sonolux
