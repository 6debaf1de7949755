// tests/simulation/optics/optics_fresnel_psf_test.cpp
//
// The window of a Fresnel field against the plain sum over cells, and the parts that it is made of.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>

#include <sonolux/core/random.hpp>
#include <sonolux/simulation/optics/field_transform.hpp>
#include <sonolux/simulation/optics/fresnel_kernels.hpp>
#include <sonolux/simulation/optics/propagation.hpp>
#include <sonolux/simulation/optics/radial_pixels.hpp>
#include <sonolux/simulation/optics/sinc_interpolation.hpp>

namespace sonolux {
namespace {

using std::numbers::pi;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using Complex = std::complex<double>;

double sinc(double t) { return t == 0 ? 1 : std::sin(pi * t) / (pi * t); }

/// propagation.hpp as it reads, cell by cell, at as many nodes of Gauss and Legendre as map_psf takes.
Array<float> plain_sum(const MapOptics& optics, double wavelength, const PsfWindow& window) {
    const Index parts = field_grid(optics, wavelength, window, Propagator::fresnel).parts;
    const double pitch = optics.map.pitch / static_cast<double>(parts), z = optics.distance;
    const double c_x = z * window.tan_x, c_y = z * window.tan_y, slant = std::hypot(c_x, c_y, z);
    const double relief = optics.material.refractive_index(wavelength) - 1, f = optics.ideal_focal_length;
    struct Cell {
        double x, y;
        Complex field;
    };
    std::vector<Cell> cells;
    const Index fine = optics.map.cells() * parts;
    for (Index i = 0; i < fine; ++i)
        for (Index j = 0; j < fine; ++j) {
            const double amplitude = optics.map.amplitude(i / parts, j / parts);
            const double x = (static_cast<double>(j) - static_cast<double>(fine - 1) / 2) * pitch;
            const double y = (static_cast<double>(i) - static_cast<double>(fine - 1) / 2) * pitch;
            const double root = std::hypot(x - c_x, y - c_y, z), lens = std::hypot(x, y, f);
            const double delay = root - slant + (x * c_x + y * c_y) / slant - (f > 0 ? lens - f : 0);
            const double slope_x = (x - c_x) / root + c_x / slant - (f > 0 ? x / lens : 0);
            const double slope_y = (y - c_y) / root + c_y / slant - (f > 0 ? y / lens : 0);
            const double path = relief * optics.map.height(i / parts, j / parts) + delay;
            if (amplitude > 0)
                cells.push_back({x, y,
                                 std::polar(amplitude * sinc(slope_x * pitch / wavelength) *
                                                sinc(slope_y * pitch / wavelength),
                                            2 * pi * path / wavelength)});
        }
    const double detail = wavelength * z / optics.map.aperture();
    const detail::GaussLegendre rule(std::max(4, static_cast<int>(std::ceil(3 + 2 * window.pixel / detail))));
    Array<float> psf({window.size, window.size});
    for (Index i = 0; i < window.size; ++i)
        for (Index j = 0; j < window.size; ++j) {
            double sum = 0;
            for (std::size_t a = 0; a < rule.nodes.size(); ++a)
                for (std::size_t b = 0; b < rule.nodes.size(); ++b) {
                    const double y =
                        c_y + (static_cast<double>(i - window.size / 2) + rule.nodes[a] / 2) * window.pixel;
                    const double x =
                        c_x + (static_cast<double>(j - window.size / 2) + rule.nodes[b] / 2) * window.pixel;
                    const double r = std::hypot(x, y, z);
                    const double u = (x / r - c_x / slant) / wavelength,
                                 v = (y / r - c_y / slant) / wavelength;
                    Complex field = 0;
                    for (const Cell& cell : cells)
                        field += cell.field * std::polar(1.0, -2 * pi * (u * cell.x + v * cell.y));
                    field *= pitch * pitch * sinc(u * pitch) * sinc(v * pitch) * z / (wavelength * r * r);
                    sum += rule.weights[a] * rule.weights[b] * std::norm(field);
                }
            psf(i, j) = static_cast<float>(sum * window.pixel * window.pixel / (4 * optics.map.light()));
        }
    return psf;
}

/// Random heights in a disc, a corner of it dark: nothing about it is symmetric.
MapOptics rough_map(Index cells, double pitch, double distance, double focal_length) {
    MapOptics optics{empty_map(cells, pitch), material_by_name("fused-silica"), distance, focal_length};
    Array<float> draws({cells, cells});
    fill_normal(draws, Philox(3, 0));
    for (Index i = 0; i < cells; ++i)
        for (Index j = 0; j < cells; ++j) {
            const double x = optics.map.middle(j), y = optics.map.middle(i),
                         edge = optics.map.middle(cells - 1);
            if (std::hypot(x, y) > edge || x + y > edge) continue;
            optics.map.amplitude(i, j) = 0.5 + 0.5 * static_cast<double>(i) / static_cast<double>(cells);
            optics.map.height(i, j) = 0.6e-6 + 0.2e-6 * std::tanh(double{draws(i, j)});
        }
    return optics;
}

TEST(OpticsFresnelPsf, IsThePlainSumOverCells) {
    // Within 2e-6 of the brightest pixel: 1e-6 of the field at each of the two interpolations.
    struct Case {
        Index cells;
        double pitch, distance, focal_length, pixel;
        Index size;
        double tan_x, tan_y, wavelength;
        Index parts;
    };
    const Case cases[] = {
        {32, 4e-6, 10e-3, 0, 8e-6, 9, 0, 0, 550e-9, 1},
        {33, 4e-6, 10e-3, 0, 8e-6, 8, std::tan(5 * pi / 180), std::tan(3 * pi / 180), 450e-9, 1},
        {32, 4e-6, 10e-3, 0, 8e-6, 9, -0.9, 0.7, 600e-9, 1},
        {31, 4e-6, 10e-3, 0, 8e-6, 9, 1.5, 1.4, 600e-9, 1},     // dF / dG = 0.6
        {32, 4e-6, 10e-3, 0, 40e-6, 33, 0.3, -0.2, 550e-9, 1},  // a whole period but 2 %
        {24, 8e-6, 5e-3, 0, 6e-6, 7, 0.2, 0.1, 400e-9, 1},
        {20, 16e-6, 5e-3, 4.8e-3, 6e-6, 7, -0.1, 0.2, 500e-9, 2},  // cut, with an ideal lens
        {1, 10e-6, 1e-3, 0, 8e-6, 5, 0.1, 0.1, 550e-9, 1},         // one cell
    };
    for (const Case& c : cases) {
        const MapOptics optics = c.cells == 1 ? MapOptics{map_of(clear_aperture(10e-6), 10e-6),
                                                          material_by_name("fused-silica"), c.distance, 0}
                                              : rough_map(c.cells, c.pitch, c.distance, c.focal_length);
        const PsfWindow window{c.pixel, c.size, c.tan_x, c.tan_y};
        EXPECT_EQ(field_grid(optics, c.wavelength, window, Propagator::fresnel).parts, c.parts) << c.cells;
        const Array<float> ours = map_psf(optics, c.wavelength, window);
        const Array<float> plain = plain_sum(optics, c.wavelength, window);
        double largest = 0, peak = 0;
        for (Index n = 0; n < ours.elements(); ++n) {
            largest = std::max(largest, std::abs(double{ours.data()[n]} - double{plain.data()[n]}));
            peak = std::max(peak, double{plain.data()[n]});
        }
        EXPECT_LT(largest, 2e-6 * peak) << c.cells << " cells at " << c.tan_x << ", " << c.tan_y;
    }
}

TEST(OpticsFresnelPsf, BitsDoNotDependOnThreads) {
    const MapOptics optics = rough_map(40, 8e-6, 10e-3, 0);
    PsfBankOptions options;
    options.wavelengths = {500e-9, 510e-9, 520e-9, 530e-9, 540e-9};
    options.size = 21;
    Context one(make_serial_runner()), two(make_openmp_runner(2));
    const PsfBank a = make_psf_bank(optics, options, 0.2, 0.1, one);
    const PsfBank b = make_psf_bank(optics, options, 0.2, 0.1, two);
    EXPECT_TRUE(std::equal(a.psf.begin(), a.psf.end(), b.psf.begin()));
    const Array<float> single = map_psf(optics, 520e-9, {options.pixel, 21, 0.2, 0.1});
    EXPECT_TRUE(std::equal(single.begin(), single.end(), a.psf.view()[2].data())) << "the bank's is another";
}

TEST(OpticsFresnelPsf, KernelsOfAllInstructionSetsAreTheirFormulas) {
    constexpr Index count = 37;
    std::vector<double> height, amplitude, line_re, line_im, position;
    for (Index j = 0; j < count; ++j) {
        const auto t = static_cast<double>(j);
        height.push_back(1e-6 * std::abs(std::sin(3 * t)));
        amplitude.push_back(j % 5 == 0 ? 0 : 0.5 + 0.01 * t);
        line_re.push_back(std::sin(0.3 * t)), line_im.push_back(std::cos(0.2 * t));
        position.push_back(7 + 20.9 * t / (count - 1));
    }
    const detail::DenseInterpolation interpolation;
    for (const Isa isa : available_isas()) {
        const detail::FresnelKernels& kernels = detail::fresnel_kernels(isa);
        for (const double f : {0.0, 9e-3}) {
            const double x0 = -2e-4, y = 1e-4, pitch = 8e-6, c_x = 2e-3, c_y = -1e-3, z = 10e-3;
            const double slant = std::hypot(c_x, c_y, z), relief = 0.46, frequency = 1 / 550e-9;
            double field[2 * count];
            kernels.field_row(
                {height.data(), amplitude.data(), count, x0, y, pitch, c_x, c_y, slant, f, relief, frequency},
                field);
            for (Index j = 0; j < count; ++j) {
                const auto at = static_cast<std::size_t>(j);
                const double x = x0 + static_cast<double>(j) * pitch, lens = std::hypot(x, y, f);
                const double root = std::hypot(x - c_x, y - c_y, z);
                const double delay = root - slant + (x * c_x + y * c_y) / slant - (f > 0 ? lens - f : 0);
                const double slope_x = (x - c_x) / root + c_x / slant - (f > 0 ? x / lens : 0);
                const double slope_y = (y - c_y) / root + c_y / slant - (f > 0 ? y / lens : 0);
                const Complex expected = std::polar(
                    amplitude[at] * sinc(slope_x * pitch * frequency) * sinc(slope_y * pitch * frequency),
                    2 * pi * frequency * (relief * height[at] + delay));
                // Twelve digits of delays of 1e-5 m less 1e-2 m, in turns.
                EXPECT_LT(std::abs(Complex(field[2 * j], field[2 * j + 1]) - expected), 1e-9)
                    << to_string(isa) << " " << j;
            }
        }
        double re[count], im[count], power[count];
        const detail::Resampling line{line_re.data(), line_im.data(), position.data(), count,
                                      interpolation.table()};
        kernels.resample(line, re, im);
        kernels.resample_power(line, power);
        for (Index i = 0; i < count; ++i) {
            double weights[detail::DenseInterpolation::taps];
            const Index first = interpolation.weights(position[static_cast<std::size_t>(i)], weights);
            Complex expected = 0;
            for (Index k = 0; k < detail::DenseInterpolation::taps; ++k)
                expected += weights[k] * Complex(line_re[static_cast<std::size_t>(first + k)],
                                                 line_im[static_cast<std::size_t>(first + k)]);
            EXPECT_LT(std::abs(Complex(re[i], im[i]) - expected), 1e-14) << to_string(isa) << " " << i;
            EXPECT_NEAR(power[i], std::norm(expected), 1e-14) << to_string(isa) << " " << i;
        }
    }
}

TEST(OpticsFieldTransform, LinesAreTheirSums) {
    for (const Index length : {1, 7, 32, 60, 96}) {
        const FieldLineTransform transform(length);
        Array<Complex> line({length}), expected({length});
        for (Index j = 0; j < length; ++j)
            line.data()[j] = {std::sin(1 + 3.0 * static_cast<double>(j)), 1.0 / static_cast<double>(1 + j)};
        for (Index k = 0; k < length; ++k)
            for (Index j = 0; j < length; ++j)
                expected.data()[k] +=
                    line.data()[j] * std::polar(1.0, -2 * pi * static_cast<double>(j * k % length) /
                                                         static_cast<double>(length));
        transform.forward(line.data());
        for (Index k = 0; k < length; ++k)
            EXPECT_LT(std::abs(line.data()[k] - expected.data()[k]), 1e-12) << length << " " << k;
    }
    EXPECT_THAT([] { FieldLineTransform unused(0); },
                ThrowsMessage<Error>(HasSubstr("the length of a line must be 1 to 2^20, got 0")));
}

}  // namespace
}  // namespace sonolux
