// sonolux/solvers/classical/tikhonov.hpp
//
// Least squares with a quadratic penalty, the pseudo-inverse computed once (A. Tikhonov 1963; P. C. Hansen,
// Rank-Deficient and Discrete Ill-Posed Problems, 1998). In the units of travel_time_inversion.hpp,
//
//     minimise over x    |m (L x - r)|^2 + lambda |R x|^2
//
// with R the identity (order 0), the root of D^T D (order 1: |R x| = |D x|, differences) or D^T D itself
// (order 2, the Laplacian). All three are diagonal in the cosine transform of the map, so the unknowns are
// its coefficients c, x = S c, for the lowest half of the frequencies along each direction (waves of at least
// 4 pixels; what is finer, no straight rays resolve). The pseudo-inverse P is computed once, for all that is
// possible (M), and with E the eigenvalues of R^T R
//
//     c = P S^T L^T r,      P = (S^T L^T M L S + lambda E)^-1
//
// which makes a frame one adjoint, two small transforms and one product of P, [modes, modes], with a vector.
// The constant map is penalised a hundredth as much as the next smoothest.
//
// Where measurements are missing that the set-up counted on, conjugate gradients solve the equations of what
// is there, with P as the preconditioner; they take as many iterations as the frame lacks information.
//
//     objective   the function above, divided by the number of valid measurements
//     residual    of those equations, relative to their right side
#pragma once

#include <span>
#include <vector>

#include <sonolux/solvers/classical/travel_time_inversion.hpp>

namespace sonolux {

struct TikhonovOptions {
    int order = 1;            ///< 0, 1 or 2
    double lambda = 3e-4;     ///< above 0
    Index modes_down = 0;     ///< frequencies along columns of the map, 1 to its rows; 0: half of them
    Index modes_across = 0;   ///< along rows
    int iterations = 30;      ///< of conjugate gradients, at most, where measurements are missing; 1 to 1000
    double tolerance = 1e-2;  ///< of their residual; 0 never stops
};

/// One weight on the L-curve: how well the data are explained, at what price.
struct LCurvePoint {
    double lambda = 0;
    double residual = 0;   ///< |m (L x - r)|
    double seminorm = 0;   ///< |R x|
    double curvature = 0;  ///< of (log residual, log seminorm) over log lambda; 0 at both ends
};

class TikhonovInverter : public TravelTimeInverter {
public:
    /// Unknowns.
    [[nodiscard]] virtual Index modes() const noexcept = 0;

    /// The L-curve of one frame for weights in increasing order, by one factorisation for each. The frame has
    /// to have all possible measurements. Throws as `check`, and Error{invalid_argument} for missing
    /// measurements, fewer than 3 weights, or weights that are not positive and increasing. Allocates.
    [[nodiscard]] virtual std::vector<LCurvePoint> l_curve(View<const float> delays,
                                                           std::span<const double> lambdas,
                                                           Context& context) const = 0;

protected:
    using TravelTimeInverter::TravelTimeInverter;
};

/// Takes some seconds for 84 x 64 pixels. Throws Error{invalid_argument} naming the field of the problem or
/// the options.
[[nodiscard]] std::unique_ptr<TikhonovInverter> make_tikhonov(InversionProblem problem,
                                                              const TikhonovOptions& options);

/// The corner of an L-curve: the point of largest curvature (P. C. Hansen and D. O'Leary 1993, SIAM J. Sci.
/// Comput. 14, 1487). Throws Error{invalid_argument} for fewer than 3 points.
[[nodiscard]] LCurvePoint l_curve_corner(std::span<const LCurvePoint> curve);

}  // namespace sonolux
