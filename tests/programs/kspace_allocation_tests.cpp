// tests/programs/kspace_allocation_tests.cpp
//
// As allocation_tests.cpp, for full-wave simulations.
#include <gtest/gtest.h>

#include <sonolux/simulation/acoustics/kspace_simulation.hpp>

#include "tests/support/counted_allocations.hpp"

namespace sonolux {
namespace {

TEST(KspaceAllocation, DoesNotHappenInTheStepsOfASimulation) {
    for (FftBackend backend : available_fft_backends())
        for (const KspaceSize& size : {KspaceSize{1, 45, 62}, KspaceSize{9, 14, 22}})
            for (SourceMode mode : {SourceMode::additive, SourceMode::no_correction}) {
                KspaceSetup setup;
                setup.grid = {size, {1e-4, 1e-4, 1e-4}, 2e-8, 20};
                setup.fft = backend;
                setup.medium.sound_speed = 1500.0;
                setup.medium.absorption = KspaceAbsorption::power_law;
                setup.medium.attenuation = 0.5;
                setup.medium.nonlinear = true;
                setup.medium.nonlinearity = 6.0;
                setup.layer = {{4, 4, 3}, {2, 2, 2}};
                setup.sources.pressure = {mode, {100, 101}, 2, false, {1, 2, 3, 4}};
                setup.sources.velocity[1] = {mode, {300}, 5, true, {1, 2, 3, 4, 5}};
                Context context;
                KspaceFirstOrder simulation(setup, context);
                simulation.step(context);  // OpenMP starts its threads
                const long before = allocations;
                for (int i = 0; i < 8; ++i) simulation.step(context);
                EXPECT_EQ(allocations, before) << to_string(backend);
            }
}

TEST(KspaceAllocation, DoesNotHappenInTheStepsOfTheSecondOrderScheme) {
    Array<float> density({45, 62});
    for (float& value : density) value = 1000;
    density(20, 30) = 1010;
    for (bool varying : {false, true}) {
        KspaceSetup setup;
        setup.grid = {{1, 45, 62}, {1e-4, 1e-4, 0}, 2e-8, 20};
        setup.medium.sound_speed = 1500.0;
        if (varying) setup.medium.density = density.view();
        setup.medium.absorption = KspaceAbsorption::power_law;
        setup.medium.attenuation = 0.5;
        setup.layer = {{6, 5, 0}, {2, 2, 2}};
        setup.sources.pressure = {SourceMode::additive, {1000, 1001}, 2, false, {1, 2, 3, 4}};
        Context context;
        KspaceSecondOrder simulation(setup, context);
        simulation.step(context);
        const long before = allocations;
        for (int i = 0; i < 8; ++i) simulation.step(context);
        EXPECT_EQ(allocations, before);
    }
}

}  // namespace
}  // namespace sonolux
