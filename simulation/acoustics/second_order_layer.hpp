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

    /// Constant density: takes what it needs of a row of the pressure, whenever it has changed.
    void keep_ends(Index row, const float* pressure) noexcept;

    /// Constant density: (U - 1) D+ p of this step, for add_divergence(). `pressure` are all rows.
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

    /// The parts of a row in the layer: all of it, two ends, or nothing.
    struct Ends {
        Index left_end = 0, right_begin = 0;
    };
    [[nodiscard]] Ends ends(Index row) const noexcept;

    /// A part of the frame by itself, for stencils are linear. The ends of all rows are one strip, whose
    /// lines run over the end of a row to its beginning; what is left of the uppermost and lowermost rows is
    /// the other. On small grids, and without a layer along x, one strip is the whole grid.
    struct Strip {
        Index lines = 0, points = 0;            // of each line
        Index first_row = 0, first_column = 0;  // that lines and points begin with, going on around the grid
        std::vector<float> kept, staggered;     // P of x at the points
        std::array<Array<float>, 2> memory;     // [lines, points]
        std::array<Array<float>, 2> flux;       // [lines, points and 2 margins at each end]
    };
    [[nodiscard]] Strip make_strip(Index lines, Index points, Index first_row, Index first_column) const;
    [[nodiscard]] bool is_whole(const Strip& strip) const noexcept { return strip.points == size_.columns; }

    void update_line(const KspaceKernels& kernels, int thread, Strip& strip, Index line,
                     const float* pressure) noexcept;
    void add_line(const KspaceKernels& kernels, int thread, const Strip& strip, Index line,
                  float* laplacian) noexcept;

    KspaceSize size_;
    std::array<Index, 2> points_{};
    std::array<std::vector<float>, 2> kept_, staggered_;  // P
    std::array<Array<float>, 2> memory_;                  // [rows, columns], with varying density
    Strip ends_of_rows_, rows_between_;
    Array<float> ends_;   // the pressure on the lines of ends_of_rows_ or the whole grid, with margins
    Array<float> empty_;  // a line of flux outside
    std::array<std::vector<float>, 2> derivative_;  // taps of D along x and y, from the first to the last
    std::array<std::vector<float>, 2> smooth_;      // taps across x and y
    Array<float> scratch_;                          // [threads, 2, columns and margins]
};

}  // namespace sonolux
