// sonolux/simulation/acoustics/kspace_first_order.hpp
//
// Full-wave simulation by the first-order k-space pseudospectral scheme: the method of k-Wave, and its
// figures.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <sonolux/simulation/acoustics/kspace_factors.hpp>
#include <sonolux/simulation/acoustics/kspace_setup.hpp>
#include <sonolux/simulation/acoustics/kspace_sources.hpp>

namespace sonolux {

/// Sound in a medium whose speed, density, absorption and nonlinearity may vary from point to point:
///
///     du/dt = -grad p / rho0        drho/dt = -rho0 div u        p = c^2 (rho + absorption, nonlinearity)
///
/// by exact derivatives in Fourier space on staggered grids, with the correction kappa = sinc(c_ref |k| dt /
/// 2) that makes the time step exact in a uniform medium:
///
///     u_i   <- P_i (P_i u_i - dt / rho0 F^-1 [i k_i e^(+i k_i d/2) kappa F p])       at half steps
///     rho_i <- P_i (P_i rho_i - dt rho0 F^-1 [i k_i e^(-i k_i d/2) kappa F u_i])
///     p      = c^2 [sum rho_i + tau F^-1 |k|^(y-2) F (rho0 div u) - eta F^-1 |k|^(y-1) F sum rho_i]
///
/// for each axis i, P being the absorbing layer's. Nonlinear media put 2 sum rho + rho0 in the place of rho0
/// in the second line and add B/(2A) (sum rho)^2 / rho0 to the last. (Tabei, Mast, Waag 2002, J. Acoust. Soc.
/// Am. 111; Treeby, Cox 2010, J. Biomed. Opt. 15, and Treeby, Jaros, Rendell, Cox 2012, J. Acoust. Soc. Am.
/// 131.)
///
/// A step costs 7 real transforms of the grid in two dimensions and 10 in three, 4 more with power-law
/// absorption, done in 4 (6) sweeps through memory. Everything is allocated by the constructor, for as many
/// threads as the context has then. Bits do not depend on the number of threads.
class KspaceFirstOrder {
public:
    /// Copies what it needs of the setup. Throws what require_valid throws, and Error{out_of_memory}.
    KspaceFirstOrder(const KspaceSetup& setup, Context& context);

    [[nodiscard]] const KspaceGrid& grid() const noexcept { return grid_; }

    /// How many steps were done; pressure() is that of step done() - 1.
    [[nodiscard]] Index done() const noexcept { return done_; }

    /// One time step. Neither allocates nor throws. The context has at most the threads of set-up.
    void step(Context& context) noexcept;

    /// Acoustic pressure in Pa, [planes * rows, columns].
    [[nodiscard]] View<const float> pressure() const noexcept { return pressure_; }

    /// Particle velocity in m/s, half a spacing further along its axis and half a step later than the
    /// pressure.
    [[nodiscard]] View<const float> velocity(int axis) const noexcept {
        return velocity_[static_cast<std::size_t>(axis)];
    }

    [[nodiscard]] std::size_t memory_bytes() const noexcept;

    /// "first-order k-space scheme, 7 transforms a step": what is said of a run.
    [[nodiscard]] std::string description() const;

private:
    /// A medium's property, by row; a constant one has a single row.
    struct Rows {
        Array<float> values;
        Index stride = 0;
        [[nodiscard]] const float* row(Index i) const noexcept { return values.data() + i * stride; }
    };

    template <class Value>
    [[nodiscard]] Rows rows_of(bool varies, Value value) const;

    void set_medium(const KspaceMedium& medium);
    void set_staggered_density(const KspaceMedium& medium);
    void set_factors(const KspaceSetup& setup, double reference_speed);

    void differentiate(Context& context, bool of_pressure) noexcept;
    void update_velocities(Context& context) noexcept;
    void update_densities(Context& context) noexcept;
    void absorb(Context& context) noexcept;
    void start_from_initial_pressure(Context& context) noexcept;
    void update_velocity_row(int axis, Index row, const float* gradient) noexcept;
    void update_density_row(Index row, const float* const* gradients, float* divergence) noexcept;
    void update_pressure_row(Index row, const float* divergence, const float* dispersion) noexcept;

    KspaceGrid grid_;
    int axes_;
    KspaceTransform transform_;
    Index done_ = 0;
    KspaceAbsorption absorption_;
    bool nonlinear_;

    std::array<Array<float>, 3> velocity_, density_;  // the acoustic density, split
    Array<float> pressure_;
    Rows squared_speed_, rest_density_, tau_, eta_, nonlinearity_;
    std::array<Rows, 3> step_over_density_;
    std::array<std::vector<float>, 3> layer_, staggered_layer_;

    std::array<Array<float>, 3> spectra_;
    KspaceDerivatives forward_, backward_;
    std::vector<float> kappa_, tau_powers_, eta_powers_;
    Array<float> lines_;  // [threads, axes + 1, strip_rows, columns]

    std::vector<float> cosines_;
    RowSource pressure_source_;
    std::array<RowSource, 3> velocity_source_;
    Array<float> initial_pressure_;
};

}  // namespace sonolux
