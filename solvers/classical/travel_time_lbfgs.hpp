// sonolux/solvers/classical/travel_time_lbfgs.hpp
//
// Total variation with a robust data term, by L-BFGS: what speed-of-sound images were reconstructed with
// before networks (S. Sanabria et al. 2018, Phys. Med. Biol. 63, 215015; M. Bernhardt et al. 2020).
//
// In the units of travel_time_inversion.hpp, over M valid measurements and N pixels:
//
//     minimise over x    1/M sum m rho_e(L x - r)  +  lambda/N sum sqrt((w_0 D_0 x)^2 + (w_1 D_1 x)^2 + h^2)
//
//     rho_e(t) = sqrt(t^2 + e^2) - e
//
// D_0 and D_1 are differences to the right and down, the weights w give each its direction and, where a map
// of them is given, its place. The iteration is L-BFGS (J. Nocedal and S. Wright 2006, algorithm 7.5) with a
// line search by bisection for the weak Wolfe conditions, which suits functions that are nearly not smooth
// (A. Lewis and M. Overton 2013, Math. Program. 141, 135). It is written here and not LBFGSpp's because it
// has to run without allocating, and to stop between iterations.
//
//     objective   the function above
//     residual    by what part of itself the objective fell over the last 10 iterations
//
// A line search that finds nothing lower (rounding in single precision, or smoothing that is too small for
// it) ends the run as StopReason::no_descent, with the map of the iteration before.
#pragma once

#include <sonolux/solvers/classical/travel_time_inversion.hpp>

namespace sonolux {

struct TravelTimeLbfgsOptions {
    double lambda = 0.015;          ///< weight of the total variation, above 0
    double lateral_weight = 2;      ///< of differences to the right, at least 0
    double axial_weight = 1;        ///< of differences down, at least 0; not both 0
    Array<float> weights = {};      ///< [2, rows, columns], at least 0; multiplies both; empty: 1
    double data_smoothing = 0.1;    ///< e, in units of the residual of the uniform medium; above 0
    double image_smoothing = 0.05;  ///< h, above 0
    double blur = 0;                ///< standard deviation in pixels of a Gaussian over the result; 0: none
    int memory = 10;                ///< pairs of steps, 1 to 100
    int iterations = 1500;          ///< at most, 1 to 100000
    double tolerance = 1e-5;        ///< of the residual; 0 never stops
};

/// Throws Error{invalid_argument} or Error{size_mismatch} naming the field of the problem or the options.
[[nodiscard]] std::unique_ptr<TravelTimeInverter> make_travel_time_lbfgs(InversionProblem problem,
                                                                         TravelTimeLbfgsOptions options);

/// Weights for TravelTimeLbfgsOptions from how much ray there is along each direction ([2, rows, columns],
/// see `ray_density`): what few rays cross is held more firmly,
///
///     w = (mean density / (density + floor mean density))^power, scaled to a mean of 1 over both planes.
///
/// Throws Error{size_mismatch} for another rank, Error{invalid_argument} for a density that is 0 everywhere,
/// negative or not finite, or a power outside [0, 4].
[[nodiscard]] Array<float> density_weights(View<const float> density, double power = 0.5, double floor = 0.1);

}  // namespace sonolux
