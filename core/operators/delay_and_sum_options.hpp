// sonolux/core/operators/delay_and_sum_options.hpp
#pragma once

#include <optional>
#include <vector>

#include <sonolux/core/acoustics/acquisition.hpp>
#include <sonolux/core/acoustics/channel_quality.hpp>

namespace sonolux {

/// How a trace is read between its samples, at position n + f with 0 <= f < 1.
enum class SampleInterpolation {
    nearest,  ///< x[n] or x[n + 1]
    linear,   ///< (1 - f) x[n] + f x[n + 1]
    cubic,    ///< four samples, exact for parabolas (R. Keys, IEEE Trans. ASSP 29, 1981, 1153; a = -1/2)
};

[[nodiscard]] const char* to_string(SampleInterpolation interpolation) noexcept;

/// What the weighted sum over the samples of a pixel is divided by.
enum class ApertureNormalisation {
    none,     ///< nothing: brightness grows with the aperture
    weights,  ///< the sum of the weights of measured samples: the mean echo stays the same at all depths
    energy,   ///< the root of the sum of their squares: the noise stays the same at all depths
};

/// The samples [first, last] of a trace that were measured; none where last < first.
struct MeasuredRange {
    Index first = 0, last = -1;

    friend bool operator==(const MeasuredRange&, const MeasuredRange&) = default;
};

struct DelayAndSumOptions {
    /// Depth over width of the receiving aperture: element e takes part in pixel p where
    ///
    ///     u = 2 f_number |tangential part of p - e| / (its normal part) <= 1
    ///
    /// along the element's own tangent and normal: on a linear array |x_p - x_e| <= z_p / (2 f_number), on a
    /// convex one a cone of arctan(1 / (2 f_number)) around each element's axis. Above 0. Empty: all elements
    /// that have the pixel in front of them.
    std::optional<double> f_number = 1.0;
    ApertureWindow window = ApertureWindow::rectangular;  ///< over u in [-1, 1]
    double taper = 0.5;                                   ///< of Tukey's window: the part that falls off

    /// The same for the ray by which the transmission reaches the pixel, at the place where it leaves the
    /// aperture; across a focused beam u is the distance from its axis in units of its half-width.
    std::optional<double> transmit_f_number;
    ApertureWindow transmit_window = ApertureWindow::rectangular;
    double transmit_taper = 0.5;

    /// Leaves out pixels that the active elements do not send straight to. Focused beams always do.
    bool insonified_only = false;

    SampleInterpolation interpolation = SampleInterpolation::linear;
    ApertureNormalisation normalisation = ApertureNormalisation::weights;

    bool compound = true;                     ///< one image of all transmissions; otherwise one image each
    std::vector<double> compounding_weights;  ///< [transmission], at least 0; empty: all 1

    /// [transmission * elements + element]; empty: everything was measured.
    std::vector<MeasuredRange> measured;
};

/// Throws, naming the option, its value and what was expected, Error{invalid_argument} or, for a list that is
/// not as long as the acquisition needs, Error{size_mismatch}.
void validate(const DelayAndSumOptions& options, const Acquisition& acquisition);

/// The window at u >= 0, 1 at 0 and 0 beyond 1; rectangular 1, Hann 1/2 + 1/2 cos(pi u), Tukey flat up to
/// 1 - taper.
[[nodiscard]] double window_value(ApertureWindow window, double taper, double u) noexcept;

/// The weight of an element in a pixel (f_number, window, taper).
[[nodiscard]] double receive_weight(const DelayAndSumOptions& options, const ArrayElement& element,
                                    Point p) noexcept;

/// The one rule for what of a recording is used, [transmission * elements + element]: of each trace the
/// longest run of samples that are NaN or infinite in no frame. Nothing of a trace is used where
///
///   - its element is dead (channel_quality: no samples, no deviation, or a low level),
///   - it never changes, though its element hears in other transmissions,
///   - it is saturated: more than a tenth of its samples are at its own largest or smallest value, or on a
///     rail of the recording.
[[nodiscard]] std::vector<MeasuredRange> measured_ranges(const ChannelData& data);

/// The same of a recording whose channels are known: `quality` is channel_quality(data).
[[nodiscard]] std::vector<MeasuredRange> measured_ranges(const ChannelData& data,
                                                         const ChannelQuality& quality);

}  // namespace sonolux
