// sonolux/simulation/acoustics/kspace_setup.hpp
//
// What a full-wave simulation is given: grid, medium, absorbing layer, sources. SI units throughout.
//
// A field is [rows, columns] or [planes, rows, columns], x along the columns, y along the rows, z along the
// planes; a point is its place in that order, from 0. (k-Wave's files have the same order and count from 1.)
#pragma once

#include <array>
#include <string>
#include <vector>

#include <sonolux/simulation/acoustics/kspace_transform.hpp>

namespace sonolux {

struct KspaceGrid {
    KspaceSize size;
    std::array<double, 3> spacing{};  ///< dx, dy, dz in m
    double time_step = 0;             ///< s
    Index steps = 0;
};

/// One value for all points, or one for each.
struct ScalarOrField {
    double scalar = 0;
    View<const float> field;  ///< contiguous, all points of the grid; empty for a scalar

    ScalarOrField() = default;
    ScalarOrField(double value) : scalar(value) {}              // NOLINT(google-explicit-constructor)
    ScalarOrField(View<const float> values) : field(values) {}  // NOLINT(google-explicit-constructor)
    ScalarOrField(View<float> values) : field(values) {}        // NOLINT(google-explicit-constructor)
    [[nodiscard]] bool varies() const noexcept { return !field.empty(); }
    [[nodiscard]] double at(Index point) const noexcept {
        return varies() ? static_cast<double>(field.data()[point]) : scalar;
    }
    [[nodiscard]] double largest(Index points) const noexcept;
    [[nodiscard]] double smallest(Index points) const noexcept;
};

enum class KspaceAbsorption {
    none,
    power_law,  ///< alpha f^y with the dispersion that Kramers and Kronig ask for; y in (0, 3), not within 0.05 of 1
    stokes      ///< y = 2
};

struct KspaceMedium {
    ScalarOrField sound_speed;       ///< m/s
    ScalarOrField density = 1000.0;  ///< kg/m^3
    KspaceAbsorption absorption = KspaceAbsorption::none;
    ScalarOrField attenuation;       ///< dB / (MHz^y cm)
    double attenuation_power = 1.5;  ///< y
    bool nonlinear = false;
    ScalarOrField nonlinearity;  ///< B/A

    /// The sound speed of the exact propagator; 0 takes the largest of the medium, for which every time step
    /// is stable.
    double reference_speed = 0;

    /// Density at points half a spacing further along x, y, z; empty means the mean of the neighbours.
    std::array<ScalarOrField, 3> staggered_density;
    std::array<bool, 3> has_staggered_density{};
};

/// The layer at the border in which waves fade, inside the grid.
struct AbsorbingLayer {
    std::array<Index, 3> points{20, 20, 20};  ///< at each end of x, y, z; 0 for none: the grid is periodic
    std::array<double, 3> strength{2, 2, 2};  ///< Np per point of spacing

    [[nodiscard]] static AbsorbingLayer none() { return {{0, 0, 0}, {2, 2, 2}}; }
};

enum class SourceMode {
    dirichlet,      ///< the field takes the value
    no_correction,  ///< the value is added
    additive        ///< the value is added, corrected for the time step in k-space
};

/// A quantity prescribed at some points for the first `samples` steps. Values are what is added to (or put
/// into) the acoustic density, pressure_source_scale() times Pa, or the particle velocity,
/// velocity_source_scale() times m/s; files of k-Wave hold them like that.
struct PointSource {
    SourceMode mode = SourceMode::additive;
    std::vector<Index> points;
    Index samples = 0;
    bool one_for_all = true;  ///< signal is [samples], otherwise [samples, points]
    std::vector<float> signal;

    [[nodiscard]] bool empty() const noexcept { return points.empty() || samples == 0; }
};

struct KspaceSources {
    View<const float> initial_pressure;  ///< Pa, all points; empty for none
    PointSource pressure;
    std::array<PointSource, 3> velocity;
};

struct KspaceSetup {
    KspaceGrid grid;
    KspaceMedium medium;
    AbsorbingLayer layer;
    KspaceSources sources;

    FftBackend fft = default_fft_backend();
    FftPlanning planning = FftPlanning::estimate;
};

/// What turns Pa into what is added to each part of the acoustic density, at a point with this sound speed:
/// 2 dt / (axes c spacing), or 1 / (axes c^2) for SourceMode::dirichlet.
[[nodiscard]] double pressure_source_scale(const KspaceGrid& grid, double sound_speed, SourceMode mode);

/// What turns m/s into what is added to a velocity: 2 c dt / spacing, or 1 for SourceMode::dirichlet.
[[nodiscard]] double velocity_source_scale(const KspaceGrid& grid, int axis, double sound_speed,
                                           SourceMode mode);

/// The largest time step for which the scheme is stable, in s: infinite where the reference speed is not
/// below any sound speed of the medium, and otherwise 2 / (c_ref k_max) asin(c_ref / c_max) (Tabei, Mast,
/// Waag 2002, J. Acoust. Soc. Am. 111).
[[nodiscard]] double stable_time_step(const KspaceGrid& grid, const KspaceMedium& medium);

/// The speed to give to a medium in which waves of one frequency (Hz) shall travel with `sound_speed`. The
/// schemes are exact only where the speed is the reference speed; elsewhere
///
///     sin(w dt / 2) / c = sin(c_ref k dt / 2) / c_ref
///
/// relates w to k, of which this is the solution c for k = w / sound_speed.
[[nodiscard]] double discrete_sound_speed(double sound_speed, double reference_speed, double time_step,
                                          double frequency);

/// Points per wavelength of the slowest sound at this frequency, along the coarsest axis.
[[nodiscard]] double points_per_wavelength(const KspaceGrid& grid, const KspaceMedium& medium,
                                           double frequency);

/// Throws Error{invalid_argument} unless the grid carries the frequency with at least `least` points per
/// wavelength (2 is the limit of Nyquist), naming both.
void require_resolved(const KspaceGrid& grid, const KspaceMedium& medium, double frequency, double least = 2);

/// Throws Error{invalid_argument}, naming field, value and limit, for a setup that has no solution or whose
/// solution would be wrong: sizes, spacing, speed or density that are not finite and positive, y near 1, a time
/// step beyond the stable one, a layer thicker than half the grid, sources outside the grid or longer than
/// their signals, values that are not finite.
void require_valid(const KspaceSetup& setup);

}  // namespace sonolux
