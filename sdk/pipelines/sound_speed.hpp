// sonolux/sdk/pipelines/sound_speed.hpp
//
// A map of the speed of sound from channel data: band-pass, one image for each transmission, tracking between
// pairs of them, delays, and an inversion, classical or learned. Everything between is there to look at.
#pragma once

#include <limits>
#include <memory>
#include <string>

#include <sonolux/core/acoustics/trace_filter.hpp>
#include <sonolux/sdk/files/canvas.hpp>
#include <sonolux/sdk/pipelines/measured_delays.hpp>
#include <sonolux/sdk/runtime/sound_speed_reconstructor.hpp>
#include <sonolux/solvers/classical/tikhonov.hpp>
#include <sonolux/solvers/classical/travel_time_lbfgs.hpp>

namespace sonolux {

enum class InversionMethod { lbfgs, tikhonov, network };

struct SoundSpeedPipelineOptions {
    /// Of the map. No rows: that of default_map.
    ImageGrid map = {};

    /// Pairs (none: default_pairs), the speed that images are formed with (0: the recording's, or 1540 m/s),
    /// and how it is found. Its beamforming.measured says which samples may be used (measured_traces): others
    /// take no part in images, and do not ring through the filter.
    MeasuredDelaysOptions delays = {};

    /// Half the width of the zero-phase band-pass (Butterworth, order 9) around the centre frequency,
    /// relative to it; 0: no filter. As far as half the sampling frequency allows.
    double half_band = 0.6;

    InversionMethod method = InversionMethod::lbfgs;
    /// Weights that are empty become density_weights. Three times the weight that suits ideal delays: those
    /// of echoes err by more than noise.
    TravelTimeLbfgsOptions lbfgs = {.lambda = 0.05};
    TikhonovOptions tikhonov = {};

    /// Of InversionMethod::network: a model of a kind that maps the speed of sound. Its geometry says the
    /// map, the pairs and what of them is looked at, and takes the place of those above.
    const Model* model = nullptr;

    /// Classical inversions count on where images show echoes (core/operators/echo_path_integral.hpp), of
    /// about so many receiving elements; 0: on rays to where echoes should be.
    Index receiving_elements = 16;

    /// Frames with a smaller part of what pairs could measure are refused.
    double least_valid_share = 0.2;
};

/// Square pixels of two pitches, down to 50 mm below the middle of the array, or to what the recording
/// reaches at `sound_speed`. Under a linear array as wide as it is, from its depth on. Under a convex one
/// from its highest element on, and as wide as the sector that its outermost elements face, at the lowest
/// row. Throws Error{invalid_argument} for fewer than 8 elements.
[[nodiscard]] ImageGrid default_map(const Acquisition& acquisition, double sound_speed);

/// z of the highest element, m: 0 for linear arrays at z = 0, above (negative) for convex ones.
[[nodiscard]] double highest_element(const TransducerArray& array) noexcept;

/// What one frame gives. Allocated by SoundSpeedPipeline::make_frame, overwritten by run.
struct SoundSpeedFrame {
    PairDelaysFrame delays;
    Array<float>
        sound_speed;         ///< [rows, columns] of the map, m/s; NaN where no ray of any pair comes through
    Array<float> residual;   ///< [pair, rows, columns]: measured delays less those of the map, s; NaN where
                             ///< not measured
    Array<float> deviation;  ///< [rows, columns], m/s: of the map's errors, 90 % within 1.645 of it; NaN
                             ///< where the map is, and everywhere but from a calibrated network
    double score = std::numeric_limits<double>::quiet_NaN();  ///< of such a network: MapTrust::score
    InversionRecord record;
    Array<float> slowness;  ///< [rows, columns], s/m, as inverted: everywhere
    double filter_seconds = 0, delay_seconds = 0, inversion_seconds = 0;
};

/// Which transmissions are the sources of a model's pairs: the same place to 1 um, or the same angle to 1e-5
/// rad. Throws Error{invalid_argument} naming the source that nothing sends from.
[[nodiscard]] std::vector<std::pair<Index, Index>> pairs_of(const TravelTimeProblem& problem,
                                                            const Acquisition& acquisition);

/// A recording's geometry made ready for its frames: after the constructor nothing allocates.
class SoundSpeedPipeline {
public:
    /// Finds the speed to form images with in `first`, [transmission, element, sample], if the options say
    /// so.
    ///
    /// Throws as validate(Acquisition), PairDelays, measure_delays and the inversions do, and
    /// Error{invalid_argument} for a map, a band or a share out of range.
    SoundSpeedPipeline(const Acquisition& acquisition, View<const float> first,
                       SoundSpeedPipelineOptions options, Context& context);

    [[nodiscard]] const SoundSpeedPipelineOptions& options() const noexcept { return options_; }
    [[nodiscard]] const Acquisition& acquisition() const noexcept { return acquisition_; }
    [[nodiscard]] const PairDelays& measurement() const noexcept { return *measurement_; }
    [[nodiscard]] const ImageGrid& map() const noexcept { return options_.map; }

    /// How often the images were formed until their speed stayed.
    [[nodiscard]] int rounds() const noexcept { return rounds_; }

    /// Whether it stayed; false where delays.most_rounds ended the search first.
    [[nodiscard]] bool settled() const noexcept { return settled_; }

    [[nodiscard]] SoundSpeedFrame make_frame() const;

    /// Status::corrupt_data where fewer of the delays could be measured than least_valid_share, or the
    /// inversion finds them implausible; frame.delays then says what was measured, and map and residual are
    /// NaN. Otherwise as PairDelays::run and TravelTimeInverter::run: cancelled or past its deadline, an
    /// inversion by L-BFGS leaves the map as far as it had come.
    [[nodiscard]] Status run(View<const float> rf, SoundSpeedFrame& frame, Context& context) noexcept;

    /// Forms the images of the frame that was run last with its map instead of one speed, by the eikonal
    /// equation, and from now on measures what is left. What `frame` holds is then better known: echoes
    /// behind an inclusion are looked for where they are. For one frame at a time, since it takes seconds and
    /// allocates. Run again after it.
    void refine(const SoundSpeedFrame& frame, Context& context);

    /// The images of the frame that was run last, [transmission, rows, columns] of
    /// measurement().image_grid(), formed with its map by the eikonal equation: the B-mode corrected for what
    /// the tissue does to waves. As refine, but what is measured from now on stays as it was. Takes seconds
    /// and allocates.
    [[nodiscard]] Array<float> corrected_images(const SoundSpeedFrame& frame, Context& context) const;

    /// Throws what a refusal by `run` means, in words. Allocates.
    void explain(Status status, const SoundSpeedFrame& frame) const;

private:
    /// The band that is looked at, of one frame, into filtered_.
    void filter(View<const float> rf, Context& context) noexcept;
    void reserve(Context& context) const;
    /// Delays of the images in the medium of a frame's map.
    [[nodiscard]] FocusingDelays focusing(const SoundSpeedFrame& frame, Context& context) const;
    /// What delays of echoes are less by where a slowness is that of the images: (E - L) slowness.
    void set_shift(View<const float> slowness, Context& context);
    [[nodiscard]] Status invert(SoundSpeedFrame& frame, Context& context) noexcept;
    [[nodiscard]] Status run_network(SoundSpeedFrame& frame) noexcept;

    SoundSpeedPipelineOptions options_;
    Acquisition acquisition_;
    std::unique_ptr<BandPass> band_pass_;
    Array<float> filtered_;
    Array<float> seen_;  // [rows, columns] of the map: how much ray there is, m
    std::unique_ptr<PairDelays> measurement_;
    OperatorPointer path_;  // of the inversion: E, or L
    Array<float> shift_,
        uniform_shift_;       // [pair, rows, columns]: (E - L) of what the images were formed with; m, of 1
    Array<float> to_invert_;  // delays as E has them of the map's slowness
    std::unique_ptr<TravelTimeInverter> inverter_;  // null with a network
    std::unique_ptr<SoundSpeedReconstructor> network_;
    std::unique_ptr<Context>
        alone_;  // of the inversion: maps are small, and threads would wait for each other
    int rounds_ = 0;
    bool settled_ = true;
};

/// "lbfgs" or "tikhonov". Throws Error{invalid_argument} naming both for another.
[[nodiscard]] InversionMethod inversion_method_from_string(const std::string& name);

/// The envelope of the sum of images [transmission, rows, columns], in dB below its largest value: [rows,
/// columns].
[[nodiscard]] Array<float> compounded_b_mode(View<const float> images, Context& context);

/// B-mode beside the map in m/s. `truth` (optional, of the map's grid) is drawn before the map; a frame's
/// deviation, if there is one, and the B-mode of `corrected` images (optional) after it.
[[nodiscard]] Canvas draw_sound_speed(const SoundSpeedPipeline& pipeline, const SoundSpeedFrame& frame,
                                      const std::string& title, Context& context,
                                      View<const float> truth = {}, View<const float> corrected = {});

/// For each pair of transmissions the measured delays less those of the best uniform speed, and below them
/// what the map leaves unexplained: both in ns and of one colour scale.
[[nodiscard]] Canvas draw_pair_delays(const SoundSpeedPipeline& pipeline, const SoundSpeedFrame& frame,
                                      const std::string& title);

}  // namespace sonolux
