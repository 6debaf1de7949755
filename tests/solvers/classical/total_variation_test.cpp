#include <gtest/gtest.h>

#include <tests/solvers/classical/deconvolution_cases.hpp>
#include <tests/support/python_peer.hpp>

namespace sonolux {
namespace {

// Converged to what float allows.
TotalVariationOptions exactly(double weight) {
    return {.weight = weight, .iterations = 5000, .tolerance = 1e-5};
}

Array<float> denoise(View<const float> y, double weight,
                     DeconvolutionBorder border = DeconvolutionBorder::valid) {
    const Array<float> k = single_tap();
    return deconvolve({.rows = y.rows(), .columns = y.columns(), .kernel = k, .sigma = 1, .border = border},
                      exactly(weight), y);
}

// A step of height 1 between m and n columns: each side moves towards the other by weight / width, because
// moving it by t changes the total variation by t and the squares by width t^2 / 2 (D. Strong and T. Chan
// 2003, Inverse Problems 19, S165).
TEST(TotalVariation, ShrinksAStepByWeightOverWidth) {
    for (auto [rows, m, n] : {std::array<Index, 3>{1, 5, 8}, {7, 4, 9}, {11, 13, 6}}) {
        Array<float> y({rows, m + n}), transposed({m + n, rows});
        for (Index i = 0; i < rows; ++i)
            for (Index j = 0; j < m + n; ++j) y(i, j) = transposed(j, i) = j < m ? 0.0f : 1.0f;
        const double weight = 0.3;
        const Array<float> x = denoise(y, weight), x_transposed = denoise(transposed, weight);
        for (Index i = 0; i < rows; ++i)
            for (Index j = 0; j < m + n; ++j) {
                const double expected = j < m ? weight / double(m) : 1 - weight / double(n);
                EXPECT_NEAR(x(i, j), expected, 2e-4) << rows << ": " << i << ", " << j;
                EXPECT_NEAR(x_transposed(j, i), expected, 2e-4) << rows << ": " << i << ", " << j;
            }
    }
}

TEST(TotalVariation, SeesTwoEdgesOfAStepThatRepeats) {
    Array<float> y({6, 15});
    for (Index i = 0; i < 6; ++i)
        for (Index j = 0; j < 15; ++j) y(i, j) = j < 7 ? 0.0f : 1.0f;
    const Array<float> x = denoise(y, 0.3, DeconvolutionBorder::circular);
    for (Index j = 0; j < 15; ++j) EXPECT_NEAR(x(3, j), j < 7 ? 2 * 0.3 / 7 : 1 - 2 * 0.3 / 8, 2e-4) << j;
}

// A disc of radius R on a wide ground loses 2 weight / R of its height (Strong and Chan 2003).
// The discrete outline is as long as the true one to about a percent.
TEST(TotalVariation, ShrinksADiscByTwiceTheWeightOverItsRadius) {
    const Index size = 97;
    const double radius = 30, weight = 1.5;
    Array<float> y({size, size});
    for (Index i = 0; i < size; ++i)
        for (Index j = 0; j < size; ++j)
            y(i, j) = std::hypot(double(i) - 48, double(j) - 48) < radius ? 1.0f : 0.0f;
    const Array<float> k = single_tap();
    const Array<float> x =
        deconvolve({.rows = size, .columns = size, .kernel = k, .sigma = 1},
                   TotalVariationOptions{.weight = weight, .iterations = 1000, .tolerance = 3e-4}, y);
    const double height = double{x(48, 48)} - double{x(0, 0)};
    // The ground, an area of 97^2 - pi R^2 with the same outline, rises by 2 pi R weight / area.
    const double ground = 2 * 3.14159265 * radius * weight / (97 * 97 - 3.14159265 * radius * radius);
    EXPECT_NEAR((1 - height) / (2 * weight / radius + ground), 1, 0.02);
}

// A signal is optimal if and only if the running sum of K^T(y - K x), which is that of weight D^T s, stays in
// [-weight, weight] and touches the bound wherever x jumps.
TEST(TotalVariation, MeetsTheOptimalityConditionsOfABlurredSignal) {
    for (Index length : {23, 40}) {
        const Array<float> k = random_kernel(1, 5, 3);
        const Index scene = length + 4;
        const double weight = 0.02;
        Array<float> y = blur_inside(drawn_image(2, scene), random_kernel(2, 5, 3));
        add_noise(y, 10, 4);
        // With a circular border all unknowns are in the image, and can be checked.
        const BlurProblem problem{
            .rows = 1, .columns = length, .kernel = k, .sigma = 10, .border = DeconvolutionBorder::circular};
        ConvergenceLog log(5000);
        const Array<float> x = deconvolve(problem, exactly(weight), y, &log);
        EXPECT_EQ(log.reason(), StopReason::converged);

        const Array<float> blurred = blur_circularly(x, k);
        std::vector<double> sums(length + 1, 0.0);
        for (Index j = 0; j < length; ++j) {
            double gradient = 0;
            for (Index v = 0; v < 5; ++v) {
                const Index at = ((j - 2 + v) % length + length) % length;
                gradient += double{k(0, v)} * (double{blurred(0, at)} - double{y(0, at)});
            }
            sums[j + 1] = sums[j] + gradient;  // weight (s[j] - s[-1]), for D^T s[j] = s[j - 1] - s[j]
        }
        EXPECT_NEAR(sums[length], 0, 2e-4);  // the mean is that of the data
        // The constant is found from the jumps: s is +1 where x rises and -1 where it falls.
        double offset = 0, jumps = 0;
        for (Index j = 0; j < length; ++j) {
            const double jump = double{x(0, (j + 1) % length)} - double{x(0, j)};
            if (std::abs(jump) < 1e-3) continue;
            offset += (jump > 0 ? weight : -weight) - sums[j + 1];
            jumps += 1;
        }
        ASSERT_GE(jumps, 2) << "the signal must have edges for this test";
        offset /= jumps;
        for (Index j = 0; j < length; ++j) {
            const double s = sums[j + 1] + offset;
            const double jump = double{x(0, (j + 1) % length)} - double{x(0, j)};
            EXPECT_LE(std::abs(s), weight * 1.01) << j;
            if (std::abs(jump) > 1e-3) {
                EXPECT_NEAR(s, jump > 0 ? weight : -weight, 0.01 * weight) << j;
            }
        }
    }
}

// The objective as scikit-image's solver minimises it, evaluated by NumPy for both results.
TEST(TotalVariation, ReachesTheObjectiveOfScikitImage) {
    SLX_NEEDS_PYTHON("numpy, skimage");
    const Index rows = 37, columns = 50;
    Array<float> y = drawn_image(rows, columns);
    add_noise(y, 25, 7);
    const PythonPeer peer;
    peer.write("noisy", y);
    peer.write("ours", denoise(y, 0.1));
    ASSERT_TRUE(
        peer.run("from skimage.restoration import denoise_tv_chambolle\n"
                 "y = read(\"noisy\", 37, 50); ours = read(\"ours\", 37, 50)\n"
                 "peer = denoise_tv_chambolle(y, 0.1, eps=1e-12, max_num_iter=20000)\n"
                 "def objective(x):\n"
                 "    g = n.zeros((2,) + x.shape)\n"
                 "    g[0, :-1] = n.diff(x, axis=0); g[1, :, :-1] = n.diff(x, axis=1)\n"
                 "    return ((x - y) ** 2).sum() / 2 + 0.1 * n.sqrt((g ** 2).sum(0)).sum()\n"
                 "write(\"result\", n.array([objective(ours), objective(peer), abs(ours - peer).max()]))\n"));
    const Array<float> result = peer.read("result", {3});
    EXPECT_NEAR(result(0) / result(1), 1, 1e-4);
    // The objective is 1-strongly convex: a difference of 1e-4 of it bounds the distance, not each pixel.
    EXPECT_LT(result(2), 0.01f);
}

// The same function, smoothed by 1e-4 within its kinks, minimised by SciPy's L-BFGS with its own blur.
TEST(TotalVariation, ReachesTheObjectiveOfABlurThatScipyMinimises) {
    SLX_NEEDS_PYTHON("numpy, scipy.optimize, scipy.signal");
    const Array<float> k = random_kernel(4, 3, 8);
    Array<float> y = blur_inside(drawn_image(22, 19), k);  // 19 x 17
    add_noise(y, 5, 7);
    ConvergenceLog log(5000);
    const PythonPeer peer;
    peer.write("kernel", k);
    peer.write("blurred", y);
    peer.write("ours",
               deconvolve({.rows = 19, .columns = 17, .kernel = k, .sigma = 5}, exactly(0.004), y, &log));
    ASSERT_TRUE(peer.run(
        "from scipy.optimize import minimize\n"
        "from scipy.signal import convolve2d, correlate2d\n"
        "k = read(\"kernel\", 4, 3); y = read(\"blurred\", 19, 17)\n"
        "def objective(x, smooth):\n"
        "    x = x.reshape(22, 19); e = convolve2d(x, k, \"valid\") - y\n"
        "    g = n.zeros((2,) + x.shape)\n"
        "    g[0, :-1] = n.diff(x, axis=0); g[1, :, :-1] = n.diff(x, axis=1)\n"
        "    length = n.sqrt((g ** 2).sum(0) + smooth ** 2); p = 0.004 * g / n.maximum(length, 1e-30)\n"
        "    d = correlate2d(e, k, \"full\")\n"
        "    d[1:] += p[0, :-1]; d[:-1] -= p[0, :-1]\n"
        "    d[:, 1:] += p[1, :, :-1]; d[:, :-1] -= p[1, :, :-1]\n"
        "    return (e ** 2).sum() / 2 + 0.004 * (length - smooth).sum(), d.ravel()\n"
        "x = n.full(22 * 19, y.mean())\n"
        "for smooth in (1e-2, 1e-3, 1e-4):\n"
        "    x = minimize(objective, x, args=(smooth,), jac=True, method=\"L-BFGS-B\",\n"
        "                 options=dict(maxiter=20000, maxfun=40000, ftol=1e-14, gtol=1e-9)).x\n"
        "inside = x.reshape(22, 19)[1:20, 1:18]\n"
        "ours = read(\"ours\", 19, 17)\n"
        "write(\"result\", n.array([objective(x, 0)[0], abs(ours - inside).max()]))\n"));
    const Array<float> result = peer.read("result", {2});
    EXPECT_EQ(log.reason(), StopReason::converged);
    // Smoothing leaves SciPy at most 0.004 x 1e-4 x 418 pixels = 1.7e-4 above the minimum.
    EXPECT_NEAR(log.entries().back().objective, double{result(0)}, 2e-4);
    EXPECT_LT(result(1), 0.02f);
}

TEST(TotalVariation, EndsWhenItsResidualsAreSmall) {
    const Array<float> k = random_kernel(5, 5, 8);
    Array<float> y = blur_inside(drawn_image(64, 67), k);
    add_noise(y, 3, 1);
    const BlurProblem problem{.rows = 60, .columns = 63, .kernel = k, .sigma = 3};
    ConvergenceLog log(2000);
    for (double tolerance : {1e-2, 1e-3, 1e-4}) {
        const TotalVariationOptions options{.iterations = 2000, .tolerance = tolerance};
        (void)deconvolve(problem, options, y, &log);
        EXPECT_EQ(log.reason(), StopReason::converged) << tolerance;
        EXPECT_LE(log.entries().back().residual, tolerance);
        EXPECT_GT(log.entries()[log.entries().size() - 2].residual, tolerance);
    }
    // Tighter tolerances change little: the first result was close to the minimum.
    const double minimum = log.entries().back().objective;
    (void)deconvolve(problem, TotalVariationOptions{.iterations = 2000, .tolerance = 1e-2}, y, &log);
    EXPECT_NEAR(log.entries().back().objective / minimum, 1, 0.02);
}

TEST(TotalVariation, SharpensAPhotographWhoseBorderIsUnknown) {
    const Array<float> k = random_kernel(7, 9, 5);
    const Array<float> scene = drawn_image(103, 108);
    Array<float> y = blur_inside(scene, k);  // 97 x 100
    add_noise(y, 2, 6);
    Array<float> truth({97, 100});
    for (Index i = 0; i < 97; ++i)
        for (Index j = 0; j < 100; ++j) truth(i, j) = scene(i + 3, j + 4);
    auto error = [&](DeconvolutionBorder border) {
        return root_mean_square(
            deconvolve({.rows = 97, .columns = 100, .kernel = k, .sigma = 2, .border = border},
                       TotalVariationOptions{}, y),
            truth);
    };
    const double valid = error(DeconvolutionBorder::valid), taper = error(DeconvolutionBorder::taper),
                 circular = error(DeconvolutionBorder::circular);
    EXPECT_LT(valid, 0.5 * root_mean_square(y, truth));
    EXPECT_LT(valid, taper);
    EXPECT_LT(taper, circular);
}

}  // namespace
}  // namespace sonolux
