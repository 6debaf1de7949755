// sonolux/simulation/optics/radial_pixels.hpp
//
// Integrals of rotationally symmetric functions over square pixels.
#pragma once

#include <vector>

#include <sonolux/core/view.hpp>

namespace sonolux::detail {

/// Writes the integrals over the pixels of a square image whose pixel [size / 2, size / 2] has the centre of
/// symmetry at its middle, for functions given at radii 0, step, 2 step, ... and cubic in between. One pixel
/// of each eight is integrated; the others are its mirror images.
class RadialPixels {
public:
    /// `points` Gauss-Legendre points along each side of a pixel.
    RadialPixels(Index size, double pixel, double step, int points);

    /// How many samples a function needs.
    [[nodiscard]] Index samples() const noexcept { return samples_; }

    void integrate(const double* samples, View<float> image) const noexcept;

private:
    struct Pixel {
        Index first_sample, first_weight, count;
    };

    Index size_, samples_ = 0;
    std::vector<Pixel> pixels_;  // (a, b), 0 <= b <= a <= size / 2, at a (a + 1) / 2 + b
    std::vector<double> weights_;
};

/// Nodes on [-1, 1] and weights of Gauss and Legendre's rule.
struct GaussLegendre {
    explicit GaussLegendre(int points);
    std::vector<double> nodes, weights;
};

}  // namespace sonolux::detail
