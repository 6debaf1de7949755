#include <gtest/gtest.h>

#include <Eigen/Dense>

#include <tests/solvers/classical/deconvolution_cases.hpp>

namespace sonolux {
namespace {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

struct Case {
    Index rows, columns, kernel_rows, kernel_columns;
};

// Odd, even, prime; kernels of odd and even size, flat ones, one as large as the image.
constexpr Case cases[] = {{7, 11, 3, 3}, {8, 6, 2, 4}, {9, 5, 1, 5}, {5, 5, 5, 5}, {13, 4, 4, 1}};

/// The blur as a matrix from the scene to the image, and the differences on the scene: written down from
/// their definitions.
struct Dense {
    Matrix blur, differences;
    Index scene_columns, top, left;
};

Dense dense(const Case& size, View<const float> k, bool circular) {
    const Index scene_rows = circular ? size.rows : size.rows + k.rows() - 1;
    const Index scene_columns = circular ? size.columns : size.columns + k.columns() - 1;
    const Index c = k.rows() / 2, d = k.columns() / 2;
    const Index top = circular ? 0 : k.rows() - 1 - c, left = circular ? 0 : k.columns() - 1 - d;
    Dense result{Matrix::Zero(size.rows * size.columns, scene_rows * scene_columns),
                 Matrix::Zero(2 * scene_rows * scene_columns, scene_rows * scene_columns), scene_columns, top,
                 left};
    auto wrap = [](Index i, Index n) { return (i % n + n) % n; };
    for (Index i = 0; i < size.rows; ++i)
        for (Index j = 0; j < size.columns; ++j)
            for (Index u = 0; u < k.rows(); ++u)
                for (Index v = 0; v < k.columns(); ++v)
                    result.blur(i * size.columns + j, wrap(top + i + c - u, scene_rows) * scene_columns +
                                                          wrap(left + j + d - v, scene_columns)) +=
                        double{k(u, v)};
    Index equation = 0;
    for (Index i = 0; i < scene_rows; ++i)
        for (Index j = 0; j < scene_columns; ++j) {
            const Index here = i * scene_columns + j;
            if (circular || j + 1 < scene_columns) {
                result.differences(equation, i * scene_columns + wrap(j + 1, scene_columns)) += 1;
                result.differences(equation, here) -= 1;
            }
            ++equation;
            if (circular || i + 1 < scene_rows) {
                result.differences(equation, wrap(i + 1, scene_rows) * scene_columns + j) += 1;
                result.differences(equation, here) -= 1;
            }
            ++equation;
        }
    return result;
}

void expect_normal_equations_solved(const Case& size, DeconvolutionBorder border, Regulariser regulariser) {
    SCOPED_TRACE(sentence(size.rows, " x ", size.columns, ", kernel ", size.kernel_rows, " x ",
                          size.kernel_columns, ", ", to_string(border)));
    const Array<float> k = random_kernel(size.kernel_rows, size.kernel_columns, 5);
    const Array<float> y = random_image(size.rows, size.columns, 6);
    const double weight = 0.01;
    const Dense system = dense(size, k, border == DeconvolutionBorder::circular);
    const Vector data = Eigen::Map<const Eigen::VectorXf>(y.data(), y.elements()).cast<double>();
    Matrix normal = system.blur.transpose() * system.blur;
    if (regulariser == Regulariser::gradient)
        normal += weight * system.differences.transpose() * system.differences;
    else
        normal += weight * Matrix::Identity(normal.rows(), normal.cols());
    const Vector solution = normal.ldlt().solve(system.blur.transpose() * data);

    ConvergenceLog log(2000);
    const Array<float> x =
        deconvolve({.rows = size.rows, .columns = size.columns, .kernel = k, .sigma = 1, .border = border},
                   ConjugateGradientsOptions{
                       .regulariser = regulariser, .weight = weight, .iterations = 2000, .tolerance = 2e-6},
                   y, &log);
    EXPECT_EQ(log.reason(), StopReason::converged);
    double largest = 0;
    for (Index i = 0; i < size.rows; ++i)
        for (Index j = 0; j < size.columns; ++j)
            largest = std::max(largest,
                               std::abs(double{x(i, j)} -
                                        solution((system.top + i) * system.scene_columns + system.left + j)));
    // The condition number is below 1 / weight = 100 and a little: 2e-6 times that, for values below 2.
    EXPECT_LT(largest, 5e-4);

    // In this border the objective is over the same unknowns; the gap of the grid adds nothing to it.
    Vector residual = system.blur * solution - data;
    double objective = 0.5 * residual.squaredNorm();
    if (regulariser == Regulariser::gradient) {
        objective += 0.5 * weight * (system.differences * solution).squaredNorm();
        EXPECT_NEAR(log.entries().back().objective, objective, 1e-4 * objective);
    }
}

TEST(ConjugateGradients, SolveTheNormalEquationsOfACircularBlur) {
    for (const Case& size : cases)
        for (Regulariser regulariser : {Regulariser::gradient, Regulariser::identity})
            expect_normal_equations_solved(size, DeconvolutionBorder::circular, regulariser);
}

TEST(ConjugateGradients, SolveTheNormalEquationsWhereTheBorderIsUnknown) {
    for (const Case& size : cases)
        for (Regulariser regulariser : {Regulariser::gradient, Regulariser::identity})
            expect_normal_equations_solved(size, DeconvolutionBorder::valid, regulariser);
}

TEST(ConjugateGradients, StopWhereTheDataAreExplainedToWithinTheirNoise) {
    const Array<float> scene = drawn_image(41, 37), k = random_kernel(5, 3, 2);
    Array<float> y = blur_inside(scene, k);
    add_noise(y, 5, 3);
    ConvergenceLog log(300);
    const BlurProblem problem{.rows = 37, .columns = 35, .kernel = k, .sigma = 5};
    const ConjugateGradientsOptions options{.weight = 0, .iterations = 300, .tolerance = 0, .discrepancy = 1};
    const Array<float> x = deconvolve(problem, options, y, &log);
    EXPECT_EQ(log.reason(), StopReason::discrepancy);
    // Without weight the objective is half the squared misfit.
    const double noise = 0.5 * 37 * 35 * std::pow(5.0 / 255, 2);
    EXPECT_LE(log.entries().back().objective, noise);
    ASSERT_GE(log.entries().size(), 2u);
    EXPECT_GT(log.entries()[log.entries().size() - 2].objective, noise);
}

TEST(ConjugateGradients, LowerTheObjectiveInEveryIteration) {
    const Array<float> k = random_kernel(3, 5, 4), y = random_image(31, 29, 8);
    ConvergenceLog log(50);
    (void)deconvolve({.rows = 31, .columns = 29, .kernel = k, .sigma = 2},
                     ConjugateGradientsOptions{.weight = 0.003, .iterations = 50, .tolerance = 0}, y, &log);
    ASSERT_EQ(log.entries().size(), 50u);
    EXPECT_EQ(log.reason(), StopReason::iteration_limit);
    for (std::size_t n = 1; n < 50; ++n)
        EXPECT_LE(log.entries()[n].objective, log.entries()[n - 1].objective * (1 + 1e-6)) << n;
}

}  // namespace
}  // namespace sonolux
