// sonolux/solvers/tracking/track_image.hpp
//
// What trackers say about two images: how far the echoes moved, how alike they are, and where that holds.
//
// Beamform two transmissions onto one ImageGrid. Where the speed that was assumed is wrong, the same echo
// lies at another depth in each: `moved` shows at row i + d what `reference` shows at row i,
//
//     moved(i + displacement, j) = reference(i, j)
//
// so a positive displacement means deeper, and later, in the moved image. delay_of_displacement.hpp makes
// delays of it.
#pragma once

#include <sonolux/core/acoustics/image_grid.hpp>
#include <sonolux/core/array.hpp>

namespace sonolux {

/// Where trackers write. Contiguous, of the tracker's shape().
struct TrackImage {
    View<float> displacement;  ///< rows of the image, fractions too; NaN where not valid
    View<float> correlation;   ///< of the two images in the block, at most 1; NaN where there is no texture
    View<float> valid;         ///< 1 or 0: the weights of a Mask
};

/// The same with memory of its own.
struct Tracks {
    explicit Tracks(const Shape& shape) : displacement(shape), correlation(shape), valid(shape) {}

    operator TrackImage() noexcept {  // NOLINT(google-explicit-constructor): as Array to View
        return {displacement.view(), correlation.view(), valid.view()};
    }

    Array<float> displacement, correlation, valid;
};

/// Sizes and steps of blocks or windows that slide over an image: where the results lie.
///
/// Result (r, c) belongs to the block whose first sample is (margin + r row_step, c column_step), and lies in
/// that block's middle. Only whole blocks count, so results cover less than the image.
struct BlockLayout {
    Index block_rows = 1, block_columns = 1;
    Index row_step = 1, column_step = 1;
    Index margin = 0;  ///< rows above and below a block that are looked at as well

    friend bool operator==(const BlockLayout&, const BlockLayout&) = default;

    /// [rows, columns] of the results for an image of `rows` x `columns`.
    [[nodiscard]] Shape results(Index rows, Index columns) const {
        return {(rows - block_rows - 2 * margin) / row_step + 1, (columns - block_columns) / column_step + 1};
    }

    /// Where the results lie, for images on `image`.
    [[nodiscard]] ImageGrid grid(const ImageGrid& image) const {
        const Shape shape = results(image.rows, image.columns);
        return {shape[0],
                shape[1],
                image.row_spacing * static_cast<double>(row_step),
                image.column_spacing * static_cast<double>(column_step),
                image.z(static_cast<double>(margin) + 0.5 * static_cast<double>(block_rows - 1)),
                image.x(0.5 * static_cast<double>(block_columns - 1))};
    }
};

/// Throws Error{invalid_argument} naming the field unless blocks and steps are at least 1, a block has at
/// least two samples and, with its margin, fits into the image. `who` starts the sentence.
inline void validate(const BlockLayout& layout, Index rows, Index columns, const char* who) {
    const auto invalid = Status::invalid_argument;
    const auto positive = [&](const char* name, Index value) {
        require(value >= 1, invalid, who, ": ", name, " must be at least 1, got ", value);
    };
    positive("block_rows", layout.block_rows);
    positive("block_columns", layout.block_columns);
    positive("row_step", layout.row_step);
    positive("column_step", layout.column_step);
    constexpr Index most = Index{1} << 24;  // products of sizes stay far from overflow
    require(layout.block_rows <= most && layout.block_columns <= most && layout.margin <= most, invalid, who,
            ": blocks of ", layout.block_rows, " x ", layout.block_columns, " with ", layout.margin,
            " rows around them are beyond every image");
    require(layout.block_rows * layout.block_columns >= 2, invalid, who,
            ": a block must have at least two samples");
    require(rows >= layout.block_rows + 2 * layout.margin, invalid, who, ": blocks of ", layout.block_rows,
            " rows and ", layout.margin, " more above and below need images of at least ",
            layout.block_rows + 2 * layout.margin, " rows, got ", rows);
    require(columns >= layout.block_columns, invalid, who, ": blocks of ", layout.block_columns,
            " columns need images of at least as many, got ", columns);
}

/// Throws Error{size_mismatch} unless both images are [rows, columns] of the same size.
template <class T>
void require_pair(View<const T> reference, View<const T> moved, const char* who) {
    require(reference.rank() == 2 && reference.shape() == moved.shape(), Status::size_mismatch, who,
            ": both images must be [rows, columns] of one size; the reference is ",
            to_string(reference.shape()), ", the moved image ", to_string(moved.shape()));
}

}  // namespace sonolux
