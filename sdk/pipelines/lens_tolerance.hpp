// sonolux/sdk/pipelines/lens_tolerance.hpp
//
// How well a lens must be made: recovery of photographs by somebody who knows the design, taken through
// lenses as they come out of the process.
#pragma once

#include <string>
#include <vector>

#include <sonolux/core/context.hpp>
#include <sonolux/simulation/optics/camera.hpp>
#include <sonolux/simulation/optics/fabrication.hpp>

namespace sonolux {

/// What one setting of the process gave.
struct TolerancePoint {
    int levels = 0;
    double height_noise = 0;         ///< m
    double mean = 0;                 ///< linear PSNR in dB over draws and scenes
    double lowest = 0, highest = 0;  ///< of the draws
};

struct ToleranceOptions {
    DiffractiveLens lens;  ///< its levels are replaced
    std::vector<int> levels = {4, 8, 16};
    std::vector<double> height_noise = {0, 20e-9, 40e-9, 80e-9};  ///< m, of each ring
    Index draws = 20, scenes = 2;
    Index rows = 128;    ///< of the square scenes: coloured dead leaves
    PsfBankOptions psf;  ///< wavelengths, pixel, size
    Sensor sensor;
    std::uint64_t seed = 1;
};

/// For all pairs of level count and height noise: scenes through `draws` lenses, each recovered by
/// cross-channel LMMSE with the kernels of the design (of that level count) and the spectra of other scenes.
/// Reports progress. Throws Error{invalid_argument} for no draws or scenes and as the optics do,
/// Error{cancelled}.
[[nodiscard]] std::vector<TolerancePoint> lens_tolerance(const ToleranceOptions& options, Context& context);

/// Mean PSNR over height noise in nm, a line for each level count, with the range of the draws: an <svg>.
[[nodiscard]] std::string tolerance_chart(const std::vector<TolerancePoint>& points);

}  // namespace sonolux
