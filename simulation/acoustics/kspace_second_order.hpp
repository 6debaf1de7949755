// sonolux/simulation/acoustics/kspace_second_order.hpp
//
// Full-wave simulation by the second-order k-space scheme: the pressure alone, in 2 real transforms a step
// instead of 7 where the density is constant, and 6 where it varies.
#pragma once

#include <array>
#include <string>
#include <vector>

#include <sonolux/simulation/acoustics/kspace_factors.hpp>
#include <sonolux/simulation/acoustics/kspace_setup.hpp>
#include <sonolux/simulation/acoustics/kspace_sources.hpp>
#include <sonolux/simulation/acoustics/second_order_layer.hpp>

namespace sonolux {

/// Linear sound in a plane:
///
///     p(n+1) = 2 p(n) - p(n-1) + (c dt)^2 F^-1 [-(2 / (c_ref dt) sin(c_ref |k| dt / 2))^2 F p(n)]
///     p(n+1) = 2 p(n) - p(n-1) + (c dt)^2 rho0 div (grad p(n) / rho0)             where rho0 varies
///
/// with the derivatives of KspaceFirstOrder, whose velocities and densities are eliminated: without absorbing
/// layers both schemes are the same up to rounding (Mast et al. 2001, IEEE TUFFC 48; Cox, Kara, Arridge,
/// Beard 2007, J. Acoust. Soc. Am. 121).
///
/// Where the medium absorbs, the same is done to the acoustic density rho = p / c^2, and the pressure follows
/// from the equation of state of KspaceFirstOrder, in which rho0 div u is the change of rho in the step, but
/// for what sources add:
///
///     p = c^2 [rho - tau F^-1 |k|^(y-2) F (rho - rho of the step before) / dt - eta F^-1 |k|^(y-1) F rho]
///
/// 3 more transforms; none with Stokes's y = 2.
///
/// The absorbing layer is KspaceFirstOrder's in second-order form (second_order_layer.hpp).
class KspaceSecondOrder {
public:
    /// Empty where the scheme is valid for this setup, otherwise why not: "the medium is nonlinear".
    [[nodiscard]] static std::string why_not(const KspaceSetup& setup);

    /// Throws Error{unsupported} saying why it is not valid, and what require_valid throws.
    KspaceSecondOrder(const KspaceSetup& setup, Context& context);

    [[nodiscard]] const KspaceGrid& grid() const noexcept { return grid_; }
    [[nodiscard]] Index done() const noexcept { return done_; }

    /// One time step. Neither allocates nor throws. The context has at most the threads of set-up.
    void step(Context& context) noexcept;

    /// Acoustic pressure in Pa, [rows, columns].
    [[nodiscard]] View<const float> pressure() const noexcept { return pressure_; }

    [[nodiscard]] std::size_t memory_bytes() const noexcept;
    [[nodiscard]] std::string description() const;

private:
    void set_medium(const KspaceMedium& medium);

    void laplacian(Context& context) noexcept;
    void divergence_of_flux(Context& context) noexcept;
    void set_absorption(const KspaceMedium& medium);

    /// From what a source adds to the density's parts to the density in units of dt^2: twice, for both axes.
    [[nodiscard]] float source_scale() const noexcept {
        return static_cast<float>(2 / (grid_.time_step * grid_.time_step));
    }

    [[nodiscard]] bool starts() const noexcept { return done_ == 0 && initial_pressure_.elements() > 0; }
    void update_pressure(Context& context) noexcept;
    void update_pressure_row(Index row, int thread, float* change) noexcept;
    void absorb(Context& context) noexcept;

    KspaceGrid grid_;
    KspaceTransform transform_;
    bool uniform_density_;
    Index done_ = 0;

    Array<float> pressure_;
    Array<float> density_;    // where the medium absorbs: rho / dt^2, the pressure in units of (c dt)^2
    Array<float> increment_;  // in the last step, of the density or else the pressure

    KspaceAbsorption absorption_;
    Array<float> tau_, eta_;  // -tau / dt and eta, one row or all
    Index absorption_stride_ = 0;
    std::vector<float> tau_powers_, eta_powers_;
    Array<float> density_spectrum_;  // of the step before, by lines: [blocks, last length, lane_floats]
    Array<float> ones_;
    Array<float> squared_;  // (c dt)^2, one row or all
    Index squared_stride_ = 0;
    Array<float> rest_density_;  // where it varies, and 1 / rho0 half a spacing further along x and y
    std::array<Array<float>, 2> per_density_;

    SecondOrderLayer layer_;

    std::array<Array<float>, 2> spectra_;
    KspaceDerivatives forward_, backward_;
    std::vector<float> factors_;
    Array<float> lines_;  // [threads, 2, strip_rows, columns]

    std::vector<float> cosines_;
    RowSource source_;        // what the source changes by from step to step
    RowSource whole_source_;  // and the source itself, where the medium absorbs
    Array<float> source_spectrum_;
    Array<float> initial_pressure_;
};

}  // namespace sonolux
