// sonolux/simulation/phantoms/fractal_noise.hpp
//
// Random fields without a scale of their own: clouds, bark, sand.
#pragma once

#include <sonolux/core/array.hpp>
#include <sonolux/core/random.hpp>

namespace sonolux {

/// A periodic Gaussian random field [size, size] of mean 0 and variance 1 whose power spectrum falls as
/// |f|^-exponent up to about 1/5 cycle per pixel, and is flat above: white for 0, like most natural textures
/// between 1 and 3.
///
/// A sum of octaves, each white noise on a lattice of spacing 2^k pixels continued by cubic B-splines, which
/// fills the frequencies below about 2^-k / 4 evenly. Their spectral densities 4^k A_k^2 telescope:
///
///     A_0^2 = 1,    4^k A_k^2 = 2^(k exponent) - 2^((k - 1) exponent)
///
/// so that the octaves that reach up to f = 2^-K / 4 add up to 2^(K exponent).
///
/// Throws Error{invalid_argument} unless size is a power of two of at least 8 and 0 <= exponent <= 4.
[[nodiscard]] Array<float> make_fractal_noise(Index size, double exponent, Philox random);

}  // namespace sonolux
