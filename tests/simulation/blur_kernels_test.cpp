// tests/simulation/blur_kernels_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <functional>
#include <limits>
#include <numbers>
#include <vector>

#include <sonolux/simulation/degradation/blur_kernels.hpp>

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

using std::numbers::pi;

double from_middle(Index tap, Index taps) {
    const Index middle = taps / 2;
    return static_cast<double>(tap - middle);
}

/// Moments about the middle tap: x to the right, y down.
struct Moments {
    double sum = 0, x = 0, y = 0, xx = 0, xy = 0, yy = 0;
};

Moments moments(View<const float> kernel) {
    Moments m;
    for (Index u = 0; u < kernel.rows(); ++u)
        for (Index v = 0; v < kernel.columns(); ++v) {
            const double k = kernel(u, v);
            const double y = from_middle(u, kernel.rows());
            const double x = from_middle(v, kernel.columns());
            m.sum += k;
            m.x += k * x;
            m.y += k * y;
            m.xx += k * x * x;
            m.xy += k * x * y;
            m.yy += k * y * y;
        }
    return m;
}

/// The Fourier transform about the middle tap, at (fx, fy) cycles per pixel.
std::complex<double> transfer(View<const float> kernel, double fx, double fy) {
    std::complex<double> sum;
    for (Index u = 0; u < kernel.rows(); ++u)
        for (Index v = 0; v < kernel.columns(); ++v) {
            const double y = from_middle(u, kernel.rows());
            const double x = from_middle(v, kernel.columns());
            sum += static_cast<double>(kernel(u, v)) * std::polar(1.0, -2 * pi * (fx * x + fy * y));
        }
    return sum;
}

double sinc(double f) { return f == 0 ? 1 : std::sin(pi * f) / (pi * f); }

bool equal(const Array<float>& a, const Array<float>& b) {
    return a.shape() == b.shape() && std::equal(a.begin(), a.end(), b.begin());
}

/// What every kernel promises.
void expect_kernel(const Array<float>& kernel) {
    ASSERT_EQ(kernel.shape().rank(), 2);
    EXPECT_EQ(kernel.shape()[0] % 2, 1);
    EXPECT_EQ(kernel.shape()[1] % 2, 1);
    for (float tap : kernel) ASSERT_GE(tap, 0);
    EXPECT_NEAR(moments(kernel).sum, 1, 1e-7);
    const Index rows = kernel.shape()[0], columns = kernel.shape()[1];
    double edge_rows = 0, edge_columns = 0;
    for (Index v = 0; v < columns; ++v) edge_rows += kernel(0, v) + kernel(rows - 1, v);
    for (Index u = 0; u < rows; ++u) edge_columns += kernel(u, 0) + kernel(u, columns - 1);
    EXPECT_GT(edge_rows, 0);
    EXPECT_GT(edge_columns, 0);
}

TEST(GaussianKernel, HasTheCovarianceThatWasAskedFor) {
    for (auto [major, minor, angle] :
         {std::array{0.65, 0.65, 0.0}, {2.0, 1.0, 0.0}, {4.0, 0.8, 0.5}, {5.0, 2.0, 2.5}}) {
        const Array<float> kernel = gaussian_kernel(major, minor, angle);
        expect_kernel(kernel);
        const Moments m = moments(kernel);
        const double c = std::cos(angle), s = std::sin(angle), aa = major * major, bb = minor * minor;
        EXPECT_NEAR(m.x, 0, 1e-6);
        EXPECT_NEAR(m.y, 0, 1e-6);
        // Sampling below 0.65 pixels and the cut at 4 standard deviations (0.1 %) stay within 1 %.
        EXPECT_NEAR(m.xx, aa * c * c + bb * s * s, 0.01 * aa);
        EXPECT_NEAR(m.yy, aa * s * s + bb * c * c, 0.01 * aa);
        EXPECT_NEAR(m.xy, (aa - bb) * c * s, 0.01 * aa);
    }
}

/// The disc's transfer function is 2 J1(2 pi R f) / (2 pi R f) (J. Goodman, Introduction to Fourier Optics,
/// section 2.1.5), times that of the square pixels which collect the light.
TEST(DefocusKernel, OfADiscHasTheTransferFunctionOfADisc) {
    for (double radius : {2.0, 3.7, 6.0, 12.5}) {
        const Array<float> kernel = defocus_kernel(radius);
        expect_kernel(kernel);
        for (auto [fx, fy] : {std::pair{0.01, 0.0}, {0.05, 0.0}, {0.0, 0.08}, {0.06, 0.1}, {0.15, 0.02}}) {
            const double a = 2 * pi * radius * std::hypot(fx, fy);
            const double expected = 2 * std::cyl_bessel_j(1, a) / a * sinc(fx) * sinc(fy);
            const std::complex<double> measured = transfer(kernel, fx, fy);
            // Frequencies above the sampling rate fold back: the first, f - 1, is of size
            // (2 pi R)^-3/2 times the pixel's sinc there, |f|.
            const double folded = 4 * std::pow(2 * pi * radius, -1.5) * std::max(fx, fy) + 1e-6;
            EXPECT_NEAR(measured.real(), expected, folded) << radius << ": " << fx << ", " << fy;
            EXPECT_NEAR(measured.imag(), 0, 1e-6);
        }
    }
}

TEST(DefocusKernel, MeasuresTheAreaOfPixelsExactly) {
    // A disc of radius 2 covers the middle pixels whole; a square aperture has areas known by hand.
    const Array<float> disc = defocus_kernel(2);
    ASSERT_EQ(disc.shape(), (Shape{5, 5}));
    const double full = 1 / (4 * pi);
    EXPECT_NEAR(disc(2, 2), full, 1e-5);
    EXPECT_NEAR(disc(2, 3), full, 1e-5);
    // Of the pixel two to the right, the part left of the circle: the integral of sqrt(4 - y^2) - 1.5.
    const double cap = 0.5 * std::sqrt(3.75) + 4 * std::asin(0.25) - 1.5;
    EXPECT_NEAR(disc(2, 4), cap * full, 1e-5);

    // Four blades, first corner at 45 degrees: a square of side sqrt(pi) 2 = 3.5449.
    const Array<float> square = defocus_kernel(2, 4, pi / 4);
    ASSERT_EQ(square.shape(), (Shape{5, 5}));
    const double rest = (std::sqrt(pi) * 2 - 3) / 2;
    EXPECT_NEAR(square(2, 2), full, 1e-6);
    EXPECT_NEAR(square(2, 4), rest * full, 1e-6);
    EXPECT_NEAR(square(4, 4), rest * rest * full, 1e-6);
}

TEST(DefocusKernel, OfAPolygonHasItsSecondMoments) {
    for (int blades : {5, 6, 7, 9}) {
        const double radius = 9;
        const Array<float> kernel = defocus_kernel(radius, blades, 0.3);
        expect_kernel(kernel);
        const Moments m = moments(kernel);
        // A regular polygon with corners at distance r: x^2 averages r^2 (2 + cos(2 pi / n)) / 12; its area
        // is that of the disc; pixels add 1/12.
        const double corner2 = radius * radius * 2 * pi / (blades * std::sin(2 * pi / blades));
        const double expected = corner2 * (2 + std::cos(2 * pi / blades)) / 12 + 1.0 / 12;
        EXPECT_NEAR(m.xx, expected, 5e-3 * expected) << blades;
        EXPECT_NEAR(m.yy, expected, 5e-3 * expected) << blades;
        EXPECT_NEAR(m.xy, 0, 5e-3 * expected) << blades;
        EXPECT_NEAR(m.x, 0, 0.05) << blades;
        EXPECT_NEAR(m.y, 0, 0.05) << blades;
    }
}

TEST(CameraShake, KeepsItsPromisesAndItsSizes) {
    CameraShakeOptions options;
    std::vector<int> sizes(50);
    for (std::uint64_t sample = 0; sample < 300; ++sample) {
        Philox random(3, streams::blur_kernels, sample);
        const Array<float> kernel = draw_camera_shake(options, random);
        expect_kernel(kernel);
        const Moments m = moments(kernel);
        EXPECT_NEAR(m.x, 0, 1e-5);
        EXPECT_NEAR(m.y, 0, 1e-5);
        const Index size = std::max(kernel.shape()[0], kernel.shape()[1]);
        ASSERT_GE(size, options.smallest_size);
        ASSERT_LE(size, options.largest_size);
        ++sizes[static_cast<std::size_t>(size)];
    }
    for (std::size_t size = 9; size <= 41; size += 2) EXPECT_GT(sizes[size], 3) << size;  // of 17.6 expected
}

TEST(CameraShake, MovesWithMaternsCovariance) {
    CameraShakeOptions options;
    options.length_scale_from = options.length_scale_to = 0.3;
    options.impulses = 0;
    const double w = std::numbers::sqrt3 / 0.3;
    constexpr int paths = 4000, lags[] = {0, 50, 100, 300, 700};
    double covariance[5] = {}, across = 0, mean = 0;
    for (std::uint64_t sample = 0; sample < paths; ++sample) {
        Philox random(5, streams::blur_kernels, sample);
        const Array<double> path = draw_camera_path(options, random);
        ASSERT_EQ(path.shape(), (Shape{camera_path_steps + 1, 2}));
        for (int l = 0; l < 5; ++l)
            covariance[l] +=
                (path(100, 0) * path(100 + lags[l], 0) + path(100, 1) * path(100 + lags[l], 1)) / 2;
        across += path(500, 0) * path(500, 1);
        mean += (path(1000, 0) + path(1000, 1)) / 2;
    }
    // Four standard errors: of products of unit normals at most sqrt(2) each, two of them averaged.
    const double error = 4 / std::sqrt(paths);
    for (int l = 0; l < 5; ++l) {
        const double d = lags[l] / 1000.0;
        EXPECT_NEAR(covariance[l] / paths, (1 + w * d) * std::exp(-w * d), error) << d;
    }
    EXPECT_NEAR(across / paths, 0, error);
    EXPECT_NEAR(mean / paths, 0, error / std::sqrt(2));
}

TEST(CameraShake, IsHitAsOftenAndAsHardAsAskedFor) {
    // A hit makes the path turn: it alone changes the velocity by much within one step of a smooth path.
    CameraShakeOptions options;
    options.length_scale_from = options.length_scale_to = 1;
    options.impulses = 3;
    options.impulse_strength = 2;
    const double w = std::numbers::sqrt3;
    int hits = 0;
    double squares = 0;
    constexpr int paths = 500;
    for (std::uint64_t sample = 0; sample < paths; ++sample) {
        Philox random(6, streams::blur_kernels, sample);
        const Array<double> path = draw_camera_path(options, random);
        for (Index n = 1; n < camera_path_steps; ++n) {
            double turn = 0;
            for (Index axis = 0; axis < 2; ++axis) {
                const double change =
                    (path(n + 1, axis) - 2 * path(n, axis) + path(n - 1, axis)) * camera_path_steps / w;
                turn += change * change;
            }
            // The random force changes a velocity, of unit variance, by sqrt(4 w / 1000) = 0.083 in a step.
            if (turn < 0.25) continue;
            ++hits;
            squares += turn;
        }
    }
    // Of the hits, 1 - exp(-0.25 / (2 * 4)) = 3 % are too weak to be seen.
    const double expected = 3.0 * paths * std::exp(-0.25 / 8);
    EXPECT_NEAR(hits, expected, 5 * std::sqrt(expected));
    EXPECT_NEAR(squares / hits, 8 + 0.25, 5 * 8 / std::sqrt(expected));  // exponential, above 0.25
}

TEST(BlurKernels, AreTheSameAgainAndDifferBetweenSamplesAndSeeds) {
    const BlurKernelOptions options;
    EXPECT_TRUE(equal(draw_blur_kernel(options, 1, 2), draw_blur_kernel(options, 1, 2)));
    EXPECT_FALSE(equal(draw_blur_kernel(options, 1, 2), draw_blur_kernel(options, 1, 3)));
    EXPECT_FALSE(equal(draw_blur_kernel(options, 1, 2), draw_blur_kernel(options, 2, 2)));
    for (std::uint64_t sample = 0; sample < 200; ++sample)
        expect_kernel(draw_blur_kernel(options, 9, sample));
}

TEST(BlurKernels, AreMixedByTheirWeights) {
    // Kinds that can be told apart: Gaussians of exactly one size, discs of exactly one size, shakes of 11.
    BlurKernelOptions options;
    options.camera_shake_weight = 2;
    options.defocus_weight = 1;
    options.gaussian_weight = 1;
    options.camera_shake.smallest_size = options.camera_shake.largest_size = 41;
    options.defocus = {3, 3, 0};
    options.gaussian = {1, 1};
    int shakes = 0, discs = 0, gaussians = 0;
    const int count = 2000;
    for (std::uint64_t sample = 0; sample < count; ++sample) {
        const Array<float> kernel = draw_blur_kernel(options, 4, sample);
        if (equal(kernel, defocus_kernel(3)))
            ++discs;
        else if (kernel.shape() == Shape{9, 9})
            ++gaussians;
        else
            ++shakes;
    }
    const double deviation = std::sqrt(0.25 * count);  // at most; four of them
    EXPECT_NEAR(shakes, 0.5 * count, 4 * deviation);
    EXPECT_NEAR(discs, 0.25 * count, 4 * deviation);
    EXPECT_NEAR(gaussians, 0.25 * count, 4 * deviation);

    options.camera_shake_weight = options.gaussian_weight = 0;
    for (std::uint64_t sample = 0; sample < 20; ++sample)
        EXPECT_TRUE(equal(draw_blur_kernel(options, 4, sample), defocus_kernel(3)));
}

TEST(PerturbKernel, WithoutErrorsChangesNothing) {
    const Array<float> kernel = draw_blur_kernel({}, 1, 5);
    EXPECT_TRUE(equal(perturb_kernel(kernel, {0, 0, 0, 0, 0}, 1, 0), kernel));
}

TEST(PerturbKernel, ShiftsAndBlursByTheMomentsThatWereAskedFor) {
    const Array<float> kernel = gaussian_kernel(2, 1, 0.4);
    const Moments before = moments(kernel);
    double largest = 0;
    for (std::uint64_t sample = 0; sample < 100; ++sample) {
        const Array<float> moved = perturb_kernel(kernel, {0.5, 0, 0, 0, 0}, 8, sample);
        expect_kernel(moved);
        const Moments m = moments(moved);
        EXPECT_LE(std::abs(m.x), 0.5);
        EXPECT_LE(std::abs(m.y), 0.5);
        largest = std::max({largest, std::abs(m.x), std::abs(m.y)});
        // A shift by s between pixels adds s (1 - s) to the variance.
        const double s = std::abs(m.x);
        EXPECT_NEAR(m.xx - m.x * m.x, before.xx + s * (1 - s), 1e-4);
    }
    EXPECT_GT(largest, 0.45);
    const Moments blurred = moments(perturb_kernel(kernel, {0, 1, 1, 0, 0}, 8, 0));
    // A Gaussian of deviation 1 cut at 2.5, that is, at 3 taps: its variance is 0.96.
    EXPECT_NEAR(blurred.xx - before.xx, 1, 0.05);
    EXPECT_NEAR(blurred.xy - before.xy, 0, 1e-4);
}

TEST(PerturbKernel, AddsNoiseAboveItsThresholdAndNoneBelow) {
    const Array<float> kernel = draw_blur_kernel({}, 1, 5);
    const Array<float> noisy = perturb_kernel(kernel, {0, 0, 0, 0.02, 0.05}, 8, 0);
    expect_kernel(noisy);
    EXPECT_FALSE(equal(noisy, kernel));
    const float largest = *std::max_element(noisy.begin(), noisy.end());
    for (float tap : noisy) EXPECT_TRUE(tap == 0 || tap >= 0.0499f * largest) << tap;
    EXPECT_TRUE(equal(perturb_kernel(kernel, {}, 8, 3), perturb_kernel(kernel, {}, 8, 3)));
    EXPECT_FALSE(equal(perturb_kernel(kernel, {}, 8, 3), perturb_kernel(kernel, {}, 8, 4)));
    for (std::uint64_t sample = 0; sample < 100; ++sample)
        expect_kernel(perturb_kernel(draw_blur_kernel({}, 2, sample), {}, 2, sample));
}

TEST(PerturbKernel, RefusesWhatIsNoKernel) {
    auto error = [](const char* text) { return ThrowsMessage<Error>(HasSubstr(text)); };
    Array<float> kernel({3, 3});
    EXPECT_THAT([&] { (void)perturb_kernel(kernel, {}, 1, 1); }, error("is zero everywhere"));
    kernel(0, 2) = -1;
    EXPECT_THAT([&] { (void)perturb_kernel(kernel, {}, 1, 1); },
                error("tap [0, 2] of a kernel to perturb must be finite and at least 0, got -1"));
    kernel(0, 2) = std::numeric_limits<float>::quiet_NaN();
    EXPECT_THAT([&] { (void)perturb_kernel(kernel, {}, 1, 1); }, error("got nan"));
    EXPECT_THAT(
        [&] {
            (void)perturb_kernel(Array<float>({4, 3}), {}, 1, 1);
        },
        error("must have odd rows and columns, got 4 x 3"));
}

TEST(BlurKernels, NameTheOptionThatIsOutsideItsRange) {
    auto error = [](const char* text) { return ThrowsMessage<Error>(HasSubstr(text)); };
    auto shake = [](const std::function<void(CameraShakeOptions&)>& change) {
        return [change] {
            BlurKernelOptions options;
            change(options.camera_shake);
            (void)draw_blur_kernel(options, 1, 1);
        };
    };
    EXPECT_THAT(shake([](auto& o) { o.smallest_size = 8; }),
                error("smallest_size of camera shake must be odd"));
    EXPECT_THAT(shake([](auto& o) { o.largest_size = 7; }), error("must be at most largest_size 7, got 9"));
    EXPECT_THAT(shake([](auto& o) { o.length_scale_from = 0; }), error("length_scale must satisfy 0.01 <="));
    EXPECT_THAT(shake([](auto& o) { o.impulses = std::nan(""); }),
                error("impulses must be between 0 and 100"));
    EXPECT_THAT(shake([](auto& o) { o.impulse_strength = -1; }), error("impulse_strength must be"));
    EXPECT_THAT(shake([](auto& o) { o.softness_to = 3; }), error("softness must satisfy 0 <="));
    EXPECT_THAT([] { (void)draw_blur_kernel({0, 0, 0, {}, {}, {}}, 1, 1); }, error("are all 0"));
    EXPECT_THAT(
        [] {
            (void)draw_blur_kernel({-1, 1, 1, {}, {}, {}}, 1, 1);
        },
        error("camera_shake_weight must be at least 0, got -1"));
    EXPECT_THAT(
        [] {
            (void)draw_blur_kernel({1, 1, 1, {}, {5, 4, 0}, {}}, 1, 1);
        },
        error("radius must satisfy 0.3 <= radius_from <= radius_to <= 200, got 5 and 4"));
    EXPECT_THAT([] { validate(DefocusOptions{1, 2, 2}); }, error("polygon_fraction must be between 0 and 1"));
    EXPECT_THAT([] { validate(GaussianBlurOptions{0.1, 2}); }, error("sigma must satisfy 0.3 <="));
    EXPECT_THAT(
        [] {
            validate(KernelErrorOptions{0, 0, 0, 0.5, 0});
        },
        error("noise must be between 0 and 0.1"));
    EXPECT_THAT([] { validate(KernelErrorOptions{0, 0, 0, 0, 1}); }, error("threshold must be at least 0"));
    EXPECT_THAT([] { validate(KernelErrorOptions{-1, 0, 0, 0, 0}); }, error("largest_shift must be"));
    EXPECT_THAT([] { (void)gaussian_kernel(0, 1, 0); }, error("from 0.3 to 100 pixels, got 0 and 1"));
    EXPECT_THAT([] { (void)gaussian_kernel(1, 1, std::nan("")); }, error("angle must be finite, got nan"));
    EXPECT_THAT([] { (void)defocus_kernel(-1); }, error("from 0.3 to 200 pixels, got -1"));
    EXPECT_THAT([] { (void)defocus_kernel(1, 2); }, error("3 to 100 blades, or 0 for a disc, got 2"));
}

}  // namespace
}  // namespace sonolux
