// solvers/tracking/pair_delays.hpp
//
// From one frame of channel data to delays between transmissions: what sound-speed reconstruction measures.
//
//     images        each transmission beamformed by itself with one assumed speed c0, all elements' RF
//     tracks        for each pair (first, second): how far the echoes of `first` lie below those of `second`
//     delays        displacement to time, averaged over the pixels of the map of slowness, corrected for the
//                   echoes' wrong places, plus what the assumed speed accounts for
//
// so that    delays[m, p] = T_first(p) - T_second(p) = (L slowness)[m, p]    with T the times of the
// transmitted waves to p along straight rays below the array, and L the travel-time operator of `geometry`.
// The way back to the receivers is the same for both and cancels.
//
// After M. Bernhardt et al. 2020 (Med. Image Comput.; defaults are those of their published code). The
// conversion is that of delay_of_displacement.hpp, with the mean receive rate of the elements that take part
// (dead ones, of which no trace was measured, do not).
// What that leaves out is that echoes are seen in wrong places where c0 is wrong. With D the deviation of
// slowness from 1 / c0, uniform, n the direction of a transmitted wave at p, and (u, -w) that of an element
// at distance r, the image of a transmission shows at p the echo of a scatterer at p - c0 D (g_x, g_z):
//
//     g_x = g_z cov(u, w) / var(u) - cov(u, r) / var(u)          coherence over the receiving elements
//     g_z (n_z + <w>) = tx + <r> - g_x (n_x - <u>)               the time of the echo
//
// in means and covariances over the elements that take part. The displacement is then that of (L 1 - B) D,
// not of (L 1) D, with
//
//     B = g . (n_first - n_second),      g the mean of both transmissions
//
// (for g_x = 0, straight below the middle of a whole aperture, the second line of delay_of_displacement.hpp).
// D is fitted to the displacements and B D added: exact to first order in a uniform medium, where it takes
// errors of 10 ns at a deviation of 20 m/s down to 1 ns; elsewhere the mean deviation is taken for all.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include <sonolux/core/operators/delay_and_sum.hpp>
#include <sonolux/core/operators/path_geometry.hpp>
#include <sonolux/solvers/tracking/block_matching.hpp>

namespace sonolux {

struct PairDelaysOptions {
    /// Numbers of transmissions: delays are those of the first minus those of the second.
    std::vector<std::pair<Index, Index>> pairs;

    double sound_speed = 1500;  ///< c0, m/s

    /// Of the images; 0: an eighth of the array's pitch down, half of it across.
    double row_spacing = 0, column_spacing = 0;

    /// Interpolation, window, receive f-number and what was measured; images are never compounded.
    DelayAndSumOptions beamforming = {};

    /// Blocks of 6.0 x 1.35 mm for a pitch of 0.3 mm. A search of 0 rows stands for half a period of the
    /// echoes, beyond which the next period correlates as well as the right one.
    BlockMatchingOptions tracking = {.search = 0, .row_step = 4, .column_step = 2};

    /// A pixel is measured by a pair where it is within this f-number of both transmissions and not within
    /// the margins.
    double transmit_f_number = 0.5;
    MaskMargins margins = {};

    /// The part of the tracker's results in a pixel of the map that must be valid.
    double valid_share = 0.5;
};

/// What one frame gives. Allocated by PairDelays::make_frame, overwritten by run.
struct PairDelaysFrame {
    Array<float> images;        ///< [transmission, rows, columns] of image_grid()
    Array<float> displacement;  ///< [pair, rows, columns] of track_grid(), in rows of the images
    Array<float> correlation;   ///< the same
    Array<float> valid;         ///< the same: 1 or 0
    Array<float> delays;        ///< [pair, rows, columns] of the map, s; NaN where not measured
    Array<float> quality;       ///< the same: mean correlation of the valid results, 0 where there is none
    double valid_share = 0;     ///< of the pixels that the geometry lets pairs see
    double uniform_speed = 0;   ///< m/s: c0, corrected by the uniform deviation that fits the displacements
};

/// Measures delays of frames of one acquisition. Set-up allocates; `run` does not.
class PairDelays {
public:
    /// `map` is the grid of the slowness that is to be reconstructed.
    ///
    /// Throws Error{invalid_argument} naming the field: no pairs, a pair of a transmission that there is not
    /// or of one with itself, focused beams (whose rays are not the first arrivals), demodulated data, values
    /// out of range, and as DelayAndSum and BlockMatcher do.
    PairDelays(const Acquisition& acquisition, const ImageGrid& map, const PairDelaysOptions& options,
               Context& context);

    /// The same with images that are formed with other delays than those of c0: `focusing`, on the grid that
    /// image_grid_for gives, with the times of a medium whose slowness is `slowness` on the map, [rows,
    /// columns], s/m. Echoes are then where they belong as far as that is right, and `delays` are L slowness
    /// plus what is still measured. Throws also Error{size_mismatch} for another grid.
    PairDelays(const Acquisition& acquisition, const ImageGrid& map, const PairDelaysOptions& options,
               const FocusingDelays& focusing, View<const float> slowness, Context& context);

    /// What images will be formed on.
    [[nodiscard]] static ImageGrid image_grid_for(const Acquisition& acquisition, const ImageGrid& map,
                                                  const PairDelaysOptions& options);

    [[nodiscard]] const PairDelaysOptions& options() const noexcept { return options_; }
    [[nodiscard]] const ImageGrid& image_grid() const noexcept { return image_; }
    [[nodiscard]] ImageGrid track_grid() const { return matcher_.layout().grid(image_); }

    /// Of the operator that these delays belong to: its map and points are `map`, its measurements the pairs.
    [[nodiscard]] const PathGeometry& geometry() const noexcept { return geometry_; }

    /// [pair, rows, columns] of the map: 1 where a pair may measure (f-number, margins, some element that
    /// takes part), else 0.
    [[nodiscard]] View<const float> mask() const noexcept { return mask_.view(); }

    /// [pair, rows, columns]: L applied to 1 / c0, or to the slowness that the images were formed with, in s:
    /// what `delays` are where nothing moves between images.
    [[nodiscard]] View<const float> assumed_delays() const noexcept { return assumed_.view(); }

    /// The same of L 1, in m.
    [[nodiscard]] View<const float> lengths() const noexcept { return lengths_.view(); }

    [[nodiscard]] PairDelaysFrame make_frame() const;
    [[nodiscard]] std::size_t workspace_bytes(const Context& context) const noexcept;

    /// `rf` is [transmission, element, sample] of the acquisition (ChannelData::frame). Same bits for any
    /// number of threads. Returns Status::size_mismatch for other sizes, cancelled or deadline_exceeded
    /// where the context says so between images, pairs and delays.
    [[nodiscard]] Status run(View<const float> rf, PairDelaysFrame& frame, Context& context) const noexcept;

private:
    PairDelays(const Acquisition& acquisition, const ImageGrid& map, PairDelaysOptions checked,
               const ImageGrid& image, const FocusingDelays& focusing, View<const float> slowness,
               Context& context);

    /// The tracker's results [first, last) along one axis that lie in a row or column of the map.
    struct Range {
        Index first = 0, last = 0;
    };
    static Range results_in(double low, double high, double first, double spacing, Index count) noexcept;
    void average(Index pair, PairDelaysFrame& frame) const noexcept;
    void place(PairDelaysFrame& frame) const noexcept;

    PairDelaysOptions options_;
    ImageGrid map_, image_;
    DelayAndSum beamformer_;
    BlockMatcher matcher_;
    PathGeometry geometry_;
    Array<float> mask_, assumed_;
    Array<float> lengths_;       // L 1, m
    Array<float> misplacement_;  // B, m, of the pixels of the map
    Array<float> factors_;       // [pair, rows, columns] of the tracks, s per row
    std::vector<Range> rows_, columns_;
};

}  // namespace sonolux
