// sonolux/core/operators/path_integral.cpp
#include <algorithm>

#include <sonolux/core/operators/path_integral_cumulative.hpp>
#include <sonolux/core/parallel_rows.hpp>

namespace sonolux {

using namespace path_integral_kernel;

namespace {

Kernels kernels_for(Isa isa) noexcept {
    switch (isa) {
#if defined(__x86_64__)
        case Isa::avx512: return avx512::kernels();
        case Isa::avx2: return avx2::kernels();
#elif defined(__aarch64__)
        case Isa::neon: return neon::kernels();
#endif
        default: return baseline::kernels();
    }
}

constexpr Index edge = 2;  // columns beside the map that have the slowness of its first or last column

}  // namespace

Index PathIntegralCumulative::scratch_floats(const Task& task) const noexcept {
    if (!task.is_fan) return 3 * (columns() + 2 + lanes);
    const Fan& fan = fans_[static_cast<std::size_t>(sources_[static_cast<std::size_t>(task.sources[0])].fan)];
    return (fan.most_cells + 2 * lanes) * lanes + 2 * (fan.rays + 1) * lanes;
}

std::size_t PathIntegralCumulative::workspace_bytes(const Context& /*context*/) const noexcept {
    std::size_t bytes = Workspace::bytes<float>(static_cast<Index>(sources_.size()) * rows() * time_stride());
    for (const Task& task : tasks_) bytes += Workspace::bytes<float>(scratch_floats(task));
    // One padded map is enough for apply; adjoint needs one for each task. The list of scratch comes on top.
    return bytes + static_cast<std::size_t>(tasks_.size()) * Workspace::bytes<float>(rows() * stride()) +
           Workspace::bytes<float*>(static_cast<Index>(tasks_.size()));
}

template <class Map, class Run>
void PathIntegralCumulative::run_task(const Task& task, Map map, float* times, float* scratch,
                                      const Run& run) const noexcept {
    const auto times_of = [&](Index source) {
        return SourceTimes{times + source * rows() * time_stride(), time_stride()};
    };
    if (task.is_fan) {
        const Source& first = sources_[static_cast<std::size_t>(task.sources[0])];
        const Fan& fan = fans_[static_cast<std::size_t>(first.fan)];
        std::array<SourceTimes, lanes> of_lanes{};
        for (std::size_t n = 0; n < task.sources.size(); ++n) of_lanes[n] = times_of(task.sources[n]);
        float* sums = scratch + (fan.most_cells + 2 * lanes) * lanes;
        run(FanBlock{fan.rows.data(), first_row(fan.like), rows(), columns(), fan.rays,
                     static_cast<Index>(task.sources.size()), task.shifts.data(), of_lanes.data(), scratch,
                     sums, sums + (fan.rays + 1) * lanes},
            map);
        return;
    }
    for (const Index n : task.sources) {
        const Source& source = sources_[static_cast<std::size_t>(n)];
        const Index size = columns() + 2 + lanes;
        run(PlaneBlock{source.plane.rows.data(), first_row(source.rays), rows(), columns(),
                       static_cast<float>(source.plane.length), times_of(n), scratch, scratch + size,
                       scratch + 2 * size},
            map);
    }
}

void PathIntegralCumulative::apply(View<const float> slowness, View<float> delays,
                                   Context& context) const noexcept {
    Scratch scratch(context.workspace());
    const auto tasks = static_cast<Index>(tasks_.size());
    float* times = scratch.take<float>(static_cast<Index>(sources_.size()) * rows() * time_stride());
    float* padded = scratch.take<float>(rows() * stride());
    float** of_task = scratch.take<float*>(tasks);
    for (Index t = 0; t < tasks; ++t)
        of_task[t] = scratch.take<float>(scratch_floats(tasks_[static_cast<std::size_t>(t)]));

    for (Index i = 0; i < rows(); ++i) {
        float* to = padded + i * stride();
        const float* from = slowness.data() + i * columns();
        std::fill_n(to, margin_ - edge, 0.0f);
        std::fill_n(to + margin_ - edge, edge, from[0]);
        std::copy_n(from, columns(), to + margin_);
        std::fill_n(to + margin_ + columns(), edge, from[columns() - 1]);
        std::fill_n(to + margin_ + columns() + edge, margin_ - edge, 0.0f);
    }
    const Kernels kernels = kernels_for(context.isa());
    const PaddedMap<const float> map{padded, stride(), margin_};
    parallel_for(context, tasks, [&](Index t, int) {
        run_task(tasks_[static_cast<std::size_t>(t)], map, times, of_task[t],
                 [&](const auto& block, const auto& m) {
                     if constexpr (std::is_same_v<std::decay_t<decltype(block)>, FanBlock>)
                         kernels.fan(block, m);
                     else
                         kernels.plane(block, m);
                 });
    });
    const Index lines = static_cast<Index>(of_measurement_.size()) * rows();
    parallel_rows(context, lines, 2 * columns(), [&](Index begin, Index end, int) {
        for (Index line = begin; line < end; ++line) {
            const auto [first, last] = seen_[static_cast<std::size_t>(line)];
            float* to = delays.data() + line * columns();
            std::fill_n(to, columns(), 0.0f);
            for (const Term& term : of_measurement_[static_cast<std::size_t>(line / rows())]) {
                const float* from = times + (term.other * rows() + line % rows()) * time_stride() + lanes;
                for (Index j = first; j < last; ++j) to[j] += term.weight * from[j];
            }
        }
    });
}

void PathIntegralCumulative::adjoint(View<const float> delays, View<float> slowness,
                                     Context& context) const noexcept {
    Scratch scratch(context.workspace());
    const auto tasks = static_cast<Index>(tasks_.size()), sources = static_cast<Index>(sources_.size());
    float* times = scratch.take<float>(sources * rows() * time_stride());
    const Index map_floats = static_cast<Index>(Workspace::bytes<float>(rows() * stride()) / sizeof(float));
    float* padded = scratch.take<float>(tasks * map_floats);
    float** of_task = scratch.take<float*>(tasks);
    for (Index t = 0; t < tasks; ++t)
        of_task[t] = scratch.take<float>(scratch_floats(tasks_[static_cast<std::size_t>(t)]));

    parallel_rows(context, sources * rows(), 2 * columns(), [&](Index begin, Index end, int) {
        for (Index line = begin; line < end; ++line) {
            float* to = times + line * time_stride();
            std::fill_n(to, time_stride(), 0.0f);
            for (const Term& term : of_source_[static_cast<std::size_t>(line / rows())]) {
                const Index of_measurement = term.other * rows() + line % rows();
                const auto [first, last] = seen_[static_cast<std::size_t>(of_measurement)];
                const float* from = delays.data() + of_measurement * columns();
                for (Index j = first; j < last; ++j) to[lanes + j] += term.weight * from[j];
            }
        }
    });
    const Kernels kernels = kernels_for(context.isa());
    parallel_for(context, tasks, [&](Index t, int) {
        float* mine = padded + t * map_floats;
        std::fill_n(mine, rows() * stride(), 0.0f);
        run_task(tasks_[static_cast<std::size_t>(t)], PaddedMap<float>{mine, stride(), margin_}, times,
                 of_task[t], [&](const auto& block, const auto& m) {
                     if constexpr (std::is_same_v<std::decay_t<decltype(block)>, FanBlock>)
                         kernels.fan_adjoint(block, m);
                     else
                         kernels.plane_adjoint(block, m);
                 });
    });
    parallel_rows(context, rows(), tasks * columns(), [&](Index begin, Index end, int) {
        for (Index i = begin; i < end; ++i) {
            float* to = slowness.data() + i * columns();
            std::fill_n(to, columns(), 0.0f);
            for (Index t = 0; t < tasks; ++t) {
                const float* from = padded + t * map_floats + i * stride() + margin_;
                for (Index j = 0; j < columns(); ++j) to[j] += from[j];
                for (Index n = 1; n <= edge; ++n) {
                    to[0] += from[-n];
                    to[columns() - 1] += from[columns() - 1 + n];
                }
            }
        }
    });
}

double PathIntegralCumulative::reference_time(const Source& source, View<const float> slowness, Index row,
                                              Index column) const {
    const ImageGrid& map = geometry().map;
    const bool plane = source.rays.kind == RaySource::Kind::plane;
    const double source_z = source.rays.origin.z, spacing = map.column_spacing;
    const double lean = std::tan(source.rays.angle);
    const double depth = map.z(static_cast<double>(row));
    double slope = lean, place = 0;  // of the pixel among the rays
    if (plane) {
        place = static_cast<double>(column) - lean * (depth - source.rays.entry()) / spacing;
    } else {
        const Fan& fan = fans_[static_cast<std::size_t>(source.fan)];
        slope = (static_cast<double>(column - source.shift) - fan.fraction) * spacing / (depth - source_z);
        place = (slope - fan.first_slope) / fan.slope_step;
    }
    const auto sample = [&](double ray, Index i) {
        const Slab part = slab(source.rays, i);
        double at = ray + lean * (map.z(static_cast<double>(i)) - source.rays.entry()) / spacing;
        if (!plane) {
            const Fan& fan = fans_[static_cast<std::size_t>(source.fan)];
            at = static_cast<double>(source.shift) + fan.fraction +
                 (fan.first_slope + ray * fan.slope_step) * (part.depth - source_z) / spacing;
        }
        at = std::clamp(at, 0.0, static_cast<double>(columns() - 1));
        const Index left = std::min(static_cast<Index>(at), columns() - 2);
        const double f = at - static_cast<double>(left);
        return (1 - f) * static_cast<double>(slowness(i, left)) +
               f * static_cast<double>(slowness(i, left + 1));
    };
    const double left = std::floor(place), g = place - left;
    double sum = 0;
    for (Index i = first_row(source.rays); i <= row; ++i) {
        const Slab part = slab(source.rays, i);
        sum += (i == row ? part.part : part.full) * ((1 - g) * sample(left, i) + g * sample(left + 1, i));
    }
    return std::sqrt(1 + slope * slope) * sum;
}

void PathIntegralCumulative::apply_reference(View<const float> slowness, View<float> delays) const {
    for (std::size_t m = 0; m < of_measurement_.size(); ++m)
        for (Index i = 0; i < rows(); ++i)
            for (Index j = 0; j < columns(); ++j) {
                double sum = 0;
                if (coverage()(static_cast<Index>(m), i, j) != 0)
                    for (const Term& term : of_measurement_[m])
                        sum += static_cast<double>(term.weight) *
                               reference_time(sources_[static_cast<std::size_t>(term.other)], slowness, i, j);
                delays(static_cast<Index>(m), i, j) = static_cast<float>(sum);
            }
}

std::shared_ptr<const PathIntegral> make_path_integral(PathGeometry geometry, PathIntegralForm form) {
    if (form == PathIntegralForm::automatic) {
        bool possible = geometry.points == geometry.map;
        for (const PathSum& measurement : geometry.measurements)
            for (const WeightedRays& rays : measurement)
                possible =
                    possible && (rays.source.kind == RaySource::Kind::plane || rays.source.f_number >= 0.1);
        form = possible ? PathIntegralForm::cumulative : PathIntegralForm::rows;
    }
    if (form == PathIntegralForm::rows) return std::make_shared<PathIntegralRows>(std::move(geometry));
    return std::make_shared<PathIntegralCumulative>(std::move(geometry));
}

}  // namespace sonolux
