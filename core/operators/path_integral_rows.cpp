// sonolux/core/operators/path_integral_rows.cpp
//
// The explicit travel-time operator.
#include <algorithm>
#include <limits>

#include <sonolux/core/operators/path_integral.hpp>
#include <sonolux/core/parallel_rows.hpp>

namespace sonolux {

namespace {

using Sparse = PathIntegralRows::Sparse;

Sparse transpose(const Sparse& matrix, Index columns) {
    Sparse result;
    result.offsets.assign(static_cast<std::size_t>(columns) + 1, 0);
    for (const std::int32_t column : matrix.columns) ++result.offsets[static_cast<std::size_t>(column) + 1];
    for (std::size_t c = 0; c < static_cast<std::size_t>(columns); ++c)
        result.offsets[c + 1] += result.offsets[c];
    result.columns.resize(matrix.columns.size());
    result.values.resize(matrix.values.size());
    std::vector<std::size_t> next(result.offsets.begin(), result.offsets.end() - 1);
    for (std::size_t r = 0; r + 1 < matrix.offsets.size(); ++r)
        for (std::size_t n = matrix.offsets[r]; n < matrix.offsets[r + 1]; ++n) {
            const std::size_t place = next[static_cast<std::size_t>(matrix.columns[n])]++;
            result.columns[place] = static_cast<std::int32_t>(r);
            result.values[place] = matrix.values[n];
        }
    return result;
}

void multiply(const Sparse& matrix, const float* x, float* y, Context& context) noexcept {
    const auto rows = static_cast<Index>(matrix.offsets.size()) - 1;
    const auto mean = static_cast<Index>(matrix.values.size()) / std::max<Index>(rows, 1);
    parallel_rows(context, rows, mean, [&](Index begin, Index end, int) {
        for (Index r = begin; r < end; ++r) {
            double sum = 0;
            const auto row = static_cast<std::size_t>(r);
            for (std::size_t n = matrix.offsets[row]; n < matrix.offsets[row + 1]; ++n)
                sum += static_cast<double>(matrix.values[n]) * static_cast<double>(x[matrix.columns[n]]);
            y[r] = static_cast<float>(sum);
        }
    });
}

}  // namespace

PathIntegralRows::PathIntegralRows(PathGeometry geometry) : PathIntegral(std::move(geometry)) {
    const ImageGrid &map = this->geometry().map, &points = this->geometry().points;
    const View<const float> seen = coverage();
    constexpr Index most = std::numeric_limits<std::int32_t>::max();
    require(map.rows <= most / map.columns && seen.elements() <= most, Status::unsupported,
            "path integral: explicit rows hold at most ", most, " pixels and measurements, the map has ",
            map.rows, " x ", map.columns, ", there are ", to_string(seen.shape()), " measurements");
    std::vector<double> lengths(static_cast<std::size_t>(map.rows * map.columns));
    std::vector<Index> touched;
    rows_.offsets.push_back(0);
    for (Index m = 0; m < seen.size(0); ++m)
        for (Index i = 0; i < points.rows; ++i)
            for (Index j = 0; j < points.columns; ++j) {
                if (seen(m, i, j) != 0) {
                    const Point p = points.point(static_cast<double>(i), static_cast<double>(j));
                    for (const WeightedRays& rays :
                         this->geometry().measurements[static_cast<std::size_t>(m)])
                        trace_straight_ray(map, rays.source.entry_point(p), p, [&](Index pixel, double part) {
                            lengths[static_cast<std::size_t>(pixel)] += rays.weight * part;
                            touched.push_back(pixel);
                        });
                    std::sort(touched.begin(), touched.end());
                    touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
                    for (const Index pixel : touched) {
                        double& length = lengths[static_cast<std::size_t>(pixel)];
                        if (length != 0) {
                            rows_.columns.push_back(static_cast<std::int32_t>(pixel));
                            rows_.values.push_back(static_cast<float>(length));
                        }
                        length = 0;
                    }
                    touched.clear();
                }
                rows_.offsets.push_back(rows_.values.size());
            }
    transposed_ = transpose(rows_, map.rows * map.columns);
}

void PathIntegralRows::apply(View<const float> slowness, View<float> delays,
                             Context& context) const noexcept {
    multiply(rows_, slowness.data(), delays.data(), context);
}

void PathIntegralRows::adjoint(View<const float> delays, View<float> slowness,
                               Context& context) const noexcept {
    multiply(transposed_, delays.data(), slowness.data(), context);
}

std::vector<PixelChord> PathIntegralRows::row(Index measurement, Index row, Index column) const {
    const Shape shape = range();
    require(measurement >= 0 && measurement < shape[0] && row >= 0 && row < shape[1] && column >= 0 &&
                column < shape[2],
            Status::invalid_argument, "path integral: there is no measurement ", measurement, " at row ", row,
            ", column ", column, " among ", to_string(shape));
    const auto r = static_cast<std::size_t>((measurement * shape[1] + row) * shape[2] + column);
    std::vector<PixelChord> chords;
    for (std::size_t n = rows_.offsets[r]; n < rows_.offsets[r + 1]; ++n)
        chords.push_back({rows_.columns[n], static_cast<double>(rows_.values[n])});
    return chords;
}

}  // namespace sonolux
