// tests/core/fft_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include <sonolux/core/fft.hpp>
#include <sonolux/core/random.hpp>
#include <sonolux/core/reduction.hpp>

#include "tests/support/normal_images.hpp"

namespace sonolux {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StrEq;
using testing::ThrowsMessage;
using Complex = std::complex<float>;

constexpr std::pair<int, int> sizes[] = {{1, 1},   {1, 2},   {2, 1},   {1, 7},   {7, 1},   {5, 3},
                                         {13, 17}, {64, 65}, {31, 32}, {60, 77}, {3, 101}, {101, 4}};

/// exp(-2 pi i k / n), with k reduced first.
std::complex<double> root(Index k, Index n) {
    return std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(k % n) / static_cast<double>(n));
}

/// Bin k, l of the definition, in double.
std::complex<double> direct_sum(const Array<float>& x, Index k, Index l) {
    const Index rows = x.shape()[0], columns = x.shape()[1];
    std::complex<double> sum = 0;
    for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < columns; ++j) sum += double{x(i, j)} * root(i * k, rows) * root(j * l, columns);
    return sum;
}

/// Rounding of a float FFT: its error grows with log2(n), some units of 2^-24 of the norm; 1e-6 |x| leaves
/// room for Bluestein's three transforms.
double tolerance(const Array<float>& x) { return 1e-6 * std::sqrt(squared_norm(x)) + 1e-12; }

class EveryFft : public testing::TestWithParam<FftBackend> {};

INSTANTIATE_TEST_SUITE_P(Backends, EveryFft, testing::ValuesIn(available_fft_backends()),
                         [](const auto& backend) { return std::string(to_string(backend.param)); });

TEST_P(EveryFft, ForwardIsTheDirectSumOnAwkwardSizes) {
    for (auto [rows, columns] : sizes) {
        const auto fft = make_real_fft2(rows, columns, GetParam());
        const Array<float> x = normal({rows, columns}, 1);
        Array<Complex> spectrum(fft->spectrum_shape());
        EXPECT_EQ(spectrum.shape(), (Shape{rows, columns / 2 + 1}));
        fft->forward(x, spectrum);
        for (Index k = 0; k < rows; ++k)
            for (Index l = 0; l <= columns / 2; ++l) {
                const std::complex<double> expected = direct_sum(x, k, l);
                ASSERT_NEAR(spectrum(k, l).real(), expected.real(), tolerance(x)) << rows << " x " << columns;
                ASSERT_NEAR(spectrum(k, l).imag(), expected.imag(), tolerance(x)) << rows << " x " << columns;
            }
    }
}

TEST_P(EveryFft, InverseUndoesForward) {
    for (auto [rows, columns] :
         {std::pair{1, 1}, {1, 7}, {5, 3}, {13, 17}, {64, 65}, {321, 481}, {512, 512}, {1, 4099}}) {
        const auto fft = make_real_fft2(rows, columns, GetParam());
        const Array<float> x = normal({rows, columns}, 2);
        Array<float> back(x.shape());
        Array<Complex> spectrum(fft->spectrum_shape());
        fft->forward(x, spectrum);
        const Array<Complex> kept = spectrum.clone();
        fft->inverse(spectrum, back);
        for (Index i = 0; i < x.elements(); ++i)
            ASSERT_NEAR(back.data()[i], x.data()[i], 4e-6) << rows << " x " << columns;  // values up to 5
        EXPECT_TRUE(std::equal(kept.begin(), kept.end(), spectrum.begin())) << "the input was changed";
    }
}

TEST_P(EveryFft, InverseIsTheDirectSumOfTheHermitianPart) {
    for (auto [rows, columns] : {std::pair{5, 3}, {4, 6}, {7, 10}, {1, 4}, {6, 1}}) {
        const auto fft = make_real_fft2(rows, columns, GetParam());
        Array<Complex> spectrum(fft->spectrum_shape());
        const Array<float> parts = normal({rows, columns / 2 + 1, 2}, 3);
        for (Index k = 0; k < rows; ++k)
            for (Index l = 0; l <= columns / 2; ++l) spectrum(k, l) = Complex(parts(k, l, 0), parts(k, l, 1));
        Array<float> x({rows, columns});
        fft->inverse(spectrum, x);
        for (Index i = 0; i < rows; ++i)
            for (Index j = 0; j < columns; ++j) {
                double sum = 0;
                for (Index k = 0; k < rows; ++k)
                    for (Index l = 0; l <= columns / 2; ++l) {
                        const std::complex<double> bin(spectrum(k, l).real(), spectrum(k, l).imag());
                        const double twice =
                            l == 0 || 2 * l == columns ? 1 : 2;  // itself and its mirror image
                        sum += twice * (bin * std::conj(root(i * k, rows) * root(j * l, columns))).real();
                    }
                ASSERT_NEAR(x(i, j), sum / (rows * columns), 1e-6) << rows << " x " << columns;
            }
    }
}

TEST_P(EveryFft, TakesRowsThatAreApartAndMemoryThatIsNotAligned) {
    const auto fft = make_real_fft2(9, 14, GetParam());
    const Array<float> x = normal({9, 14}, 4);
    Array<float> wide({9, 21}), wide_back({9, 21});
    Array<Complex> spectrum({9, 8}), wide_spectrum({9, 11});
    const View<float> inside = wide.view().block(0, 3, 9, 14), back = wide_back.view().block(0, 5, 9, 14);
    for (Index i = 0; i < 9; ++i) std::copy_n(x.view().row(i), 14, inside.row(i));
    fft->forward(x, spectrum);
    fft->forward(inside, wide_spectrum.view().block(0, 1, 9, 8));
    fft->inverse(wide_spectrum.view().block(0, 1, 9, 8), back);
    for (Index i = 0; i < 9; ++i) {
        EXPECT_TRUE(std::equal(spectrum.view().row(i), spectrum.view().row(i) + 8, &wide_spectrum(i, 1)));
        for (Index j = 0; j < 14; ++j) EXPECT_NEAR(back(i, j), x(i, j), 2e-6);
        EXPECT_EQ(wide_back(i, 4), 0);  // nothing beside the block
        EXPECT_EQ(wide_back(i, 19), 0);
    }
}

TEST_P(EveryFft, GivesTheSameBitsInEveryPlan) {
    const Array<float> x = normal({96, 100}, 5);
    Array<Complex> first({96, 51}), again({96, 51});
    make_real_fft2(96, 100, GetParam())->forward(x, first);
    make_real_fft2(96, 100, GetParam())->forward(x, again);
    EXPECT_TRUE(std::equal(first.begin(), first.end(), again.begin()));
}

TEST_P(EveryFft, RefusesSizesByName) {
    EXPECT_THAT([&] { (void)make_real_fft2(0, 4, GetParam()); },
                ThrowsMessage<Error>(HasSubstr("rows must be at least 1")));
    EXPECT_THAT([&] { (void)make_real_fft2(4, Index{1} << 40, GetParam()); },
                ThrowsMessage<Error>(AllOf(HasSubstr("columns must be"), HasSubstr("got 1099511627776"))));
}

TEST(Fft, SaysWhatWasChosen) {
    EXPECT_EQ(available_fft_backends().front(), default_fft_backend());
    EXPECT_EQ(make_real_fft2(4, 4)->description(), fft_description());
    if (default_fft_backend() == FftBackend::fftw)
        EXPECT_THAT(fft_description(), MatchesRegex("FFTW [0-9]+\\.[0-9]+\\.[0-9]+, ESTIMATE"));
    else
        EXPECT_EQ(fft_description(), "KissFFT");
}

TEST(Fft, WisdomReadsBackAndItsMeasuredPlansAreRight) {
    if (default_fft_backend() != FftBackend::fftw) GTEST_SKIP() << "this build has no FFTW";
    const auto fft = make_real_fft2(30, 42, FftBackend::fftw, FftPlanning::measure);
    EXPECT_THAT(fft->description(), HasSubstr("MEASURE"));
    const Array<float> x = normal({30, 42}, 6);
    Array<Complex> spectrum({30, 22});
    fft->forward(x, spectrum);
    const std::complex<double> expected = direct_sum(x, 7, 11);
    EXPECT_NEAR(spectrum(7, 11).real(), expected.real(), tolerance(x));
    EXPECT_NEAR(spectrum(7, 11).imag(), expected.imag(), tolerance(x));

    const std::string wisdom = export_fft_wisdom();
    EXPECT_THAT(wisdom, HasSubstr("fftw"));
    import_fft_wisdom(wisdom);
    EXPECT_THAT([] { import_fft_wisdom("(not wisdom"); },
                ThrowsMessage<Error>(HasSubstr("not the wisdom of fftw")));
}

}  // namespace
}  // namespace sonolux
