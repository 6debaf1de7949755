// sonolux/sdk/pipelines/lens_recipe.hpp
//
// A camera with a diffractive lens, as recipes describe it: lens, point spread functions, light, sensor.
#pragma once

#include <optional>
#include <string>

#include <sonolux/core/context.hpp>
#include <sonolux/core/mosaic.hpp>
#include <sonolux/sdk/files/recipe.hpp>
#include <sonolux/simulation/optics/camera.hpp>

namespace sonolux {

/// What [lens], [psf], [light] and [sensor] say, and what follows from it.
struct LensSystem {
    DiffractiveLens lens;
    double distance = 0;  ///< m, to the sensor
    PsfBank bank;
    CameraResponse response;
    Sensor sensor;                      ///< full_well is the lowest that is drawn
    double most_photons = 0;            ///< electrons: the highest full_well
    std::optional<BayerMosaic> mosaic;  ///< none: all channels at every pixel

    Array<float> white_kernels;  ///< [channels, size, size]: of grey scenes
    Array<float> rgb_kernels;    ///< [channels, 3, size, size]: of linear sRGB lifted to spectra, exactly
    Array<float> rgb_matrix;     ///< [channels, 3]: the same without a lens
};

/// Reads the tables and computes the point spread functions. Relative paths are relative to the working
/// directory. Throws Error naming file, line and key, or what the optics refuse.
[[nodiscard]] LensSystem read_lens_system(RecipeTable& recipe, Context& context);

/// What another bank on the pixels and at the wavelengths of the system's is asked for.
[[nodiscard]] PsfBankOptions bank_options(const LensSystem& system);

/// The kernels of grey scenes for a sensor at another distance (m), as large as the system's. Throws
/// Error{invalid_argument} as make_psf_bank does.
[[nodiscard]] Array<float> white_kernels_at(const LensSystem& system, double distance, Context& context);

/// The middle of each kernel [channels, size, size], at most `size` pixels a side, with the light that goes
/// further in it too: so much of it is there that images keep their brightness.
[[nodiscard]] Array<float> central_kernels(View<const float> kernels, Index size);

/// Folds kernels of 31 lifted bands [channels, 31, size, size] into those of red, green and blue.
[[nodiscard]] Array<float> fold_lifted_bands(View<const float> kernels);

}  // namespace sonolux
