// sonolux/simulation/acoustics/eikonal.cpp
#include <algorithm>
#include <limits>

#include <sonolux/simulation/acoustics/eikonal_stencil.hpp>

namespace sonolux {

namespace {

constexpr auto invalid = Status::invalid_argument;
constexpr double infinity = std::numeric_limits<double>::infinity();

/// How far around a point source, in nodes, the straight line's mean slowness is taken for F. Its error is
/// relative (distance / radius of curvature)^2 / 24: that of the scheme, or less.
constexpr double start_radius = 2;

/// Children of a heap's node: four are in one cache line, and the heap is half as high as with two.
constexpr std::size_t branches = 4;

}  // namespace

SlownessMap::SlownessMap(const ImageGrid& grid, View<const float> sound_speed) : grid_(grid) {
    validate(grid, "sound speed map");
    require(sound_speed.shape() == grid.shape(), Status::size_mismatch, "sound speed map: speeds are ",
            to_string(sound_speed.shape()), ", the grid ", to_string(grid.shape()));
    require(grid.rows * grid.columns <= std::numeric_limits<std::int32_t>::max(), invalid,
            "sound speed map: ", to_string(grid.shape()), " is more than 2^31 pixels");
    slowness_ = Array<double>(grid.shape());
    for (Index i = 0; i < grid.rows; ++i)
        for (Index j = 0; j < grid.columns; ++j) {
            const double speed = static_cast<double>(sound_speed(i, j));
            require(speed >= 100 && speed <= 10000, invalid, "sound speed map: speed at row ", i, ", column ",
                    j, " must be between 100 and 10000 m/s, got ", speed,
                    speed > 0 && speed <= 0.01 ? " (is it a slowness in s/m?)" : "");
            slowness_(i, j) = 1 / speed;
        }
}

double SlownessMap::at(Point p) const noexcept { return interpolate(grid_, data(), p); }

EikonalSolver::EikonalSolver(const SlownessMap& map, int order) : map_(&map), order_(order) {
    require(order == 1 || order == 2, invalid, "eikonal solver: order must be 1 or 2, got ", order);
    const auto nodes = static_cast<std::size_t>(map.grid().rows * map.grid().columns);
    time_.resize(nodes);
    accepted_.resize(nodes);
    code_.resize(nodes);
    place_.resize(nodes);
    sequence_.reserve(nodes);
    heap_.reserve(nodes);
}

TravelTimes EikonalSolver::solve(const EikonalSource& source, View<const float> density) {
    const ImageGrid& grid = map_->grid();
    require(density.data() == nullptr || density.shape() == grid.shape(), Status::size_mismatch,
            "eikonal solver: the density is ", to_string(density.shape()), ", the grid ",
            to_string(grid.shape()));
    require(grid.covers(source.origin), invalid, "eikonal solver: the source at x ", source.origin.x,
            " m, z ", source.origin.z, " m is outside the map (", extent_mm(grid), ")");
    TravelTimes times;
    times.grid_ = grid;
    times.source_ = source;
    times.factor_ = Array<double>(grid.shape());
    std::fill(time_.begin(), time_.end(), infinity);
    std::fill(accepted_.begin(), accepted_.end(), std::uint8_t{0});
    std::fill(code_.begin(), code_.end(), std::uint8_t{0});
    std::fill(place_.begin(), place_.end(), -1);
    sequence_.clear();
    heap_.clear();
    last_ = nullptr;  // until this solution is whole
    source.is_line ? start_line(times) : start_point(times);
    march(times);
    last_ = times.factor_.data();
    if (density.data() != nullptr) carry(times, density);
    return times;
}

void EikonalSolver::start_node(TravelTimes& times, Index node, double factor) {
    const ImageGrid& grid = map_->grid();
    const auto n = static_cast<std::size_t>(node);
    times.factor_.data()[node] = factor;
    time_[n] = times.at(node / grid.columns, node % grid.columns);
    code_[n] = eikonal_code::start;
    accepted_[n] = 1;
    sequence_.push_back(static_cast<std::int32_t>(node));
}

void EikonalSolver::start_point(TravelTimes& times) {
    const ImageGrid& grid = map_->grid();
    const Point origin = times.source_.origin;
    const double row = grid.row(origin.z), column = grid.column(origin.x);
    const auto first = [](double place) {
        return std::max<Index>(0, static_cast<Index>(std::ceil(place - start_radius)));
    };
    const auto last = [](double place, Index size) {
        return std::min<Index>(size - 1, static_cast<Index>(std::floor(place + start_radius)));
    };
    for (Index i = first(row); i <= last(row, grid.rows); ++i)
        for (Index j = first(column); j <= last(column, grid.columns); ++j) {
            double mean = 0;
            visit_segment(origin, grid.point(static_cast<double>(i), static_cast<double>(j)),
                          [&](Point p, double weight) { mean += weight * map_->at(p); });
            start_node(times, i * grid.columns + j, mean);
        }
}

void EikonalSolver::start_line(TravelTimes& times) {
    const ImageGrid& grid = map_->grid();
    const EikonalSource& line = times.source_;
    require(std::abs(line.angle) <= 1.4, invalid,
            "eikonal solver: angle of a line must be between -1.4 and 1.4 rad, got ", line.angle,
            std::abs(line.angle) <= 80 ? "; is it in degrees?" : "");
    require(line.sound_speed >= 100 && line.sound_speed <= 10000, invalid,
            "eikonal solver: sound_speed of a line must be between 100 and 10000 m/s, got ",
            line.sound_speed);
    const double along = std::sin(line.angle) / line.sound_speed;
    const double row = std::clamp(grid.row(line.origin.z), 0.0, static_cast<double>(grid.rows - 1));
    for (Index i = static_cast<Index>(std::floor(row)); i <= static_cast<Index>(std::ceil(row)); ++i)
        for (Index j = 0; j < grid.columns; ++j) {
            const Point p = grid.point(static_cast<double>(i), static_cast<double>(j));
            const double slowness = (*map_)(i, j), down = slowness * slowness - along * along;
            require(down > 0, invalid, "eikonal solver: a wave of ", line.sound_speed, " m/s at ", line.angle,
                    " rad cannot enter the medium, which has ", 1 / slowness, " m/s at row ", i, ", column ",
                    j);
            start_node(times, i * grid.columns + j,
                       along * (p.x - line.origin.x) + std::abs(p.z - line.origin.z) * std::sqrt(down));
        }
}

void EikonalSolver::march(TravelTimes& times) {
    const std::size_t given = sequence_.size();
    for (std::size_t n = 0; n < given; ++n) update_neighbours(times, sequence_[n]);
    while (!heap_.empty()) {
        const Index node = pop();
        update(times, node, true);
        accepted_[static_cast<std::size_t>(node)] = 1;
        sequence_.push_back(static_cast<std::int32_t>(node));
        update_neighbours(times, node);
    }
    require(sequence_.size() == time_.size(), Status::internal_error, "eikonal solver: only ",
            sequence_.size(), " of ", time_.size(), " nodes were reached");
}

void EikonalSolver::update_neighbours(TravelTimes& times, Index node) {
    const Index columns = map_->grid().columns;
    const Index i = node / columns, j = node % columns;
    const auto visit = [&](Index neighbour) {
        if (!accepted_[static_cast<std::size_t>(neighbour)]) update(times, neighbour, false);
    };
    if (j > 0) visit(node - 1);
    if (j + 1 < columns) visit(node + 1);
    if (i > 0) visit(node - columns);
    if (i + 1 < map_->grid().rows) visit(node + columns);
}

/// Which accepted neighbours the differences of a node can use: on each axis the earlier one, and the one
/// behind it where it is earlier still.
std::uint8_t EikonalSolver::upwind_code(Index node) const noexcept {
    const ImageGrid& grid = map_->grid();
    const Index i = node / grid.columns, j = node % grid.columns;
    const auto time = [&](Index n) {
        return accepted_[static_cast<std::size_t>(n)] ? time_[static_cast<std::size_t>(n)] : infinity;
    };
    const auto axis = [&](Index place, Index size, Index step, std::uint8_t low, std::uint8_t high,
                          std::uint8_t second) -> std::uint8_t {
        const double before = place > 0 ? time(node - step) : infinity;
        const double after = place + 1 < size ? time(node + step) : infinity;
        if (before == infinity && after == infinity) return 0;
        const bool from_low = before <= after;
        const bool room = from_low ? place > 1 : place + 2 < size;
        const bool behind = order_ == 2 && room &&
                            time(from_low ? node - 2 * step : node + 2 * step) <= std::min(before, after);
        return static_cast<std::uint8_t>((from_low ? low : high) | (behind ? second : 0));
    };
    using namespace eikonal_code;
    return static_cast<std::uint8_t>(axis(j, grid.columns, 1, from_left, from_right, second_across) |
                                     axis(i, grid.rows, grid.columns, from_above, from_below, second_down));
}

/// d(r F) = F dr + r dF with dF one-sided: (F - F1) / h, or (3 F - 4 F1 + F2) / (2 h).
EikonalSolver::Stencil EikonalSolver::stencil(const TravelTimes& times, Index node,
                                              std::uint8_t code) const noexcept {
    const ImageGrid& grid = map_->grid();
    const Point p =
        grid.point(static_cast<double>(node / grid.columns), static_cast<double>(node % grid.columns));
    const Point offset = p - times.source_.origin;
    const double range = times.source_.is_line ? 1 : length(offset);
    const Point slope = times.source_.is_line ? Point{} : (1 / range) * offset;
    const auto difference = [&](bool low, bool second, double spacing, Index step, double derivative) {
        EikonalDifference d;
        d.side = low ? 1 : -1;
        const double scale = d.side * range / spacing;
        d.alpha = scale * (second ? 1.5 : 1.0) + derivative;
        d.beta1 = scale * (second ? 2.0 : 1.0);
        d.beta2 = second ? scale * 0.5 : 0.0;
        d.first = low ? node - step : node + step;
        d.second = second ? 2 * d.first - node : d.first;
        return d;
    };
    using namespace eikonal_code;
    // across the direction of the neighbour n, from what is known on both sides of n
    const auto sideways_difference = [&](Index neighbour, double spacing, Index step, double derivative) {
        const double scale = -0.5 * range / spacing;
        return EikonalDifference{0, derivative, scale, scale, neighbour + step, neighbour - step};
    };
    Stencil result{{}, {}, range};
    if (code & across)
        result.x = difference(code & from_left, code & second_across, grid.column_spacing, 1, slope.x);
    if (code & down)
        result.z = difference(code & from_above, code & second_down, grid.row_spacing, grid.columns, slope.z);
    if (code & sideways) {
        if (code & across)
            result.z = sideways_difference(result.x.first, grid.row_spacing, grid.columns, slope.z);
        else
            result.x = sideways_difference(result.z.first, grid.column_spacing, 1, slope.x);
    }
    return result;
}

/// (alpha_x F - beta_x)^2 + (alpha_z F - beta_z)^2 = s^2, with the neighbours that are known, and at first
/// order or along one axis alone where the solution would come from neighbours that are later than it.
///
/// Along one axis alone, T is stationary on the other, as usual: nearly so, for otherwise a neighbour there
/// would be known. What is left of the derivative matters next to a source between nodes, where it is not
/// small against the spacing; when a node is accepted (`last`) it is taken from both sides of the neighbour
/// that is known (`sideways`), which makes uniform media exact.
void EikonalSolver::update(TravelTimes& times, Index node, bool last) {
    using namespace eikonal_code;
    const ImageGrid& grid = map_->grid();
    const auto n = static_cast<std::size_t>(node);
    const double slowness = map_->data()[node];
    const double* factor = times.factor_.data();
    const std::uint8_t code = upwind_code(node);
    const bool both = (code & across) && (code & down);
    if (both && code == code_[n]) return;  // the same neighbours: the same solution
    double best = infinity, best_factor = 0;
    std::uint8_t best_code = 0;

    // Keeps the solution with these neighbours if it is the earliest so far; false if there is none.
    const auto solve = [&](std::uint8_t with) {
        const Stencil s = stencil(times, node, with);
        const double bx = s.x.beta(factor), bz = s.z.beta(factor);
        const double a = s.x.alpha * s.x.alpha + s.z.alpha * s.z.alpha;
        const double b = s.x.alpha * bx + s.z.alpha * bz;
        // b^2 - a (beta_x^2 + beta_z^2 - s^2), without its cancellation
        const double cross = s.x.alpha * bz - s.z.alpha * bx;
        const double discriminant = a * slowness * slowness - cross * cross;
        if (!(discriminant >= 0)) return false;
        const double f = (b + std::sqrt(discriminant)) / a;
        if (s.x.side * (s.x.alpha * f - bx) < 0 || s.z.side * (s.z.alpha * f - bz) < 0) return false;
        if (s.range * f < best) {
            best = s.range * f;
            best_factor = f;
            best_code = with;
        }
        return true;
    };
    const auto first_order = [](std::uint8_t with) {
        return static_cast<std::uint8_t>(with & ~(second_across | second_down));
    };
    const auto flanked = [&](std::uint8_t with) {
        const Index i = node / grid.columns, j = node % grid.columns;
        const bool along_row = with & across;
        if (along_row ? i == 0 || i + 1 == grid.rows : j == 0 || j + 1 == grid.columns) return false;
        const Index side = along_row ? grid.columns : 1;
        const Index neighbour =
            node + (with & (from_left | from_above) ? -1 : 1) * (along_row ? 1 : grid.columns);
        return accepted_[static_cast<std::size_t>(neighbour - side)] &&
               accepted_[static_cast<std::size_t>(neighbour + side)];
    };
    const auto one_axis = [&](std::uint8_t with) {
        if (with == 0) return;
        if (last && flanked(with) && solve(static_cast<std::uint8_t>(with | sideways))) return;
        if (!solve(with)) solve(first_order(with));
    };
    if (!both || !(solve(code) || solve(first_order(code)))) {
        one_axis(static_cast<std::uint8_t>(code & (across | second_across)));
        one_axis(static_cast<std::uint8_t>(code & (down | second_down)));
    }
    if (last ? best == infinity : !(best < time_[n])) return;
    time_[n] = best;
    times.factor_.data()[node] = best_factor;
    code_[n] = best_code;
    if (last) return;
    if (place_[n] < 0) {
        heap_.push_back({});
        lift(heap_.size() - 1, {best, static_cast<std::int32_t>(node)});
    } else {
        lift(static_cast<std::size_t>(place_[n]), {best, static_cast<std::int32_t>(node)});
    }
}

/// Puts an entry into an empty slot, or a slot above it.
void EikonalSolver::lift(std::size_t slot, Entry entry) noexcept {
    while (slot > 0) {
        const std::size_t parent = (slot - 1) / branches;
        if (heap_[parent].time <= entry.time) break;
        heap_[slot] = heap_[parent];
        place_[static_cast<std::size_t>(heap_[slot].node)] = static_cast<std::int32_t>(slot);
        slot = parent;
    }
    heap_[slot] = entry;
    place_[static_cast<std::size_t>(entry.node)] = static_cast<std::int32_t>(slot);
}

Index EikonalSolver::pop() noexcept {
    const Index node = heap_.front().node;
    const Entry moved = heap_.back();
    heap_.pop_back();
    if (heap_.empty()) return node;
    std::size_t slot = 0;
    for (;;) {  // the hole goes to the bottom along the earliest children, then the last entry rises from it
        const std::size_t child = slot * branches + 1;
        if (child >= heap_.size()) break;
        std::size_t earliest = child;
        for (std::size_t c = child + 1; c < std::min(child + branches, heap_.size()); ++c)
            if (heap_[c].time < heap_[earliest].time) earliest = c;
        if (moved.time <= heap_[earliest].time) break;
        heap_[slot] = heap_[earliest];
        place_[static_cast<std::size_t>(heap_[slot].node)] = static_cast<std::int32_t>(slot);
        slot = earliest;
    }
    heap_[slot] = moved;
    place_[static_cast<std::size_t>(moved.node)] = static_cast<std::int32_t>(slot);
    return node;
}

std::vector<TravelTimes> travel_times(const SlownessMap& map, const std::vector<EikonalSource>& sources,
                                      Context& context, View<const float> density) {
    std::vector<TravelTimes> times(sources.size());
    std::vector<EikonalSolver> solvers;
    for (int t = 0; t < context.threads(); ++t) solvers.emplace_back(map);
    // Errors must not leave the threads: each source keeps its own, and the first is thrown afterwards.
    std::vector<std::exception_ptr> errors(sources.size());
    parallel_for(context, static_cast<Index>(sources.size()), [&](Index item, int thread) {
        const auto i = static_cast<std::size_t>(item);
        try {
            times[i] = solvers[static_cast<std::size_t>(thread)].solve(sources[i], density);
        } catch (...) {
            errors[i] = std::current_exception();
        }
    });
    for (const auto& error : errors)
        if (error) std::rethrow_exception(error);
    return times;
}

}  // namespace sonolux
