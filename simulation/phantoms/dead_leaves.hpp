// sonolux/simulation/phantoms/dead_leaves.hpp
//
// Dead leaves: images that have the statistics of photographs, and no author.
#pragma once

#include <array>
#include <vector>

#include <sonolux/core/random.hpp>
#include <sonolux/simulation/streams.hpp>

namespace sonolux {

/// What the leaves look like. Lengths are in pixels; grey values are fractions of the range from black (0) to
/// white (1), and `value_scale` turns them into the units of the image.
///
/// The default resembles photographs that were reduced until they are sharp: textured, shaded, of different
/// contrast. `plain()` is the model of the literature: flat discs of independent grey values.
struct DeadLeavesOptions {
    /// Radii: an image draws its smallest one log-uniformly between the first two; 0.5 <= from <= to <=
    /// largest
    /// <= 1e5. Fine leaves make foliage and gravel, coarse ones walls and fruit.
    double smallest_radius_from = 1, smallest_radius_to = 16, largest_radius = 200;
    int supersampling = 2;  ///< 1, 2 or 4 points per pixel and axis, averaged: soft edges without aliasing

    /// The distribution of grey values: quantiles at equal steps of probability, from 0 to 1, linear in
    /// between. The default is what freely licensed photographs have.
    std::vector<float> grey_quantiles = {0.0f,   0.09f,  0.145f, 0.196f, 0.247f, 0.294f,
                                         0.341f, 0.384f, 0.431f, 0.478f, 0.525f, 0.576f,
                                         0.631f, 0.682f, 0.737f, 0.843f, 1.0f};

    /// An image with contrast c draws a mean grey m, and its leaves m + c (g - m) where g is from the
    /// quantiles. c is uniform between the two.
    double contrast_from = 0.25, contrast_to = 1;

    double rectangle_fraction =
        0.4;  ///< leaves that are rectangles inscribed in their disc, of any aspect and angle
    double gradient_fraction = 0.6;  ///< leaves that grow lighter in some direction
    double sinusoid_fraction = 0.1;  ///< leaves with wavy stripes
    double noise_fraction = 0.8;     ///< leaves with fractal noise; with the stripes at most 1

    /// Standard deviation of stripes and noise, and half the range of a gradient, as fractions of the image's
    /// contrast: log-uniform between the two, for each leaf.
    double texture_from = 0.02, texture_to = 0.3;

    double value_scale = 255;

    [[nodiscard]] static DeadLeavesOptions plain();
};

/// Renders dead-leaves images: opaque leaves fall at random places until nothing of the ground is seen, with
/// radii distributed as
///
///     p(r) ~ r^-3,    smallest <= r <= largest,
///
/// for which the image looks the same at all scales in between: its power spectrum falls about as |f|^-2 and
/// the histogram of its gradients keeps its shape when the image is reduced (A. Lee, D. Mumford, J. Huang,
/// Occlusion models for natural images, Int. J. Comput. Vis. 41, 2001). Leaves are drawn from the top one
/// down and only where nothing lies yet, which is exact and ends (W. Kendall and E. Thonnes, Pattern
/// Recognition 32, 1999, perfect simulation). Only leaves that can touch the image are drawn: their radius is
/// then distributed as p(r) (rows + 2 r)(columns + 2 r), their centre uniform in the image widened by r.
///
/// Image n is a function of the options and of (seed, n) alone, from Philox(seed, streams::dead_leaves, n).
class DeadLeaves {
public:
    /// Throws Error{invalid_argument} naming the option that is outside its range.
    explicit DeadLeaves(const DeadLeavesOptions& options, std::uint64_t seed);

    /// What `render` or `fill` needs for images of this size.
    [[nodiscard]] std::size_t workspace_bytes(Index rows, Index columns,
                                              const Context& context) const noexcept;

    /// Image `sample`, [rows, columns], values in [0, value_scale]. On the calling thread.
    void render(std::uint64_t sample, View<float> image, Context& context) const noexcept;

    /// Image `first_sample + b` into batch[b], [n, rows, columns], on the context's threads.
    void fill(std::uint64_t first_sample, View<float> batch, Context& context) const noexcept;

private:
    struct Leaf;

    void paint(std::uint64_t sample, View<float> image, float* grey, std::int32_t* next) const noexcept;
    [[nodiscard]] double draw_radius(double smallest, double rows, double columns,
                                     Philox& random) const noexcept;
    [[nodiscard]] double draw_grey(Philox& random) const noexcept;
    void draw_appearance(Philox& random, double mean, double contrast, Leaf& leaf) const noexcept;
    [[nodiscard]] float noise_at(const Leaf& leaf, float x, float y) const noexcept;
    [[nodiscard]] float grey_at(const Leaf& leaf, float x, float y) const noexcept;

    DeadLeavesOptions options_;
    std::uint64_t seed_;
    std::vector<Array<float>> fields_;  // fractal noise, periodic
    std::vector<float> sine_;           // one period
};

}  // namespace sonolux
