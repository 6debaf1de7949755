// sonolux/solvers/classical/conjugate_gradients.hpp
//
// Regularised least squares, by conjugate gradients on the normal equations (M. Hestenes and E. Stiefel 1952,
// J. Res. Natl. Bur. Stand. 49, 409, section 10):
//
//     minimise over x   1/2 |M (K x - y)|^2 + weight / 2 |R x|^2,      R = D (gradient) or 1 (identity)
//
//     objective   the function above
//     residual    |K^T M (y - K x) - weight R^T R x| / |K^T M y|
#pragma once

#include <memory>
#include <optional>

namespace sonolux {

class Deconvolver;
struct BlurProblem;

enum class Regulariser { gradient, identity };

struct ConjugateGradientsOptions {
    Regulariser regulariser = Regulariser::gradient;
    std::optional<double> weight = std::nullopt;  ///< at least 0, for images in [0, 1]; else from sigma
    int iterations = 200;                         ///< at most, 1 to 100000
    double tolerance = 3e-5;                      ///< of the residual; 0 never stops
    double discrepancy = 0;  ///< ends where |M (K x - y)| <= discrepancy sigma sqrt(pixels); 0 never

    friend bool operator==(const ConjugateGradientsOptions&, const ConjugateGradientsOptions&) = default;
};

/// The weight for noise of standard deviation `sigma` (in units of 1/255): 1.3e-3 sigma^1.75 for the
/// gradient, 3.8e-3 sigma for the identity, fitted like total_variation_weight.
[[nodiscard]] double conjugate_gradients_weight(Regulariser regulariser, double sigma) noexcept;

/// Throws Error{invalid_argument} naming the field of the problem or the options.
[[nodiscard]] std::unique_ptr<Deconvolver> make_deconvolver(const BlurProblem& problem,
                                                            const ConjugateGradientsOptions& options);

}  // namespace sonolux
