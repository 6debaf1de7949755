// sonolux/sdk/files/spectral_files.hpp
//
// Spectra from files: sensitivities and illuminants as tables, scenes as cubes.
#pragma once

#include <string>
#include <vector>

#include <sonolux/core/array.hpp>
#include <sonolux/simulation/optics/camera.hpp>

namespace sonolux {

/// Curves over wavelength, checked by check_table; the file's name is the table's.
///
///   .json   camera data of the Academy (rawtoaces): "spectral_data" with rows of values by wavelength in nm;
///           or "wavelengths" in um with "red_response", "green_response", "blue_response"
///   other   text: lines of numbers between commas, semicolons, tabs or blanks, the first the wavelength in
///           nm; lines that begin otherwise are headers. `columns` says which further ones are wanted, from
///           1; empty: all
///
/// Throws Error{corrupt_data} naming the file and the line or field, Error{file_error} if it cannot be read,
/// Error{invalid_argument} as check_table does.
[[nodiscard]] SpectralTable read_spectral_table(const std::string& path,
                                                const std::vector<Index>& columns = {});

/// A scene in many bands.
struct SpectralCube {
    std::vector<double> wavelengths;  ///< m
    Array<float> reflectance;         ///< [bands, rows, columns], 1 is white
    std::string source;  ///< how it was read: "beads_ms: 31 grey PNG of 16 bits, as linear light"
};

/// Wavelengths that nothing was said of: 400, 410, ..., 700 nm for 31 bands.
///
///   folder      grey images of equal size, one a band, in the order of their names; code values are light
///   .mat        the one array with three dimensions (or the one called `name`)
///   .h5, .hdf5  likewise
///
/// In arrays the bands are the dimension that is as long as there are wavelengths, the first that fits of the
/// last and the first. Throws Error{file_error}, Error{corrupt_data}, and Error{invalid_argument} naming the
/// file where the number of bands is not that of the wavelengths.
[[nodiscard]] SpectralCube read_spectral_cube(const std::string& path, std::vector<double> wavelengths = {},
                                              const std::string& name = "");

}  // namespace sonolux
