// sonolux/simulation/optics/propagation.cpp
#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>
#include <numbers>

#include <sonolux/core/error.hpp>
#include <sonolux/core/smooth_size.hpp>
#include <sonolux/simulation/optics/field_transform.hpp>
#include <sonolux/simulation/optics/fresnel_psf.hpp>
#include <sonolux/simulation/optics/propagation.hpp>
#include <sonolux/simulation/optics/radial_pixels.hpp>
#include <sonolux/simulation/optics/sinc_interpolation.hpp>

namespace sonolux {

using std::numbers::pi;
using Complex = FieldTransform::Complex;

namespace {

double square(double x) { return x * x; }

double sinc(double x) { return std::abs(x) < 1e-8 ? 1 : std::sin(pi * x) / (pi * x); }

struct Geometry {
    Geometry(const MapOptics& optics, const PsfWindow& window)
        : z(optics.distance), x(z * window.tan_x), y(z * window.tan_y), slant(std::hypot(x, y, z)) {}

    double z, x, y, slant;  // c and R_0
};

void check(const MapOptics& optics, double wavelength, const PsfWindow& window) {
    check_map(optics.map);
    static_cast<void>(optics.material.refractive_index(wavelength));
    require(optics.distance > 0 && std::isfinite(optics.distance), Status::invalid_argument,
            "optics: the distance must be above 0 m, got ", optics.distance);
    require(optics.ideal_focal_length >= 0, Status::invalid_argument,
            "optics: the focal length of the ideal lens must be at least 0 m, got ",
            optics.ideal_focal_length);
    require(window.pixel > 0 && std::isfinite(window.pixel) && window.size >= 1 && window.size <= 8192,
            Status::invalid_argument, "PSF window: ", window.size, " pixels of ", window.pixel,
            " m are none, or above 8192");
    require(std::abs(window.tan_x) < 2 && std::abs(window.tan_y) < 2, Status::invalid_argument,
            "PSF window: the tangents of the field angles must be below 2, got ", window.tan_x, " and ",
            window.tan_y);
}

/// A delay (m) that varies smoothly over the aperture, and its slopes.
struct Delay {
    double value = 0, slope_x = 0, slope_y = 0;
};

Delay ideal_lens(const MapOptics& optics, double x, double y) {
    const double f = optics.ideal_focal_length;
    if (f == 0) return {};
    const double root = std::hypot(x, y, f);
    return {-(x * x + y * y) / (root + f), -x / root, -y / root};
}

/// The field behind the relief, cut into the grid's cells: sample m of each axis, which may be negative, is
/// at index m mod size and stands at (m + offset) pitch. `smooth(x, y)` is added to the delay; `mean(slope)`
/// is the factor that a cell gets where that varies by `slope` turns across it.
template <class Smooth, class Mean>
Array<Complex> relief_field(const MapOptics& optics, double wavelength, const FieldGrid& grid,
                            Smooth&& smooth, Mean&& mean) {
    const HeightMap& map = optics.map;
    const Index fine = map.cells() * grid.parts;
    const double relief = optics.material.refractive_index(wavelength) - 1, k = 2 * pi / wavelength;
    Array<Complex> field({grid.size, grid.size});
    const auto place = [&](Index i) { return (i - fine / 2 + grid.size) % grid.size; };
    const auto at = [&](Index i) {
        return (static_cast<double>(i) - static_cast<double>(fine - 1) / 2) * grid.pitch;
    };
    for (Index i = 0; i < fine; ++i)
        for (Index j = 0; j < fine; ++j) {
            const double amplitude = map.amplitude(i / grid.parts, j / grid.parts);
            if (amplitude == 0) continue;
            const Delay delay = smooth(at(j), at(i));
            const double turns = grid.pitch / wavelength;
            field(place(i), place(j)) =
                std::polar(1.0, k * (relief * map.height(i / grid.parts, j / grid.parts) + delay.value)) *
                (amplitude * mean(delay.slope_x * turns) * mean(delay.slope_y * turns));
        }
    return field;
}

/// Integrates |field|^2 over pixels. `place(ux, uy, x, y)` gives the samples that stand for the point u of
/// the window, and returns the factor of its intensity.
template <class Place>
Array<float> integrate(View<const Complex> field, const PsfWindow& window, int points, double light,
                       Place&& place) {
    const Index n = field.rows();
    const detail::GaussLegendre rule(points);
    const detail::SincInterpolation interpolation;
    constexpr Index taps = detail::SincInterpolation::taps;
    Array<float> psf({window.size, window.size});
    for (Index i = 0; i < window.size; ++i)
        for (Index j = 0; j < window.size; ++j) {
            double sum = 0;
            for (std::size_t a = 0; a < rule.nodes.size(); ++a)
                for (std::size_t b = 0; b < rule.nodes.size(); ++b) {
                    const double uy =
                        (static_cast<double>(i - window.size / 2) + rule.nodes[a] / 2) * window.pixel;
                    const double ux =
                        (static_cast<double>(j - window.size / 2) + rule.nodes[b] / 2) * window.pixel;
                    double x, y, along_x[taps], along_y[taps];
                    const double factor = place(ux, uy, x, y);
                    const Index first_x = interpolation.weights(x, along_x);
                    const Index first_y = interpolation.weights(y, along_y);
                    Index column[taps];
                    for (Index k = 0; k < taps; ++k) column[k] = ((first_x + k) % n + n) % n;
                    Complex value = 0;
                    for (Index r = 0; r < taps; ++r) {
                        const Complex* row = field.row(((first_y + r) % n + n) % n);
                        Complex part = 0;
                        for (Index k = 0; k < taps; ++k) part += along_x[k] * row[column[k]];
                        value += along_y[r] * part;
                    }
                    sum += rule.weights[a] * rule.weights[b] * factor * std::norm(value);
                }
            psf(i, j) = static_cast<float>(sum * square(window.pixel) / (4 * light));
        }
    return psf;
}

Array<float> angular_spectrum_psf(const MapOptics& optics, double wavelength, const PsfWindow& window,
                                  const FieldGrid& grid, int points) {
    const Geometry c(optics, window);
    // The spectrum below is that of square cells, which an ideal lens is not made of.
    Array<Complex> field = relief_field(
        optics, wavelength, grid, [&](double x, double y) { return ideal_lens(optics, x, y); },
        [](double turns) { return 1 / sinc(turns); });
    const FieldTransform transform(grid.size);
    transform.forward(field);
    const double cells = static_cast<double>(grid.size), width = cells * grid.pitch;
    const double f0x = c.x / (wavelength * c.slant), f0y = c.y / (wavelength * c.slant);
    for (Index i = 0; i < grid.size; ++i)
        for (Index j = 0; j < grid.size; ++j) {
            const auto frequency = [&](Index k) {
                return static_cast<double>(k < (grid.size + 1) / 2 ? k : k - grid.size) / width;
            };
            const double fx = frequency(j), fy = frequency(i);
            const double forward = 1 / square(wavelength) - square(fx + f0x) - square(fy + f0y);
            const double root = forward > 0 ? std::sqrt(forward) : 0;
            // How far from the window light of this frequency lands: beyond half the grid it would alias.
            const bool lands = root > 0 && std::abs(c.x - c.z * (fx + f0x) / root) <= width / 2 &&
                               std::abs(c.y - c.z * (fy + f0y) / root) <= width / 2;
            if (!lands) {
                field(i, j) = 0;
                continue;
            }
            // From the phase at f = 0, which is large and does not matter.
            const double phase = 2 * pi * (c.z * (root - c.z / (wavelength * c.slant)) + fx * c.x + fy * c.y);
            field(i, j) *= std::polar(sinc(fx * grid.pitch) * sinc(fy * grid.pitch) / square(cells), phase);
        }
    transform.inverse(field);
    const double offset = (optics.map.cells() * grid.parts) % 2 == 0 ? 0.5 : 0;
    return integrate(field, window, points, optics.map.light(),
                     [&](double ux, double uy, double& x, double& y) {
                         x = ux / grid.pitch - offset;
                         y = uy / grid.pitch - offset;
                         return 1.0;
                     });
}

}  // namespace

namespace {

/// field_grid for what check() has passed.
FieldGrid checked_grid(const MapOptics& optics, double aperture, double wavelength, const PsfWindow& window,
                       Propagator propagator, Index largest_grid) {
    const double z = optics.distance;
    const double width = static_cast<double>(window.size) * window.pixel;
    const bool fresnel = propagator == Propagator::fresnel;
    // How steep an ideal lens is, less what the way to its focus takes away again: for f = z all of it.
    const double f = optics.ideal_focal_length;
    const double bend = f == 0 ? 0 : fresnel ? 4 * std::abs(1 / f - 1 / z) : 3 / f;
    const double largest_cell =
        std::min(fresnel ? std::min(wavelength * z / aperture, 0.98 * wavelength * z / width)
                         : std::min(wavelength * z / (aperture + width), wavelength * z / (3 * aperture)),
                 bend > 0 ? wavelength / (aperture * bend) : std::numeric_limits<double>::infinity());
    const double parts = std::max(1.0, std::ceil(optics.map.pitch / largest_cell - 1e-9));
    FieldGrid grid;
    grid.pitch = optics.map.pitch / parts;
    const double across = fresnel ? 3 * aperture / grid.pitch : 2 * (aperture + width) / grid.pitch;
    const double needed = std::max(across, static_cast<double>(optics.map.cells()) * parts);
    require(needed <= static_cast<double>(largest_grid), Status::invalid_argument, "a window of ",
            width * 1e3, " mm, an aperture of ", aperture * 1e3, " mm and ", wavelength * 1e9, " nm at ",
            z * 1e3, " mm need cells of ",
            fresnel ? "at most min(wavelength z / aperture, wavelength z / window"
                    : "at most min(wavelength z / (aperture + window), wavelength z / (3 aperture)",
            bend == 0 ? ") = "
            : fresnel ? ", wavelength / (4 aperture |1 / f - 1 / z|)) = "
                      : ", wavelength f / (3 aperture)) = ",
            largest_cell * 1e6, " um and a grid of ", needed, " of them, or the field aliases; at most ",
            largest_grid, " are allowed");
    grid.parts = static_cast<Index>(parts);
    grid.size = smooth_size(static_cast<Index>(std::ceil(needed)), 5, 2);
    return grid;
}

int points_across(const MapOptics& optics, double aperture, double wavelength, const PsfWindow& window) {
    const double detail_size = wavelength * optics.distance / aperture;
    return std::clamp(static_cast<int>(std::ceil(3 + 2 * window.pixel / detail_size)), 4, 64);
}

}  // namespace

FieldGrid field_grid(const MapOptics& optics, double wavelength, const PsfWindow& window,
                     Propagator propagator, Index largest_grid) {
    check(optics, wavelength, window);
    return checked_grid(optics, optics.map.aperture(), wavelength, window, propagator, largest_grid);
}

Array<float> map_psf(const MapOptics& optics, double wavelength, const PsfWindow& window,
                     Propagator propagator, Index largest_grid) {
    check(optics, wavelength, window);
    const detail::MapSummary map(optics.map);
    const FieldGrid grid = checked_grid(optics, map.aperture, wavelength, window, propagator, largest_grid);
    const int points = points_across(optics, map.aperture, wavelength, window);
    return propagator == Propagator::fresnel
               ? detail::fresnel_psf(optics, map, wavelength, window, grid, points)
               : angular_spectrum_psf(optics, wavelength, window, grid, points);
}

PsfBank make_psf_bank(const MapOptics& optics, const PsfBankOptions& options, double tan_x, double tan_y,
                      Context& context) {
    check_wavelengths(options.wavelengths);
    const PsfWindow window{options.pixel, options.size, tan_x, tan_y};
    check(optics, options.wavelengths.front(), window);
    const detail::MapSummary map(optics.map);
    std::vector<FieldGrid> grids;
    for (const double wavelength : options.wavelengths) {
        static_cast<void>(optics.material.refractive_index(wavelength));
        grids.push_back(checked_grid(optics, map.aperture, wavelength, window, Propagator::fresnel, 8192));
    }
    require_fine_wavelengths(options.wavelengths, options.pixel, map.aperture,
                             options.allow_coarse_wavelengths);
    const auto count = static_cast<Index>(options.wavelengths.size());
    PsfBank bank{options.wavelengths, options.pixel, Array<float>({count, options.size, options.size})};
    std::vector<std::exception_ptr> errors(options.wavelengths.size());  // of memory
    parallel_for(context, count, [&](Index w, int) {
        try {
            const auto at = static_cast<std::size_t>(w);
            const double wavelength = options.wavelengths[at];
            const Array<float> psf =
                detail::fresnel_psf(optics, map, wavelength, window, grids[at],
                                    points_across(optics, map.aperture, wavelength, window));
            std::copy(psf.begin(), psf.end(), bank.psf.view()[w].data());
        } catch (...) {
            errors[static_cast<std::size_t>(w)] = std::current_exception();
        }
    });
    for (const std::exception_ptr& error : errors)
        if (error) std::rethrow_exception(error);
    return bank;
}

}  // namespace sonolux
