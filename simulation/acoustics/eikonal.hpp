// sonolux/simulation/acoustics/eikonal.hpp
//
// First-arrival travel times in a medium of varying sound speed: the eikonal equation |grad T| = s.
//
// The time from a point has a kink at its source that spoils any difference scheme, so it is factored,
//
//     T(p) = r(p) F(p),    r = |p - source|,    F = the mean slowness between source and p,
//
// and the smooth F is what the solver computes (S. Fomel, S. Luo, H. Zhao, J. Comput. Phys. 228, 2009, 6440),
// by fast marching with upwind differences of second order (E. Treister, E. Haber, J. Comput. Phys. 324,
// 2016, 210), of first order where two neighbours behind each other are not yet known. What is computed at
// the source does not matter: nodes next to it get the mean of the slowness along the straight line.
//
// Nodes are the middles of pixels; slowness between them is bilinear.
#pragma once

#include <cstdint>
#include <vector>

#include <sonolux/core/acoustics/image_grid.hpp>
#include <sonolux/core/array.hpp>
#include <sonolux/core/context.hpp>

namespace sonolux {

/// Slowness (s/m) at the nodes of a grid, for any number of solvers to share.
class SlownessMap {
public:
    /// `sound_speed` is [rows, columns] of the grid, in m/s. Throws Error{size_mismatch} where it is not, and
    /// Error{invalid_argument} naming the pixel whose speed is not in [100, 10000] m/s.
    SlownessMap(const ImageGrid& grid, View<const float> sound_speed);

    [[nodiscard]] const ImageGrid& grid() const noexcept { return grid_; }
    [[nodiscard]] const double* data() const noexcept { return slowness_.data(); }
    [[nodiscard]] double operator()(Index row, Index column) const noexcept {
        return slowness_.data()[row * grid_.columns + column];
    }

    /// Bilinear between nodes; the nearest inside where `p` is outside.
    [[nodiscard]] double at(Point p) const noexcept;

private:
    ImageGrid grid_;
    Array<double> slowness_;
};

/// Where the sound comes from.
struct EikonalSource {
    /// A point anywhere among the nodes: on one, between them, or at the border. T = 0 there.
    [[nodiscard]] static EikonalSource point(Point p) { return {false, p, 0, 0}; }

    /// A plane wave sent by the line z = `origin.z`, whose front leaves it at time
    /// (x - origin.x) sin(angle) / sound_speed: T = 0 at `origin` and negative to one side of it. Times above
    /// the line are those of the wave that goes up. The line ends where the grid does: where the wave leaves
    /// a shadow, the wave from the end of the line gives the time.
    [[nodiscard]] static EikonalSource line(Point origin, double angle, double sound_speed) {
        return {true, origin, angle, sound_speed};
    }

    bool is_line = false;
    Point origin;
    double angle = 0, sound_speed = 0;

    friend bool operator==(const EikonalSource&, const EikonalSource&) = default;
};

/// The times from one source to everywhere, and what is needed to go back along the rays.
class TravelTimes {
public:
    [[nodiscard]] const ImageGrid& grid() const noexcept { return grid_; }
    [[nodiscard]] const EikonalSource& source() const noexcept { return source_; }

    /// At a node, in s.
    [[nodiscard]] double at(Index row, Index column) const noexcept {
        return range(grid_.point(static_cast<double>(row), static_cast<double>(column))) *
               factor_.data()[row * grid_.columns + column];
    }

    /// Anywhere among the nodes, in s: F is interpolated bilinearly, at second order. NaN outside.
    [[nodiscard]] double time(Point p) const noexcept;

    /// grad T anywhere among the nodes, in s/m: the direction of travel, times slowness. NaN outside.
    [[nodiscard]] Point gradient(Point p) const noexcept;

    /// The integral along the path of what `solve` was told to carry. NaN outside, 0 where it carried
    /// nothing.
    [[nodiscard]] double carried(Point p) const noexcept;

    /// T / r at the nodes of a point source, T itself for a line: [rows, columns].
    [[nodiscard]] View<const double> factor() const noexcept { return factor_; }

    /// r for a point source, 1 for a line.
    [[nodiscard]] double range(Point p) const noexcept {
        return source_.is_line ? 1 : length(p - source_.origin);
    }

private:
    friend class EikonalSolver;

    ImageGrid grid_;
    EikonalSource source_;
    Array<double> factor_, carried_;
};

/// Solves for one source after the other. Holds its own scratch: one solver per thread.
class EikonalSolver {
public:
    /// `map` must outlive the solver. `order` 1 uses one neighbour on each side, 2 two where there are.
    /// Throws Error{invalid_argument} for any other.
    explicit EikonalSolver(const SlownessMap& map, int order = 2);

    /// Throws Error{invalid_argument} for a source outside the nodes, and for a line whose front cannot enter
    /// the medium: sin(angle) / sound_speed above the slowness somewhere on the line.
    ///
    /// `density` (optional, [rows, columns] of the grid) is integrated along the paths as well, at first
    /// order: attenuation in Np/m gives Np.
    [[nodiscard]] TravelTimes solve(const EikonalSource& source, View<const float> density = {});

    /// The row of the Frechet derivative of times.time(receiver): d T / d s at each node, in m, [rows,
    /// columns], exactly that of the discrete scheme (back through the order in which its nodes were
    /// accepted). `times` must be what `solve` returned last. Throws Error{invalid_argument} for a receiver
    /// outside.
    void frechet_row(const TravelTimes& times, Point receiver, View<double> row);

private:
    struct Stencil;
    struct Entry {
        double time;
        std::int32_t node;
    };

    void start_point(TravelTimes& times);
    void start_line(TravelTimes& times);
    void start_node(TravelTimes& times, Index node, double factor);
    void march(TravelTimes& times);
    void carry(TravelTimes& times, View<const float> density);
    void update_neighbours(TravelTimes& times, Index node);
    void update(TravelTimes& times, Index node, bool last);
    [[nodiscard]] std::uint8_t upwind_code(Index node) const noexcept;
    [[nodiscard]] Stencil stencil(const TravelTimes& times, Index node, std::uint8_t code) const noexcept;
    void lift(std::size_t slot, Entry entry) noexcept;
    [[nodiscard]] Index pop() noexcept;

    const SlownessMap* map_;
    int order_;
    std::vector<double> time_;
    std::vector<std::uint8_t> accepted_, code_;
    std::vector<Entry> heap_;
    std::vector<std::int32_t> place_, sequence_;
    const double* last_ = nullptr;  // the factors that code_ and sequence_ belong to
};

/// The times from each source, computed on the context's threads, one source at a time on each: the same bits
/// for any number of them. Throws as EikonalSolver::solve.
[[nodiscard]] std::vector<TravelTimes> travel_times(const SlownessMap& map,
                                                    const std::vector<EikonalSource>& sources,
                                                    Context& context, View<const float> density = {});

}  // namespace sonolux
