// sonolux/simulation/optics/field_kernels.hpp
//
// Kernels all over the field of view, for blurs that change from place to place.
#pragma once

#include <sonolux/simulation/optics/camera.hpp>
#include <sonolux/simulation/optics/propagation.hpp>

namespace sonolux {

/// A sensor cut into equal fields, each with the kernels of its middle.
struct FieldGridOptions {
    Index rows = 0, columns = 0;            ///< of the sensor, pixels; its middle is on the axis
    Index grid_rows = 5, grid_columns = 5;  ///< fields
    bool symmetric = true;  ///< the relief is: fields that mirror each other are computed once
};

/// The white-light kernels [channels, size, size] of each field, row by row: what SpectralBlur::set_kernels
/// takes with bilinear_windows(grid_rows, grid_columns, rows, columns). Light from a direction is looked at
/// about the point where its chief ray meets the sensor, so kernels have their weight in the middle.
///
/// Field by field; the context reports progress. Throws Error{invalid_argument} for a grid that is empty or
/// finer than the sensor, an even size with `symmetric` (its middle would move), as make_psf_bank does, and
/// Error{cancelled}.
[[nodiscard]] std::vector<Array<float>> field_kernels(const MapOptics& optics, const PsfBankOptions& options,
                                                      const CameraResponse& response,
                                                      const FieldGridOptions& fields, Context& context);

}  // namespace sonolux
