// sonolux/simulation/acoustics/eikonal_path.cpp
//
// What follows from travel times along the paths: values between nodes, integrals, and derivatives.
#include <algorithm>
#include <limits>

#include <sonolux/simulation/acoustics/eikonal_stencil.hpp>

namespace sonolux {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

double TravelTimes::time(Point p) const noexcept {
    if (!grid_.covers(p)) return nan;
    return range(p) * interpolate(grid_, factor_.data(), p);
}

double TravelTimes::carried(Point p) const noexcept {
    if (!grid_.covers(p)) return nan;
    if (carried_.elements() == 0) return 0;
    return range(p) * interpolate(grid_, carried_.data(), p);
}

/// grad (r F) = F grad r + r grad F, with central differences of F at nodes (one-sided at the border).
Point TravelTimes::gradient(Point p) const noexcept {
    if (!grid_.covers(p)) return {nan, nan};
    const double* f = factor_.data();
    Point slope;
    visit_bilinear(grid_, p, [&](Index node, double weight) {
        const Index i = node / grid_.columns, j = node % grid_.columns;
        const Index left = j > 0 ? node - 1 : node, right = j + 1 < grid_.columns ? node + 1 : node;
        const Index above = i > 0 ? node - grid_.columns : node;
        const Index below = i + 1 < grid_.rows ? node + grid_.columns : node;
        slope.x += weight * (f[right] - f[left]) / (static_cast<double>(right - left) * grid_.column_spacing);
        slope.z += weight * (f[below] - f[above]) /
                   (static_cast<double>((below - above) / grid_.columns) * grid_.row_spacing);
    });
    if (source_.is_line) return slope;
    const Point offset = p - source_.origin;
    const double r = length(offset);
    if (r == 0) return {};
    return (interpolate(grid_, f, p) / r) * offset + r * slope;
}

/// The integral L of a density a along paths obeys grad T . grad L = s a. With L = r G it takes the
/// neighbours that T = r F took, in the order in which nodes were accepted, but differences of first order:
/// those make G a mean of its neighbours' and stay between them, while second-order ones overshoot behind the
/// edge of a shadow.
void EikonalSolver::carry(TravelTimes& times, View<const float> density) {
    const ImageGrid& grid = map_->grid();
    const EikonalSource& source = times.source_;
    times.carried_ = Array<double>(grid.shape());
    const double* f = times.factor_.data();
    double* g = times.carried_.data();
    const auto at = [&](Point p) {
        double sum = 0;
        visit_bilinear(grid, p, [&](Index node, double weight) {
            sum += weight * static_cast<double>(density(node / grid.columns, node % grid.columns));
        });
        return sum;
    };
    for (const Index node : sequence_) {
        const double own = static_cast<double>(density(node / grid.columns, node % grid.columns));
        const double slowness = map_->data()[node];
        const std::uint8_t code = code_[static_cast<std::size_t>(node)];
        if (code == eikonal_code::start) {
            const Point p = grid.point(static_cast<double>(node / grid.columns),
                                       static_cast<double>(node % grid.columns));
            if (source.is_line) {
                const double along = std::sin(source.angle) / source.sound_speed;
                g[node] = own * std::abs(p.z - source.origin.z) * slowness /
                          std::sqrt(slowness * slowness - along * along);
            } else {
                visit_segment(source.origin, p, [&](Point q, double weight) { g[node] += weight * at(q); });
            }
            continue;
        }
        const Stencil s = stencil(times, node, code);
        const double dx = s.x.alpha * f[node] - s.x.beta(f), dz = s.z.alpha * f[node] - s.z.beta(f);
        const auto first_order =
            static_cast<std::uint8_t>(code & ~(eikonal_code::second_across | eikonal_code::second_down));
        const Stencil t = stencil(times, node, first_order);
        g[node] = (slowness * own + dx * t.x.beta(g) + dz * t.z.beta(g)) / (dx * t.x.alpha + dz * t.z.alpha);
    }
}

/// From (alpha_x F - beta_x)^2 + (alpha_z F - beta_z)^2 = s^2 at every computed node:
///
///     (d_x alpha_x + d_z alpha_z) dF = s ds + d_x dbeta_x + d_z dbeta_z
///
/// run backwards, from the receiver's nodes to the given ones.
void EikonalSolver::frechet_row(const TravelTimes& times, Point receiver, View<double> row) {
    const ImageGrid& grid = map_->grid();
    require(times.factor_.data() == last_, Status::invalid_argument,
            "eikonal solver: frechet_row takes the times that were solved last");
    require(row.shape() == grid.shape(), Status::size_mismatch, "eikonal solver: the row is ",
            to_string(row.shape()), ", the grid ", to_string(grid.shape()));
    require(grid.covers(receiver), Status::invalid_argument, "eikonal solver: the receiver at x ", receiver.x,
            " m, z ", receiver.z, " m is outside the map (", extent_mm(grid), ")");
    const EikonalSource& source = times.source_;
    const double* f = times.factor_.data();
    std::vector<double> bar(time_.size());  // d T(receiver) / d F
    const double range = times.range(receiver);
    visit_bilinear(grid, receiver,
                   [&](Index node, double weight) { bar[static_cast<std::size_t>(node)] += range * weight; });
    for (Index i = 0; i < grid.rows; ++i) std::fill_n(row.row(i), grid.columns, 0.0);
    const auto add = [&](Index node, double value) {
        row(node / grid.columns, node % grid.columns) += value;
    };
    const auto upstream = [&](const EikonalDifference& d, double value) {
        bar[static_cast<std::size_t>(d.first)] += value * d.beta1;
        bar[static_cast<std::size_t>(d.second)] -= value * d.beta2;
    };
    for (auto it = sequence_.rbegin(); it != sequence_.rend(); ++it) {
        const Index node = *it;
        const double own = bar[static_cast<std::size_t>(node)], slowness = map_->data()[node];
        if (own == 0) continue;
        const std::uint8_t code = code_[static_cast<std::size_t>(node)];
        if (code == eikonal_code::start) {
            const Point p = grid.point(static_cast<double>(node / grid.columns),
                                       static_cast<double>(node % grid.columns));
            if (source.is_line) {
                const double along = std::sin(source.angle) / source.sound_speed;
                add(node, own * std::abs(p.z - source.origin.z) * slowness /
                              std::sqrt(slowness * slowness - along * along));
            } else {
                visit_segment(source.origin, p, [&](Point q, double part) {
                    visit_bilinear(grid, q,
                                   [&](Index near, double weight) { add(near, own * part * weight); });
                });
            }
            continue;
        }
        const Stencil s = stencil(times, node, code);
        const double dx = s.x.alpha * f[node] - s.x.beta(f), dz = s.z.alpha * f[node] - s.z.beta(f);
        const double each = own / (dx * s.x.alpha + dz * s.z.alpha);
        add(node, each * slowness);
        upstream(s.x, each * dx);
        upstream(s.z, each * dz);
    }
}

}  // namespace sonolux
