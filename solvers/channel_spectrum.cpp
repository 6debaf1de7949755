// sonolux/solvers/channel_spectrum.cpp
#include <algorithm>
#include <cmath>
#include <complex>

#include <sonolux/core/array.hpp>
#include <sonolux/core/error.hpp>
#include <sonolux/core/fft.hpp>
#include <sonolux/solvers/channel_spectrum.hpp>

namespace sonolux {

namespace {

constexpr double lowest = 1.0 / 4096, highest = 0.7072;  // cycles per pixel

/// Of a frequency, in bins: 0 to bins - 1.
double place_of(double frequency) noexcept {
    const double place = std::log(frequency / lowest) / std::log(highest / lowest);
    return std::clamp(place, 0.0, 1.0) * static_cast<double>(ChannelSpectrum::bins - 1);
}

double frequency_of(Index bin) noexcept {
    return lowest * std::pow(highest / lowest,
                             static_cast<double>(bin) / static_cast<double>(ChannelSpectrum::bins - 1));
}

}  // namespace

double bin_frequency(Index k, Index l, Index rows, Index columns) noexcept {
    const double down = static_cast<double>(std::min(k, rows - k)) / static_cast<double>(rows);
    const double right = static_cast<double>(l) / static_cast<double>(columns);
    return std::hypot(down, right);
}

ChannelSpectrum::ChannelSpectrum(Index channels) : channels_(channels) {
    require(channels >= 1 && channels <= most_channels, Status::invalid_argument,
            "channel spectrum: channels must be 1 to ", most_channels, ", got ", channels);
    power_.resize(static_cast<std::size_t>(bins * channels * channels));
}

ChannelSpectrum::ChannelSpectrum(Index channels, std::span<const float> table) : ChannelSpectrum(channels) {
    require(table.size() == power_.size(), Status::size_mismatch, "channel spectrum: a table of ", channels,
            " channels has ", power_.size(), " numbers, got ", table.size());
    for (std::size_t n = 0; n < table.size(); ++n) {
        require(std::isfinite(table[n]), Status::invalid_argument, "channel spectrum: number ", n,
                " of the table is not finite");
        power_[n] = double{table[n]};
    }
}

ChannelSpectrum ChannelSpectrum::inverse_square(std::span<const double> power) {
    ChannelSpectrum spectrum = constant(power);
    const Index square = spectrum.channels_ * spectrum.channels_;
    for (Index n = 0; n < bins * square; ++n)
        spectrum.power_[static_cast<std::size_t>(n)] /= std::pow(frequency_of(n / square), 2);
    return spectrum;
}

ChannelSpectrum ChannelSpectrum::constant(std::span<const double> power) {
    const auto channels = static_cast<Index>(power.size());
    ChannelSpectrum spectrum(channels);
    for (Index b = 0; b < bins; ++b)
        for (Index c = 0; c < channels; ++c)
            spectrum.power_[static_cast<std::size_t>((b * channels + c) * channels + c)] =
                power[static_cast<std::size_t>(c)];
    return spectrum;
}

ChannelSpectrum ChannelSpectrum::diagonal() const {
    ChannelSpectrum result = *this;
    for (Index n = 0; n < bins * channels_ * channels_; ++n)
        if (n / channels_ % channels_ != n % channels_) result.power_[static_cast<std::size_t>(n)] = 0;
    return result;
}

ChannelSpectrum ChannelSpectrum::inverse() const {
    ChannelSpectrum result(channels_);
    const auto n = static_cast<std::size_t>(channels_);
    std::vector<double> m(n * n), inverse(n * n);
    for (std::size_t bin = 0; bin < static_cast<std::size_t>(bins); ++bin) {
        const auto from = power_.begin() + static_cast<std::ptrdiff_t>(bin * n * n);
        double trace = 0;
        for (std::size_t c = 0; c < n; ++c) trace += from[static_cast<std::ptrdiff_t>(c * n + c)];
        double ridge = 0;
        // Gauss and Jordan without pivots: definite matrices need none.
        for (bool definite = false; !definite;) {
            std::copy_n(from, n * n, m.begin());
            for (std::size_t c = 0; c < n; ++c) m[c * n + c] += ridge;
            std::fill(inverse.begin(), inverse.end(), 0.0);
            for (std::size_t c = 0; c < n; ++c) inverse[c * n + c] = 1;
            definite = true;
            for (std::size_t p = 0; p < n && definite; ++p) {
                const double pivot = m[p * n + p];
                definite = pivot > 1e-9 * trace;
                if (!definite) break;
                for (std::size_t k = 0; k < n; ++k) m[p * n + k] /= pivot, inverse[p * n + k] /= pivot;
                for (std::size_t i = 0; i < n; ++i) {
                    const double factor = m[i * n + p];
                    if (i == p || factor == 0) continue;
                    for (std::size_t k = 0; k < n; ++k) {
                        m[i * n + k] -= factor * m[p * n + k];
                        inverse[i * n + k] -= factor * inverse[p * n + k];
                    }
                }
            }
            ridge = ridge > 0 ? 10 * ridge : trace > 0 ? 1e-6 * trace : 1e-6;
        }
        std::copy(inverse.begin(), inverse.end(),
                  result.power_.begin() + static_cast<std::ptrdiff_t>(bin * n * n));
    }
    return result;
}

void ChannelSpectrum::at(double frequency, double* power) const noexcept {
    const double place = place_of(frequency);
    const auto bin = std::min(static_cast<Index>(place), bins - 2);
    const double t = place - static_cast<double>(bin);
    const Index square = channels_ * channels_;
    const double* a = power_.data() + bin * square;
    for (Index n = 0; n < square; ++n) power[n] = a[n] + t * (a[n + square] - a[n]);
}

ChannelSpectrumEstimate::ChannelSpectrumEstimate(Index channels)
    : sum_(channels), count_(static_cast<std::size_t>(ChannelSpectrum::bins)) {}

void ChannelSpectrumEstimate::add(View<const float> image) {
    const Index channels = sum_.channels();
    require(image.rank() == 3 && image.size(0) == channels, Status::size_mismatch,
            "channel spectrum: an image must be [", channels, ", rows, columns], got ",
            to_string(image.shape()));
    require(image.rows() >= 8 && image.columns() >= 8, Status::invalid_argument,
            "channel spectrum: an image must be at least 8 x 8 pixels, got ", to_string(image.shape()));
    const auto fft = make_real_fft2(image.rows(), image.columns());
    const Shape bins = fft->spectrum_shape();
    Array<RealFft2::Complex> spectra({channels, bins[0], bins[1]});
    for (Index c = 0; c < channels; ++c) fft->forward(image[c], spectra.view()[c]);
    const double pixels = static_cast<double>(image.rows() * image.columns());
    for (Index k = 0; k < bins[0]; ++k)
        for (Index l = k == 0 ? 1 : 0; l < bins[1]; ++l) {
            // Columns but two stand for their mirror images too.
            const double weight = l == 0 || 2 * l == image.columns() ? 1 : 2;
            const auto bin = std::lround(place_of(bin_frequency(k, l, image.rows(), image.columns())));
            count_[static_cast<std::size_t>(bin)] += weight;
            for (Index a = 0; a < channels; ++a)
                for (Index b = 0; b < channels; ++b)
                    sum_.power_[static_cast<std::size_t>((bin * channels + a) * channels + b)] +=
                        weight / pixels *
                        (std::complex<double>(spectra(a, k, l)) *
                         std::conj(std::complex<double>(spectra(b, k, l))))
                            .real();
        }
}

ChannelSpectrum ChannelSpectrumEstimate::spectrum() const {
    ChannelSpectrum result = sum_;
    const Index square = sum_.channels() * sum_.channels();
    Index first = 0;
    while (first < ChannelSpectrum::bins && count_[static_cast<std::size_t>(first)] == 0) ++first;
    require(first < ChannelSpectrum::bins, Status::invalid_argument, "channel spectrum: no image was added");
    for (Index bin = 0; bin < ChannelSpectrum::bins; ++bin)
        for (Index n = 0; n < square; ++n) {
            double& power = result.power_[static_cast<std::size_t>(bin * square + n)];
            const double count = count_[static_cast<std::size_t>(bin)];
            if (count > 0)
                power /= count;
            else if (bin > first)
                power = result.power_[static_cast<std::size_t>((bin - 1) * square + n)];
        }
    for (Index n = 0; n < first * square; ++n)
        result.power_[static_cast<std::size_t>(n)] =
            result.power_[static_cast<std::size_t>(first * square + n % square)];
    return result;
}

}  // namespace sonolux
