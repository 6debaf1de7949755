// sonolux/sdk/pipelines/disc_test.hpp
//
// How much of a disc's contrast a map of the speed of sound shows: 40 simulated recordings of speckle around
// a disc of radius 3.81 mm at x = 0, z = 20 mm, in backgrounds of 1500 and 1490 m/s, with contrasts of -50 to
// 50 m/s in steps of 5 (without 0), through beamforming, tracking and inversion. The maps are those of ETH
// Zurich's code for M. Bernhardt et al. 2020; array, pulse and grid are theirs too (128 elements 0.3 mm
// apart, 5 MHz, four half-cycles, 84 x 64 pixels of 0.6 mm, elements 15, 25, ..., 115 sending).
//
// Recordings are made by the echo domain: travel times by the eikonal equation on a grid of 0.3 mm.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <sonolux/sdk/pipelines/sound_speed.hpp>

namespace sonolux {

struct DiscTestOptions {
    InversionMethod method = InversionMethod::lbfgs;
    /// If not null, recordings are of the transmissions that this model compares, and every method maps the
    /// model's pairs on its grid. InversionMethod::network needs it.
    const Model* model = nullptr;
    double centre_frequency = 5e6;  ///< Hz, of the pulse
    double lambda = 0;              ///< 0: the method's default
    int refine = 2;                 ///< times that images are formed again with the map
    Index first = 0, count = 40;    ///< which of the 40 maps
    std::uint64_t seed = 1;         ///< of the speckle
    int threads = 0;
    std::function<bool(const Progress&)> progress;
};

/// One map. Speeds in m/s.
struct DiscResult {
    double background = 0, contrast = 0;  ///< true
    double found_background = 0;          ///< mean where the distance from the disc's middle is 6 to 10 mm
    double found_contrast = 0;            ///< mean within 3 mm of the middle, less that
    double rmse = 0;                      ///< over the whole map
    double contrast_to_noise = 0;         ///< |contrast| / sqrt(variance inside + variance of the background)
    double valid_share = 0;
    double simulation_seconds = 0, delay_seconds = 0, inversion_seconds = 0, total_seconds = 0;
    std::string error;  ///< why there is no map, if there is none
};

/// Same results for any number of threads, but for the seconds. Throws Error{invalid_argument} for maps
/// outside 0 to 39, a frequency outside 0.5 to 15 MHz, a network without a model, and a model that compares
/// what no element of the array sends, and Error{cancelled} once the progress callback has returned false.
[[nodiscard]] std::vector<DiscResult> run_disc_test(const DiscTestOptions& options);

struct DiscSummary {
    double median_rmse = 0, median_contrast_to_noise = 0;
    double slope = 0;  ///< of found over true contrast, by least squares through 0
    Index maps = 0;    ///< that there are
};
[[nodiscard]] DiscSummary summary_of(const std::vector<DiscResult>& results);

/// Found over true contrast, one series for each background, and the identity: an <svg> element.
[[nodiscard]] std::string draw_disc_test(const std::vector<DiscResult>& results);

}  // namespace sonolux
