// sonolux/simulation/optics/radial_psf.cpp
#include <algorithm>
#include <cmath>
#include <numbers>

#include <sonolux/core/error.hpp>
#include <sonolux/simulation/optics/radial_psf.hpp>

namespace sonolux {

using std::numbers::pi;

namespace {

double square(double x) { return x * x; }

/// The height at a radius within a ring.
double height_in(const Ring& ring, double radius) {
    if (ring.inner_height == ring.outer_height) return ring.inner_height;
    const double t = (square(radius) - square(ring.inner_radius)) /
                     (square(ring.outer_radius) - square(ring.inner_radius));
    return ring.inner_height + t * (ring.outer_height - ring.inner_height);
}

double radius_of(const RadialOptics& optics) { return optics.profile.back().outer_radius; }

}  // namespace

RadialOptics optics_of(const DiffractiveLens& lens) {
    return {relief_of(lens), lens.material, lens.focal_length, 0};
}

namespace detail {

void check_optics(const RadialOptics& optics) {
    check_profile(optics.profile);
    require(optics.distance > 0 && std::isfinite(optics.distance), Status::invalid_argument,
            "optics: the distance must be above 0 m, got ", optics.distance);
    require(optics.ideal_focal_length >= 0 && std::isfinite(optics.ideal_focal_length),
            Status::invalid_argument, "optics: the focal length of the ideal lens must be at least 0 m, got ",
            optics.ideal_focal_length);
}

double path_to_focus(const RadialOptics& optics, double radius) {
    const auto path = [&](double z) {
        return square(radius) / ((optics.paraxial ? z : std::hypot(radius, z)) + z);
    };
    return path(optics.distance) - (optics.ideal_focal_length > 0 ? path(optics.ideal_focal_length) : 0);
}

double slant(const RadialOptics& optics, double x) {
    return optics.paraxial ? optics.distance : std::hypot(x, optics.distance);
}

CutRings cut_rings(const RadialOptics& optics, std::span<const double> wavelengths, double highest_frequency,
                   double tolerance) {
    CutRings rings;
    rings.edges.push_back(0);
    std::vector<double> indices;
    for (const double wavelength : wavelengths)
        indices.push_back(optics.material.refractive_index(wavelength));
    for (std::size_t i = 0; i < optics.profile.size(); ++i) {
        const Ring& ring = optics.profile[i];
        const double path =
            path_to_focus(optics, ring.outer_radius) - path_to_focus(optics, ring.inner_radius);
        // How far the path is from linear in r^2, within the ring.
        const double middle = std::sqrt((square(ring.inner_radius) + square(ring.outer_radius)) / 2);
        const double sag =
            path_to_focus(optics, middle) - (path_to_focus(optics, ring.inner_radius) + path / 2);
        double phase = 0, bend = 0;
        for (std::size_t w = 0; w < wavelengths.size(); ++w) {
            const double k = 2 * pi / wavelengths[w];
            phase = std::max(phase,
                             k * std::abs(path + (indices[w] - 1) * (ring.outer_height - ring.inner_height)));
            bend = std::max(bend, k * std::abs(sag));
        }
        const double turn = 2 * pi * highest_frequency * (ring.outer_radius - ring.inner_radius);
        // Two linear functions that vary by `phase` and `turn` have the covariance phase turn / 12; of
        // `parts` rings each has 1 / parts^2 of it.
        const auto parts = std::max<Index>(
            1, static_cast<Index>(std::ceil(std::sqrt(std::max(phase * turn / 12, 10 * bend) / tolerance))));
        require(rings.ring_of.size() + static_cast<std::size_t>(parts) < 10000000, Status::invalid_argument,
                "optics: the phase varies too fast across the aperture, or the window is too large");
        for (Index part = 1; part <= parts; ++part) {
            const double t = static_cast<double>(part) / static_cast<double>(parts);
            rings.edges.push_back(part == parts
                                      ? ring.outer_radius
                                      : ring.inner_radius + t * (ring.outer_radius - ring.inner_radius));
            rings.ring_of.push_back(static_cast<Index>(i));
        }
    }
    return rings;
}

std::vector<std::complex<double>> ring_means(const RadialOptics& optics, const CutRings& rings,
                                             double wavelength) {
    const double relief = optics.material.refractive_index(wavelength) - 1, k = 2 * pi / wavelength;
    std::vector<std::complex<double>> means(rings.ring_of.size());
    for (std::size_t i = 0; i < means.size(); ++i) {
        const Ring& ring = optics.profile[static_cast<std::size_t>(rings.ring_of[i])];
        const double r = rings.edges[i], s = rings.edges[i + 1];
        const double inner = k * (relief * height_in(ring, r) + path_to_focus(optics, r));
        const double outer = k * (relief * height_in(ring, s) + path_to_focus(optics, s));
        // Linear in r^2, so in the area: the mean of a linear phase is a sinc.
        const double half = (outer - inner) / 2;
        const double sinc = std::abs(half) < 1e-4 ? 1 - half * half / 6 : std::sin(half) / half;
        means[i] = std::polar(ring.amplitude * std::abs(sinc), (outer + inner) / 2 + (sinc < 0 ? pi : 0));
    }
    return means;
}

}  // namespace detail

std::vector<std::complex<double>> radial_field(const RadialOptics& optics, double wavelength,
                                               std::span<const double> radii, double tolerance) {
    detail::check_optics(optics);
    require(tolerance > 0, Status::invalid_argument, "optics: the tolerance must be above 0, got ",
            tolerance);
    double highest = 0;
    for (const double x : radii) {
        require(x >= 0 && std::isfinite(x), Status::invalid_argument,
                "optics: a radius must be at least 0 m, got ", x);
        highest = std::max(highest, x / (wavelength * detail::slant(optics, x)));
    }
    const detail::CutRings rings = detail::cut_rings(optics, {{wavelength}}, highest, tolerance);
    const auto means = detail::ring_means(optics, rings, wavelength);
    std::vector<std::complex<double>> field;
    for (const double x : radii) {
        const double q = x / (wavelength * detail::slant(optics, x));
        // (r_2 J_1(2 pi q r_2) - ...) / q; pi (r_2^2 - ...) where q vanishes.
        const auto kernel = [q](double r) {
            const double argument = 2 * pi * q * r;
            return argument < 1e-6 ? pi * r * r * (1 - argument * argument / 8) : r * ::j1(argument) / q;
        };
        std::complex<double> sum = 0;
        double inner = kernel(0);
        for (std::size_t i = 0; i < means.size(); ++i) {
            const double outer = kernel(rings.edges[i + 1]);
            sum += means[i] * (outer - inner);
            inner = outer;
        }
        field.push_back(sum * optics.distance / (wavelength * (square(optics.distance) + square(x))));
    }
    return field;
}

double axial_efficiency(const RadialOptics& optics, double wavelength) {
    const double axis = 0;
    const std::complex<double> field = radial_field(optics, wavelength, {&axis, 1}).front();
    const double ideal = pi * square(radius_of(optics)) / (wavelength * optics.distance);
    return std::norm(field) / square(ideal);
}

}  // namespace sonolux
