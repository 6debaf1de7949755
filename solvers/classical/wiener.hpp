// sonolux/solvers/classical/wiener.hpp
//
// The Wiener filter (N. Wiener 1949, Extrapolation, interpolation, and smoothing of stationary time series):
// of all linear estimates the one of least mean squared error, for an image of known power spectrum.
//
//     X = K* Y / (|K|^2 + sigma^2 / S(f))
//
// S(f) is the power of the sharp image at f cycles per pixel, sigma^2 that of white noise, both per pixel.
//
//     inverse_square   S(f) = A / |f|^2     photographs (D. Field 1987, J. Opt. Soc. Am. A 4, 2379)
//     constant         S(f) = A
//
// The mean is kept: S(0) is infinite. Unless given, A is the one under which the spectrum of the data is most
// likely (P. Whittle 1953, Ark. Mat. 2, 423), found by Fisher scoring: with P the power of the data and
// g = |K|^2 S / A, the sums running over all f but 0,
//
//     A' = sum g (P - sigma^2) / (A g + sigma^2)^2 / sum g^2 / (A g + sigma^2)^2
#pragma once

#include <memory>
#include <optional>

namespace sonolux {

class Deconvolver;
struct BlurProblem;

enum class PowerModel { inverse_square, constant };

/// A border of the valid kind has no closed form, and is refused.
struct WienerOptions {
    PowerModel power = PowerModel::inverse_square;
    std::optional<double> signal_power = std::nullopt;  ///< A, above 0, for images in [0, 1]

    friend bool operator==(const WienerOptions&, const WienerOptions&) = default;
};

/// Throws Error{invalid_argument} naming the field of the problem or the options.
[[nodiscard]] std::unique_ptr<Deconvolver> make_deconvolver(const BlurProblem& problem,
                                                            const WienerOptions& options);

}  // namespace sonolux
