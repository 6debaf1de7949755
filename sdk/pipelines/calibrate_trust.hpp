// sonolux/sdk/pipelines/calibrate_trust.hpp
//
// Fits what a model says of how far its maps are to be trusted (sdk/runtime/map_trust.hpp) to frames whose
// truth is known, and measures how far that is right on frames that it was not fitted to.
#pragma once

#include <span>
#include <vector>

#include <sonolux/core/context.hpp>
#include <sonolux/sdk/runtime/map_trust.hpp>

namespace sonolux {

/// A frame that a network has mapped, with its errors.
struct TrustFrame {
    Array<float> features;  ///< [trust_pixel_features, rows, columns]
    Array<float> errors;    ///< [rows, columns]: map less truth, m/s
    FrameFeatures frame;
    bool of_score = true;  ///< whether the score counts on it: nothing was taken from it or added to it
    Index group = 0;       ///< frames of one group are held out together
};

/// Of errors and the deviations that are stated for them.
struct Reliability {
    std::vector<double> stated, covered;  ///< shares of errors within z(share) deviations, 0.1 to 0.95
    std::vector<double> by_frame;         ///< covered at 0.9 in each frame
    double at_90 = 0;

    /// Mean over the deciles of stated deviation of |log(rms error / stated)|: whether it is large where
    /// errors are.
    double spread = 0;
    std::vector<double> decile_stated, decile_rms;  ///< m/s
};

/// `deviations` and `errors` frame by frame.
[[nodiscard]] Reliability reliability_of(std::span<const Array<float>> deviations,
                                         std::span<const Array<float>> errors);

struct TrustFit {
    TrustCalibration calibration;  ///< of all frames
    Reliability held_out;          ///< of frames by fits to the others, after the common scale was fitted
    std::vector<double> held_out_scores;  ///< of the frames that count for the score
};

/// Cross-validated over `folds` parts of the groups (group % folds). Throws Error{invalid_argument} for fewer
/// than 8 groups that count for the score.
[[nodiscard]] TrustFit fit_trust(std::span<const TrustFrame> frames, Index folds = 8);

/// The area under the ROC curve of telling `bad` from `good`: the share of pairs whose good one has the
/// larger score, ties one half.
[[nodiscard]] double roc_area(std::span<const double> good, std::span<const double> bad);

/// How many deviations hold this share of normal errors.
[[nodiscard]] double normal_interval(double share);

}  // namespace sonolux
