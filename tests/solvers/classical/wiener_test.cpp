#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <complex>
#include <numbers>

#include <tests/solvers/classical/deconvolution_cases.hpp>

namespace sonolux {
namespace {

using Complex = std::complex<double>;

/// The discrete Fourier transform as its definition says, unnormalised.
std::vector<Complex> transform(const std::vector<Complex>& x, Index rows, Index columns, double sign) {
    std::vector<Complex> result(x.size());
    for (Index k = 0; k < rows; ++k)
        for (Index l = 0; l < columns; ++l)
            for (Index i = 0; i < rows; ++i)
                for (Index j = 0; j < columns; ++j) {
                    const double turns =
                        static_cast<double>(k * i) / rows + static_cast<double>(l * j) / columns;
                    result[k * columns + l] +=
                        x[i * columns + j] * std::polar(1.0, sign * 2 * std::numbers::pi * turns);
                }
    return result;
}

/// K* Y / (|K|^2 + sigma^2 / S), by sums over all frequencies.
Array<float> closed_form(View<const float> y, View<const float> k, double sigma, PowerModel model,
                         double power) {
    const Index rows = y.rows(), columns = y.columns();
    std::vector<Complex> data(y.data(), y.data() + y.elements()), kernel(data.size());
    for (Index u = 0; u < k.rows(); ++u)
        for (Index v = 0; v < k.columns(); ++v)
            kernel[(u - k.rows() / 2 + rows) % rows * columns + (v - k.columns() / 2 + columns) % columns] +=
                double{k(u, v)};
    const auto of_data = transform(data, rows, columns, -1), of_kernel = transform(kernel, rows, columns, -1);
    std::vector<Complex> product(data.size());
    for (Index p = 0; p < rows; ++p)
        for (Index q = 0; q < columns; ++q) {
            // Frequencies beyond one half are negative ones.
            const double down = (2 * p > rows ? p - rows : p) / static_cast<double>(rows);
            const double right = (2 * q > columns ? q - columns : q) / static_cast<double>(columns);
            const double spectrum =
                model == PowerModel::constant ? power : power / (down * down + right * right);
            const Complex h = of_kernel[p * columns + q];
            const double noise = p == 0 && q == 0 ? 0 : sigma * sigma / 255 / 255 / spectrum;
            product[p * columns + q] =
                std::conj(h) * of_data[p * columns + q] / (std::norm(h) + noise) / double(rows * columns);
        }
    const auto image = transform(product, rows, columns, +1);
    Array<float> result(y.shape());
    for (Index n = 0; n < y.elements(); ++n) result.data()[n] = static_cast<float>(image[n].real());
    return result;
}

TEST(Wiener, IsTheClosedFormOnOddEvenAndPrimeSizes) {
    for (auto [rows, columns] : {std::pair{7, 11}, {8, 6}, {9, 12}, {13, 4}})
        for (PowerModel model : {PowerModel::inverse_square, PowerModel::constant}) {
            const Array<float> y = random_image(rows, columns, 3), k = random_kernel(3, 4, 4);
            const Array<float> x = deconvolve({.rows = rows,
                                               .columns = columns,
                                               .kernel = k,
                                               .sigma = 4,
                                               .border = DeconvolutionBorder::circular},
                                              WienerOptions{.power = model, .signal_power = 0.003}, y);
            EXPECT_LT(largest_difference(x, closed_form(y, k, 4, model, 0.003)), 2e-5)
                << rows << " x " << columns;  // float transforms of values near 1
        }
}

TEST(Wiener, MeasuresThePowerOfAnImageWhosePowerIsKnown) {
    // White structure of variance S, blurred, with noise: the constant model's power is S.
    const Index rows = 150, columns = 162;
    Array<float> x({rows, columns});
    Philox random(11);
    for (float& value : x) value = 0.5f + 0.1f * random.normal();
    const Array<float> k = random_kernel(3, 3, 1);
    Array<float> y = blur_circularly(x, k);
    add_noise(y, 5, 12);
    const BlurProblem problem{
        .rows = rows, .columns = columns, .kernel = k, .sigma = 5, .border = DeconvolutionBorder::circular};
    const Array<float> measured = deconvolve(problem, WienerOptions{.power = PowerModel::constant}, y);
    const Array<float> known =
        deconvolve(problem, WienerOptions{.power = PowerModel::constant, .signal_power = 0.01}, y);
    // A variance from 24300 pixels is off by 1 %; the filter by a fraction of that.
    EXPECT_LT(root_mean_square(measured, known), 0.002);
    EXPECT_GT(root_mean_square(known, x), 0.01) << "the image must not be trivial";

    // Of all filters of this kind the one with the right noise level errs least.
    auto error = [&](double sigma) {
        BlurProblem other = problem;
        other.sigma = sigma;
        return root_mean_square(
            deconvolve(other, WienerOptions{.power = PowerModel::constant, .signal_power = 0.01}, y), x);
    };
    EXPECT_LT(error(5), error(3.5));
    EXPECT_LT(error(5), error(7));
}

TEST(Wiener, KeepsTheMean) {
    const Array<float> y = random_image(17, 23, 9), k = random_kernel(5, 5, 4);
    const Array<float> x = deconvolve(
        {.rows = 17, .columns = 23, .kernel = k, .sigma = 50, .border = DeconvolutionBorder::circular},
        WienerOptions{}, y);
    double before = 0, after = 0;
    for (float value : y) before += double{value};
    for (float value : x) after += double{value};
    EXPECT_NEAR(after / before, 1, 1e-5);
}

TEST(Wiener, LeavesAnImageWithoutStructureAsItIs) {
    Array<float> y({12, 15});
    for (float& value : y) value = 0.4f;
    const Array<float> x = deconvolve({.rows = 12,
                                       .columns = 15,
                                       .kernel = random_kernel(3, 3, 4),
                                       .sigma = 5,
                                       .border = DeconvolutionBorder::taper},
                                      WienerOptions{}, y);
    EXPECT_LT(largest_difference(x, y), 1e-5);
}

TEST(Wiener, RefusesABorderThatHasNoClosedForm) {
    const Array<float> k = single_tap();
    EXPECT_THAT(
        [&] { (void)make_deconvolver({.rows = 4, .columns = 4, .kernel = k, .sigma = 1}, WienerOptions{}); },
        testing::ThrowsMessage<Error>(
            testing::HasSubstr("wiener: border must be circular or taper, got valid")));
}

}  // namespace
}  // namespace sonolux
