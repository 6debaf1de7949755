// sonolux/priors/convolutional_network_tile.hpp
//
// Which pixels of which layer a piece of an image needs, and the rows of features in scratch memory. Private
// to priors.
//
// For n(x) on a rectangle, layer l is needed on that rectangle grown by the radius once for each layer after
// it. There it is cut off where the image ends, and rows and columns beyond the end are those that the
// boundary rule names: all of them lie within the radius inside the border. The circular rule alone looks
// further; but since a network commutes with circular shifts, its layers are not cut off, and only x is read
// from the other side.
#pragma once

#include <algorithm>

#include <sonolux/core/boundary.hpp>
#include <sonolux/core/view.hpp>
#include <sonolux/priors/convolutional_network_kernel.hpp>

namespace sonolux::cnn {

/// Rows [row, row_end) and columns [column, column_end).
struct Rectangle {
    Index row, row_end, column, column_end;

    [[nodiscard]] Index rows() const noexcept { return row_end - row; }
    [[nodiscard]] Index columns() const noexcept { return column_end - column; }
};

/// An image's sizes and what lies outside of it.
struct Frame {
    Index rows, columns;
    BoundaryRule rule;

    /// `area` grown by `margin`, as far as there are features.
    [[nodiscard]] Rectangle grown(const Rectangle& area, Index margin) const noexcept {
        Rectangle r{area.row - margin, area.row_end + margin, area.column - margin, area.column_end + margin};
        if (rule == BoundaryRule::circular) return r;
        return {std::max<Index>(r.row, 0), std::min(r.row_end, rows), std::max<Index>(r.column, 0),
                std::min(r.column_end, columns)};
    }

    /// The row and column of features that stand at any row or column; -1 for the zero outside.
    [[nodiscard]] Index feature_row(Index r) const noexcept {
        return rule == BoundaryRule::circular ? r : boundary_index(rule, r, rows);
    }
    [[nodiscard]] Index feature_column(Index c) const noexcept {
        return rule == BoundaryRule::circular ? c : boundary_index(rule, c, columns);
    }
};

/// At most how many columns an area has that grew by `margin` from at most `tile_columns`.
[[nodiscard]] inline Index most_columns(const Frame& frame, Index tile_columns, Index margin) noexcept {
    const Index grown = tile_columns + 2 * margin;
    return frame.rule == BoundaryRule::circular ? grown : std::min(grown, frame.columns);
}
[[nodiscard]] inline Index most_rows(const Frame& frame, Index tile_rows, Index margin) noexcept {
    const Index grown = tile_rows + 2 * margin;
    return frame.rule == BoundaryRule::circular ? grown : std::min(grown, frame.rows);
}

/// Rows of features of `area`, with `pad` further columns on both sides; of all rows the last `slots`.
struct Features {
    float* data = nullptr;
    Rectangle area{};
    Index channels = 0, pad = 0, slots = 0;

    [[nodiscard]] Index block_stride() const noexcept { return (area.columns() + 2 * pad) * block; }
    [[nodiscard]] Index row_floats() const noexcept { return blocks_of(channels) * block_stride(); }
    [[nodiscard]] Index floats() const noexcept { return slots * row_floats(); }
    [[nodiscard]] float* at(Index row, Index column) const noexcept {
        return data + (row - area.row) % slots * row_floats() + (column - area.column + pad) * block;
    }
    [[nodiscard]] OutputRow output(Index row) const noexcept {
        return {at(row, area.column), block_stride(), channels};
    }
};

/// Copies a row of an image into channel 0 and zeros into the rest of its block. Rows and columns outside the
/// image are taken from the other side of it, as the circular rule wants; other rules have none.
void load_row(View<const float> image, const Features& features, Index row) noexcept;

/// Fills the columns of a row that lie outside the image, within the pad.
void extend_row(const Frame& frame, const Features& features, Index row) noexcept;

/// The rows that row `row` of a convolution's results reads, from column `column` - radius on. `zeros` stands
/// for those outside, and is at least as long as a row of `features`.
[[nodiscard]] InputRows input_rows(const Frame& frame, const Features& features, const float* zeros, int size,
                                   Index row, Index column) noexcept;

/// One layer as the kernels want it.
struct PackedLayer {
    Index outputs, inputs;
    const float* weights;  ///< of the convolution; to one channel if the layer is the last one
    const float*
        transposed;       ///< of its transpose, with flipped taps; to one channel if the layer is the first
    const float* biases;  ///< 0 past the last one
};

/// A row of a hidden layer from the rows below it: convolution, nonlinearity, extension.
void compute_row(const KernelTable& kernel, Activate activate, const Frame& frame, const PackedLayer& layer,
                 int size, const Features& below, const Features& features, const float* zeros,
                 Index row) noexcept;

/// An image cut into nearly equal pieces.
struct Tiling {
    Index rows, columns, tile_rows, tile_columns, across, count;

    Tiling(Index image_rows, Index image_columns, Index most_rows, Index most_columns) noexcept
        : rows(image_rows),
          columns(image_columns),
          tile_rows(piece(rows, most_rows)),
          tile_columns(piece(columns, most_columns)),
          across(pieces(columns, most_columns)),
          count(across * pieces(rows, most_rows)) {}

    /// Tile i; may be empty at the end.
    [[nodiscard]] Rectangle tile(Index i) const noexcept {
        const Index row = std::min(i / across * tile_rows, rows),
                    column = std::min(i % across * tile_columns, columns);
        return {row, std::min(row + tile_rows, rows), column, std::min(column + tile_columns, columns)};
    }

private:
    [[nodiscard]] static Index pieces(Index whole, Index most) noexcept { return (whole + most - 1) / most; }
    [[nodiscard]] static Index piece(Index whole, Index most) noexcept {
        return (whole + pieces(whole, most) - 1) / pieces(whole, most);
    }
};

}  // namespace sonolux::cnn
