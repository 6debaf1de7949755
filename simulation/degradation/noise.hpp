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

/// How one photograph is taken. Gain and sigma are in the units of the image.
struct Exposure {
    float sigma = 0;  ///< standard deviation of the electronics' noise, at least 0
    float gain = 0;   ///< grey value of one photo-electron; 0: light is not counted, it has no noise
    int bits = 0;     ///< of the converter, 1 to 16; 0: none, values are neither rounded nor limited

    friend bool operator==(const Exposure&, const Exposure&) = default;
};

/// The standard deviation of noise at one grey level of an image whose white is `full_scale`: the root of
/// sigma^2 + gain level + step^2 / 12, with the steps of the converter where it has one.
[[nodiscard]] double noise_deviation(const Exposure& exposure, double level, double full_scale) noexcept;

/// Takes the photograph: photon noise and Gaussian noise as above, then conversion of [0, full_scale]. Both
/// of the same shape, contiguous, not overlapping. Throws Error{invalid_argument} naming the field of the
/// exposure that is outside its range, or a full_scale not above 0.
void expose(View<const float> clean, const Exposure& exposure, float full_scale, const Philox& random,
            View<float> noisy, Context& context);

/// Sensors that differ from photograph to photograph, for images from 0 to `full_scale`.
struct SensorOptions {
    double full_scale = 255;
    double sigma_from = 0.5, sigma_to = 12;  ///< uniform
    double photon_fraction = 0.25;           ///< of the photographs have photon noise as well,
    double gain_from = 0.02, gain_to = 1;    ///< with a gain that is log-uniform between these
    double converted_fraction = 0.25;        ///< of the photographs went through a converter
    int bits = 8;                            ///< of so many bits
};

/// Throws Error{invalid_argument} naming the option that is outside its range.
void validate(const SensorOptions& options);

/// How photograph `sample` is taken, from Philox(seed, streams::sensor, sample). Validates the options.
[[nodiscard]] Exposure draw_exposure(const SensorOptions& options, std::uint64_t seed, std::uint64_t sample);

}  // namespace sonolux
