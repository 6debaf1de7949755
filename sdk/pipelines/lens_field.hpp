// sonolux/sdk/pipelines/lens_field.hpp
//
// The kernels of a lens all over the sensor: away from the axis a single lens blurs differently.
#pragma once

#include <string>
#include <vector>

#include <sonolux/core/context.hpp>
#include <sonolux/sdk/runtime/model.hpp>

namespace sonolux {

/// A sensor cut into equal fields, each with the kernels of its middle. One field: the same blur everywhere.
struct LensField {
    Index grid_rows = 1, grid_columns = 1;
    std::vector<Array<float>> kernels;  ///< [channels, size, size] of each field, row by row

    /// The kernels at pixel (row, column) of a capture [rows, columns]: bilinear between the middles of
    /// fields, constant beyond the outermost ones, as bilinear_windows weighs them.
    [[nodiscard]] Array<float> at(double row, double column, Index rows, Index columns) const;
};

/// Computes the kernels of the lens that a recipe of the domain "lens" describes, for a sensor of `rows` by
/// `columns` of the recipe's pixels whose middle is on the axis, in grid_rows x grid_columns fields. The
/// relief is computed in cells of a quarter of its narrowest zone, at most half a pixel. `context` hears
/// about progress. Throws Error naming the recipe's key, or as field_kernels does.
[[nodiscard]] LensField lens_field_from_recipe(const std::string& recipe, Index rows, Index columns,
                                               Index grid_rows, Index grid_columns, Context& context);

/// The kernel of its axis alone, in less than a second: exact for lenses of rings. Throws as
/// lens_field_from_recipe does.
[[nodiscard]] LensField lens_axis_from_recipe(const std::string& recipe, Context& context);

/// Kernels as NumPy saves them, float32 [grid rows, grid columns, channels, size, size]: they take half a
/// minute and more to compute. Throws Error{file_error}, and Error{corrupt_data} naming file and shape for
/// what is no such array or not finite.
[[nodiscard]] LensField read_lens_field(const std::string& path);
void write_lens_field(const std::string& path, const LensField& field);

/// How far the kernels of the middle are from the model's own: the root of the summed squares of the
/// differences, relative to that of the model's kernels; the smaller ones are continued by 0. 0: the same
/// lens.
[[nodiscard]] double difference_from_model(const LensField& field, const Model& model);

}  // namespace sonolux
