// sonolux/priors/fields_of_experts_tile.hpp
//
// Tiles of images and the planes that hold them. Private to priors.
//
// The image x lives on [0, rows) x [0, columns). It is extended by `pad` to the padded domain; responses z
// live on that domain less the radius; what comes out of the adjoint lives on
//
//     cropped   the image itself                  (pad = 2 radius)
//     exact     the padded domain, then folded    (pad = radius)
//     valid     the image itself                  (pad = 0)
//
// With valid borders z lives where filters lie inside the image. A response has the place of the filter's
// middle, `lead` = radius taps from its first row and column; with valid borders the place of its first tap,
// `lead` = 0. A filter reaches over `span` = size - 1 more pixels (2 radius, where it has a middle).
//
// A tile covers a rectangle of the output. It loads x on the rectangle grown by the span, computes z on what
// reaches into the rectangle as far as the response domain goes (0 elsewhere), and sums the adjoint.
#pragma once

#include <algorithm>

#include <sonolux/core/boundary.hpp>
#include <sonolux/core/view.hpp>
#include <sonolux/priors/fields_of_experts_kernel.hpp>

namespace sonolux::foe {

// Responses of 192 columns are 12 long vectors, and the planes of a tile stay in a 1 MiB cache. Training
// patches are one tile.
inline constexpr Index most_response_columns = 192, least_tile_rows = 32, most_tile_rows = 96,
                       most_vjp_tile_rows = 96;

inline constexpr Index most_channels = 4;

inline constexpr double weight_slope = 2.5;  // of the sigmoid that makes weights of maps

/// Planes of scratch that a tile takes: image and sum of each channel, and one response; on the way back
/// image, upstream and sum of each channel, two responses and a part of one.
[[nodiscard]] constexpr Index forward_planes(Index channels) noexcept { return 2 * channels + 1; }
[[nodiscard]] constexpr Index backward_planes(Index channels) noexcept { return 3 * channels + 3; }

/// A domain cut into nearly equal tiles.
struct Tiling {
    Rectangle domain;
    Index tile_rows, tile_columns, across, count;

    Tiling(const Rectangle& whole, Index most_rows, Index most_columns) noexcept : domain(whole) {
        const Index down = (whole.rows() + most_rows - 1) / most_rows;
        across = (whole.columns() + most_columns - 1) / most_columns;
        tile_rows = (whole.rows() + down - 1) / down;
        tile_columns = (whole.columns() + across - 1) / across;
        count = down * across;
    }

    [[nodiscard]] Rectangle tile(Index i) const noexcept {
        const Index row = domain.row + i / across * tile_rows,
                    column = domain.column + i % across * tile_columns;
        return {row, std::min(row + tile_rows, domain.row_end), column,
                std::min(column + tile_columns, domain.column_end)};
    }
};

[[nodiscard]] inline Rectangle grown(const Rectangle& r, Index by) noexcept {
    return {r.row - by, r.row_end + by, r.column - by, r.column_end + by};
}

/// Where the responses lie that reach into a tile.
[[nodiscard]] inline Rectangle reaching(const Rectangle& tile, Index span, Index lead) noexcept {
    return {tile.row - span + lead, tile.row_end + lead, tile.column - span + lead, tile.column_end + lead};
}

/// What lies in both; without rows or columns where nothing does.
[[nodiscard]] inline Rectangle common(const Rectangle& a, const Rectangle& b) noexcept {
    const Index row = std::max(a.row, b.row), column = std::max(a.column, b.column);
    return {row, std::max(row, std::min(a.row_end, b.row_end)), column,
            std::max(column, std::min(a.column_end, b.column_end))};
}

/// Rows of an odd number of cache lines: neighbouring rows fall into different sets of the cache.
[[nodiscard]] inline Index plane_stride(Index tile_columns, Index span) noexcept {
    return (round_up(tile_columns + 2 * span) / slack + 1) / 2 * 2 * slack + slack;
}

[[nodiscard]] inline Index plane_floats(Index tile_rows, Index tile_columns, Index span) noexcept {
    return (tile_rows + 2 * span) * plane_stride(tile_columns, span) + slack;
}

/// Fills the plane with x on `r`, continued by the rule; 0 in the spare columns.
void load_tile(View<const float> x, BoundaryRule rule, const Rectangle& r, Plane plane) noexcept;

/// The tile's part of an output that begins at `origin`: out = scale * sum.
void store_tile(Plane sum, const Rectangle& tile, const Rectangle& origin, float scale,
                View<float> out) noexcept;

/// The transpose of extending by the rule: adds what lies outside to where it came from.
void fold(View<const float> padded, Index pad, BoundaryRule rule, View<float> x) noexcept;

inline void flip(const float* filter, Index taps, float* flipped) noexcept {
    std::reverse_copy(filter, filter + taps, flipped);
}

/// The responses to one filter among those kept, [filters, rows, columns rounded up].
[[nodiscard]] inline Plane kept_plane(float* kept, Index filter, const Rectangle& responses) noexcept {
    const Index stride = round_up(responses.columns());
    return {kept + filter * responses.rows() * stride, stride};
}

}  // namespace sonolux::foe
