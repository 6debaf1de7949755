// sonolux/simulation/degradation/blur_kernels.hpp
//
// Point spread functions of photographs that went wrong: a shaken camera, a lens out of focus.
//
// Kernels are [rows, columns], both odd, for a true convolution whose centre is the middle tap
// (core/operators/convolution.hpp). They are made in double, none of their taps is negative, and rounded to
// float they sum to 1 within 1e-7. The middle tap is their centre of mass, so that blurring moves nothing;
// how closely is said below. Taps below 1e-9 of the sum are zero, and kernels end where their taps do: either
// the first row or the last is not zero, and so with the columns.
#pragma once

#include <sonolux/core/array.hpp>
#include <sonolux/core/random.hpp>
#include <sonolux/simulation/streams.hpp>

namespace sonolux {

/// A Gaussian with standard deviations `major` and `minor` (pixels) along two axes, of which the first is
/// turned by `angle` (rad) from the columns' direction (to the right) towards the rows' (down):
///
///     k[r] ~ exp(-r^T C^-1 r / 2),    C = R(angle) diag(major^2, minor^2) R(angle)^T
///
/// sampled at the middle of pixels within 4 standard deviations of each axis of the image. Its covariance is
/// C within 1 % from 0.65 pixels on, and its centre of mass exact. Throws Error{invalid_argument} unless both
/// are in [0.3, 100] and the angle is finite.
[[nodiscard]] Array<float> gaussian_kernel(double major, double minor, double angle);

/// The image of a point by a lens out of focus: the shape of its aperture, evenly lit, of the area that a
/// disc of `radius` pixels has; each tap is the part of its pixel that is covered, exactly. `blades` 0 means
/// a disc (a polygon of 360 sides, at most radius / 8000 off), otherwise the corners of a regular polygon, of
/// which the first is turned by `rotation` (rad) from the right downwards. The centre of mass is exact for
/// shapes of even symmetry, and within 0.05 pixels for others. Throws Error{invalid_argument} unless the
/// radius is in [0.3, 200] and blades 0 or 3 to 100.
[[nodiscard]] Array<float> defocus_kernel(double radius, int blades = 0, double rotation = 0);

/// The path of a shaken camera, in each direction a stationary Gaussian process of unit variance with
/// Matern's covariance of smoothness 3/2 over the exposure t in [0, 1] (C. Schuler et al., CVPR 2013, section
/// 3, who take a length scale of 0.3),
///
///     E[p(t) p(t + d)] = (1 + w |d|) exp(-w |d|),    w = sqrt(3) / length_scale,
///
/// that is, a critically damped oscillator under random force: p'' = -2 w p' - w^2 p + noise; hit besides by
/// impulses, which change its velocity at once (G. Boracchi and A. Foi, IEEE Trans. Image Process. 21, 2012,
/// 3502). Impulses come as a Poisson process.
struct CameraShakeOptions {
    int smallest_size = 9, largest_size = 41;  ///< taps across, odd, 3 to 501: evenly distributed
    double length_scale_from = 0.2, length_scale_to = 0.6;  ///< log-uniform; short ones make tangled paths
    double impulses = 1;                                    ///< their mean number, 0 to 100
    double impulse_strength = 2;  ///< standard deviation of a hit, relative to the velocity's

    /// Standard deviation of the optics' own blur, in pixels, uniform between the two; at most 2.
    double softness_from = 0, softness_to = 0.6;
};

struct DefocusOptions {
    double radius_from = 1, radius_to = 8;  ///< uniform
    double polygon_fraction = 0.5;          ///< apertures with 5 to 9 blades; the others are discs
};

struct GaussianBlurOptions {
    double sigma_from = 0.6, sigma_to = 4;  ///< of both axes, each uniform
};

/// A mixture: each kind comes with the probability weight / sum of weights.
struct BlurKernelOptions {
    double camera_shake_weight = 0.7, defocus_weight = 0.2, gaussian_weight = 0.1;
    CameraShakeOptions camera_shake;
    DefocusOptions defocus;
    GaussianBlurOptions gaussian;
};

/// What an estimate of a kernel has wrong: it is shifted, blurred, noisy, and cleaned up by a threshold.
struct KernelErrorOptions {
    double largest_shift = 0.5;           ///< pixels, in each direction: uniform up to this either way
    double blur_from = 0, blur_to = 0.5;  ///< standard deviation of a Gaussian in pixels, uniform
    double noise = 0.02;      ///< standard deviation of noise on the taps, relative to the largest
    double threshold = 0.05;  ///< taps below this part of the largest become zero
};

/// Throw Error{invalid_argument} naming the option that is outside its range.
void validate(const CameraShakeOptions& options);
void validate(const DefocusOptions& options);
void validate(const GaussianBlurOptions& options);
void validate(const BlurKernelOptions& options);
void validate(const KernelErrorOptions& options);

/// Where the camera points at the times n / camera_path_steps: [camera_path_steps + 1, 2], down and to the
/// right. With a length scale from the options, and with impulses, but neither centred nor scaled.
inline constexpr Index camera_path_steps = 1000;
[[nodiscard]] Array<double> draw_camera_path(const CameraShakeOptions& options, Philox& random);

/// A random path, drawn with linear interpolation between pixels and scaled to fit a random size. Its centre
/// of mass is exact. From whatever `random` gives next; so do the others. All validate their options.
[[nodiscard]] Array<float> draw_camera_shake(const CameraShakeOptions& options, Philox& random);
[[nodiscard]] Array<float> draw_defocus(const DefocusOptions& options, Philox& random);
[[nodiscard]] Array<float> draw_gaussian_blur(const GaussianBlurOptions& options, Philox& random);

/// Kernel `sample` of a mixture: a function of the options and of (seed, sample) alone, from
/// Philox(seed, streams::blur_kernels, sample).
[[nodiscard]] Array<float> draw_blur_kernel(const BlurKernelOptions& options, std::uint64_t seed,
                                            std::uint64_t sample);

/// `kernel` as somebody might have estimated it, from Philox(seed, streams::kernel_error, sample): shifted,
/// blurred, noisy, its small taps removed, normalised. The middle tap of the result stands where that of
/// `kernel` does, so what moves is the mass. The size changes with the support and stays odd.
///
/// Throws Error{invalid_argument} unless the kernel is [odd, odd], its taps finite and at least 0, and one of
/// them above 0.
[[nodiscard]] Array<float> perturb_kernel(View<const float> kernel, const KernelErrorOptions& options,
                                          std::uint64_t seed, std::uint64_t sample);

}  // namespace sonolux
