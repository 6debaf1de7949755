// sonolux/sdk/runtime/reconstructor_tiles.cpp
//
// How a reconstructor cuts its images into tiles.
#include <algorithm>
#include <cmath>
#include <limits>

#include <sonolux/sdk/runtime/reconstructor.hpp>

namespace sonolux {
namespace {

constexpr Index smallest_tile = 16;  // below this nearly all of a tile is overlap
constexpr std::size_t usual_memory_limit = std::size_t{64} << 20;

Index divide_up(Index a, Index b) noexcept { return (a + b - 1) / b; }

}  // namespace

Index Reconstructor::tiles() const noexcept {
    return divide_up(rows_, tile_rows_) * divide_up(columns_, tile_columns_);
}

Reconstructor::Extent Reconstructor::extent(Index tile, Index tile_size, Index size) const noexcept {
    if (tile_size == size) return {0, size, 0, size};
    const Index first = tile * tile_size, last = std::min(first + tile_size, size);
    if (circular_) return {first, last, first - overlap_, last + overlap_};
    return {first, last, std::max(first - overlap_, Index{0}), std::min(last + overlap_, size)};
}

// The largest size that a tile has with its overlap.
Index Reconstructor::extended(Index tile_size, Index size) const noexcept {
    if (tile_size == size) return size;
    return circular_ ? tile_size + 2 * overlap_ : std::min(tile_size + 2 * overlap_, size);
}

std::size_t Reconstructor::bytes_for(Index tile_rows, Index tile_columns) const noexcept {
    const Index rows = extended(tile_rows, rows_), columns = extended(tile_columns, columns_);
    const bool whole = tile_rows == rows_ && tile_columns == columns_;
    if (blur_)
        return network_->run_workspace_bytes(blur_->domain()[0], blur_->domain()[1], context_,
                                             {.data = {}, .blur = blur_.get()});
    // Planes are collected for networks of several channels, and what lies around a tile for all.
    return (whole && channels() == 1 ? 0 : Workspace::bytes<float>(channels() * rows * columns)) +
           network_->run_workspace_bytes(rows, columns, context_);
}

// Among the tiles whose workspace is within the limit, those with the least area in all, overlaps included.
void Reconstructor::choose_tiles(const ReconstructorOptions& options) {
    require(options.tile_rows >= 0, Status::invalid_argument, "tile_rows must be at least 0, got ",
            options.tile_rows);
    require(options.tile_columns >= 0, Status::invalid_argument, "tile_columns must be at least 0, got ",
            options.tile_columns);
    tile_rows_ = std::min(options.tile_rows, rows_);
    tile_columns_ = std::min(options.tile_columns, columns_);
    if (device_) {
        require((tile_rows_ == 0 || tile_rows_ == rows_) && (tile_columns_ == 0 || tile_columns_ == columns_),
                Status::unsupported, "tiles must be the whole image on a device, got ", options.tile_rows,
                " x ", options.tile_columns);
        tile_rows_ = rows_;
        tile_columns_ = columns_;
        return;
    }
    if (!tileable_) {
        const char* why =
            blur_ ? "a network with Fourier steps" : "a network whose border is circular and exact";
        require(blur_ || ((tile_rows_ == 0 || tile_rows_ == rows_) &&
                          (tile_columns_ == 0 || tile_columns_ == columns_)),
                Status::unsupported, "tiles must be the whole image for ", why, ", got ", options.tile_rows,
                " x ", options.tile_columns);
        const std::size_t needed = bytes_for(rows_, columns_) + plan_bytes();
        require(options.memory_limit == 0 || needed <= options.memory_limit, Status::unsupported,
                "memory_limit must be at least ", needed, " bytes, what the whole image needs (", why,
                " cannot run in tiles), got ", options.memory_limit);
        tile_rows_ = rows_;
        tile_columns_ = columns_;
    }
    if (tile_rows_ > 0 && tile_columns_ > 0) return;
    const std::size_t memory_limit = options.memory_limit > 0 ? options.memory_limit : usual_memory_limit;

    const auto fits = [&](Index rows, Index columns) { return bytes_for(rows, columns) <= memory_limit; };
    // How many parts a direction may be cut into; a given size of tiles is one way only.
    const auto most_parts = [](Index given, Index size) {
        return given > 0 ? Index{1} : divide_up(size, std::min(size, smallest_tile));
    };
    const auto size_of_part = [](Index given, Index size, Index parts) {
        return given > 0 ? given : divide_up(size, parts);
    };
    const Index given_rows = tile_rows_, given_columns = tile_columns_;
    const Index most_rows = most_parts(given_rows, rows_), most_columns = most_parts(given_columns, columns_);
    const Index fewest_columns = size_of_part(given_columns, columns_, most_columns);

    double least_area = std::numeric_limits<double>::infinity();
    const auto with_overlaps = [&](Index tile, Index size) {
        return static_cast<double>(size) + 2.0 * static_cast<double>(overlap_ * (divide_up(size, tile) - 1));
    };
    Index parts = 1;
    for (Index low = 1, high = most_rows;
         low <= high;) {  // the fewest rows of tiles with which anything fits
        const Index middle = (low + high) / 2;
        parts = fits(size_of_part(given_rows, rows_, middle), fewest_columns) ? (high = middle - 1, middle)
                                                                              : parts;
        if (high >= middle) low = middle + 1;
    }
    for (; parts <= most_rows; ++parts) {
        const Index rows = size_of_part(given_rows, rows_, parts);
        const double rows_in_all = with_overlaps(rows, rows_);
        if (rows_in_all * static_cast<double>(columns_) >= least_area) break;
        Index low = 1,
              high = most_columns;  // the fewest columns of tiles that fit; high fits, or nothing does
        while (low < high) {
            const Index middle = (low + high) / 2;
            if (fits(rows, size_of_part(given_columns, columns_, middle)))
                high = middle;
            else
                low = middle + 1;
        }
        const Index columns = size_of_part(given_columns, columns_, low);
        const double area = rows_in_all * with_overlaps(columns, columns_);
        if (!fits(rows, columns) || area >= least_area) continue;
        least_area = area;
        tile_rows_ = rows;
        tile_columns_ = columns;
    }
    const Index fewest_rows = size_of_part(given_rows, rows_, most_rows);
    require(std::isfinite(least_area), Status::invalid_argument, "memory_limit must be at least ",
            bytes_for(fewest_rows, fewest_columns), " bytes, what the smallest tile needs (", fewest_rows,
            " x ", fewest_columns, " pixels and ", overlap_, " around them), got ", memory_limit);
}

}  // namespace sonolux
