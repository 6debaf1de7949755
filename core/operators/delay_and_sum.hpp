// sonolux/core/operators/delay_and_sum.hpp
//
// Images from channel data: the sum over elements of what each recorded when the echo of a pixel reached it.
#pragma once

#include <cstdint>
#include <memory>

#include <sonolux/core/acoustics/focusing_delays.hpp>
#include <sonolux/core/linear_operator.hpp>
#include <sonolux/core/operators/delay_and_sum_options.hpp>

namespace sonolux {

struct DelayAndSumTables;

/// Delay and sum:
///
///     image[k, p] = 1 / N[k, p] sum over elements e of   w[e, p] m[k, p] x[k, e](t)
///     t = transmit(k, p) + receive(e, p) - focusing_start(k),  in samples t * sampling_frequency
///
/// with the times of FocusingDelays, the weights w of the receiving and m of the transmitting aperture, N the
/// normalisation (DelayAndSumOptions), and x read between samples by the chosen interpolation. Compounded,
/// sum and N run over transmissions as well, with their weights. The recording's start, peak and lens times
/// are taken account of (Acquisition::focusing_start).
///
/// Demodulated data, x = (analytic signal) exp(-2 pi i f t), are turned back by exp(+2 pi i f t) at the time
/// t (on the clock of x) from which they are taken, so that the image is that of the analytic signal.
///
/// A sample takes part where all samples that its interpolation reads are in the record and were measured;
/// others count as not measured, neither in the sum nor in N. A pixel without any sample is 0, and has
/// coverage 0. NaN inside the measured range of a trace makes those pixels NaN that read it.
///
/// Domain [transmission, element, sample] as ChannelData::frame, of demodulated data [transmission, element,
/// 2 samples]; range [rows, columns] or [transmission, rows, columns], of demodulated data with a last
/// dimension of 2, real and imaginary part.
///
/// Sample positions are whole numbers of 2^-b samples, where b = 30 - log2 of the largest position, rounded
/// up (18 for records of 4096 samples), at most 23: an error of 2^-b at most; weights (and the cosine and
/// sine that turn phases) are 16-bit numbers, to 2^-16. The same bits for any number of threads, and on AVX2,
/// AVX-512 and NEON.
class DelayAndSum final : public LinearOperator {
public:
    /// Works out the tables, on the context's threads: 6 bytes for each pixel and element whose weight is not
    /// 0 (8 for demodulated data), 4 to 16 for each pixel and transmission. The times may go afterwards.
    ///
    /// Throws as validate does, Error{size_mismatch} where delays and acquisition do not belong together,
    /// Error{invalid_argument} where no pixel of the grid has an echo in the recording, saying when echoes
    /// would arrive and what was recorded.
    DelayAndSum(const Acquisition& acquisition, const FocusingDelays& delays,
                const DelayAndSumOptions& options, Context& context);
    ~DelayAndSum() override;
    DelayAndSum(DelayAndSum&&) noexcept;
    DelayAndSum& operator=(DelayAndSum&&) noexcept;

    [[nodiscard]] Shape domain() const noexcept override;
    [[nodiscard]] Shape range() const noexcept override;
    [[nodiscard]] std::size_t workspace_bytes(const Context& context) const noexcept override;

    void apply(View<const float> x, View<float> image, Context& context) const noexcept override;
    void adjoint(View<const float> image, View<float> x, Context& context) const noexcept override;

    /// The images of many frames, each with the bits that `apply` gives: `x` is [frames, transmission,
    /// element, sample] as ChannelData::values, `images` [frames, numbers of the range]. Faster than frame
    /// after frame from some six frames on, because what is looked up in a table then serves up to 64 frames
    /// (32 of demodulated data), whose samples lie side by side. The workspace must hold
    /// frames_workspace_bytes.
    void apply_frames(View<const float> x, View<float> images, Context& context) const noexcept;
    [[nodiscard]] std::size_t frames_workspace_bytes(const Context& context) const noexcept;

    /// How much of each pixel was measured, [rows, columns] or [transmission, rows, columns] in [0, 1]: the
    /// part of its weights whose samples are in the record. 0: the pixel is not known.
    [[nodiscard]] View<const float> coverage() const noexcept;

    /// What the tables take.
    [[nodiscard]] std::size_t memory_bytes() const noexcept;

    /// Samples that one image sums up: pixels x elements x transmissions, as far as weights are not 0.
    [[nodiscard]] Index points() const noexcept;

    /// For its forms on other devices (delay_and_sum_cuda.hpp).
    [[nodiscard]] const DelayAndSumTables& tables() const noexcept { return *tables_; }

private:
    std::unique_ptr<const DelayAndSumTables> tables_;
};

/// The definition as plain loops in double precision. `image` has the operator's range.
void delay_and_sum_reference(const Acquisition& acquisition, const FocusingDelays& delays,
                             const DelayAndSumOptions& options, View<const float> x, View<float> image);

}  // namespace sonolux
