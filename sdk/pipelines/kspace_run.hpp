// sonolux/sdk/pipelines/kspace_run.hpp
//
// From an input file of k-Wave to an output file of k-Wave: what the program sonolux-kspace does.
#pragma once

#include <string>
#include <vector>

#include <sonolux/core/context.hpp>
#include <sonolux/sdk/files/kwave_input.hpp>
#include <sonolux/simulation/acoustics/kspace_recorder.hpp>
#include <sonolux/simulation/acoustics/kspace_simulation.hpp>

namespace sonolux {

struct KspaceRunOptions {
    std::string input, output;
    RecordedQuantities pressure{}, velocity{};
    bool pressure_final = false, velocity_final = false;
    bool copy_sensor = false;             ///< the sensor's points go into the output too
    bool velocity_non_staggered = false;  ///< signals of the velocity at the points of the pressure
    Index start = 1;                      ///< the step that is recorded first, from 1
    Index steps = 0;                      ///< how many are done; 0 for as many as the file says
    KspaceScheme scheme = KspaceScheme::first_order;  ///< `automatic` is not k-Wave's to the last digits
    FftPlanning planning = FftPlanning::estimate;
};

struct KspaceRunResult {
    std::string description;  ///< of the scheme, and why it was chosen
    KspaceGrid grid;
    Index steps = 0;
    double setup_seconds = 0, step_seconds = 0;
    std::size_t memory_bytes = 0;       ///< of the simulation
    std::vector<std::string> warnings;  ///< what was simulated although it may not be what was meant

    [[nodiscard]] double nanoseconds_per_point_and_step() const noexcept {
        return 1e9 * step_seconds / static_cast<double>(grid.size.points()) /
               static_cast<double>(steps > 0 ? steps : 1);
    }
};

/// Reports progress to the context. Without anything to record it keeps the pressure at the sensor. Warns of
/// sources that have more than 1 % of their energy at frequencies that the grid does not carry: less than 2
/// points per wavelength of the slowest sound, which is not refused for k-Wave does not.
///
/// Throws Error: what read_kwave_input and require_valid throw; invalid_argument for a start after the last
/// step; cancelled and deadline_exceeded; internal_error naming the step after which the pressure was not
/// finite any more. Nothing is written then.
KspaceRunResult run_kspace(const KspaceRunOptions& options, Context& context);

}  // namespace sonolux
