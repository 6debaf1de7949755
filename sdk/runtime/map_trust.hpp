// sonolux/sdk/runtime/map_trust.hpp
//
// How far a map of the speed of sound is to be trusted: a standard deviation for each pixel, and one score of
// the frame. Both are small functions of what the frame itself shows, calibrated on frames whose truth is
// known and carried by the model file; they cost a fraction of what the network does.
//
//     deviation    s(p) = exp(b . f(p))           f: pixel features below
//     score        1 / (1 + max(D / limit, N)^2)  D = |W h(g - centre)|, g: frame features below
//                                                 N = (g_2 + 2 g_3 - noise_centre) / noise_limit
//
// b minimises sum log s + |error| / s over calibration frames, which is convex, and is then moved so that
// intervals of 1.645 s hold 90 % of the errors: a deviation in the sense of intervals, since errors of maps
// are not normal. W whitens the frame features of calibration frames and limit is where 95 % of those lie
// within, so a score below 1/2 says: not like the frames that this model was calibrated on, of this probe and
// of tissue. That is learned from good frames alone; no kind of bad ones is assumed. h takes for 0 what is no
// fault: more delays than usual. N looks for what noise is, much that is unexplained and nothing that is
// explained: 0 is the median of good frames and 95 % of them are below 1. On its own D spreads that over
// eleven directions.
//
// Pixel features, in this order ("near": mean over 7 x 7 pixels):
//
//     0  1                                              7  log(0.05 + share of measurements near p)
//     1  log(1 + unexplained rms of the frame, ns)      8  log(0.05 + share measured from p downwards)
//     2  log(1 + rms of map less uniform speed, m/s)    9  depth, 0 to 1
//     3  log(1 + |map - start| near p, m/s)            10  depth squared
//     4  log(1 + |map - start| of the frame, m/s)      11  (distance from the middle / half the width)^2
//     5  log(1 + unexplained rms near p, ns)           12  log(1 + |map - uniform speed| near p, m/s)
//     6  log(1 + |gradient| of the map near p, m/s a pixel)
//
// start: the coarse inverse of a network that has one, else the best uniform speed. Frame features:
//
//     0  best uniform speed / 100 m/s
//     1  share of the trusted delays that was measured
//     2  log of the unexplained rms, ns
//     3  log: that over what a uniform speed leaves
//     4  log: rms of differences between neighbours' residuals, over that of the residual
//     5  log: largest rms of one measurement over that of all
//     6  log(1 + rms of map less uniform speed, m/s)
//     7  log(1 + mean |map - start|, m/s)
//     8  log: rms of measurements' mean residuals, over the same
//     9  log: rms of differences between residuals 4 columns apart, over the same
//    10  correlation between the residuals of one measurement and of the next
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include <sonolux/core/workspace.hpp>
#include <sonolux/sdk/runtime/json.hpp>

namespace sonolux {

inline constexpr Index trust_pixel_features = 13, trust_frame_features = 11;

/// What a model file says under "trust":
///
///     {"deviation": [13 numbers], "centre": [11 numbers],
///      "whitener": [121 numbers, row by row], "limit": 3.9,
///      "noise_centre": 1.8, "noise_limit": 1.5, "protocol": "how it was calibrated"}
struct TrustCalibration {
    std::array<double, trust_pixel_features> deviation{};  ///< b
    std::array<double, trust_frame_features> centre{};
    std::array<double, trust_frame_features * trust_frame_features> whitener{};  ///< W
    double limit = 1;                                                            ///< above 0
    double noise_centre = 0, noise_limit = 1;                                    ///< the latter above 0
    std::string protocol;

    friend bool operator==(const TrustCalibration&, const TrustCalibration&) = default;
};

[[nodiscard]] Json to_json(const TrustCalibration& calibration);

/// Throws Error{corrupt_data} naming the field, the value and what was expected.
[[nodiscard]] TrustCalibration trust_calibration_from_json(const JsonField& json);

/// A frame that a network has mapped.
struct TrustInput {
    View<const float> speed, start;  ///< [rows, columns], m/s
    View<const float> residual;      ///< [measurement, rows, columns], s; anything where counts are 0
    View<const float> counts;        ///< the same: 1 where a delay counted
    double uniform_speed = 0;        ///< m/s
    double deviation = 0;            ///< s, root mean square of what that leaves unexplained
    double measured = 0;             ///< share of the trusted delays
};

struct FrameFeatures {
    std::array<double, trust_frame_features> values{};
    double unexplained = 0;  ///< s, root mean square of the residual
};

/// Of the frame; and of its pixels where `pixels` is not empty, [trust_pixel_features, rows, columns].
[[nodiscard]] FrameFeatures trust_features(const TrustInput& frame, View<float> pixels,
                                           Workspace& workspace) noexcept;
[[nodiscard]] std::size_t trust_features_bytes(Index rows, Index columns) noexcept;

/// s of each pixel, m/s: at least 0.01 and at most 10,000.
void trust_deviation(const TrustCalibration& calibration, View<const float> pixels,
                     View<float> deviation) noexcept;

/// D and N of a frame, and the score of them: from 0 to 1.
struct FrameDistance {
    double from_frames = 0, towards_noise = 0;
};
[[nodiscard]] FrameDistance trust_distance(const TrustCalibration& calibration,
                                           const FrameFeatures& frame) noexcept;
[[nodiscard]] double trust_score(const TrustCalibration& calibration, const FrameDistance& distance) noexcept;

/// g_2 + 2 g_3.
[[nodiscard]] inline double noise_likeness(const FrameFeatures& frame) noexcept {
    return frame.values[2] + 2 * frame.values[3];
}

}  // namespace sonolux
