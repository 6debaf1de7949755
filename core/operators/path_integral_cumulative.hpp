// sonolux/core/operators/path_integral_cumulative.hpp
//
// The travel-time operator without a matrix: running sums along the rays of each source.
//
// Rays of a point source are spaced so that they are one column apart in the last row, u_k = u_0 + k du (u:
// steps to the right per step down); parallel rays are one column apart everywhere. Along ray k, at the depth
// z_i of each row, slowness is sampled linearly between the middles of pixels, and summed by the trapezoidal
// rule; the row that the array's face cuts counts by its part below. The sum is read off at each pixel
// linearly between the two rays beside it, and multiplied by the length of the pixel's own ray per depth:
//
//     T(i, j) = sqrt(1 + u^2) sum over i' <= i of w(i, i') ((1 - g) S_i'(r) + g S_i'(r + 1))
//
// Pixels beyond the first and last column's middles have the slowness of that column.
//
// Sources whose places differ by whole columns share their tables and are the lanes of vectors: rows of
// measurements with equally spaced elements cost least where the spacing is a multiple of the map's.
#pragma once

#include <array>

#include <sonolux/core/operators/path_integral.hpp>
#include <sonolux/core/operators/path_integral_kernel.hpp>

namespace sonolux {

class PathIntegralCumulative final : public PathIntegral {
public:
    /// Throws as `validate`, and Error{unsupported} where the points are not the pixels of the map or a point
    /// source has an f-number below 0.1.
    explicit PathIntegralCumulative(PathGeometry geometry);

    std::size_t workspace_bytes(const Context& context) const noexcept override;
    void apply(View<const float> slowness, View<float> delays, Context& context) const noexcept override;
    void adjoint(View<const float> delays, View<float> slowness, Context& context) const noexcept override;

    /// The definition, as plain loops over each pixel's two rays, in double. Allocates.
    void apply_reference(View<const float> slowness, View<float> delays) const;

private:
    using FanRow = path_integral_kernel::FanRow;
    using PlaneRow = path_integral_kernel::PlaneRow;
    static constexpr Index lanes = path_integral_kernel::lanes;

    /// The rays of point sources that differ by whole columns. Places are in columns, counted from the whole
    /// column before the source.
    struct Fan {
        RaySource like;       // the first of them
        double fraction = 0;  // where the source is between two columns
        double first_slope = 0, slope_step = 0;
        Index first_shift = 0, last_shift = 0;
        Index rays = 0, most_cells = 0;
        std::vector<FanRow> rows = {};
        std::vector<std::uint16_t> cell_ray_end = {}, output_ray = {};
        std::vector<float> ray_fraction = {}, output_fraction = {}, output_length = {};
    };
    struct Plane {
        double length = 1;
        std::vector<PlaneRow> rows;
    };
    struct Source {
        RaySource rays;
        Index fan = -1, shift = 0;  // of point sources
        Plane plane;
    };
    /// What one thread does at a time.
    struct Task {
        std::vector<Index> sources;  // up to 8 of one fan, or a few plane waves
        std::array<Index, lanes> shifts{};
        bool is_fan = false;
    };
    struct Term {
        Index other;  // source of a measurement, or measurement of a source
        float weight;
    };
    struct Range {
        Index begin = 0, end = 0;
    };
    /// The part of a row that belongs to a ray, and where it is sampled.
    struct Slab {
        double full = 0, part = 0, depth = 0;
    };

    [[nodiscard]] Slab slab(const RaySource& source, Index row) const noexcept;
    [[nodiscard]] Index first_row(const RaySource& source) const noexcept;
    [[nodiscard]] double reference_time(const Source& source, View<const float> slowness, Index row,
                                        Index column) const;
    void make_fan(Fan& fan, const std::vector<Index>& members);
    void make_plane(Source& source);
    void make_tasks();
    [[nodiscard]] Index scratch_floats(const Task& task) const noexcept;
    template <class Map, class Run>
    void run_task(const Task& task, Map map, float* times, float* scratch, const Run& run) const noexcept;

    [[nodiscard]] Index rows() const noexcept { return geometry().map.rows; }
    [[nodiscard]] Index columns() const noexcept { return geometry().map.columns; }
    [[nodiscard]] Index time_stride() const noexcept { return columns() + 2 * lanes; }
    [[nodiscard]] Index stride() const noexcept { return columns() + 2 * margin_; }

    std::vector<Source> sources_;
    std::vector<Fan> fans_;
    std::vector<Task> tasks_;
    std::vector<std::vector<Term>> of_measurement_, of_source_;
    std::vector<Range> seen_;  // [measurement, rows]
    Index margin_ = 2;         // columns beside the map that rays look up
};

}  // namespace sonolux
