// sonolux/solvers/training/losses.hpp
//
// What training minimises.
//
//     SquaredLoss        1/2 sum (x - x*)^2                            (Chen and Pock 2017, eq. 15)
//     SmoothedL1Loss     sum sqrt((x - x*)^2 + eps^2) - eps
//     ToneLoss            1/2 sum (x - x*)^2 + w (f(x) - f(x*))^2,   f(x) = s sqrt(x / s + 1 / 512)
//     NegativePsnrLoss   -20 log10(peak / root mean square of x - x*)  (Schmidt and Roth 2014, eq. 12)
//
// Sums and means are over all channels. Each looks at the interior only: `margin` pixels on every side are
// left out, because what lies beyond the border of a patch is guessed and the error there says little about
// the network.
#pragma once

#include <vector>

#include <sonolux/solvers/loss.hpp>

namespace sonolux {

class SquaredLoss final : public Loss {
public:
    /// Throws Error{invalid_argument} if margin is negative. So do the other losses.
    explicit SquaredLoss(Index margin = 0);

    double value_gradient(View<const float> image, View<const float> truth,
                          View<float> image_bar) const noexcept override;

private:
    Index margin_;
};

class SmoothedL1Loss final : public Loss {
public:
    /// `epsilon` > 0, in the network's units: differences well below it count quadratically.
    explicit SmoothedL1Loss(double epsilon, Index margin = 0);

    double value_gradient(View<const float> image, View<const float> truth,
                          View<float> image_bar) const noexcept override;

private:
    double epsilon_;
    Index margin_;
};

/// For images of light: f, which goes on straight below 0, is about the curve of the codes that people look
/// at, so that dark pixels count, and with them the colours there.
class ToneLoss final : public Loss {
public:
    /// `white` > 0: s, in the network's units; `weight` w >= 0.
    ToneLoss(double white, double weight, Index margin = 0);

    double value_gradient(View<const float> image, View<const float> truth,
                          View<float> image_bar) const noexcept override;

private:
    double white_, weight_;
    Index margin_;
};

class NegativePsnrLoss final : public Loss {
public:
    /// `peak` > 0: the largest image value, in the network's units. A mean square below 1e-12 peak^2 (120 dB)
    /// counts as that, so that a perfect image has a finite loss; its gradient is zero.
    explicit NegativePsnrLoss(double peak, Index margin = 0);

    double value_gradient(View<const float> image, View<const float> truth,
                          View<float> image_bar) const noexcept override;

private:
    double peak_;
    Index margin_;
};

/// exp(-tau (T - t)) for t = 1 ... T: the last step counts 1, and earlier steps the less the larger tau
/// (Vishnevskiy et al. 2019). tau = +infinity weighs the last step alone. Throws Error{invalid_argument}
/// unless steps >= 1 and tau >= 0.
[[nodiscard]] std::vector<double> exponential_step_weights(Index steps, double tau);

}  // namespace sonolux
