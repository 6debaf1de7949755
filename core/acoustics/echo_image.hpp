// sonolux/core/acoustics/echo_image.hpp
//
// From beamformed data to what people look at: envelope, decibels, and the sector of a curved probe.
#pragma once

#include <sonolux/core/acoustics/image_grid.hpp>
#include <sonolux/core/linear_operator.hpp>

namespace sonolux {

/// sqrt(re^2 + im^2): [..., 2] to [...]. NaN stays NaN.
void envelope(View<const float> complex, View<float> magnitude) noexcept;

/// max(20 log10(x / reference), floor), floor below 0 dB; `out` may be `magnitude`. A magnitude of 0 gives
/// the floor, NaN stays NaN. Throws Error{invalid_argument} unless reference is above 0 and finite, and the
/// floor in [-200, 0) dB.
void log_compress(View<const float> magnitude, View<float> out, double reference, double floor_db);

/// The largest magnitude; NaN is passed over. 0 where there is none.
[[nodiscard]] double largest_magnitude(View<const float> magnitude) noexcept;

/// An image in the coordinates of a curved or phased probe: row i lies at the range first_range + i
/// range_spacing from `origin`, column j in the direction first_angle + j angle_spacing, from z towards x (m,
/// rad). The origin of a convex array is the middle of its arc, at z = -radius.
struct SectorGrid {
    Index ranges = 0, angles = 0;
    double first_range = 0, range_spacing = 0;
    double first_angle = 0, angle_spacing = 0;
    Point origin;

    friend bool operator==(const SectorGrid&, const SectorGrid&) = default;
};

/// Scan conversion: a sector on a grid of square pixels, each the bilinear mean of the four samples around
/// it; 0 outside of the sector.
///
/// Domain [ranges, angles], range [rows, columns].
class ScanConversion final : public LinearOperator {
public:
    /// Throws Error{invalid_argument} naming the field: a sector of less than 2 x 2 samples, spacings not
    /// above 0, a negative range, angles beyond pi / 2 (degrees are found out by that); a grid that is none;
    /// and where no pixel is in the sector.
    ScanConversion(const SectorGrid& sector, const ImageGrid& grid);

    Shape domain() const noexcept override { return {sector_.ranges, sector_.angles}; }
    Shape range() const noexcept override { return grid_.shape(); }
    void apply(View<const float> sector, View<float> image, Context& context) const noexcept override;
    void adjoint(View<const float> image, View<float> sector, Context& context) const noexcept override;

    /// Whether a pixel is in the sector.
    [[nodiscard]] bool inside(Index row, Index column) const noexcept;

private:
    /// The sample up and left of a pixel, and how far it is to the next ones; sample -1 outside.
    struct Place {
        Index sample;
        float down, across;
    };
    [[nodiscard]] Place place(Index row, Index column) const noexcept;

    SectorGrid sector_;
    ImageGrid grid_;
};

}  // namespace sonolux
