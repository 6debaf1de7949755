// sonolux/solvers/global_speed/analytic_channels.cpp
#include <algorithm>
#include <cmath>
#include <numbers>

#include <sonolux/solvers/global_speed/analytic_channels.hpp>

namespace sonolux {

namespace {

constexpr double flank = 0.2;  // of the band, on either side
constexpr double fewest_samples_per_width = 8;
constexpr float silence = 1e-3f;

/// The next length that every backend transforms fast.
Index quick_length(Index length) {
    for (;; ++length) {
        Index rest = length;
        for (Index p : {2, 3, 5})
            while (rest % p == 0) rest /= p;
        if (rest == 1) return length;
    }
}

}  // namespace

AnalyticChannels::AnalyticChannels(const Acquisition& acquisition, double low, double high)
    : elements_(acquisition.array.size()), recorded_(acquisition.samples) {
    require(!acquisition.demodulated(), Status::unsupported,
            "analytic channels: need RF, these data are demodulated with ",
            acquisition.demodulation_frequency, " Hz");
    const double fs = acquisition.sampling_frequency;
    require(low > 0 && low < high && high < fs / 2, Status::invalid_argument,
            "analytic channels: the band must lie between 0 and half the sampling frequency, ", fs / 2,
            " Hz; got ", low, " to ", high, " Hz");
    // Room for the band's impulse response, so that the end of a record does not reach its beginning.
    padded_ = quick_length(recorded_ + std::max<Index>(64, recorded_ / 16));
    const double bin = fs / static_cast<double>(padded_), width = high - low;
    const double least = std::max(bin, low - flank * width),
                 most = std::min(fs / 2 - bin, high + flank * width);
    first_ = static_cast<Index>(std::ceil(least / bin));
    const auto last = static_cast<Index>(std::floor(most / bin));
    require(last > first_ + 2, Status::invalid_argument, "analytic channels: ", recorded_,
            " samples are too few to tell a band of ", width, " Hz");
    for (Index k = first_; k <= last; ++k) {
        const double f = static_cast<double>(k) * bin;
        const double outside = std::max({0.0, low - f, f - high}) / (flank * width);
        weights_.push_back(static_cast<float>((1 + std::cos(std::numbers::pi * std::min(outside, 1.0))) /
                                              static_cast<double>(padded_)));
    }
    middle_ = (first_ + last) / 2;
    const double needed = fewest_samples_per_width * static_cast<double>(last - first_) * bin;
    const auto factor = std::max<Index>(1, static_cast<Index>(std::ceil(needed / fs)));
    length_ = padded_ * factor;
    rate_ = fs * static_cast<double>(factor);
    turning_ = 2 * std::numbers::pi * static_cast<double>(middle_) * bin;
    last_ = static_cast<double>((recorded_ - 1) * factor);
    forward_ = make_complex_line_fft(padded_);
    inverse_ = make_complex_line_fft(length_);
    samples_ = Array<Complex>({elements_, length_});
    dead_.assign(static_cast<std::size_t>(elements_), 0);
}

std::size_t AnalyticChannels::workspace_bytes(const Context&) const noexcept {
    return 2 * Workspace::bytes<Complex>(padded_) + 2 * Workspace::bytes<Complex>(length_) +
           Workspace::bytes<float>(elements_);
}

Index AnalyticChannels::living() const noexcept {
    return elements_ - static_cast<Index>(std::count(dead_.begin(), dead_.end(), 1));
}

void AnalyticChannels::run(View<const float> channels, Context& context) noexcept {
    Scratch scratch(context.workspace());
    Complex* in = scratch.take<Complex>(padded_);
    Complex* spectrum = scratch.take<Complex>(padded_);
    Complex* moved = scratch.take<Complex>(length_);
    Complex* out = scratch.take<Complex>(length_);
    float* loudness = scratch.take<float>(elements_);
    for (Index e = 0; e < elements_; ++e) {
        const float* trace = channels.row(e);
        bool finite = true;
        for (Index n = 0; n < recorded_; ++n) {
            finite = finite && std::isfinite(trace[n]);
            in[n] = trace[n];
        }
        Complex* signal = samples_.data() + e * length_;
        loudness[e] = 0;
        if (!finite) {
            std::fill_n(signal, length_, Complex{});
            continue;
        }
        std::fill_n(in + recorded_, padded_ - recorded_, Complex{});
        forward_->forward(in, spectrum);
        std::fill_n(moved, length_, Complex{});
        for (std::size_t k = 0; k < weights_.size(); ++k) {
            const Index to = first_ + static_cast<Index>(k) - middle_;
            moved[to < 0 ? to + length_ : to] = weights_[k] * spectrum[first_ + static_cast<Index>(k)];
        }
        inverse_->inverse(moved, out);
        double energy = 0;
        for (Index n = 0; n < length_; ++n) energy += static_cast<double>(std::norm(out[n]));
        loudness[e] = static_cast<float>(std::sqrt(energy / static_cast<double>(length_)));
        std::copy_n(out, length_, signal);
    }
    const float loudest = *std::max_element(loudness, loudness + elements_);
    for (Index e = 0; e < elements_; ++e) {
        const bool dead = !(loudness[e] > silence * loudest);
        dead_[static_cast<std::size_t>(e)] = dead;
        const float gain = dead ? 0.0f : 1 / loudness[e];
        Complex* signal = samples_.data() + e * length_;
        for (Index n = 0; n < length_; ++n) signal[n] = {gain * signal[n].real(), gain * signal[n].imag()};
    }
}

}  // namespace sonolux
