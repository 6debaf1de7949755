// sonolux/simulation/acoustics/kspace_setup.cpp
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <sonolux/simulation/acoustics/kspace_setup.hpp>

namespace sonolux {
namespace {

constexpr const char* axis_names[] = {"x", "y", "z"};

std::string place(const KspaceSize& size, Index point) {
    const Index x = point % size.columns, y = point / size.columns % size.rows,
                z = point / size.columns / size.rows;
    return size.volume() ? sentence("plane ", z, ", row ", y, ", column ", x)
                         : sentence("row ", y, ", column ", x);
}

/// Every value must pass; the message names the first that does not.
template <class Good>
void require_all(const KspaceSetup& setup, const ScalarOrField& values, const char* name,
                 const char* expected, Good good) {
    const KspaceSize& size = setup.grid.size;
    if (!values.varies()) {
        require(good(values.scalar), Status::invalid_argument, name, " must be ", expected, ", got ",
                values.scalar);
        return;
    }
    require(values.field.contiguous() && values.field.elements() == size.points(), Status::size_mismatch,
            name, " has ", values.field.elements(), " values, the grid has ", size.points(), " points");
    for (Index point = 0; point < size.points(); ++point)
        if (!good(static_cast<double>(values.field.data()[point])))
            fail(Status::invalid_argument, name, " must be ", expected, ", got ", values.field.data()[point],
                 " at ", place(size, point));
}

bool positive(double value) { return std::isfinite(value) && value > 0; }
bool not_negative(double value) { return std::isfinite(value) && value >= 0; }

void check_source(const KspaceSetup& setup, const PointSource& source, const char* name) {
    if (source.points.empty() && source.samples == 0) return;
    const KspaceSize& size = setup.grid.size;
    for (Index point : source.points)
        require(point >= 0 && point < size.points(), Status::invalid_argument, name, ": point ", point,
                " is outside the grid, which has ", size.points(), " points");
    require(source.samples >= 0, Status::invalid_argument, name, ": samples must be at least 0, got ",
            source.samples);
    const Index width = source.one_for_all ? 1 : static_cast<Index>(source.points.size());
    require(static_cast<Index>(source.signal.size()) == source.samples * width, Status::size_mismatch, name,
            ": the signal has ", static_cast<Index>(source.signal.size()), " values, ", source.samples,
            " samples of ", width, " need ", source.samples * width);
    for (std::size_t i = 0; i < source.signal.size(); ++i)
        require(std::isfinite(source.signal[i]), Status::invalid_argument, name, ": sample ",
                static_cast<Index>(i) / width, " is not finite");
}

}  // namespace

double ScalarOrField::largest(Index points) const noexcept {
    if (!varies()) return scalar;
    return static_cast<double>(*std::max_element(field.data(), field.data() + points));
}

double ScalarOrField::smallest(Index points) const noexcept {
    if (!varies()) return scalar;
    return static_cast<double>(*std::min_element(field.data(), field.data() + points));
}

double pressure_source_scale(const KspaceGrid& grid, double sound_speed, SourceMode mode) {
    const double axes = grid.size.axes();
    if (mode == SourceMode::dirichlet) return 1 / (axes * sound_speed * sound_speed);
    return 2 * grid.time_step / (axes * sound_speed * grid.spacing[0]);
}

double velocity_source_scale(const KspaceGrid& grid, int axis, double sound_speed, SourceMode mode) {
    if (mode == SourceMode::dirichlet) return 1;
    return 2 * sound_speed * grid.time_step / grid.spacing[static_cast<std::size_t>(axis)];
}

double stable_time_step(const KspaceGrid& grid, const KspaceMedium& medium) {
    const double fastest = medium.sound_speed.largest(grid.size.points());
    const double reference = medium.reference_speed > 0 ? medium.reference_speed : fastest;
    if (reference >= fastest) return std::numeric_limits<double>::infinity();
    double squares = 0;
    for (int axis = 0; axis < grid.size.axes(); ++axis)
        squares +=
            1 / (grid.spacing[static_cast<std::size_t>(axis)] * grid.spacing[static_cast<std::size_t>(axis)]);
    return 2 / (reference * std::numbers::pi * std::sqrt(squares)) * std::asin(reference / fastest);
}

double discrete_sound_speed(double sound_speed, double reference_speed, double time_step, double frequency) {
    const double half_turn = std::numbers::pi * frequency * time_step;
    return reference_speed * std::sin(half_turn) / std::sin(half_turn * reference_speed / sound_speed);
}

double points_per_wavelength(const KspaceGrid& grid, const KspaceMedium& medium, double frequency) {
    double coarsest = 0;
    for (int axis = 0; axis < grid.size.axes(); ++axis)
        coarsest = std::max(coarsest, grid.spacing[static_cast<std::size_t>(axis)]);
    return medium.sound_speed.smallest(grid.size.points()) / (frequency * coarsest);
}

void require_resolved(const KspaceGrid& grid, const KspaceMedium& medium, double frequency, double least) {
    require(positive(frequency), Status::invalid_argument, "frequency must be positive and finite, got ",
            frequency);
    const double found = points_per_wavelength(grid, medium, frequency);
    require(found >= least, Status::invalid_argument, "the grid is too coarse for ", frequency / 1e6,
            " MHz: it has ", found, " points per wavelength of the slowest sound, at least ", least,
            " are needed");
}

void require_valid(const KspaceSetup& setup) {
    const KspaceGrid& grid = setup.grid;
    const KspaceMedium& medium = setup.medium;
    const KspaceSize& size = grid.size;
    for (Index length : {size.planes, size.rows, size.columns})
        require(length >= 1, Status::invalid_argument, "grid: sizes must be at least 1, got ", size.planes,
                " x ", size.rows, " x ", size.columns);
    for (int axis = 0; axis < size.axes(); ++axis)
        require(positive(grid.spacing[static_cast<std::size_t>(axis)]), Status::invalid_argument, "grid: d",
                axis_names[axis], " must be positive and finite, got ",
                grid.spacing[static_cast<std::size_t>(axis)]);
    require(positive(grid.time_step), Status::invalid_argument,
            "grid: the time step must be positive and finite, got ", grid.time_step);
    require(grid.steps >= 0, Status::invalid_argument, "grid: steps must be at least 0, got ", grid.steps);

    require_all(setup, medium.sound_speed, "sound speed", "positive and finite", positive);
    require_all(setup, medium.density, "density", "positive and finite", positive);
    for (int axis = 0; axis < size.axes(); ++axis)
        if (medium.has_staggered_density[static_cast<std::size_t>(axis)])
            require_all(setup, medium.staggered_density[static_cast<std::size_t>(axis)], "staggered density",
                        "positive and finite", positive);
    require(not_negative(medium.reference_speed), Status::invalid_argument,
            "reference speed must be positive, or 0 for the largest sound speed, got ",
            medium.reference_speed);
    if (medium.absorption != KspaceAbsorption::none) {
        require_all(setup, medium.attenuation, "attenuation", "finite and at least 0", not_negative);
        const double y = medium.attenuation_power;
        if (medium.absorption == KspaceAbsorption::power_law)
            require(y > 0 && y < 3 && std::abs(y - 1) >= 0.05, Status::invalid_argument,
                    "attenuation power must be above 0 and below 3 and at least 0.05 from 1, near which "
                    "tan(pi y / 2) of the dispersion grows beyond what single precision can hold, got ",
                    y);
    }
    if (medium.nonlinear)
        require_all(setup, medium.nonlinearity, "nonlinearity B/A", "finite",
                    [](double v) { return std::isfinite(v); });

    const double limit = stable_time_step(grid, medium);
    require(grid.time_step <= limit, Status::invalid_argument, "grid: the time step ", grid.time_step,
            " s is not stable with a reference speed of ", medium.reference_speed, " m/s: at most ", limit,
            " s");

    for (int axis = 0; axis < size.axes(); ++axis) {
        const Index points = setup.layer.points[static_cast<std::size_t>(axis)];
        require(points >= 0 && 2 * points < std::max<Index>(size.along(axis), 1) + (points == 0),
                Status::invalid_argument, "absorbing layer: ", points, " points at both ends of ",
                axis_names[axis], " do not fit into ", size.along(axis));
        require(std::isfinite(setup.layer.strength[static_cast<std::size_t>(axis)]) &&
                    setup.layer.strength[static_cast<std::size_t>(axis)] >= 0,
                Status::invalid_argument, "absorbing layer: strength along ", axis_names[axis],
                " must be finite and at least 0, got ", setup.layer.strength[static_cast<std::size_t>(axis)]);
    }

    if (!setup.sources.initial_pressure.empty())
        require_all(setup, ScalarOrField(setup.sources.initial_pressure), "initial pressure", "finite",
                    [](double v) { return std::isfinite(v); });
    check_source(setup, setup.sources.pressure, "pressure source");
    for (int axis = 0; axis < 3; ++axis) {
        const PointSource& source = setup.sources.velocity[static_cast<std::size_t>(axis)];
        require(axis < size.axes() || source.empty(), Status::invalid_argument,
                "velocity source along z: the grid is two-dimensional");
        check_source(setup, source,
                     axis == 0   ? "velocity source along x"
                     : axis == 1 ? "velocity source along y"
                                 : "velocity source along z");
    }
}

}  // namespace sonolux
