// sonolux/solvers/tracking/phase_tracking.hpp
//
// Tracking by phase: how far the echoes in a window turned between two complex images.
//
// With a the analytic (or demodulated) reference image, b the moved one, and w a Hann window over the samples
// (u, v) around a result:
//
//     R01 = sum w conj(a) b            quality = |R01| / sqrt(sum w |a|^2  sum w |b|^2)
//     displacement = -arg R01 / k      k: by how much the phase of echoes grows from row to row, rad
//
// k is given (of a centre frequency that may fall with depth), or measured where it is needed, from the same
// samples: the two-dimensional autocorrelation of T. Loupas, J. Powers, R. Gill, IEEE Trans. Ultrason. 42,
// 1995, 672,
//
//     k = arg sum w' (conj(a(u, v)) a(u + 1, v) + conj(b(u, v)) b(u + 1, v)) + carrier_step
//
// The phase wraps: displacements are right, and without jumps, below half a period of the echoes, |d| < pi /
// k rows; quality does not tell where they are beyond. Block matching searches further.
//
// Hermitian products do not see a carrier that both images lost alike, so images beamformed from demodulated
// channels work whether the beamformer turned their phase with depth (carrier_step = 0) or not.
#pragma once

#include <complex>
#include <vector>

#include <sonolux/core/context.hpp>
#include <sonolux/solvers/tracking/track_image.hpp>

namespace sonolux {

enum class PhaseFrequency {
    measured,  ///< at every result, from the phase between neighbouring rows (Loupas)
    given,     ///< PhaseTrackingOptions::phase_step
};

struct PhaseTrackingOptions {
    Index window_rows = 41, window_columns = 9;  ///< at least 2 rows
    Index row_step = 1, column_step = 1;
    PhaseFrequency frequency = PhaseFrequency::measured;

    /// Given k at row 0 of the image, in rad per row, and how it changes with each further row; see
    /// phase_step_of. k must be in (0, pi) over the whole image.
    double phase_step = 0, phase_step_slope = 0;

    /// What of k was taken out of the images, in rad per row: 0 where they still turn with depth.
    double carrier_step = 0;

    double minimum_correlation = 0.2;  ///< results of less quality are not valid; 0 to 1

    friend bool operator==(const PhaseTrackingOptions&, const PhaseTrackingOptions&) = default;
};

/// k of a frequency: 2 pi f q row_spacing / c0, with q = c0 dt / dz (delay_of_displacement.hpp; 2 straight
/// below), so that delay_factors makes -arg R01 / (2 pi f) of the displacement. Throws
/// Error{invalid_argument} naming the field unless all are above 0 and k is below pi: rows too far apart for
/// this frequency.
[[nodiscard]] double phase_step_of(double frequency, double row_spacing, double sound_speed, double rate = 2);

/// Tracks images of one size. Set-up allocates; `run` does not.
class PhaseTracker {
public:
    using Complex = std::complex<float>;

    /// Throws Error{invalid_argument} naming the field of the options (see validate(BlockLayout)).
    PhaseTracker(Index rows, Index columns, const PhaseTrackingOptions& options = {});

    [[nodiscard]] const PhaseTrackingOptions& options() const noexcept { return options_; }
    [[nodiscard]] const BlockLayout& layout() const noexcept { return layout_; }
    [[nodiscard]] Shape shape() const noexcept { return layout_.results(rows_, columns_); }
    [[nodiscard]] std::size_t workspace_bytes(const Context& context) const noexcept;

    /// `correlation` is the quality. Not valid are windows that hold NaN or infinity, or no signal; whose
    /// quality is below minimum_correlation; and whose measured k is not in (0, pi), or not within a factor
    /// of 2 of a given one: what is there is no echo of that frequency (a constant image has k = 0).
    ///
    /// Images [rows, columns], rows may be further apart; they must not overlap the results. Same bits for
    /// any number of threads and every instruction set. Returns Status::size_mismatch, and writes nothing,
    /// where images or results are of another size.
    [[nodiscard]] Status run(View<const Complex> reference, View<const Complex> moved, TrackImage tracks,
                             Context& context) const noexcept;

private:
    Index rows_, columns_;
    PhaseTrackingOptions options_;
    BlockLayout layout_;
    std::vector<float> down_, between_, across_;  // weights of rows, of pairs of rows, of columns
};

/// Plans, allocates and runs once. Throws as PhaseTracker, and Error{size_mismatch} for images of different
/// sizes.
[[nodiscard]] Tracks track_phase(View<const std::complex<float>> reference,
                                 View<const std::complex<float>> moved, const PhaseTrackingOptions& options,
                                 Context& context);

}  // namespace sonolux
