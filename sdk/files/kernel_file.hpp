// sonolux/sdk/files/kernel_file.hpp
//
// Blur kernels on disk.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <sonolux/core/array.hpp>

namespace sonolux {

/// Reads the blur kernel that a file holds: [rows, columns], as it stands there, neither normalised nor
/// turned. The first bytes of the file decide what it is:
///
///   PNG, TIFF     grey, 8 or 16 bits or float (values as read_image gives them); red, green and blue are
///   taken
///                 where they are equal
///   NumPy .npy    two-dimensional float32, float64 or integers
///   MATLAB .mat   v5 and v7.3 (HDF5), real matrices of any numeric class
///   text          one row of numbers on each line, separated by blanks, tabs, commas or semicolons; lines
///   that
///                 begin with # or % are left out
///
/// `variable` chooses among what a MATLAB file holds: "kernels" the variable, "kernels{3}" the third element
/// of a cell array, counted as MATLAB does. It may be left empty, and {3} left out, where there is only one
/// choice.
///
/// Throws Error naming the file, what was found and what was expected: Error{file_error} for a file that
/// cannot be read, Error{corrupt_data} for a damaged or empty one or values that are not finite,
/// Error{unsupported} for colour, transparency, complex values, other than two dimensions and other kinds of
/// files, and Error{invalid_argument} where `variable` is not in the file or does not say which.
[[nodiscard]] Array<float> read_kernel(const std::string& path, const std::string& variable = {});

/// The same from the bytes of a file of any kind but MATLAB's, which are read from disk alone. `source`
/// starts every message. Throws as read_kernel does.
[[nodiscard]] Array<float> decode_kernel(std::span<const std::byte> bytes, const std::string& source);

/// All elements of a cell array in a MATLAB file, in MATLAB's order. Throws as read_kernel does.
[[nodiscard]] std::vector<Array<float>> read_kernels(const std::string& path,
                                                     const std::string& variable = {});

}  // namespace sonolux
