// tests/programs/travel_time_allocation_tests.cpp
//
// As allocation_tests.cpp, for travel-time operators and what inverts them.
#include <gtest/gtest.h>

#include <sonolux/solvers/classical/tikhonov.hpp>
#include <sonolux/solvers/classical/travel_time_lbfgs.hpp>

#include "tests/solvers/classical/travel_time_cases.hpp"
#include "tests/support/counted_allocations.hpp"

namespace sonolux {
namespace {

using namespace travel_time_cases;

TEST(TravelTimeAllocation, DoesNotHappenInOperatorsNorRuns) {
    PathGeometry geometry = small_geometry();
    geometry.measurements.push_back(mid_angle_difference({0.2, -0.2}, {0, 0}));
    const Array<float> mask = measurement_mask(geometry);
    Array<float> delays({7, 28, 22}), map({28, 22});
    for (const auto form : {PathIntegralForm::rows, PathIntegralForm::cumulative}) {
        const auto op = make_path_integral(geometry, form);
        Context context;
        std::vector<std::unique_ptr<TravelTimeInverter>> inverters;
        inverters.push_back(make_travel_time_lbfgs({.forward = op, .possible = mask.clone()},
                                                   {.blur = 0.8, .iterations = 30}));
        inverters.push_back(make_tikhonov({.forward = op, .possible = mask.clone()}, {}));
        context.workspace().reserve(op->workspace_bytes(context));
        std::ranges::fill(map, 1 / 1540.0f);
        map(10, 10) = 1 / 1500.0f;
        op->apply(map, delays, context);                              // OpenMP starts its threads
        delays(3, 20, 12) = std::numeric_limits<float>::quiet_NaN();  // a measurement is missing
        for (const auto& inverter : inverters) {
            context.workspace().reserve(inverter->workspace_bytes(context));
            InversionRecord record(100);
            const long before = allocations;
            op->adjoint(delays, map, context);
            ASSERT_EQ(inverter->run(delays, {}, map, context, &record), Status::ok);
            EXPECT_EQ(allocations, before) << inverter->name();
            EXPECT_GE(record.log.entries().size(), 1u);
        }
    }
}

}  // namespace
}  // namespace sonolux
