// sonolux/core/acoustics/focusing_delays.hpp
//
// How long sound takes to each pixel of an image, and from there to each element: what a beamformer undoes.
#pragma once

#include <vector>

#include <sonolux/core/acoustics/acquisition.hpp>
#include <sonolux/core/acoustics/transmit_field.hpp>

namespace sonolux {

/// Times (s) from time 0 of each transmission to each pixel, and from each pixel to each element; from the
/// closed forms of a uniform medium, or tables from elsewhere (an eikonal solver).
///
/// NaN in a table: sound does not get there; the pixel is not focused with it.
class FocusingDelays {
public:
    /// A uniform medium: |p - e| / sound_speed, and TransmitField. Throws Error{invalid_argument} for a grid
    /// that is none, and as TransmitField and validate(Acquisition).
    FocusingDelays(const Acquisition& acquisition, const ImageGrid& grid, double sound_speed);

    /// `transmit` is [transmission, rows, columns] of the grid and `receive` [element, rows, columns], s.
    ///
    /// Throws Error{size_mismatch} where a table does not have the sizes of grid and acquisition, and
    /// Error{invalid_argument} for a time that is infinite, beyond 1 s, or negative (on reception).
    FocusingDelays(const Acquisition& acquisition, const ImageGrid& grid, Array<float> transmit,
                   Array<float> receive);

    [[nodiscard]] const ImageGrid& grid() const noexcept { return grid_; }
    [[nodiscard]] Index sent() const noexcept { return sent_; }
    [[nodiscard]] Index elements() const noexcept { return static_cast<Index>(positions_.size()); }
    [[nodiscard]] bool uniform() const noexcept { return slowness_ > 0; }

    /// Where the wave of a transmission goes, on straight rays: in a uniform medium of its speed, or beside
    /// tables of the speed that its delays were computed for.
    [[nodiscard]] const TransmitField& field(Index transmission) const noexcept {
        return fields_[static_cast<std::size_t>(transmission)];
    }

    [[nodiscard]] double transmit(Index transmission, Index row, Index column) const noexcept {
        if (!uniform()) return double{transmit_table_.data()[at(transmission, row, column)]};
        return field(transmission).time(point(row, column));
    }
    [[nodiscard]] double receive(Index element, Index row, Index column) const noexcept {
        if (!uniform()) return double{receive_table_.data()[at(element, row, column)]};
        return length(point(row, column) - positions_[static_cast<std::size_t>(element)]) * slowness_;
    }

private:
    [[nodiscard]] Point point(Index row, Index column) const noexcept {
        return grid_.point(static_cast<double>(row), static_cast<double>(column));
    }
    [[nodiscard]] Index at(Index plane, Index row, Index column) const noexcept {
        return (plane * grid_.rows + row) * grid_.columns + column;
    }

    ImageGrid grid_;
    Index sent_;
    double slowness_ = 0;
    std::vector<Point> positions_;
    std::vector<TransmitField> fields_;
    Array<float> transmit_table_, receive_table_;
};

}  // namespace sonolux
