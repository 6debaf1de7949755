// tests/programs/beamforming_allocation_tests.cpp
//
// A program of its own, because it takes the place of malloc: frames are beamformed without a single
// allocation.
#include <gtest/gtest.h>

#include <sonolux/core/acoustics/trace_filter.hpp>
#include <sonolux/core/operators/delay_and_sum.hpp>
#include <sonolux/core/random.hpp>
#include <sonolux/sdk/pipelines/beamform.hpp>

#include "tests/support/beamforming.hpp"
#include "tests/support/counted_allocations.hpp"

namespace sonolux {
namespace {

TEST(BeamformingAllocation, DoesNotHappenInAThousandFrames) {
    const TransducerArray array = make_linear_array(16, 3e-4, 2.5e-4);
    Acquisition a = recording_of(array, {plane_wave(array, 0, 1540), plane_wave(array, 0.1, 1540)}, 150);
    a.sound_speed = 1540;
    ChannelData data{a, Array<float>({7, 2, 16, 150})};
    fill_normal(data.values, Philox(1));
    for (const int threads : {1, 2}) {
        Context context(make_openmp_runner(threads));
        Beamformer beamformer(data, {}, context);
        const DelayAndSum& op = beamformer.delay_and_sum();
        Array<float> pixels(op.range()), traces(op.domain());
        const DelayAndSum real(a, FocusingDelays(a, beamformer.grid(), 1540), {}, context);
        Array<float> images({7, real.range().elements()});
        context.workspace().reserve(
            std::max(real.frames_workspace_bytes(context), op.workspace_bytes(context)));
        beamformer.run(data.frame(0), pixels, context);  // the first run starts the threads
        const long before = allocations;
        for (int i = 0; i < 1000; ++i) beamformer.run(data.frame(i % 7), pixels, context);
        for (int i = 0; i < 100; ++i) real.apply_frames(data.values, images, context);
        op.adjoint(pixels, traces, context);
        EXPECT_EQ(allocations, before) << threads << " threads";
    }
}

}  // namespace
}  // namespace sonolux
