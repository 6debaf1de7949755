// sonolux/core/acoustics/trace_filter.hpp
//
// Filters along the traces of a recording, without delay: band-pass, analytic signal, demodulation.
//
// Traces are continued at both ends by their own point reflection, 2 x[0] - x[n], then filtered by Fourier
// transform; what is near the ends depends on the continuation.
#pragma once

#include <complex>
#include <memory>
#include <vector>

#include <sonolux/core/acoustics/acquisition.hpp>
#include <sonolux/core/context.hpp>
#include <sonolux/core/line_fft.hpp>

namespace sonolux {

/// |H(f)|^2 of digital Butterworth filters of one order n (bilinear transform, W = tan(pi f / fs)): what
/// remains of each frequency when the filter runs forward and back (without delay), 1/2 at the cut-offs.
///
///     low-pass    1 / (1 + (W / W_high)^(2 n))
///     band-pass   1 / (1 + ((W^2 - W_low W_high) / (W (W_high - W_low)))^(2 n))
///
/// (A. Oppenheim, R. Schafer, Discrete-time signal processing, section 7.2.)
[[nodiscard]] double butterworth_low_pass(double frequency, double cut_off, double sampling_frequency,
                                          int order) noexcept;
[[nodiscard]] double butterworth_band_pass(double frequency, double low, double high,
                                           double sampling_frequency, int order) noexcept;

/// What the three filters share: the continuation, the transforms, the threads. Each serves one caller at a
/// time: `apply` works in memory of the filter.
class TraceFilter {
public:
    /// Samples of a trace, and how many a context with that many threads can filter at the same time.
    /// Throws Error{invalid_argument} unless samples is in [2, 2^24], Error{out_of_memory}.
    TraceFilter(Index samples, Index margin, int threads);

    [[nodiscard]] Index samples() const noexcept { return samples_; }

protected:
    using Complex = std::complex<float>;

    /// The frequency of bin k in units of the sampling frequency, in [-1/2, 1/2).
    [[nodiscard]] double bin_frequency(Index bin) const noexcept;
    [[nodiscard]] Index bins() const noexcept { return length_; }

    struct Lane {
        std::unique_ptr<ComplexLineFft> fft;
        Array<Complex> line, spectrum;
    };

    /// Fills lane.line with the trace continued, transforms, multiplies by `response` and transforms back:
    /// sample n is then lane.line[margin + n].
    void filter(const float* trace, const Complex* mixer, const float* response, Lane& lane) const noexcept;

    Index samples_, margin_, length_;
    mutable std::vector<Lane> lanes_;  // one for each thread
};

/// Keeps [low, high] Hz: butterworth_band_pass.
class BandPass final : public TraceFilter {
public:
    /// Throws Error{invalid_argument} naming what is wrong: samples as TraceFilter, 0 < low < high <
    /// sampling_frequency / 2, order in [1, 32].
    BandPass(Index samples, double sampling_frequency, double low, double high, int order, int threads = 1);

    /// Each row of `in`, [..., samples], into the same row of `out`; they may be the same memory. NaN makes
    /// its own trace NaN. Runs on as many threads as the filter was made for, at most.
    void apply(View<const float> in, View<float> out, Context& context) const noexcept;

private:
    Array<float> response_;
};

/// x + i Hilbert(x): twice the positive frequencies.
class AnalyticSignal final : public TraceFilter {
public:
    explicit AnalyticSignal(Index samples, int threads = 1);

    /// Each row of `in`, [..., samples], into the same row of `out`, [..., 2 samples], real and imaginary
    /// part in turn.
    void apply(View<const float> in, View<float> out, Context& context) const noexcept;

private:
    Array<float> response_;
};

struct DemodulationOptions {
    double frequency = 0;  ///< Hz; 0: the centre frequency
    double bandwidth = 0;  ///< Hz, kept around it: cut-offs of the low-pass at half of it. 0: the frequency
                           ///< itself (from 1/2 to 3/2 of it), or what is left of the band if that is less
    int order = 5;         ///< of the low-pass
    Index decimation = 1;  ///< every how manieth sample is kept

    friend bool operator==(const DemodulationOptions&, const DemodulationOptions&) = default;
};

/// RF to IQ: twice the low-pass of x exp(-2 pi i f t), with t counted from time 0 of the transmission
/// (Acquisition). RF that was sampled below twice its frequency (band-pass sampling) is demodulated as well
/// as any, if the band around f does not fold onto its own mirror image.
class Demodulator final : public TraceFilter {
public:
    /// Throws as validate(Acquisition) does, and Error{invalid_argument} for data that are demodulated
    /// already; a frequency outside [1e4, 1e9] Hz; a bandwidth above twice the frequency, above the sampling
    /// frequency left by the decimation, or whose mirror image folds onto it (the message says what is left);
    /// an order outside [1, 32]; a decimation outside [1, 1000].
    Demodulator(const Acquisition& rf, const DemodulationOptions& options = {}, int threads = 1);

    /// Of the demodulated recording.
    [[nodiscard]] const Acquisition& acquisition() const noexcept { return acquisition_; }

    /// One frame of RF, [transmission, element, samples], to one of IQ as ChannelData holds it.
    void apply(View<const float> rf, View<float> iq, Context& context) const noexcept;

private:
    Acquisition acquisition_;
    Index decimation_;
    Array<float> response_;
    Array<Complex> mixers_;  // [transmission, continued sample]
};

/// All frames.
[[nodiscard]] ChannelData demodulate(const ChannelData& rf, const DemodulationOptions& options,
                                     Context& context);

}  // namespace sonolux
