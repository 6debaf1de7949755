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

/// Lossless linear sound in a plane:
///
///     p(n+1) = 2 p(n) - p(n-1) + (c dt)^2 F^-1 [-(2 / (c_ref dt) sin(c_ref |k| dt / 2))^2 F p(n)]
///     p(n+1) = 2 p(n) - p(n-1) + (c dt)^2 rho0 div (grad p(n) / rho0)             where rho0 varies
///
/// with the derivatives of KspaceFirstOrder, whose velocities and densities are eliminated: without absorbing
/// layers both schemes are the same up to rounding (Mast et al. 2001, IEEE TUFFC 48; Cox, Kara, Arridge,
/// Beard 2007, J. Acoust. Soc. Am. 121).
///
/// The absorbing layer is KspaceFirstOrder's in second-order form (second_order_layer.hpp).
class KspaceSecondOrder {
public:
    /// Empty where the scheme is valid for this setup, otherwise why not: "the medium absorbs".
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
    void update_pressure(Context& context) noexcept;
    void update_pressure_row(Index row, int thread, float* change) noexcept;

    KspaceGrid grid_;
    KspaceTransform transform_;
    bool uniform_density_;
    Index done_ = 0;

    Array<float> pressure_, increment_;  // of the last step
    Array<float> squared_;               // (c dt)^2, one row or all
    Index squared_stride_ = 0;
    Array<float> rest_density_;  // where it varies, and 1 / rho0 half a spacing further along x and y
    std::array<Array<float>, 2> per_density_;

    SecondOrderLayer layer_;

    std::array<Array<float>, 2> spectra_;
    KspaceDerivatives forward_, backward_;
    std::vector<float> factors_;
    Array<float> lines_;  // [threads, strip_rows, columns]

    std::vector<float> cosines_;
    RowSource source_;  // what the source changes by from step to step
    Array<float> source_spectrum_;
    Array<float> initial_pressure_;
};

}  // namespace sonolux
