// sonolux/simulation/acoustics/kspace_medium.hpp
//
// A medium as the generators make it, as a full-wave simulation takes it.
#pragma once

#include <sonolux/simulation/acoustics/kspace_setup.hpp>
#include <sonolux/simulation/acoustics/medium.hpp>

namespace sonolux {

/// The same medium: columns along x, rows (depth) along y. Maps are looked at where they are, so `medium`
/// must outlive the result. Without attenuation it is lossless, with y = 2 Stokes's; with B/A it is
/// nonlinear. Throws what validate(medium) throws.
[[nodiscard]] KspaceMedium kspace_medium(const Medium& medium);

/// Its grid, to be stepped through `steps` times. Throws the same.
[[nodiscard]] KspaceGrid kspace_grid(const Medium& medium, double time_step, Index steps);

}  // namespace sonolux
