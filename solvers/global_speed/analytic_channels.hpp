// sonolux/solvers/global_speed/analytic_channels.hpp
//
// The analytic signals of channel data, within a band, read at any time.
#pragma once

#include <complex>
#include <memory>
#include <vector>

#include <sonolux/core/acoustics/acquisition.hpp>
#include <sonolux/core/context.hpp>
#include <sonolux/core/line_fft.hpp>

namespace sonolux {

/// For each channel, in the Fourier domain: the positive frequencies within [low, high], times 2, with flanks
/// that fall as half a cosine from 1 to 0 over a fifth of the band on either side; moved down by the middle
/// of the band; and resampled, if need be, to at least 8 times the whole width, so that reading between
/// samples linearly errs by at most (pi / 8)^2 / 8 = 2 %, at the end of the flanks. Channels are brought to
/// one root mean square. Those that hold NaN or infinity, or are silent (below 1e-3 of the loudest), count as
/// dead, and read as 0.
///
/// Set-up allocates, `run` does not. Of RF only.
class AnalyticChannels {
public:
    using Complex = std::complex<float>;

    /// Frequencies in Hz. Throws Error{unsupported} for demodulated data, Error{invalid_argument} unless
    /// 0 < low < high < half the sampling frequency.
    AnalyticChannels(const Acquisition& acquisition, double low, double high);

    [[nodiscard]] Index elements() const noexcept { return elements_; }
    [[nodiscard]] std::size_t workspace_bytes(const Context& context) const noexcept;

    /// From [element, sample], one transmission of a frame. On the calling thread.
    void run(View<const float> channels, Context& context) noexcept;

    [[nodiscard]] bool dead(Index element) const noexcept {
        return dead_[static_cast<std::size_t>(element)] != 0;
    }
    [[nodiscard]] Index living() const noexcept;

    /// The analytic signal of a channel, `time` s after sample 0; 0 outside the record. Its phase turns with
    /// the middle of the band, which the caller takes back with turn(time).
    [[nodiscard]] Complex operator()(Index element, double time) const noexcept {
        const double place = time * rate_;
        if (!(place >= 0) || !(place < last_)) return {};
        const auto n = static_cast<Index>(place);
        const auto part = static_cast<float>(place - static_cast<double>(n));
        const Complex* s = samples_.data() + element * length_ + n;
        return {s[0].real() + part * (s[1].real() - s[0].real()),
                s[0].imag() + part * (s[1].imag() - s[0].imag())};
    }

    /// 2 pi middle: rad/s by which signals were turned back.
    [[nodiscard]] double turning() const noexcept { return turning_; }

private:
    Index elements_, recorded_, padded_, length_;
    double rate_ = 0, last_ = 0, turning_ = 0;
    Index first_ = 0, middle_ = 0;  // bins: of the band with its flanks, and of its middle
    std::vector<float> weights_;    // [bin - first_]
    std::unique_ptr<ComplexLineFft> forward_, inverse_;
    Array<Complex> samples_;  // [elements, length_]
    std::vector<unsigned char> dead_;
};

}  // namespace sonolux
