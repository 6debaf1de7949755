// sonolux/solvers/classical/total_variation.hpp
//
// Least squares with isotropic total variation (L. Rudin, S. Osher, E. Fatemi 1992, Physica D 60, 259):
//
//     minimise over x   1/2 |M (K x - y)|^2 + weight sum over pixels of |D x|
//
// by the alternating direction method of multipliers, with z = D x and, where part of the border is unknown,
// w = K x (M. Almeida and M. Figueiredo 2013, IEEE Trans. Image Process. 22, 3074), so that every step is
// diagonal either in the image or in its spectrum:
//
//     x = (K^T K + c D^T D)^-1 (K^T(w - v) + c D^T(z - u)),       c = b / a
//     z = shrink(D x + u, weight / b),  u += D x - z
//     w = (M y + a (K x + v)) / (M + a),  v += K x - w
//
// without unknown border w - v is y, and a = 1. Penalties a and b are balanced as B. Wohlberg 2017
// (arXiv:1704.06209) does, during the first half of the iterations.
//
//     objective   the function above
//     residual    the larger of |(K x, D x) - (w, z)| and the change of (a w, b z), each relative to the
//                 vectors it is made of (S. Boyd et al. 2011, Found. Trends Mach. Learn. 3, section 3.3)
#pragma once

#include <memory>
#include <optional>

namespace sonolux {

class Deconvolver;
struct BlurProblem;

struct TotalVariationOptions {
    std::optional<double> weight = std::nullopt;  ///< above 0, for images in [0, 1]; else from sigma
    int iterations = 200;                         ///< at most, 1 to 100000
    double tolerance = 3e-3;                      ///< of the residual; 0 never stops

    friend bool operator==(const TotalVariationOptions&, const TotalVariationOptions&) = default;
};

/// The weight for noise of standard deviation `sigma` (in units of 1/255): 1.7e-4 sigma^1.6, fitted to the
/// best ones for 12 photographs of the Berkeley training set, blurred by camera shake, at sigma 0.5 to 20.
[[nodiscard]] double total_variation_weight(double sigma) noexcept;

/// Throws Error{invalid_argument} naming the field of the problem or the options.
[[nodiscard]] std::unique_ptr<Deconvolver> make_deconvolver(const BlurProblem& problem,
                                                            const TotalVariationOptions& options);

}  // namespace sonolux
