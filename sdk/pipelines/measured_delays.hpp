// sonolux/sdk/pipelines/measured_delays.hpp
//
// Delays of pairs of transmissions from channel data, at the speed that the data themselves ask for.
//
// Images formed with a wrong speed correlate less and put echoes in wrong places (pair_delays.hpp). The
// delays tell which uniform speed they fit, so images are formed again with that, until it stays.
#pragma once

#include <memory>

#include <sonolux/sdk/files/recipe.hpp>
#include <sonolux/solvers/tracking/pair_delays.hpp>

namespace sonolux {

struct MeasuredDelaysOptions {
    PairDelaysOptions pairs;  ///< its sound_speed is where the search begins

    bool find_speed = true;
    double tolerance = 2;  ///< m/s: the search ends where the speed changes by less
    int most_rounds = 4;   ///< of forming images and tracking, at least 1
    double lowest_speed = 1300, highest_speed = 1750;  ///< m/s: what a search may end at

    /// m/s; other than 0: images are formed once more, with a speed that is wrong by so much. Studies of what
    /// that does ask for it, never a scanner.
    double speed_error = 0;
};

struct MeasuredDelays {
    std::unique_ptr<PairDelays> plan;  ///< of the last round; made for more frames of the same tissue
    PairDelaysFrame frame;
    int rounds = 0;
    /// Whether the speed stayed within the tolerance; false where most_rounds ended the search, which is no
    /// error: images were formed with a speed that the delays would still change.
    bool settled = true;
};

/// Measures one frame, rf [transmission, element, sample]. Reserves the workspace that it needs.
///
/// Throws as PairDelays does, Error{invalid_argument} for a tolerance not above 0 or most_rounds below 1,
/// Error of the context's status where it is cancelled or late, and Error{corrupt_data} where the speed that
/// the delays ask for is outside lowest_speed and highest_speed: another geometry, or no echoes.
[[nodiscard]] MeasuredDelays measure_delays(const Acquisition& acquisition, View<const float> rf,
                                            const ImageGrid& map, const MeasuredDelaysOptions& options,
                                            Context& context);

/// Pairs for an acquisition that nobody chose pairs for. Elements and virtual sources: each with the one
/// whose distance to its right is nearest to ten pitches, if that is within half and twice of it. Plane
/// waves: each with the one whose angle is larger by the nearest to 5 degrees, within the same bounds. Throws
/// Error{invalid_argument} where there is no such pair, and for mixed or focused transmissions.
[[nodiscard]] std::vector<std::pair<Index, Index>> default_pairs(const Acquisition& acquisition);

/// The table [delays] of a recipe: pairs by the numbers of `sent` transmissions, counted from 1, speed,
/// f-numbers and margins.
[[nodiscard]] MeasuredDelaysOptions read_measured_delays(RecipeTable& recipe, Index sent, double sound_speed);

}  // namespace sonolux
