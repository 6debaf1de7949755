// tests/solvers/classical/deconvolution_cases.hpp
//
// Images, kernels and blurs by direct sums, for the tests of deconvolution.
#pragma once

#include <gtest/gtest.h>

#include <cmath>

#include <sonolux/core/random.hpp>
#include <sonolux/solvers/classical/deconvolution.hpp>

namespace sonolux {

/// Values in [low, high] without structure.
inline Array<float> random_image(Index rows, Index columns, std::uint64_t seed, float low = 0.2f,
                                 float high = 0.8f) {
    Array<float> image({rows, columns});
    Philox random(seed);
    for (float& value : image) value = low + (high - low) * random.uniform();
    return image;
}

/// Positive, asymmetric, of sum 1.
inline Array<float> random_kernel(Index rows, Index columns, std::uint64_t seed) {
    Array<float> kernel = random_image(rows, columns, seed, 0.1f, 1.0f);
    kernel(rows - 1, columns - 1) += 2;
    double sum = 0;
    for (float value : kernel) sum += double{value};
    for (float& value : kernel) value = static_cast<float>(double{value} / sum);
    return kernel;
}

inline Array<float> single_tap() {
    Array<float> kernel({1, 1});
    kernel(0, 0) = 1;
    return kernel;
}

/// Rectangles and a slope: something that has edges.
inline Array<float> drawn_image(Index rows, Index columns) {
    Array<float> image({rows, columns});
    for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < columns; ++j) {
            float value = 0.3f + 0.2f * static_cast<float>(j) / static_cast<float>(columns);
            if (4 * i > rows && 4 * i < 3 * rows && 3 * j > columns && 3 * j < 2 * columns) value = 0.9f;
            if (8 * i > 6 * rows && 8 * j > 5 * columns) value = 0.1f;
            image(i, j) = value;
        }
    return image;
}

/// sum of k[u, v] x[(i + c - u) mod rows, ...], as a plain sum in double.
inline Array<float> blur_circularly(View<const float> x, View<const float> k) {
    Array<float> y(x.shape());
    const Index c = k.rows() / 2, d = k.columns() / 2;
    for (Index i = 0; i < x.rows(); ++i)
        for (Index j = 0; j < x.columns(); ++j) {
            double sum = 0;
            for (Index u = 0; u < k.rows(); ++u)
                for (Index v = 0; v < k.columns(); ++v)
                    sum +=
                        double{k(u, v)} * double{x(((i + c - u) % x.rows() + x.rows()) % x.rows(),
                                                   ((j + d - v) % x.columns() + x.columns()) % x.columns())};
            y(i, j) = static_cast<float>(sum);
        }
    return y;
}

/// What a camera sees of a scene larger by the kernel - 1: y[i, j] = sum of k[u, v] x[i + rows - 1 - u, ...].
inline Array<float> blur_inside(View<const float> scene, View<const float> k) {
    Array<float> y({scene.rows() - k.rows() + 1, scene.columns() - k.columns() + 1});
    for (Index i = 0; i < y.shape()[0]; ++i)
        for (Index j = 0; j < y.shape()[1]; ++j) {
            double sum = 0;
            for (Index u = 0; u < k.rows(); ++u)
                for (Index v = 0; v < k.columns(); ++v)
                    sum += double{k(u, v)} * double{scene(i + k.rows() - 1 - u, j + k.columns() - 1 - v)};
            y(i, j) = static_cast<float>(sum);
        }
    return y;
}

inline void add_noise(Array<float>& image, double sigma, std::uint64_t seed) {
    Philox random(seed);
    for (float& value : image) value += static_cast<float>(sigma / 255) * random.normal();
}

/// Constructs, reserves, runs and expects ok.
inline Array<float> deconvolve(const BlurProblem& problem, const DeconvolutionOptions& options,
                               View<const float> blurred, ConvergenceLog* log = nullptr) {
    const auto deconvolver = make_deconvolver(problem, options);
    Context context(make_serial_runner());  // threads that wait would take the time of tests beside
    context.workspace().reserve(deconvolver->workspace_bytes(context));
    Array<float> image({problem.rows, problem.columns});
    EXPECT_EQ(deconvolver->run(blurred, image, context, log), Status::ok);
    EXPECT_EQ(context.workspace().used(), 0u);
    return image;
}

inline double largest_difference(View<const float> a, View<const float> b) {
    double largest = 0;
    for (Index n = 0; n < a.elements(); ++n) {
        const double difference = std::abs(double{a.data()[n]} - double{b.data()[n]});
        if (!(difference <= largest)) largest = difference;  // NaN stays
    }
    return largest;
}

inline double root_mean_square(View<const float> a, View<const float> b) {
    double sum = 0;
    for (Index n = 0; n < a.elements(); ++n) sum += std::pow(double{a.data()[n]} - double{b.data()[n]}, 2);
    return std::sqrt(sum / static_cast<double>(a.elements()));
}

}  // namespace sonolux
