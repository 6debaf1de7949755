// sonolux/core/operators/path_integral.hpp
//
// The travel-time operator: delays from slowness, as sums of integrals along straight rays.
//
//     (L s)[m, i, j] = sum over rays r of measurement m of weight_r * integral of s along r to point (i, j)
//
// Two forms of the same operator:
//
//     rows         one explicit sparse row per measurement and point: exact lengths of each ray in each pixel
//                  (straight_ray.hpp), s constant in a pixel. The reference.
//     cumulative   no matrix: s is sampled along one set of rays per source, linearly between the middles of
//                  pixels; running sums along the rays; the result is read off between rays, linearly. Its
//                  cost per point does not grow with the length of the rays.
//
// They differ by how a map is thought of between the middles of its pixels: on smooth maps by less than 0.5 %
// (tests/core/operators/path_integral_test.cpp), on maps with sharp edges by what half a pixel makes there.
//
// Units: slowness in s/m, or its deviation from that of the beamformer; delays in s. Single precision: a
// slowness of 6.5e-4 s/m is known to 4e-11 s/m (1e-4 m/s), a time of 6e-5 s to 4e-12 s, and differences of
// times inherit that error, which is 1000 times below what tracking achieves. Apply the operator to
// deviations where less is wanted.
#pragma once

#include <memory>

#include <sonolux/core/linear_operator.hpp>
#include <sonolux/core/operators/path_geometry.hpp>

namespace sonolux {

/// Domain [rows, columns] of the map, range [measurement, rows, columns] of the points. Points that a
/// measurement does not see (`coverage`) have rows of zeros: leave them out by a mask (Chain with Mask, or
/// what an inversion takes), since 0 s is no measurement.
class PathIntegral : public LinearOperator {
public:
    [[nodiscard]] const PathGeometry& geometry() const noexcept { return geometry_; }

    /// As `coverage(geometry())`.
    [[nodiscard]] View<const float> coverage() const noexcept { return coverage_.view(); }

    Shape domain() const noexcept override { return geometry_.map.shape(); }
    Shape range() const noexcept override { return coverage_.shape(); }

protected:
    explicit PathIntegral(PathGeometry geometry)
        : geometry_(std::move(geometry)), coverage_(sonolux::coverage(geometry_)) {}

private:
    PathGeometry geometry_;
    Array<float> coverage_;
};

/// The explicit form: compressed sparse rows and their transpose, float lengths from double geometry, sums in
/// double.
class PathIntegralRows final : public PathIntegral {
public:
    /// Throws as `validate`, and Error{unsupported} for more than 2^31 - 1 pixels.
    explicit PathIntegralRows(PathGeometry geometry);

    void apply(View<const float> slowness, View<float> delays, Context& context) const noexcept override;
    void adjoint(View<const float> delays, View<float> slowness, Context& context) const noexcept override;

    /// One row, in the order of pixels.
    [[nodiscard]] std::vector<PixelChord> row(Index measurement, Index row, Index column) const;

    [[nodiscard]] Index nonzeros() const noexcept { return static_cast<Index>(rows_.values.size()); }

    struct Sparse {
        std::vector<std::size_t> offsets;  // [rows + 1]
        std::vector<std::int32_t> columns;
        std::vector<float> values;
    };
    [[nodiscard]] const Sparse& sparse() const noexcept { return rows_; }

private:
    Sparse rows_, transposed_;
};

enum class PathIntegralForm {
    rows,
    cumulative,
    automatic,  ///< cumulative where it can be
};

/// Throws as `validate`, and Error{unsupported} where `cumulative` is asked for and the points are not the
/// pixels of the map or a point source has an f-number below 0.1.
[[nodiscard]] std::shared_ptr<const PathIntegral> make_path_integral(
    PathGeometry geometry, PathIntegralForm form = PathIntegralForm::automatic);

}  // namespace sonolux
