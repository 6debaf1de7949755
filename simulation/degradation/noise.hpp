// sonolux/simulation/degradation/noise.hpp
//
// What a sensor does to an image: noise, the steps of its converter, saturation.
//
// Noise is a pure function of the image and of Philox(seed, stream, sample): the same sample has the same
// noise again, on any machine and any number of threads. Sigma and gain are in the units of the image: for
// the "sigma 25" of denoising papers, either the image is in 0..255 and sigma is 25, or it is in 0..1 and
// sigma is 25 / 255.
#pragma once

#include <sonolux/core/random.hpp>
#include <sonolux/simulation/streams.hpp>

namespace sonolux {

/// White Gaussian noise, neither clipped nor quantised:
///
///     noisy[i] = clean[i] + sigma n_i,    n_i ~ N(0, 1)
///
/// Both of the same shape, not overlapping; sigma >= 0.
void add_gaussian_noise(View<const float> clean, float sigma, const Philox& random,
                        View<float> noisy) noexcept;

/// The same bits, on the context's threads.
void add_gaussian_noise(View<const float> clean, float sigma, const Philox& random, View<float> noisy,
                        Context& context) noexcept;

/// A batch whose element b is sample `first_sample + b`: noise from Philox(seed, streams::noise, first_sample
/// + b) with the standard deviation sigmas[b]. `clean` and `noisy` have the same shape with the batch first,
/// do not overlap; `sigmas` has shape [batch].
void add_gaussian_noise(View<const float> clean, View<const float> sigmas, std::uint64_t seed,
                        std::uint64_t first_sample, View<float> noisy, Context& context) noexcept;

/// One standard deviation for each sample of a batch, uniform on [low, high], from
/// Philox(seed, streams::noise_level, first_sample + b). `sigmas` has shape [batch]; low == high gives a
/// constant.
void draw_noise_levels(float low, float high, std::uint64_t seed, std::uint64_t first_sample,
                       View<float> sigmas) noexcept;

/// Photon noise of a linear sensor, and the Gaussian noise of its electronics:
///
///     noisy[i] = gain p_i + sigma n_i,    p_i ~ Poisson(max(clean[i], 0) / gain),    n_i ~ N(0, 1)
///
/// so that the mean is clean[i] and the variance gain clean[i] + sigma^2 (Foi et al. 2008, IEEE Trans. Image
/// Process. 17, 1737). `gain` > 0 is the grey value of one photo-electron. NaN stays NaN.
/// Both of the same shape, contiguous, not overlapping.
void add_poisson_gaussian_noise(View<const float> clean, float gain, float sigma, const Philox& random,
                                View<float> noisy, Context& context) noexcept;

/// Limits to [low, high], in place. NaN stays NaN.
void clip(View<float> image, float low, float high) noexcept;

/// What an n-bit converter makes of [low, high], in place: clips, and rounds to the nearest of 2^bits levels,
/// of which the first is `low` and the last `high` (halves up). 8 bits of 0..255 round to whole numbers. bits
/// 1 to 16; low < high. NaN stays NaN.
void quantise(View<float> image, int bits, float low, float high) noexcept;

}  // namespace sonolux
