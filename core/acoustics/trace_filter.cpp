// sonolux/core/acoustics/trace_filter.cpp
#include <sonolux/core/acoustics/trace_filter.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace sonolux {

namespace {

constexpr auto invalid = Status::invalid_argument;
constexpr Index most_samples = Index{1} << 24;

/// The next length that is a product of 2, 3 and 5.
Index fast_length(Index length) {
    for (;; ++length) {
        Index rest = length;
        for (const Index factor : {2, 3, 5})
            while (rest % factor == 0) rest /= factor;
        if (rest == 1) return length;
    }
}

void require_order(const char* who, int order) {
    require(order >= 1 && order <= 32, invalid, who, ": order must be between 1 and 32, got ", order);
}

/// How far a filter of this bandwidth rings, in samples: what the continuation must hold. 0 for a filter that
/// is none, which is refused afterwards.
Index ringing(double bandwidth, double sampling_frequency, int order) {
    const double samples = 4.0 * order * sampling_frequency / bandwidth;
    return samples > 0 ? static_cast<Index>(std::ceil(std::min(samples, 1e6))) : 0;
}

/// Runs body(lane, trace) for every trace, each lane its own run of them.
template <class Lanes, class Body>
void for_each_trace(Lanes& lanes, Index traces, Context& context, const Body& body) noexcept {
    const auto count = static_cast<Index>(lanes.size());
    parallel_for(context, count, [&](Index item, int) {
        for (Index i = item * traces / count; i < (item + 1) * traces / count; ++i)
            body(lanes[static_cast<std::size_t>(item)], i);
    });
}

}  // namespace

double butterworth_low_pass(double frequency, double cut_off, double sampling_frequency, int order) noexcept {
    const double warp = std::numbers::pi / sampling_frequency;
    return 1 / (1 + std::pow(std::tan(warp * std::abs(frequency)) / std::tan(warp * cut_off), 2 * order));
}

double butterworth_band_pass(double frequency, double low, double high, double sampling_frequency,
                             int order) noexcept {
    const double warp = std::numbers::pi / sampling_frequency;
    const double w = std::tan(warp * std::abs(frequency));
    const double from = std::tan(warp * low), to = std::tan(warp * high);
    if (w == 0) return 0;
    return 1 / (1 + std::pow((w * w - from * to) / (w * (to - from)), 2 * order));
}

TraceFilter::TraceFilter(Index samples, Index margin, int threads) : samples_(samples) {
    require(samples >= 2 && samples <= most_samples, invalid, "trace filter: samples must be between 2 and ",
            most_samples, ", got ", samples);
    require(threads >= 1 && threads <= 1024, invalid,
            "trace filter: threads must be between 1 and 1024, got ", threads);
    margin_ = std::min(margin, samples - 1);
    length_ = fast_length(samples + 2 * margin_);
    for (int i = 0; i < threads; ++i)
        lanes_.push_back(
            {make_complex_line_fft(length_), Array<Complex>({length_}), Array<Complex>({length_})});
}

double TraceFilter::bin_frequency(Index bin) const noexcept {
    return static_cast<double>(2 * bin < length_ ? bin : bin - length_) / static_cast<double>(length_);
}

void TraceFilter::filter(const float* trace, const Complex* mixer, const float* response,
                         Lane& lane) const noexcept {
    Complex* const line = lane.line.data();
    for (Index n = 0; n < margin_; ++n) line[n] = 2 * trace[0] - trace[margin_ - n];
    for (Index n = 0; n < samples_; ++n) line[margin_ + n] = trace[n];
    Complex* const after = line + margin_ + samples_;
    const float last = trace[samples_ - 1];
    for (Index n = 0; n < margin_; ++n) after[n] = 2 * last - trace[samples_ - 2 - n];
    std::fill(after + margin_, line + length_, Complex{});
    if (mixer != nullptr)
        for (Index n = 0; n < samples_ + 2 * margin_; ++n) line[n] = line[n].real() * mixer[n];
    lane.fft->forward(line, lane.spectrum.data());
    for (Index k = 0; k < length_; ++k) lane.spectrum.data()[k] *= response[k];
    lane.fft->inverse(lane.spectrum.data(), line);
}

BandPass::BandPass(Index samples, double sampling_frequency, double low, double high, int order, int threads)
    : TraceFilter(samples, ringing(high - low, sampling_frequency, order), threads) {
    require_order("band-pass", order);
    require(low > 0 && low < high && high < sampling_frequency / 2, invalid,
            "band-pass: it must be 0 < low < high < sampling_frequency / 2, got ", low, ", ", high, " and ",
            sampling_frequency / 2, " Hz");
    response_ = Array<float>({length_});
    for (Index k = 0; k < length_; ++k)
        response_.data()[k] = static_cast<float>(butterworth_band_pass(bin_frequency(k) * sampling_frequency,
                                                                       low, high, sampling_frequency, order) /
                                                 static_cast<double>(length_));
}

void BandPass::apply(View<const float> in, View<float> out, Context& context) const noexcept {
    for_each_trace(lanes_, in.elements() / samples_, context, [&](Lane& lane, Index i) {
        filter(in.data() + i * samples_, nullptr, response_.data(), lane);
        for (Index n = 0; n < samples_; ++n)
            out.data()[i * samples_ + n] = lane.line.data()[margin_ + n].real();
    });
}

AnalyticSignal::AnalyticSignal(Index samples, int threads)
    : TraceFilter(samples, samples - 1, threads), response_({length_}) {
    for (Index k = 0; k < length_; ++k) {
        const double positive = k == 0 || 2 * k == length_ ? 1 : 2 * k < length_ ? 2 : 0;
        response_.data()[k] = static_cast<float>(positive / static_cast<double>(length_));
    }
}

void AnalyticSignal::apply(View<const float> in, View<float> out, Context& context) const noexcept {
    for_each_trace(lanes_, in.elements() / samples_, context, [&](Lane& lane, Index i) {
        filter(in.data() + i * samples_, nullptr, response_.data(), lane);
        float* const pairs = out.data() + 2 * i * samples_;
        for (Index n = 0; n < samples_; ++n) {
            pairs[2 * n] = lane.line.data()[margin_ + n].real();
            pairs[2 * n + 1] = lane.line.data()[margin_ + n].imag();
        }
    });
}

namespace {

/// How far the mirror image of the band is from it once the band is at 0.
double mirror_distance(double frequency, double sampling_frequency) {
    return std::abs(std::remainder(2 * frequency, sampling_frequency));
}

/// The options with everything chosen, or an error.
DemodulationOptions resolved(const Acquisition& rf, DemodulationOptions options) {
    const char* const who = "demodulation";
    validate(rf, who);
    require(!rf.demodulated(), invalid, who, ": the data are demodulated already, at ",
            rf.demodulation_frequency, " Hz");
    require_order(who, options.order);
    require(options.decimation >= 1 && options.decimation <= 1000, invalid, who,
            ": decimation must be between 1 and 1000, got ", options.decimation);
    if (options.frequency == 0) options.frequency = rf.centre_frequency;
    require(options.frequency >= 1e4 && options.frequency <= 1e9, invalid, who,
            ": frequency must be between 1e4 and 1e9 Hz, got ", options.frequency);
    const double kept = rf.sampling_frequency / static_cast<double>(options.decimation);
    const double free =
        std::min({2 * options.frequency, mirror_distance(options.frequency, rf.sampling_frequency), kept});
    if (options.bandwidth == 0) options.bandwidth = std::min(options.frequency, free);
    require(options.bandwidth > 0 && options.bandwidth <= free, invalid, who,
            ": bandwidth must be above 0 and at most ", free, " Hz at ", options.frequency, " Hz sampled at ",
            rf.sampling_frequency, " Hz, got ", options.bandwidth, " Hz");
    return options;
}

}  // namespace

Demodulator::Demodulator(const Acquisition& rf, const DemodulationOptions& given, int threads)
    : TraceFilter(rf.samples, ringing(resolved(rf, given).bandwidth, rf.sampling_frequency, given.order),
                  threads),
      acquisition_(rf),
      decimation_(given.decimation),
      response_({length_}),
      mixers_({rf.sent(), length_}) {
    const DemodulationOptions options = resolved(rf, given);
    acquisition_.demodulation_frequency = options.frequency;
    acquisition_.sampling_frequency = rf.sampling_frequency / static_cast<double>(decimation_);
    acquisition_.samples = (rf.samples + decimation_ - 1) / decimation_;
    for (Index k = 0; k < length_; ++k)
        response_.data()[k] = static_cast<float>(
            2 *
            butterworth_low_pass(bin_frequency(k) * rf.sampling_frequency, options.bandwidth / 2,
                                 rf.sampling_frequency, options.order) /
            static_cast<double>(length_));
    for (Index k = 0; k < rf.sent(); ++k)
        for (Index n = 0; n < length_; ++n) {
            const double t = rf.start_times[static_cast<std::size_t>(k)] +
                             static_cast<double>(n - margin_) / rf.sampling_frequency;
            const double turns = options.frequency * t;
            mixers_(k, n) = Complex(std::polar(1.0, -2 * std::numbers::pi * (turns - std::floor(turns))));
        }
}

void Demodulator::apply(View<const float> rf, View<float> iq, Context& context) const noexcept {
    const Index elements = acquisition_.array.size(), kept = acquisition_.samples;
    for_each_trace(lanes_, acquisition_.sent() * elements, context, [&](Lane& lane, Index i) {
        filter(rf.data() + i * samples_, mixers_.data() + i / elements * length_, response_.data(), lane);
        float* const pairs = iq.data() + 2 * i * kept;
        for (Index n = 0; n < kept; ++n) {
            pairs[2 * n] = lane.line.data()[margin_ + n * decimation_].real();
            pairs[2 * n + 1] = lane.line.data()[margin_ + n * decimation_].imag();
        }
    });
}

ChannelData demodulate(const ChannelData& rf, const DemodulationOptions& options, Context& context) {
    validate(rf, "demodulation");
    const Demodulator demodulator(rf.acquisition, options, context.threads());
    const Acquisition& a = demodulator.acquisition();
    ChannelData iq{a, Array<float>({rf.frames(), a.sent(), a.array.size(), 2 * a.samples})};
    for (Index f = 0; f < rf.frames(); ++f) demodulator.apply(rf.frame(f), iq.values.view()[f], context);
    return iq;
}

}  // namespace sonolux
