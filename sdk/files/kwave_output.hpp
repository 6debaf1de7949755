// sonolux/sdk/files/kwave_output.hpp
//
// The output files of k-Wave's programs, written while a simulation runs.
#pragma once

#include <span>
#include <string>

#include <sonolux/sdk/files/hdf5_file.hpp>
#include <sonolux/sdk/files/kwave_input.hpp>

namespace sonolux {

/// Writes what is recorded, under the names and in the shapes that k-Wave's programs give it: signals of a
/// list of points as [1, steps, points], of boxes as one [steps, z, y, x] for each in a group; values of a
/// list as [1, 1, points]; fields as [z, y, x].
class KwaveOutput {
public:
    /// `steps` are recorded, from step `start` on (counted from 0). The file appears at `path` with commit().
    KwaveOutput(const std::string& path, const KwaveInput& input, Index start, Index steps);

    /// Room for the signals of a quantity: "p", "ux", "ux_non_staggered".
    void make_signals(const std::string& name);

    /// [steps, points] of the signals, from step `from` of the recorded ones on.
    void write_signals(const std::string& name, Index from, std::span<const float> values);

    /// One value for each point of the sensor: "p_max".
    void write_values(const std::string& name, std::span<const float> values);

    /// One value for each point of the grid: "p_final".
    void write_field(const std::string& name, std::span<const float> values);

    void write_number(const std::string& name, double value);

    /// The points or boxes of the sensor, as the input has them: k-Wave's --copy_sensor_mask.
    void write_sensor(const KwaveInput& input);

    void commit() { file_.commit(); }

private:
    template <class Each>
    void over_boxes(const std::string& name, Each each) const;

    Hdf5File file_;
    KspaceSize size_;
    Index steps_, points_;
    std::vector<SensorCuboid> cuboids_;
};

}  // namespace sonolux
