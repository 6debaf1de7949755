// sonolux/simulation/acoustics/second_order_layer.hpp
//
// The absorbing layer of KspaceSecondOrder.
#pragma once

#include <array>
#include <vector>

#include <sonolux/simulation/acoustics/kspace_setup.hpp>

namespace sonolux {

/// The split layer of KspaceFirstOrder, with velocities and densities eliminated. With P = exp(-sigma dt / 2)
/// of each axis and z one time step, a split field obeys (z^(1/2) / P - P z^(-1/2)) f = dt (derivative), so
/// that in a layer
///
///     (z^(1/2) / Px - Px z^(-1/2)) (z^(1/2) / Py - Py z^(-1/2)) p
///         = (c dt)^2 rho0 [D-x Ux (D+x p / rho0) + D-y Uy (D+y p / rho0)]
///
///     Ux = (Px / Py) (1 - Py^2 z^-1) / (1 - Px^2 z^-1),    Uy with x and y changed over,
///
/// P at the staggered points where it is the derivative's own. It is the same layer, as long as D+ and D- are
/// the derivatives of the k-space scheme. With varying density they are. With constant density the interior
/// has the Laplacian alone, to which the layer adds D- (U - 1) D+ p by stencils near the border: along the
/// axis, of 2 x 8 taps, fitted to sin(c_ref k dt / 2) / (c_ref dt / 2) for k up to 0.7 of Nyquist's; across
/// it of 13 taps, fitted to sinc(c_ref k dt / 2). Their product is the k-space derivative but for
/// (c_ref dt / 2)^4 kx^2 ky^2 / 90, below 1e-4.
class SecondOrderLayer {
public:
    SecondOrderLayer() = default;

    /// `stencils`: whether derivatives are taken here, for constant density.
    SecondOrderLayer(const KspaceSetup& setup, double reference_speed, bool stencils, int threads);

    /// Whether there is one at all.
    [[nodiscard]] bool exists() const noexcept { return points_[0] > 0 || points_[1] > 0; }

    /// Varying density: from (D+ p) / rho0 along `axis` to U times it, in place.
    void absorb_row(const KspaceKernels& kernels, std::size_t axis, Index row, float* flux) noexcept;

    /// Constant density: (U - 1) D+ p of this step, for add_divergence().
    void update(const KspaceKernels& kernels, Context& context, const float* pressure) noexcept;

    /// Adds D- of that to a row of the Laplacian.
    void add_divergence(const KspaceKernels& kernels, int thread, Index row, float* laplacian) noexcept;

    /// From `change`, the Laplacian or divergence, times (c dt)^2 and `weight` (null: 1), to the pressure one
    /// step later and its increment in that step.
    void advance_row(const KspaceKernels& kernels, Index row, float* pressure, float* increment,
                     const float* change, const float* squared, const float* weight) const noexcept;

    [[nodiscard]] std::size_t memory_bytes() const noexcept;

private:
    static constexpr Index taps = 8, across = 6;  // of D each side, and of the smoothing each side
    static constexpr Index margin = taps > across ? taps : across;

    /// The parts of a row in the layer widened by `more` points: all of it, two ends, or nothing.
    struct Ends {
        Index left_end = 0, right_begin = 0;
    };
    [[nodiscard]] Ends ends(Index row, Index more) const noexcept;

    /// The same parts as one line that goes on over the end of the row, and the pieces that it has in the
    /// row.
    struct Piece {
        Index at, column, length;  // in the line, and in the row
    };
    struct Line {
        Index begin = 0, length = 0;
        std::array<Piece, 2> pieces{};
        int count = 0;
    };
    [[nodiscard]] Line line(Index row, Index more) const noexcept;

    void update_row(const KspaceKernels& kernels, int thread, Index row, const float* pressure) noexcept;

    /// Rows around `row`, from row + first on, times weights, on a line and `margin` points before and after
    /// it, into scratch[0 ...).
    void combine_rows(const KspaceKernels& kernels, const float* field, Index row, Index first,
                      std::span<const float> weights, const Line& line, float* scratch) const noexcept;

    KspaceSize size_;
    std::array<Index, 2> points_{};
    std::array<std::vector<float>, 2> kept_, staggered_;  // P
    std::array<Array<float>, 2> memory_;                  // [rows, columns]
    std::array<Array<float>, 2> flux_;                    // (U - 1) D+ p
    std::array<std::vector<float>, 2> derivative_;  // taps of D along x and y, from the first to the last
    std::array<std::vector<float>, 2> smooth_;      // taps across x and y
    Array<float> scratch_;                          // [threads, 2, columns and margins]
};

}  // namespace sonolux
