// sonolux/simulation/optics/psf_bank.cpp
#include <algorithm>
#include <cmath>
#include <numbers>

#include <sonolux/core/error.hpp>
#include <sonolux/core/target.hpp>
#include <sonolux/simulation/optics/bessel_table.hpp>
#include <sonolux/simulation/optics/psf_bank.hpp>
#include <sonolux/simulation/optics/radial_pixels.hpp>
#include <sonolux/simulation/optics/sinc_interpolation.hpp>

namespace sonolux {

using std::numbers::pi;

namespace {

// The product in tiles: `rows` frequencies by `width` real columns stay in registers.
constexpr Index rows = 4, width = 16;

/// out[r][c] = sum over e of b[e][r] d[e][c], r below `rows`, c below `width`.
SLX_INLINE void multiply_any(const double* b, const double* d, Index edges, double* out) noexcept {
    double sums[rows][width] = {};
    for (Index e = 0; e < edges; ++e)
        for (Index r = 0; r < rows; ++r)
            for (Index c = 0; c < width; ++c) sums[r][c] += b[e * rows + r] * d[e * width + c];
    for (Index r = 0; r < rows; ++r)
        for (Index c = 0; c < width; ++c) out[r * width + c] = sums[r][c];
}

void multiply_plain(const double* b, const double* d, Index edges, double* out) noexcept {
    multiply_any(b, d, edges, out);
}
#ifdef SLX_TARGET_AVX2
SLX_TARGET_AVX2 void multiply_avx2(const double* b, const double* d, Index edges, double* out) noexcept {
    multiply_any(b, d, edges, out);
}
SLX_TARGET_AVX512 void multiply_avx512(const double* b, const double* d, Index edges, double* out) noexcept {
    multiply_any(b, d, edges, out);
}
#endif

using Multiply = void (*)(const double*, const double*, Index, double*) noexcept;

Multiply multiply_for([[maybe_unused]] Isa isa) noexcept {
#ifdef SLX_TARGET_AVX2
    if (isa == Isa::avx512) return multiply_avx512;
    if (isa == Isa::avx2) return multiply_avx2;
#endif
    return multiply_plain;
}

/// |value|^2 at a position in samples; before sample 0 the samples are mirrored.
double power_at(const detail::SincInterpolation& interpolation, const double* re, const double* im,
                double position) noexcept {
    double weights[detail::SincInterpolation::taps], x = 0, y = 0;
    const Index first = interpolation.weights(position, weights);
    for (Index k = 0; k < detail::SincInterpolation::taps; ++k) {
        const Index at = std::abs(first + k);
        x += weights[k] * re[at];
        y += weights[k] * im[at];
    }
    return x * x + y * y;
}

void check(const PsfBankOptions& options) {
    check_wavelengths(options.wavelengths);
    require(options.pixel > 0 && std::isfinite(options.pixel), Status::invalid_argument,
            "PSF bank: the pixel must be above 0 m, got ", options.pixel);
    require(options.size >= 1 && options.size <= 8192, Status::invalid_argument,
            "PSF bank: the size must be 1 to 8192 pixels, got ", options.size);
    require(options.tolerance > 0, Status::invalid_argument, "PSF bank: the tolerance must be above 0, got ",
            options.tolerance);
}

}  // namespace

std::vector<double> wavelengths_between(double from, double to, Index count) {
    require(count >= 1 && from > 0 && to >= from, Status::invalid_argument, "wavelengths: ", count, " from ",
            from, " to ", to, " m are none");
    std::vector<double> wavelengths;
    for (Index i = 0; i < count; ++i)
        wavelengths.push_back(
            count == 1 ? from : from + (to - from) * static_cast<double>(i) / static_cast<double>(count - 1));
    return wavelengths;
}

void check_wavelengths(std::span<const double> wavelengths) {
    require(!wavelengths.empty(), Status::invalid_argument, "PSF bank: there are no wavelengths");
    for (std::size_t i = 0; i < wavelengths.size(); ++i)
        require(wavelengths[i] > (i > 0 ? wavelengths[i - 1] : 0), Status::invalid_argument,
                "PSF bank: wavelengths must rise from above 0, got ", wavelengths[i] * 1e9, " nm as number ",
                i + 1);
}

double largest_wavelength_step(double wavelength, double pixel, double diameter) noexcept {
    return 4 * wavelength * pixel / diameter;
}

void require_fine_wavelengths(std::span<const double> wavelengths, double pixel, double diameter,
                              bool allow_coarse) {
    if (allow_coarse) return;
    for (std::size_t i = 0; i + 1 < wavelengths.size(); ++i) {
        const double step = wavelengths[i + 1] - wavelengths[i];
        const double largest = largest_wavelength_step(wavelengths[i], pixel, diameter);
        require(step <= 1.0001 * largest, Status::invalid_argument, "wavelengths ", wavelengths[i] * 1e9,
                " and ", wavelengths[i + 1] * 1e9, " nm are ", step * 1e9, " nm apart: for pixels of ",
                pixel * 1e6, " um and an aperture of ", diameter * 1e3,
                " mm the step must be at most 4 wavelength pixel / diameter = ", largest * 1e9,
                " nm, or colours blur into separate circles");
    }
}

PsfBank make_psf_bank(const RadialOptics& optics, const PsfBankOptions& options, Context& context) {
    check(options);
    detail::check_optics(optics);
    const double z = optics.distance, radius = optics.profile.back().outer_radius;
    const std::span<const double> wavelengths = options.wavelengths;
    require_fine_wavelengths(wavelengths, options.pixel, 2 * radius, options.allow_coarse_wavelengths);
    const double shortest = wavelengths.front();
    const auto count = static_cast<Index>(wavelengths.size());

    // The intensity has no detail below wavelength z / diameter; a tenth of that is smooth to a cubic.
    const double detail_size = shortest * z / (2 * radius);
    const double step = std::min(detail_size / 10, options.pixel / 2);
    const int points = std::clamp(static_cast<int>(std::ceil(4 + 2 * options.pixel / detail_size)), 4, 64);
    const detail::RadialPixels pixels(options.size, options.pixel, step, points);

    const double farthest = static_cast<double>(pixels.samples()) * step;
    const double highest = farthest / (shortest * detail::slant(optics, farthest));
    const detail::CutRings rings = detail::cut_rings(
        optics, std::vector<double>{shortest, wavelengths[wavelengths.size() / 2], wavelengths.back()},
        highest, options.tolerance);
    const auto edges = static_cast<Index>(rings.ring_of.size());  // the edge at radius 0 adds nothing
    const double frequency_step = 1 / (6 * radius);
    const Index frequencies =
        (static_cast<Index>(highest / frequency_step) + detail::SincInterpolation::taps + rows) / rows * rows;
    require(static_cast<double>(frequencies) * static_cast<double>(edges) < 4e9, Status::invalid_argument,
            "PSF bank: ", frequencies, " frequencies and ", edges,
            " rings are too many: the window, the aperture or the number of wavelengths is too large");

    // D in panels [panel][edge][width], real parts of all wavelengths before their imaginary parts.
    const Index panels = (2 * count + width - 1) / width;
    Array<double> steps({panels, edges, width});
    for (Index w = 0; w < count; ++w) {
        const auto means = detail::ring_means(optics, rings, wavelengths[static_cast<std::size_t>(w)]);
        for (Index e = 0; e < edges; ++e) {
            const auto at = static_cast<std::size_t>(e);
            const std::complex<double> difference =
                means[at] - (at + 1 < means.size() ? means[at + 1] : std::complex<double>());
            for (const Index column : {w, count + w})
                steps(column / width, e, column % width) =
                    column == w ? difference.real() : difference.imag();
        }
    }

    const detail::BesselTable bessel(2 * pi * radius * frequency_step * static_cast<double>(frequencies) + 1);
    Array<double> field({panels * width, frequencies});  // [real and imaginary parts, frequency]
    const Multiply multiply = multiply_for(context.isa());
    Array<double> scratch({context.threads(), edges * rows});
    parallel_for(context, frequencies / rows, [&](Index block, int thread) {
        double* b = scratch.data() + thread * edges * rows;
        double tile[rows * width];
        for (Index e = 0; e < edges; ++e) {
            const double r = rings.edges[static_cast<std::size_t>(e + 1)];
            for (Index k = 0; k < rows; ++k) {
                const double q = static_cast<double>(block * rows + k) * frequency_step;
                b[e * rows + k] = q == 0 ? pi * r * r : r * bessel(2 * pi * q * r) / q;
            }
        }
        for (Index panel = 0; panel < panels; ++panel) {
            multiply(b, steps.data() + panel * edges * width, edges, tile);
            for (Index k = 0; k < rows; ++k)
                for (Index c = 0; c < width; ++c)
                    field(panel * width + c, block * rows + k) = tile[k * width + c];
        }
    });

    PsfBank bank{options.wavelengths, options.pixel, Array<float>({count, options.size, options.size})};
    const detail::SincInterpolation interpolation;
    const double light = pi * radius * radius;  // on the aperture
    Array<double> radial({context.threads(), pixels.samples()});
    parallel_for(context, count, [&](Index w, int thread) {
        double* intensity = radial.data() + thread * pixels.samples();
        const double wavelength = wavelengths[static_cast<std::size_t>(w)];
        for (Index i = 0; i < pixels.samples(); ++i) {
            const double x = static_cast<double>(i) * step, slant = detail::slant(optics, x);
            const double q = x / (wavelength * slant);
            const double power =
                power_at(interpolation, field.view().row(w), field.view().row(count + w), q / frequency_step);
            const double factor = z / (wavelength * slant * slant);
            intensity[i] = factor * factor * power / light;
        }
        pixels.integrate(intensity, bank.psf.view()[w]);
    });
    return bank;
}

}  // namespace sonolux
