// sonolux/core/operators/delay_and_sum_cuda.hpp
//
// Delay and sum on a CUDA device. Nothing here needs CUDA: the work is done by the module.
#pragma once

#include <memory>
#include <vector>

#include <sonolux/core/cuda/device.hpp>
#include <sonolux/core/cuda/module.hpp>
#include <sonolux/core/operators/delay_and_sum.hpp>
#include <sonolux/core/operators/delay_and_sum_cuda_program.hpp>

namespace sonolux {

namespace cuda {

/// The operator's tables as a program takes them.
struct DelayAndSumLists {
    /// Keeps what has another form there; the rest is the operator's, which must outlive this.
    DelayAndSumLists(const DelayAndSum& beamformer, int frames);

    DelayAndSumLayout layout{};
    std::vector<std::int32_t> first_piece;
    std::vector<MeasuredTrace> traces;
};

}  // namespace cuda

/// DelayAndSum bound to a device and a number of frames: `run` allocates nothing. Images are those of
/// DelayAndSum::apply_frames to a few units in the last place of their largest numbers, with the same bits
/// from run to run.
class DelayAndSumCuda {
public:
    /// Copies the tables to the device; the operator may go afterwards. Throws Error{invalid_argument} for
    /// less than one frame, Error{out_of_memory} naming what is needed and what is free, Error{device_error}.
    DelayAndSumCuda(const DelayAndSum& beamformer, CudaDevice& device, int frames = 1);

    /// Where `run` finds the frames, [frames, the operator's domain], and where it leaves the images,
    /// [frames, its range].
    [[nodiscard]] float* frames() noexcept { return program_->frames(); }
    [[nodiscard]] const float* images() const noexcept { return program_->images(); }

    /// ok, or device_error, and then `message` says what the device said.
    [[nodiscard]] Status run() noexcept { return program_->run(&message_); }
    [[nodiscard]] const char* message() const noexcept { return message_.text; }

    /// Seconds of one run on the device alone, the mean of `times`, of frames that lie there. Throws
    /// Error{device_error}.
    [[nodiscard]] double seconds(int times);

private:
    std::unique_ptr<cuda::DelayAndSumOnDevice> program_;
    cuda::Message message_;
};

}  // namespace sonolux
