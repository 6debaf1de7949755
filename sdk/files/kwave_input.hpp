// sonolux/sdk/files/kwave_input.hpp
//
// The input files of k-Wave's programs (HDF5, versions 1.0 to 1.2), read and written.
#pragma once

#include <string>
#include <vector>

#include <sonolux/simulation/acoustics/kspace_setup.hpp>

namespace sonolux {

/// A box of sensor points, corners included, counted from 0.
struct SensorCuboid {
    std::array<Index, 3> first{}, last{};  ///< x, y, z
};

/// A simulation as a file describes it. The setup's views look into `fields`.
struct KwaveInput {
    KspaceSetup setup;
    std::vector<Array<float>> fields;

    /// Points of the sensor, in the order of the file: a list, or the points of boxes one after the other.
    std::vector<Index> sensor_points;
    std::vector<SensorCuboid> sensor_cuboids;  ///< empty for a list

    std::string description;  ///< what the file says of itself
};

/// Reads a simulation. What versions 1.0 and 1.1 add and 1.2 leaves out, absorbing layers and shift operators
/// point by point, follows from what they share, and is not read.
///
/// Throws Error: corrupt_data naming the file, the dataset and what was expected, where one is missing or of
/// the wrong type or size; unsupported for axisymmetric, elastic and non-uniform grids; and what
/// require_valid throws, behind the name of the file.
[[nodiscard]] KwaveInput read_kwave_input(const std::string& path);

/// Writes a simulation as version 1.1 or 1.2, readable by k-Wave's own programs. Throws
/// Error{invalid_argument} for a minor version that is neither 1 nor 2.
void write_kwave_input(const std::string& path, const KwaveInput& input, int minor_version = 1);

/// The points of the boxes, x fastest, one box after the other.
[[nodiscard]] std::vector<Index> points_of(const std::vector<SensorCuboid>& cuboids, const KspaceSize& size);

}  // namespace sonolux
