// sonolux/solvers/classical/channel_lmmse.cpp
#include <algorithm>
#include <cmath>

#include <Eigen/Cholesky>
#include <Eigen/Dense>

#include <sonolux/core/parallel_rows.hpp>
#include <sonolux/solvers/classical/channel_lmmse.hpp>

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

double radius(Index k, Index l, Index rows, Index columns) noexcept {
    const double down = static_cast<double>(std::min(k, rows - k)) / static_cast<double>(rows);
    const double right = static_cast<double>(l) / static_cast<double>(columns);
    return std::hypot(down, right);
}

// Nothing allocates up to this size.
using Matrix = Eigen::Matrix<std::complex<double>, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor,
                             ChannelSpectrum::most_channels, ChannelSpectrum::most_channels>;
using Vector = Eigen::Matrix<std::complex<double>, Eigen::Dynamic, 1, Eigen::ColMajor,
                             ChannelSpectrum::most_channels, 1>;

}  // namespace

ChannelSpectrum::ChannelSpectrum(Index channels) : channels_(channels) {
    require(channels >= 1 && channels <= most_channels, Status::invalid_argument,
            "channel spectrum: channels must be 1 to ", most_channels, ", got ", channels);
    power_.resize(static_cast<std::size_t>(bins * channels * channels));
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
            const auto bin = std::lround(place_of(radius(k, l, image.rows(), image.columns())));
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

ChannelLmmse::ChannelLmmse(const SpectralBlur& blur, const ChannelSpectrum& spectrum,
                           std::span<const double> noise)
    : blur_(blur), spectrum_(spectrum), noise_(noise.begin(), noise.end()) {
    require(blur.patches() == 1, Status::invalid_argument, "LMMSE: a blur of ", blur.patches(),
            " patches is not diagonal in frequency, there must be 1");
    require(blur.inputs() == spectrum.channels() && blur.outputs() == static_cast<Index>(noise.size()),
            Status::size_mismatch, "LMMSE: a blur of ", blur.inputs(), " channels into ", blur.outputs(),
            ", a spectrum of ", spectrum.channels(), " and noise of ", noise.size());
    require(blur.outputs() <= ChannelSpectrum::most_channels, Status::invalid_argument, "LMMSE: at most ",
            ChannelSpectrum::most_channels, " channels, got ", blur.outputs());
    for (const double variance : noise)
        require(variance > 0 && std::isfinite(variance), Status::invalid_argument,
                "LMMSE: the variance of the noise must be above 0, got ", variance);
    for (Index c = 0; c < std::max(blur.inputs(), blur.outputs()); ++c)
        ffts_.push_back(make_real_fft2(blur.domain()[1], blur.domain()[2]));
}

std::size_t ChannelLmmse::workspace_bytes(const Context&) const noexcept {
    return Workspace::bytes<RealFft2::Complex>((blur_.inputs() + blur_.outputs()) *
                                               ffts_[0]->spectrum_shape().elements());
}

Status ChannelLmmse::run(View<const float> data, View<float> image, Context& context) noexcept {
    if (data.shape() != blur_.range() || image.shape() != blur_.domain()) return Status::size_mismatch;
    if (context.workspace().size() - context.workspace().used() < workspace_bytes(context))
        return Status::out_of_memory;
    const Index inputs = blur_.inputs(), outputs = blur_.outputs();
    const Shape bins = ffts_[0]->spectrum_shape();
    Scratch scratch(context.workspace());
    const auto spectra = scratch.take<RealFft2::Complex>({inputs + outputs, bins[0], bins[1]});
    parallel_for(context, outputs, [&](Index c, int) {
        ffts_[static_cast<std::size_t>(c)]->forward(data[c], spectra[inputs + c]);
    });
    parallel_rows(context, bins[0], 100 * bins[1], [&](Index begin, Index end, int) {
        Matrix k(outputs, inputs), s(inputs, inputs);
        Vector y(outputs);
        double power[ChannelSpectrum::most_channels * ChannelSpectrum::most_channels];
        for (Index row = begin; row < end; ++row)
            for (Index column = 0; column < bins[1]; ++column) {
                const double f = radius(row, column, blur_.domain()[1], blur_.domain()[2]);
                // The mean: a signal so strong that noise does not matter.
                const double strength = f > 0 ? 1 : 1e9;
                spectrum_.at(f > 0 ? f : lowest, power);
                for (Index a = 0; a < inputs; ++a)
                    for (Index b = 0; b < inputs; ++b)
                        s(a, b) = strength * (f > 0 || a == b ? power[a * inputs + b] : 0);
                for (Index o = 0; o < outputs; ++o) {
                    y(o) = std::complex<double>(spectra(inputs + o, row, column));
                    for (Index i = 0; i < inputs; ++i) {
                        const auto spectrum = blur_.spectrum(0, o, i);
                        k(o, i) = spectrum.empty() ? 0 : std::complex<double>(spectrum(row, column));
                    }
                }
                const Matrix gain = s * k.adjoint();
                Matrix total = k * gain;
                for (Index o = 0; o < outputs; ++o) total(o, o) += noise_[static_cast<std::size_t>(o)];
                const Vector x = gain * total.ldlt().solve(y);
                for (Index i = 0; i < inputs; ++i) spectra(i, row, column) = RealFft2::Complex(x(i));
            }
    });
    parallel_for(context, inputs,
                 [&](Index c, int) { ffts_[static_cast<std::size_t>(c)]->inverse(spectra[c], image[c]); });
    return Status::ok;
}

}  // namespace sonolux
