// sonolux/solvers/classical/richardson_lucy.hpp
//
// Richardson-Lucy: expectation maximisation for an image blurred and counted by a detector with Poisson noise
// (W. Richardson 1972, J. Opt. Soc. Am. 62, 55; L. Lucy 1974, Astron. J. 79, 745), with total variation
// (N. Dey et al. 2006, Microsc. Res. Tech. 69, 260):
//
//     x' = x / (1 - weight div(D x / |D x|)) . K^T(M y / K x) / K^T M
//
// M is 1 where the blur is observed. Where K^T M is below 0.01 the data say next to nothing (compare
// M. Bertero and P. Boccacci 2005, Astron. Astrophys. 437, 369) and the start value stays. With weight 0 and
// a circular border, the sum over the image is that of the data after every iteration. Negative data count as
// 0.
//
//     objective   sum of M (K x - y + y log(y / K x)) + weight sum |D x|
//     residual    |x' - x| / |x|
#pragma once

#include <memory>

namespace sonolux {

class Deconvolver;
struct BlurProblem;

struct RichardsonLucyOptions {
    int iterations = 200;        ///< at most, 1 to 100000
    double total_variation = 0;  ///< the weight above, 0 to 0.25, above which the quotient may turn negative
    double tolerance = 1e-4;     ///< of the residual; 0 never stops
    double discrepancy = 0.97;   ///< ends where |M (K x - y)| <= discrepancy sigma sqrt(pixels); 0 never

    friend bool operator==(const RichardsonLucyOptions&, const RichardsonLucyOptions&) = default;
};

/// Throws Error{invalid_argument} naming the field of the problem or the options.
[[nodiscard]] std::unique_ptr<Deconvolver> make_deconvolver(const BlurProblem& problem,
                                                            const RichardsonLucyOptions& options);

}  // namespace sonolux
