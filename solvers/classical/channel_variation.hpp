// sonolux/solvers/classical/channel_variation.hpp
//
// Least squares with total variation across channels: edges are where they are in all channels, and colours
// change less than brightness.
//
//     minimise over x    1/2 |A x - y|^2  +  weight sum over pixels of |V D x|
//
// D are the differences to the right and below, with none across the last column and row; V goes to opponent
// colours (orthonormal, the DCT along the channels: the first is brightness) and multiplies all but the first
// by `colour_weight`. The length is over both directions and all channels at once (X. Bresson and T. Chan
// 2008, Inverse Probl. Imaging 2, 455), which is what ties them together. Any linear A: blurs, from place to
// place different ones, masks after them.
//
// By the primal-dual algorithm (A. Chambolle and T. Pock 2011, J. Math. Imaging Vis. 40, 120, algorithm 1)
// with a dual variable for the data as well, so that nothing is inverted:
//
//     p = (p + s (A x' - y)) / (1 + s)
//     q = project(q + s V D x')  on |q| <= weight
//     x+ = max(0, x - t (A^T p + D^T V^T q)),   x' = 2 x+ - x,   s t (|A|^2 + 8 |V|^2) = 1
//
// With a mask in A its missing data have A x = y = 0 and do not count.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include <sonolux/core/operators/compose.hpp>
#include <sonolux/solvers/classical/convergence_log.hpp>

namespace sonolux {

struct ChannelVariationOptions {
    double weight = 2e-3;      ///< above 0, for images in [0, 1]
    double colour_weight = 2;  ///< of opponent colours against brightness, above 0
    int iterations = 300;      ///< at most, 1 to 100000
    double tolerance = 1e-4;   ///< of the relative change of x; 0 never stops
    double balance = 0.02;  ///< t / s is its square: larger steps in x than in the dual variables, or smaller
    bool nonnegative = true;  ///< light is
};

/// Recovers [channels, rows, columns] from data of any shape.
class ChannelVariation {
public:
    /// |A| is measured unless it is given (an upper bound is as good). Throws Error{invalid_argument} naming
    /// the option, for a null operator, one whose domain is not [channels, rows, columns], or a norm that is
    /// negative or not finite.
    ChannelVariation(OperatorPointer forward, const ChannelVariationOptions& options,
                     std::optional<double> operator_norm = std::nullopt);

    [[nodiscard]] std::size_t workspace_bytes(const Context& context) const noexcept;

    /// From the image as it is (a first guess) to the estimate. Returns ok; cancelled or deadline_exceeded
    /// with the last iteration's image; size_mismatch; out_of_memory where too little was reserved.
    [[nodiscard]] Status run(View<const float> data, View<float> image, Context& context,
                             ConvergenceLog* log = nullptr) noexcept;

    /// The function that is minimised.
    [[nodiscard]] double objective(View<const float> data, View<const float> image,
                                   Context& context) noexcept;

private:
    OperatorPointer forward_;
    ChannelVariationOptions options_;
    double primal_step_ = 0, dual_step_ = 0;
    Array<float> mix_;  // V [channels, channels]
};

}  // namespace sonolux
