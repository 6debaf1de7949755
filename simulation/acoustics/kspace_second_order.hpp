// sonolux/simulation/acoustics/kspace_second_order.hpp
//
// Full-wave simulation by the second-order k-space scheme: the pressure alone, in 2 real transforms a step
// instead of 7 where the density is constant, and 6 where it varies.
#pragma once

#include <array>
#include <string>
#include <vector>

#include <sonolux/simulation/acoustics/kspace_setup.hpp>
#include <sonolux/simulation/acoustics/kspace_sources.hpp>

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
/// The absorbing layer is that of Grote and Sim (2010, arXiv:1001.0319), with the profile sigma of
/// KspaceFirstOrder's:
///
///     p_tt + (sx + sy) p_t + sx sy p = c^2 rho0 div (grad p / rho0 + phi)
///     phi_x,t = -sx phi_x + (sy - sx) (dp/dx) / rho0            phi_y likewise, with x and y changed
///
/// where phi lives in the layer alone. With constant density its derivatives are staggered finite differences
/// of eighth order, which cost no transform. Layers of 20 points reflect -75 to -90 dB of a pulse with
/// constant density, -97 to -113 dB with varying, from 60 degrees to normal incidence; those of
/// KspaceFirstOrder -114 to -127 dB.
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
    [[nodiscard]] View<const float> pressure() const noexcept { return pressure_[now_]; }

    [[nodiscard]] std::size_t memory_bytes() const noexcept;
    [[nodiscard]] std::string description() const;

private:
    using Complex = KspaceTransform::Complex;

    void set_medium(const KspaceMedium& medium);
    void set_layer(const KspaceSetup& setup, double reference_speed);

    void laplacian(Context& context) noexcept;
    void divergence_of_flux(Context& context) noexcept;
    void flux_row(std::size_t axis, Index row, float* gradient) noexcept;
    void update_layer(Context& context) noexcept;
    void update_layer_row(Index row, float* line) noexcept;
    void add_layer_divergence(Index row, float* change, float* line) const noexcept;
    void update_pressure(Context& context) noexcept;
    void update_pressure_row(Index row, float* change, float* line) noexcept;

    /// The parts of a row that are in the layer widened by `more` points: all of it, two ends, or nothing.
    struct Ends {
        Index left_end = 0, right_begin = 0;
    };
    [[nodiscard]] Ends ends(Index row, Index more) const noexcept;

    KspaceGrid grid_;
    KspaceTransform transform_;
    bool uniform_density_;
    Index done_ = 0;
    std::size_t now_ = 0;

    std::array<Array<float>, 2> pressure_;  // now, and of the step before
    Array<float> squared_;                  // (c dt)^2, one row or all
    Index squared_stride_ = 0;
    Array<float> rest_density_;  // where it varies, and 1 / rho0 half a spacing further along x and y
    std::array<Array<float>, 2> per_density_;

    std::array<Index, 2> layer_{};               // points of the layer along x and y
    std::array<std::vector<float>, 2> damping_;  // sigma dt at the points of p, along x and y
    std::array<std::vector<float>, 2> staggered_damping_;
    std::array<Array<float>, 2> flux_, mean_flux_;  // phi at half steps, and at the step between them

    std::array<Array<Complex>, 2> spectra_;
    std::array<std::vector<Complex>, 2> forward_, backward_;
    std::vector<float> factors_;
    Array<float> lines_;  // [threads, 3, columns and a margin]

    std::vector<float> cosines_;
    RowSource source_;  // what the source changes by from step to step
    Array<Complex> source_spectrum_;
    Array<float> initial_pressure_;
};

}  // namespace sonolux
