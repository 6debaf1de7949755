// sonolux/solvers/variational_backward_cuda.hpp
//
// What a step of a variational network does on its way back besides its prior, on a device: see
// VariationalStage::backward. Without momentum.
#pragma once

#include <sonolux/priors/fields_of_experts_vjp_cuda.hpp>

namespace sonolux::cuda {

/// direction = a s, s = -bar the upstream of the step, and of each block the products of s with the misfit x
/// - y and with the step x - x', in double.
struct StepBackBegin {
    static constexpr int threads = 256, levels = 8;  // 2^8 threads

    const float* x;
    const float* next;
    const float* y;
    const float* bar;
    float* direction;
    double* products;  ///< [blocks, 2]
    const StepNumbers* numbers;
    std::int64_t count;

    struct Shared {
        double misfit[threads], step[threads];
    };
    using Registers = Nothing;

    [[nodiscard]] SLX_KERNEL int steps() const { return 2 + levels; }

    SLX_KERNEL void run(int step, const Thread& thread, Shared& shared, Registers&) const {
        const int own = static_cast<int>(thread.index.x);
        if (step == 0) {
            double misfit = 0, taken = 0;
            for (std::int64_t i = thread.global_x(); i < count; i += std::int64_t{thread.grid.x} * threads) {
                const float upstream = -bar[i];
                direction[i] = numbers->damping * upstream;
                misfit += double{x[i] - y[i]} * upstream;
                taken += double{x[i] - next[i]} * upstream;
            }
            shared.misfit[own] = misfit;
            shared.step[own] = taken;
        } else if (step <= levels) {
            const int half = threads >> step;
            if (own >= half) return;
            shared.misfit[own] += shared.misfit[own + half];
            shared.step[own] += shared.step[own + half];
        } else if (own == 0) {
            products[2 * thread.block_index.x] = shared.misfit[0];
            products[2 * thread.block_index.x + 1] = shared.step[0];
        }
    }
};

/// to += from.
struct AddImage {
    const float* from;
    float* to;
    std::int64_t count;

    using Shared = Nothing;
    using Registers = Nothing;

    [[nodiscard]] SLX_KERNEL int steps() const { return 1; }

    SLX_KERNEL void run(int, const Thread& thread, Shared&, Registers&) const {
        const std::int64_t i = thread.global_x();
        if (i < count) to[i] += from[i];
    }
};

/// x_bar = bar + scale K^T q, folded, + lambda direction, in the place of bar. A thread has one pixel.
struct StepBackFinish {
    const float* direction;
    float* bar;
    const StepNumbers* numbers;
    FoldedSums sums;

    using Shared = Nothing;
    using Registers = Nothing;

    [[nodiscard]] SLX_KERNEL int steps() const { return 1; }

    SLX_KERNEL void run(int, const Thread& thread, Shared&, Registers&) const {
        FoldedSums::Pixel pixel;
        if (!sums.pixel_of(thread, pixel)) return;
        bar[pixel.at] += numbers->prior_scale * sums.at(pixel) + numbers->data_weight * direction[pixel.at];
    }
};

}  // namespace sonolux::cuda
