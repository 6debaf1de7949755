// sonolux/core/operators/path_integral_tables.cpp
//
// Where the rays of the cumulative travel-time operator are: set-up, in double.
#include <algorithm>

#include <sonolux/core/operators/path_integral_cumulative.hpp>

namespace sonolux {

namespace {

constexpr double snap = 1e-6;  // columns or rays that rounding may cost
constexpr Index planes_per_task = 4;

struct Split {
    Index whole;
    double fraction;  // in [0, 1)
};
Split split(double place) {
    const double nearest = std::round(place);
    if (std::abs(place - nearest) < snap) return {static_cast<Index>(nearest), 0};
    const double whole = std::floor(place);
    return {static_cast<Index>(whole), place - whole};
}

Index whole_vectors(Index count) {
    constexpr Index lanes = path_integral_kernel::lanes;
    return (count + lanes - 1) / lanes * lanes;
}

}  // namespace

PathIntegralCumulative::PathIntegralCumulative(PathGeometry geometry) : PathIntegral(std::move(geometry)) {
    const PathGeometry& g = this->geometry();
    require(
        g.points == g.map, Status::unsupported,
        "path integral: the cumulative form needs the points to be the pixels of the map; use the explicit "
        "form");
    of_measurement_.resize(g.measurements.size());
    for (std::size_t m = 0; m < g.measurements.size(); ++m)
        for (const WeightedRays& rays : g.measurements[m]) {
            require(rays.source.kind == RaySource::Kind::plane || rays.source.f_number >= 0.1,
                    Status::unsupported,
                    "path integral: the cumulative form needs f-numbers of at least 0.1, got ",
                    rays.source.f_number, " in measurement ", m, "; use the explicit form");
            auto known = std::ranges::find(sources_, rays.source, &Source::rays);
            if (known == sources_.end()) known = sources_.insert(known, {.rays = rays.source, .plane = {}});
            of_measurement_[m].push_back({known - sources_.begin(), static_cast<float>(rays.weight)});
        }
    of_source_.resize(sources_.size());
    for (std::size_t m = 0; m < of_measurement_.size(); ++m)
        for (const Term& term : of_measurement_[m])
            of_source_[static_cast<std::size_t>(term.other)].push_back({static_cast<Index>(m), term.weight});

    for (Index m = 0; m < coverage().size(0); ++m)
        for (Index i = 0; i < rows(); ++i) {
            Range range;
            for (Index j = 0; j < columns(); ++j)
                if (coverage()(m, i, j) != 0) {
                    if (range.end == 0) range.begin = j;
                    require(range.end == 0 || range.end == j, Status::internal_error,
                            "path integral: what a measurement sees of a row has a gap");
                    range.end = j + 1;
                }
            seen_.push_back(range);
        }

    std::vector<std::vector<Index>> members;
    for (std::size_t n = 0; n < sources_.size(); ++n) {
        Source& source = sources_[n];
        if (source.rays.kind == RaySource::Kind::plane) {
            make_plane(source);
            continue;
        }
        const Split place = split(g.map.column(source.rays.origin.x));
        source.shift = place.whole;
        for (std::size_t f = 0; f < fans_.size() && source.fan < 0; ++f) {
            const RaySource& like = fans_[f].like;
            if (like.origin.z == source.rays.origin.z && like.surface == source.rays.surface &&
                like.f_number == source.rays.f_number && std::abs(fans_[f].fraction - place.fraction) < snap)
                source.fan = static_cast<Index>(f);
        }
        if (source.fan < 0) {
            source.fan = static_cast<Index>(fans_.size());
            fans_.push_back({.like = source.rays, .fraction = place.fraction});
            members.emplace_back();
        }
        members[static_cast<std::size_t>(source.fan)].push_back(static_cast<Index>(n));
    }
    for (std::size_t f = 0; f < fans_.size(); ++f) make_fan(fans_[f], members[f]);
    make_tasks();
}

auto PathIntegralCumulative::slab(const RaySource& source, Index row) const noexcept -> Slab {
    const ImageGrid& map = geometry().map;
    const double z = map.z(static_cast<double>(row)), half = 0.5 * map.row_spacing, entry = source.entry();
    if (entry <= z - half) return {2 * half, half, z};
    if (entry >= z + half * (1 - snap)) return {};
    return {z + half - entry, std::max(0.0, z - entry), 0.5 * (entry + z + half)};
}

Index PathIntegralCumulative::first_row(const RaySource& source) const noexcept {
    Index row = 0;
    while (row < rows() && slab(source, row).full == 0) ++row;
    return row;
}

void PathIntegralCumulative::make_fan(Fan& fan, const std::vector<Index>& members) {
    const ImageGrid& map = geometry().map;
    const double spacing = map.column_spacing, source_z = fan.like.origin.z;
    fan.first_shift = fan.last_shift = sources_[static_cast<std::size_t>(members[0])].shift;
    for (const Index n : members) {
        fan.first_shift = std::min(fan.first_shift, sources_[static_cast<std::size_t>(n)].shift);
        fan.last_shift = std::max(fan.last_shift, sources_[static_cast<std::size_t>(n)].shift);
    }
    // Which columns, counted from the source, any of the sources sees.
    std::vector<Range> wanted(static_cast<std::size_t>(rows()));
    double lowest = 0, highest = 0;
    const auto slope = [&](Index i, Index offset) {
        return (static_cast<double>(offset) - fan.fraction) * spacing /
               (map.z(static_cast<double>(i)) - source_z);
    };
    for (Index i = 0; i < rows(); ++i) {
        Range& range = wanted[static_cast<std::size_t>(i)];
        for (const Index n : members) {
            const Source& source = sources_[static_cast<std::size_t>(n)];
            for (Index j = 0; j < columns(); ++j)
                if (sees(source.rays, map, map.point(static_cast<double>(i), static_cast<double>(j)))) {
                    const Index offset = j - source.shift;
                    if (range.begin == range.end) range = {offset, offset + 1};
                    range = {std::min(range.begin, offset), std::max(range.end, offset + 1)};
                }
        }
        if (range.begin == range.end) continue;
        lowest = std::min(lowest, slope(i, range.begin));
        highest = std::max(highest, slope(i, range.end - 1));
    }
    fan.first_slope = lowest;
    fan.slope_step = spacing / (map.z(static_cast<double>(rows() - 1)) - source_z);
    fan.rays = static_cast<Index>(std::ceil((highest - lowest) / fan.slope_step + snap)) + 2;
    require(fan.rays <= 65535, Status::unsupported, "path integral: ", fan.rays,
            " rays from one source are more than the cumulative form has room for");

    const Index first = first_row(fan.like);
    std::vector<std::array<std::size_t, 3>> starts;
    for (Index i = 0; i < rows(); ++i) {
        FanRow row;
        const Slab part = slab(fan.like, i);
        row.full = static_cast<float>(part.full);
        row.part = static_cast<float>(part.part);
        starts.push_back({fan.cell_ray_end.size(), fan.output_ray.size(), fan.ray_fraction.size()});
        if (i >= first) {
            // Rays that are still beside the map for one of the sources.
            const double from = static_cast<double>(-2 - fan.last_shift);
            const double to = static_cast<double>(columns() + 1 - fan.first_shift);
            bool any = false;
            for (Index k = 0; k < fan.rays; ++k) {
                const double place =
                    fan.fraction + (fan.first_slope + static_cast<double>(k) * fan.slope_step) *
                                       (part.depth - source_z) / spacing;
                const Split at = split(place);
                fan.ray_fraction.push_back(static_cast<float>(at.fraction));
                if (place < from || place > to) continue;
                if (!any) row.ray_begin = k, row.cell_begin = at.whole;
                any = true;
                row.ray_end = k + 1;
                for (; row.cell_count < at.whole - row.cell_begin + 1; ++row.cell_count)
                    fan.cell_ray_end.push_back(static_cast<std::uint16_t>(k));
                fan.cell_ray_end.back() = static_cast<std::uint16_t>(k + 1);
            }
            const Range range = wanted[static_cast<std::size_t>(i)];
            row.offset_begin = range.begin;
            row.offset_count = range.end - range.begin;
            for (Index o = 0; o < whole_vectors(row.offset_count); ++o) {
                const double u = slope(i, range.begin + std::min(o, row.offset_count - 1));
                const Split ray = split((u - fan.first_slope) / fan.slope_step);
                require(o == 0 || o >= row.offset_count || ray.whole > fan.output_ray.back(),
                        Status::internal_error, "path integral: rays are less than a column apart");
                fan.output_ray.push_back(static_cast<std::uint16_t>(ray.whole));
                fan.output_fraction.push_back(static_cast<float>(ray.fraction));
                fan.output_length.push_back(o < row.offset_count ? static_cast<float>(std::sqrt(1 + u * u))
                                                                 : 0.0f);
            }
        }
        fan.most_cells = std::max(fan.most_cells, row.cell_count);
        // What the kernel loads of a row, for every source.
        const Index loaded = whole_vectors(row.cell_count + 1);
        margin_ = std::max({margin_, -(fan.first_shift + row.cell_begin),
                            fan.last_shift + row.cell_begin + loaded - columns()});
        fan.rows.push_back(row);
    }
    for (std::size_t i = 0; i < fan.rows.size(); ++i) {  // now that the tables stay where they are
        fan.rows[i].cell_ray_end = fan.cell_ray_end.data() + starts[i][0];
        fan.rows[i].output_ray = fan.output_ray.data() + starts[i][1];
        fan.rows[i].output_fraction = fan.output_fraction.data() + starts[i][1];
        fan.rows[i].output_length = fan.output_length.data() + starts[i][1];
        fan.rows[i].fraction = fan.ray_fraction.data() + starts[i][2];
    }
}

void PathIntegralCumulative::make_plane(Source& source) {
    const ImageGrid& map = geometry().map;
    source.plane.length = 1 / std::cos(source.rays.angle);
    for (Index i = 0; i < rows(); ++i) {
        const Slab part = slab(source.rays, i);
        // Where a ray that began at column 0 is: in the middle of the row, where the result is read off too.
        // The row that the array's face cuts is sampled there as well; what that shifts is below a pixel.
        const double z = map.z(static_cast<double>(i)) - source.rays.entry();
        const Split shift = split(std::tan(source.rays.angle) * z / map.column_spacing);
        PlaneRow row;
        row.full = static_cast<float>(part.full);
        row.part = static_cast<float>(part.part);
        row.low = static_cast<float>(1 - shift.fraction);
        row.high = static_cast<float>(shift.fraction);
        row.cell = shift.whole;
        for (Index j = 0; j < columns(); ++j)
            if (sees(source.rays, map, map.point(static_cast<double>(i), static_cast<double>(j)))) {
                if (row.end == 0) row.begin = j;
                row.end = j + 1;
            }
        margin_ = std::max({margin_, 1 - row.cell, row.cell + 2});
        source.plane.rows.push_back(row);
    }
}

void PathIntegralCumulative::make_tasks() {
    std::vector<std::vector<Index>> open(fans_.size());
    Task planes;
    const auto close = [&](std::vector<Index>& sources) {
        Task task;
        task.is_fan = true;
        for (Index lane = 0; lane < lanes; ++lane) {
            const auto n = static_cast<std::size_t>(std::min(lane, static_cast<Index>(sources.size()) - 1));
            task.shifts[static_cast<std::size_t>(lane)] =
                sources_[static_cast<std::size_t>(sources[n])].shift;
        }
        task.sources = std::move(sources);
        sources.clear();
        tasks_.push_back(std::move(task));
    };
    for (std::size_t n = 0; n < sources_.size(); ++n) {
        if (sources_[n].fan >= 0) {
            std::vector<Index>& sources = open[static_cast<std::size_t>(sources_[n].fan)];
            sources.push_back(static_cast<Index>(n));
            if (static_cast<Index>(sources.size()) == lanes) close(sources);
        } else {
            planes.sources.push_back(static_cast<Index>(n));
            if (static_cast<Index>(planes.sources.size()) == planes_per_task) {
                tasks_.push_back(planes);
                planes.sources.clear();
            }
        }
    }
    for (std::vector<Index>& sources : open)
        if (!sources.empty()) close(sources);
    if (!planes.sources.empty()) tasks_.push_back(planes);
}

}  // namespace sonolux
