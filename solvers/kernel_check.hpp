// sonolux/solvers/kernel_check.hpp
//
// Whether a blur kernel is one, and whether it stands the right way round.
//
// For set-up: allocates, and throws Error.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sonolux/core/operators/convolution.hpp>

namespace sonolux {

/// A kernel that all solvers take, and what had to be done to it.
struct NormalisedKernel {
    Array<float> kernel;     ///< [odd, odd], at least 0, of sum 1; its middle tap is its centre
    double sum = 0;          ///< of the taps as they were given
    double removed = 0;      ///< the sum of negative taps, within the tolerance, that became 0
    double mass_row = 0;     ///< the centre of mass, in pixels below
    double mass_column = 0;  ///< and to the right of the centre: deblurring shifts the image by as much
    bool identity = false;   ///< one tap, in the centre: nothing was blurred
    std::vector<std::string> notes;  ///< what was changed or is worth knowing, in sentences; often empty
};

/// Makes a kernel fit for deblurring images of the shape `image` ([..., rows, columns]):
///
///  - divides it by its sum,
///  - sets negative taps to 0 if they are at least -tolerance times the largest (interpolation leaves such),
///  - surrounds it by zeros, or cuts zeros off, until it is as small as it can be with an odd number of rows
///  and
///    columns and with its centre in the middle. The centre is the tap that Convolution takes: the middle
///    one, or of an even number the one after the middle. So a kernel of 4 x 4 becomes 5 x 5 by a row of
///    zeros at the bottom and a column of zeros on the right, unless zeros are there to be cut. With another
///    `centre` the same is done about that tap.
///
/// Throws Error{invalid_argument}, its message beginning with `name` (a file, say), for a kernel that is
/// empty, not [rows, columns], zero everywhere, has a tap that is NaN, infinite or more negative than that,
/// or is larger than the image once zeros are cut off; for a centre outside the kernel; and for a tolerance
/// outside [0, 1].
[[nodiscard]] NormalisedKernel normalise_kernel(View<const float> kernel, const Shape& image,
                                                std::string_view name = "kernel", double tolerance = 0.01,
                                                std::optional<KernelCentre> centre = std::nullopt);

/// How well a blurred image can be explained by a kernel one way round.
struct OrientationFit {
    double residual = 0;   ///< root mean square of k * x - y, for the estimate x below, in the image's units
    double variation = 0;  ///< mean |x[i, j + 1] - x[i, j]| + |x[i + 1, j] - x[i, j]|
    double energy = 0;     ///< residual^2 / 2 + weight variation: what x minimises
};

struct OrientationReport {
    OrientationFit given;       ///< the kernel as it is
    OrientationFit rotated;     ///< the kernel rotated by 180 degrees, as a correlation would take it
    double residual_ratio = 1;  ///< rotated.residual / given.residual: above 1 where the kernel fits as given
    double energy_ratio = 1;    ///< the same of the energies; this one decides
    double significance = 0;    ///< the difference of energies in standard errors; positive for `given`

    /// From 0 to 1: the largest correlation of the kernel with its rotation, over all shifts. A kernel that
    /// is symmetric about any point has 1, and no orientation to find.
    double symmetry = 1;

    /// convolution: as given fits better. correlation: rotated by 180 degrees fits better.
    KernelOrientation better = KernelOrientation::convolution;

    /// Whether that can be relied on: 3 standard errors or more, and energies that differ by 0.2 % or more.
    bool decisive = false;

    /// "as given the kernel leaves a residual of 0.0045, rotated by 180 degrees 0.0051 (ratio 1.14; energy
    /// ratio 1.02, 5.1 standard errors): the kernel stands the right way round".
    [[nodiscard]] std::string sentence() const;
};

/// Which way round a kernel belongs. A kernel that was read as a correlation is rotated by 180 degrees, and
/// deblurring with it gives rubbish (11 dB worse on the images of A. Levin et al., CVPR 2009).
///
/// The residual of an unregularised solution says nothing: |K|^2 is the same both ways, so every
/// least-squares or Wiener estimate has the same spectral energy, residual and prior energy. What differs is
/// whether the phases make sense: the right way round gives sharp edges, the wrong one doubled ones, and only
/// a prior that is not Gaussian sees that. So for both ways round this solves, by 30 iterations of the
/// alternating direction method of multipliers (S. Boyd et al. 2011, Found. Trends Mach. Learn. 3),
///
///     x = argmin 1/2 |k * x - y|^2 + weight sum |D x|_1,    weight = s^(3/2),  s = max(sigma, 1/255),
///
/// that is, the most probable image under a Laplacian prior for gradients, and compares the minima: the
/// negative logarithms of the two posterior densities, up to a common factor and constant. The exponent was
/// chosen on photographs with synthetic blur, where it did best at all noise levels (docs/results.md).
/// Borders are tapered, and pixels closer to the border than the kernel reaches are not counted. The standard
/// error comes from a grid of 8 x 8 blocks.
///
/// `blurred` is [rows, columns] with values in [0, 1] (of a colour image, any one channel, or grey); `kernel`
/// as normalise_kernel leaves it; `sigma` the noise in units of the image. Of a large image the square of at
/// most 512 pixels (or 8 times the kernel) with the largest gradients is taken.
///
/// Throws Error{invalid_argument} for a kernel with even sizes, one that is larger than a quarter of the
/// image in either direction (nothing can be said then), NaN or infinity in either, and a sigma that is
/// negative or not finite.
[[nodiscard]] OrientationReport check_orientation(View<const float> blurred, View<const float> kernel,
                                                  double sigma, Context& context);

}  // namespace sonolux
