// sonolux/core/operators/delay_and_sum_cuda.cpp
#include <sonolux/core/operators/delay_and_sum_cuda.hpp>
#include <sonolux/core/operators/delay_and_sum_tables.hpp>

namespace sonolux {

namespace cuda {

static_assert(beam_tile == delay_and_sum_kernel::tile && beam_lanes == delay_and_sum_kernel::lanes);

DelayAndSumLists::DelayAndSumLists(const DelayAndSum& beamformer, int frames) {
    require(frames >= 1, Status::invalid_argument, "delay and sum: there must be at least 1 frame, got ",
            frames);
    const DelayAndSumTables& t = beamformer.tables();
    first_piece.assign(t.first_piece.begin(), t.first_piece.end());
    for (const delay_and_sum_kernel::Trace& trace : t.traces)
        traces.push_back({trace.lowest, trace.span, trace.last, trace.samples != nullptr ? 1 : 0});
    layout.sent = static_cast<int>(t.sent);
    layout.elements = static_cast<int>(t.elements);
    layout.samples = static_cast<int>(t.samples);
    layout.parts = static_cast<int>(t.parts);
    layout.rows = static_cast<int>(t.rows);
    layout.columns = static_cast<int>(t.columns);
    layout.tiles_across = static_cast<int>(t.tiles_across);
    layout.tiles = static_cast<int>(t.tiles);
    layout.pieces = static_cast<int>(t.piece_element.size());
    layout.bits = t.bits;
    layout.taps = t.interpolation == SampleInterpolation::nearest  ? 1
                  : t.interpolation == SampleInterpolation::linear ? 2
                                                                   : 4;
    layout.compound = t.compound;
    layout.frames = frames;
    layout.first_piece = first_piece.data();
    layout.piece_element = t.piece_element.data();
    layout.receive = t.receive.data();
    layout.weights = t.weights.data();
    layout.transmit = t.transmit.data();
    layout.scale = t.scale.data();
    layout.active = t.active.data();
    layout.traces = traces.data();
}

}  // namespace cuda

DelayAndSumCuda::DelayAndSumCuda(const DelayAndSum& beamformer, CudaDevice& device, int frames) {
    const cuda::DelayAndSumLists lists(beamformer, frames);
    cuda::DelayAndSumOnDevice* program = nullptr;
    const Status status = cuda::module_call<decltype(slx_cuda_delay_and_sum)>("slx_cuda_delay_and_sum")(
        &device, &lists.layout, &program, &message_);
    cuda::require_ok(status, message_);
    program_.reset(program);
}

double DelayAndSumCuda::seconds(int times) {
    double seconds = 0;
    cuda::require_ok(program_->time(times, &seconds, &message_), message_);
    return seconds / times;
}

}  // namespace sonolux
