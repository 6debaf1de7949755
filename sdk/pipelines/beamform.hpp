// sonolux/sdk/pipelines/beamform.hpp
//
// From a recording to B-mode images: demodulation, delay and sum, envelope, decibels.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <sonolux/core/acoustics/trace_filter.hpp>
#include <sonolux/core/operators/delay_and_sum.hpp>
#include <sonolux/sdk/files/canvas.hpp>
#include <sonolux/sdk/files/speed_map_file.hpp>

namespace sonolux {

/// The part of the image plane to show, m; what is left out is chosen by the recording.
struct ImageExtent {
    std::optional<double> left, right, top, bottom;
    std::optional<double> row_spacing, column_spacing;
};

/// The grid of a recording's image: by default from the first to the last echo that it can hold under the
/// middle of the array, and across all of the array; a quarter of a wavelength down, and half of the pitch
/// (at most half a wavelength) across. Throws Error{invalid_argument} for an extent that is upside down, lies
/// outside of the recording, or has more than 2^26 pixels.
[[nodiscard]] ImageGrid image_grid_for(const Acquisition& acquisition, const ImageExtent& extent,
                                       double sound_speed);

struct BeamformOptions {
    std::optional<double> sound_speed;  ///< m/s; empty: that of the recording
    const SpeedMap* map = nullptr;      ///< takes the place of the speed in all delays
    ImageExtent extent;
    DemodulationOptions demodulation;  ///< of RF
    DelayAndSumOptions delay_and_sum;  ///< of which `measured` is found out (measured_traces)
};

/// A recording, ready to be beamformed frame after frame: after the constructor nothing allocates.
class Beamformer {
public:
    /// `data` is needed for what was measured of its traces, now; frames are given to `run`. Throws as all of
    /// its parts do, and Error{invalid_argument} where neither file nor options say a sound speed, or fewer
    /// than half of the traces were measured.
    Beamformer(const ChannelData& data, const BeamformOptions& options, Context& context);

    [[nodiscard]] const ImageGrid& grid() const noexcept { return grid_; }
    [[nodiscard]] double sound_speed() const noexcept { return sound_speed_; }
    [[nodiscard]] const DelayAndSum& delay_and_sum() const noexcept { return *operator_; }

    /// What a reader should know of the recording: MeasuredTraces::remark.
    [[nodiscard]] const std::string& remark() const noexcept { return remark_; }

    /// One frame, as ChannelData::frame has it (RF), or [transmission, element, 2 samples] (IQ), to complex
    /// pixels: the range of delay_and_sum().
    void run(View<const float> frame, View<float> pixels, Context& context) noexcept;

private:
    ImageGrid grid_;
    double sound_speed_ = 0;
    std::vector<MeasuredRange> measured_;
    std::unique_ptr<Demodulator> demodulator_;
    std::unique_ptr<DelayAndSum> operator_;
    Array<float> filled_, iq_;
    std::string remark_;
};

/// Complex pixels [rows, columns, 2] to decibels below `reference`, [rows, columns]; NaN where `coverage` is
/// 0.
[[nodiscard]] Array<float> b_mode(View<const float> pixels, View<const float> coverage, double reference,
                                  double dynamic_range);

/// The image with axes in mm and a colour bar in dB. `title` and `caption` stand above it.
[[nodiscard]] Canvas draw_b_mode(View<const float> decibels, const ImageGrid& grid, double dynamic_range,
                                 const std::string& title, const std::string& caption);

}  // namespace sonolux
