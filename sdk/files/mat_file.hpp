// sonolux/sdk/files/mat_file.hpp
//
// Matrices in MATLAB files, of version 5 and 7.3 (HDF5), read by matio. Calls take the lock of
// hdf5_file.hpp, so they are safe among each other.
#pragma once

#include <string>
#include <vector>

#include <sonolux/core/shape.hpp>

namespace sonolux {

/// What a file says about one of its variables.
struct MatContent {
    std::string name;
    std::string kind;  ///< MATLAB's class: "double", "single", "int16", ..., "cell", "struct", "char", ...
    std::vector<Index> sizes;  ///< as size() has them
    bool numeric = false;      ///< a full, real matrix of numbers
    bool complex = false;      ///< a full, complex matrix of numbers

    [[nodiscard]] bool cell() const noexcept { return kind == "cell"; }
    [[nodiscard]] Index elements() const noexcept;

    /// "kernels (cell, 1 x 8)".
    [[nodiscard]] std::string description() const;
};

/// A real array of numbers.
struct MatArray {
    std::string name;            ///< "psf", or "kernels{3}" for an element of a cell array
    std::vector<Index> sizes;    ///< as size() has them; at least two
    std::vector<double> values;  ///< row-major: the last index is the fastest
};

/// The variables of a file, in its order, without their values. Throws Error{file_error} where the file
/// cannot be read and Error{corrupt_data} where it is not a MATLAB file.
[[nodiscard]] std::vector<MatContent> mat_contents(const std::string& path);

/// The array `name`; or, where that is a cell array, its elements in MATLAB's order (down the columns).
/// Throws Error{invalid_argument} if there is none, Error{unsupported} if it or one of its elements is not
/// numeric and real, Error{corrupt_data} for a damaged file.
[[nodiscard]] std::vector<MatArray> read_mat(const std::string& path, const std::string& name);

/// One variable without its values: "rf", or "data.rf" for a field of a struct. Throws as read_mat.
[[nodiscard]] MatContent mat_content(const std::string& path, const std::string& name);

/// The fields of the struct `name` that are real arrays of numbers, each called as the field is. Throws as
/// read_mat, and Error{unsupported} where that is no single struct.
[[nodiscard]] std::vector<MatArray> read_mat_struct(const std::string& path, const std::string& name);

/// The block [start, start + count) of every dimension of a full matrix of numbers, in MATLAB's order (the
/// first index is the fastest); of a complex one, real and imaginary part in turn. Only the block is in
/// memory, unless the matrix is a field of a struct. Throws as read_mat, and Error{invalid_argument} where
/// there is no such block.
[[nodiscard]] std::vector<float> read_mat_block(const std::string& path, const std::string& name,
                                                const std::vector<Index>& start,
                                                const std::vector<Index>& count);

}  // namespace sonolux
