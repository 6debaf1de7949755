// sonolux/simulation/optics/fabrication.hpp
//
// Lenses as they come from the process: levels that are not equally deep, rough surfaces, masks out of place.
//
// A relief of 2^B levels is etched with B masks, of which mask b takes 2^b steps away (G. Swanson 1989, MIT
// Lincoln Laboratory Technical Report 854). Each etching may be too deep or too shallow by a part of itself,
// and each mask lie beside its place.
#pragma once

#include <sonolux/core/random.hpp>
#include <sonolux/simulation/optics/height_map.hpp>

namespace sonolux {

/// Standard deviations of normal errors; drawn anew for each lens that is made.
struct FabricationErrors {
    double height_noise = 0;  ///< m, of each ring, or of each cell of a map
    double depth_scale = 0;   ///< of the whole relief, relative
    double etch_depth =
        0;                ///< of each mask's etching, relative; needs a number of levels that is a power of 2
    double centring = 0;  ///< m, of each mask in x and y; maps only, as etch_depth
};

/// A lens as it was made, symmetric. Lens number `sample` is a function of the design, the errors and
/// (seed, sample), from Philox(seed, streams::fabrication, sample). Heights below 0 are cut off.
/// Throws Error{invalid_argument} for errors below 0, a centring error (no more symmetric), an etch depth
/// error of a lens without masks, and as relief_of does.
[[nodiscard]] RadialProfile fabricate(const DiffractiveLens& lens, const FabricationErrors& errors,
                                      std::uint64_t seed, std::uint64_t sample);

/// The same on cells, with masks out of centre.
[[nodiscard]] HeightMap fabricate(const DiffractiveLens& lens, const FabricationErrors& errors, double pitch,
                                  std::uint64_t seed, std::uint64_t sample);

}  // namespace sonolux
