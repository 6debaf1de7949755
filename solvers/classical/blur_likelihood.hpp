// sonolux/solvers/classical/blur_likelihood.hpp
//
// How well a blur explains an image, for who has several to choose from.
//
// Images of a known cross-power spectrum S, blurred and noisy, are taken as Gaussian. Then the periodogram P
// of one has the log-likelihood (P. Whittle 1953, Arkiv foer matematik 2, 423)
//
//     -L = sum over rings r of n_r (log det C_r + trace C_r^-1 P_r),   C = K T K* + N
//
// with n_r frequencies in a ring, the matrices K of the blur and N of the noise. No scene is like the mean of
// all, so its spectrum T is one of a family about S, the most likely one for each blur:
//
//     T_cd(f) = g_c g_d f^-s q_cd S_cd(f),   q_cd = q for c != d, 1 for c = d
//
// with the strength g of each channel, the slope s, and how much of what channels have in common they keep,
// 0 <= q <= 1.
#pragma once

#include <span>
#include <vector>

#include <sonolux/core/array.hpp>
#include <sonolux/solvers/channel_spectrum.hpp>

namespace sonolux {

class BlurLikelihood {
public:
    /// An image [channels, rows, columns], at least 32 x 32, of which a Hann window is taken, and the
    /// variance of the noise of each channel. Throws Error{size_mismatch} for other channels of spectrum or
    /// noise, Error{invalid_argument} for a smaller image, values that are not finite and noise that is not
    /// above 0.
    BlurLikelihood(View<const float> image, const ChannelSpectrum& spectrum, std::span<const double> noise);

    /// log-likelihood per frequency of the half plane, less a constant, for kernels [channels, size, size]
    /// that blur each channel by itself; they are folded into the image. Throws Error{size_mismatch} for
    /// other channels.
    [[nodiscard]] double of(View<const float> kernels) const;

private:
    /// `family`: log g of each channel, s, and the logit of q.
    [[nodiscard]] double minus_likelihood(std::span<const double> blur, std::span<const double> family) const;

    Index channels_, rows_, columns_, rings_;
    std::vector<double> noise_;
    std::vector<double> frequency_, count_;  // [rings]: mean, and how many there are
    std::vector<double> power_, prior_;      // [rings][channels][channels]: P and S
};

}  // namespace sonolux
