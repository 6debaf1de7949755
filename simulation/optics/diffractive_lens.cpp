// sonolux/simulation/optics/diffractive_lens.cpp
#include <algorithm>
#include <cmath>
#include <numbers>

#include <sonolux/core/error.hpp>
#include <sonolux/core/shape.hpp>
#include <sonolux/simulation/optics/diffractive_lens.hpp>

namespace sonolux {

namespace {

void check_design(const DiffractiveLens& lens) {
    const auto positive = [](const char* what, double value) {
        require(value > 0 && std::isfinite(value), Status::invalid_argument, "lens: ", what,
                " must be above 0 m, got ", value);
    };
    positive("the focal length", lens.focal_length);
    positive("the diameter", lens.diameter);
    positive("the design wavelength", lens.wavelength);
    require(lens.order >= 1 && lens.order <= 1000, Status::invalid_argument,
            "lens: the order must be 1 to 1000, got ", lens.order);
    require(lens.levels == 0 || (lens.levels >= 2 && lens.levels <= 4096), Status::invalid_argument,
            "lens: levels must be 0 (continuous) or 2 to 4096, got ", lens.levels);
    require(lens.ring_width >= 0 && lens.ring_width <= lens.diameter / 2, Status::invalid_argument,
            "lens: the ring width must be 0 or up to the radius, got ", lens.ring_width, " m");
    const double height = full_height(lens);
    require(lens.largest_height <= 0 || height <= lens.largest_height, Status::invalid_argument,
            "lens: a relief of order ", lens.order, " in ", lens.material.name(), " is ", height * 1e6,
            " um high, and at most ", lens.largest_height * 1e6, " um can be made");
    const double radius = lens.diameter / 2;
    const double slope =
        lens.parabolic ? radius / lens.focal_length : radius / std::hypot(radius, lens.focal_length);
    require(slope < lens.order, Status::invalid_argument, "lens: at the edge zones are ",
            lens.order * lens.wavelength / slope * 1e9,
            " nm wide, less than a wavelength: scalar diffraction does not hold");
    require(radius / lens.wavelength < 1e6, Status::invalid_argument, "lens: a diameter of ", lens.diameter,
            " m is too many wavelengths");
}

/// The radius at which the path is s.
double radius_at(const DiffractiveLens& lens, double path) {
    if (lens.parabolic) return std::sqrt(2 * lens.focal_length * path);
    return std::sqrt(path * (path + 2 * lens.focal_length));
}

/// Rings with edges where the design has them: within a zone the path is s from zone m l_0 to (zone + 1) m
/// l_0, and the height falls from full to 0. That a ring is linear in r^2 is exact for a parabolic lens; else
/// the path within a zone differs by (m l_0)^2 / 8 f, a hundred-thousandth of a wavelength.
RadialProfile rings_of_zones(const DiffractiveLens& lens) {
    const int parts = lens.levels > 0 ? lens.levels : 1;
    const double zone_path = lens.order * lens.wavelength, height = full_height(lens);
    const double radius = lens.diameter / 2, end = path_of(lens, radius);
    RadialProfile profile;
    double inner = 0;
    for (Index part = 0; inner < radius; ++part) {
        const Index k = part % parts;
        // From the whole number, so that edges do not drift; the outermost ends at the aperture.
        const double s = static_cast<double>(part + 1) / parts * zone_path;
        const double outer = s < end ? radius_at(lens, s) : radius;
        Ring ring{inner, outer};
        if (lens.levels > 0) {
            ring.inner_height = ring.outer_height =
                height * static_cast<double>(lens.levels - 1 - k) / lens.levels;
        } else {
            ring.inner_height = height;
            ring.outer_height = height * (1 - (std::min(s, end) / zone_path - static_cast<double>(part)));
        }
        if (outer > inner) profile.push_back(ring);
        inner = outer;
    }
    return profile;
}

/// mod(-s, m l_0) / (n - 1), cut to a level where there are levels.
double height_at(const DiffractiveLens& lens, double radius, double height) {
    const double turns = path_of(lens, radius) / (lens.order * lens.wavelength);
    const double fraction = std::ceil(turns) - turns;  // [0, 1)
    if (lens.levels == 0) return height * fraction;
    return height * std::floor(fraction * lens.levels) / lens.levels;
}

std::vector<double> equal_edges(double radius, double width) {
    const double rings = std::ceil(radius / width - 1e-9);
    require(rings >= 1 && rings <= 1e7, Status::invalid_argument, "relief: rings of ", width,
            " m are too many for a radius of ", radius, " m");
    const auto count = static_cast<Index>(rings);
    std::vector<double> edges(static_cast<std::size_t>(count) + 1);
    for (std::size_t i = 0; i < edges.size(); ++i)
        edges[i] = std::min(radius, width * static_cast<double>(i));
    edges.back() = radius;
    return edges;
}

}  // namespace

double full_height(const DiffractiveLens& lens) {
    return lens.order * lens.wavelength / (lens.material.refractive_index(lens.wavelength) - 1);
}

double path_of(const DiffractiveLens& lens, double radius) {
    const double f = lens.focal_length, square = radius * radius;
    if (lens.parabolic) return square / (2 * f);
    return square / (std::sqrt(square + f * f) + f);  // sqrt(r^2 + f^2) - f without its cancellation
}

RadialProfile relief_of(const DiffractiveLens& lens) {
    check_design(lens);
    if (lens.ring_width == 0) return rings_of_zones(lens);
    const double height = full_height(lens);
    const std::vector<double> edges = equal_edges(lens.diameter / 2, lens.ring_width);
    RadialProfile profile;
    for (std::size_t i = 0; i + 1 < edges.size(); ++i) {
        const double h = height_at(lens, (edges[i] + edges[i + 1]) / 2, height);
        profile.push_back({edges[i], edges[i + 1], h, h});
    }
    return profile;
}

RadialProfile relief_of(const std::function<double(double)>& height, double diameter, double ring_width,
                        double largest_height) {
    require(diameter > 0 && ring_width > 0, Status::invalid_argument,
            "relief: the diameter and the ring width must be above 0 m, got ", diameter, " and ", ring_width);
    const std::vector<double> edges = equal_edges(diameter / 2, ring_width);
    RadialProfile profile;
    for (std::size_t i = 0; i + 1 < edges.size(); ++i)
        profile.push_back({edges[i], edges[i + 1], height(edges[i]), height(edges[i + 1])});
    check_profile(profile, largest_height);
    return profile;
}

RadialProfile clear_aperture(double diameter) {
    require(diameter > 0 && std::isfinite(diameter), Status::invalid_argument,
            "aperture: the diameter must be above 0 m, got ", diameter);
    return {Ring{0, diameter / 2, 0, 0}};
}

void check_profile(const RadialProfile& profile, double largest_height) {
    require(!profile.empty(), Status::invalid_argument, "relief: there is no ring");
    const double highest = largest_height > 0 ? largest_height : 1.0;
    double radius = 0;
    for (std::size_t i = 0; i < profile.size(); ++i) {
        const Ring& ring = profile[i];
        require(ring.inner_radius == radius && ring.outer_radius > radius && std::isfinite(ring.outer_radius),
                Status::invalid_argument, "relief: ring ", i, " goes from ", ring.inner_radius, " to ",
                ring.outer_radius, " m, it must begin at ", radius, " m and have a width");
        for (const double height : {ring.inner_height, ring.outer_height})
            require(height >= 0 && height <= highest, Status::invalid_argument, "relief: ring ", i, " is ",
                    height * 1e6, " um high, it must be 0 to ", highest * 1e6, " um");
        require(ring.amplitude >= 0 && ring.amplitude <= 1, Status::invalid_argument, "relief: ring ", i,
                " has the amplitude ", ring.amplitude, ", it must be 0 to 1");
        radius = ring.outer_radius;
    }
}

double order_efficiency(const DiffractiveLens& lens, double wavelength, int k) {
    const double a = lens.order * lens.wavelength * (lens.material.refractive_index(wavelength) - 1) /
                     (wavelength * (lens.material.refractive_index(lens.wavelength) - 1));
    const double x = std::numbers::pi * (a - k);
    if (std::abs(x) < 1e-9) return 1;
    return std::sin(x) * std::sin(x) / (x * x);
}

}  // namespace sonolux
