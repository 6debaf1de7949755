// tests/programs/tracking_allocation_tests.cpp
//
// As allocation_tests.cpp, for trackers and the estimate of a whole medium's speed.
#include <gtest/gtest.h>

#include <sonolux/core/random.hpp>
#include <sonolux/solvers/global_speed/single_shot_speed.hpp>
#include <sonolux/solvers/tracking/block_matching.hpp>
#include <sonolux/solvers/tracking/delay_of_displacement.hpp>
#include <sonolux/solvers/tracking/phase_tracking.hpp>

#include "tests/support/counted_allocations.hpp"

namespace sonolux {
namespace {

TEST(TrackingAllocation, DoesNotHappenAfterSetUp) {
    Array<float> a({150, 30}), b({150, 30});
    fill_normal(a, Philox(1));
    fill_normal(b, Philox(2));
    b(70, 7) = std::numeric_limits<float>::quiet_NaN();
    Array<std::complex<float>> u({150, 30}), v({150, 30});
    for (Index k = 0; k < u.elements(); ++k) {
        u.data()[k] = {a.data()[k], b.data()[k]};
        v.data()[k] = {b.data()[k], a.data()[k]};
    }
    Context context;
    const BlockMatcher matcher(150, 30, {.block_rows = 41, .peak = PeakInterpolation::polynomial});
    const PhaseTracker tracker(150, 30);
    Tracks matched(matcher.shape()), tracked(tracker.shape());
    context.workspace().reserve(std::max(matcher.workspace_bytes(context), tracker.workspace_bytes(context)));

    const TransducerArray array = make_linear_array(32, 0.3e-3, 0.3e-3);
    Acquisition acquisition{array, {plane_wave(array, 0, 1540)}, 20e6, 5e6, 0, {0}, 700, 0, 0, 0, 0};
    SingleShotSpeedOptions options;
    options.first_depth = 5e-3;
    options.last_depth = 15e-3;
    options.rows = options.columns = 16;
    SingleShotSpeedEstimator estimator(acquisition, 0, options, context);
    Array<float> channels({32, 700});
    fill_normal(channels, Philox(3));
    SingleShotSpeed speed = estimator.make_result();
    context.workspace().reserve(estimator.workspace_bytes(context));

    const auto run = [&] {
        return matcher.run(a, b, matched, context) == Status::ok &&
               tracker.run(u, v, tracked, context) == Status::ok &&
               delays_of_displacements(matched.displacement, matched.correlation, matched.displacement) ==
                   Status::ok &&
               estimator.run(channels, speed, context) == Status::ok;
    };
    ASSERT_TRUE(run());  // OpenMP starts its threads
    const long before = allocations;
    for (int n = 0; n < 3; ++n) ASSERT_TRUE(run());
    EXPECT_EQ(allocations, before);
}

}  // namespace
}  // namespace sonolux
