// sonolux/solvers/classical/blur_likelihood.cpp
#include <sonolux/solvers/classical/blur_likelihood.hpp>

#include <cmath>
#include <numbers>

#include <Eigen/Cholesky>
#include <Eigen/Dense>

#include <sonolux/core/fft.hpp>
#include <sonolux/core/operators/spectral_blur.hpp>

namespace sonolux {

namespace {

constexpr Index first_ring = 2;  // below, the window lets the mean through
using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor,
                             ChannelSpectrum::most_channels, ChannelSpectrum::most_channels>;

/// Sums up what is seen at each frequency, ring by ring.
template <class Visit>
void visit_rings(Index rows, Index columns, Index rings, const Visit& visit) {
    const double apart = 1 / static_cast<double>(std::min(rows, columns));
    for (Index k = 0; k < rows; ++k)
        for (Index l = 0; l < columns / 2 + 1; ++l) {
            const double f = bin_frequency(k, l, rows, columns);
            const auto ring = static_cast<Index>(std::lround(f / apart)) - first_ring;
            if (ring >= 0 && ring < rings) visit(ring, k, l, f);
        }
}

}  // namespace

BlurLikelihood::BlurLikelihood(View<const float> image, const ChannelSpectrum& spectrum,
                               std::span<const double> noise)
    : channels_(image.rank() == 3 ? image.size(0) : 0),
      rows_(image.rows()),
      columns_(image.columns()),
      rings_(std::min(rows_, columns_) / 2 - first_ring),
      noise_(noise.begin(), noise.end()) {
    require(channels_ == spectrum.channels() && channels_ == std::ssize(noise), Status::size_mismatch,
            "blur likelihood: an image ", to_string(image.shape()), " with a spectrum of ",
            spectrum.channels(), " channels and noise of ", noise.size());
    require(rows_ >= 32 && columns_ >= 32, Status::invalid_argument,
            "blur likelihood: an image must be at least 32 x 32 pixels, got ", rows_, " x ", columns_);
    for (const double variance : noise)
        require(variance > 0 && std::isfinite(variance), Status::invalid_argument,
                "blur likelihood: the variance of the noise must be above 0, got ", variance);
    const auto hann = [](Index i, Index size) {
        return 0.5 - 0.5 * std::cos(2 * std::numbers::pi * (static_cast<double>(i) + 0.5) /
                                    static_cast<double>(size));
    };
    const auto fft = make_real_fft2(rows_, columns_);
    Array<RealFft2::Complex> spectra({channels_, fft->spectrum_shape()[0], fft->spectrum_shape()[1]});
    Array<float> windowed({rows_, columns_});
    double energy = 0;
    for (Index i = 0; i < rows_; ++i)
        for (Index j = 0; j < columns_; ++j) energy += std::pow(hann(i, rows_) * hann(j, columns_), 2);
    for (Index c = 0; c < channels_; ++c) {
        double sum = 0, weights = 0;
        for (Index i = 0; i < rows_; ++i)
            for (Index j = 0; j < columns_; ++j) {
                const double weight = hann(i, rows_) * hann(j, columns_);
                sum += weight * double{image(c, i, j)};
                weights += weight;
            }
        require(std::isfinite(sum), Status::invalid_argument, "blur likelihood: channel ", c,
                " of the image has a value that is not finite");
        for (Index i = 0; i < rows_; ++i)
            for (Index j = 0; j < columns_; ++j)
                windowed(i, j) = static_cast<float>(hann(i, rows_) * hann(j, columns_) *
                                                    (double{image(c, i, j)} - sum / weights));
        fft->forward(windowed, spectra.view()[c]);
    }
    const auto square = static_cast<std::size_t>(channels_ * channels_);
    const auto rings = static_cast<std::size_t>(rings_);
    frequency_.assign(rings, 0);
    count_.assign(rings, 0);
    power_.assign(rings * square, 0);
    prior_.assign(rings * square, 0);
    visit_rings(rows_, columns_, rings_, [&](Index r, Index k, Index l, double f) {
        const auto ring = static_cast<std::size_t>(r);
        frequency_[ring] += f;
        count_[ring] += 1;
        for (Index c = 0; c < channels_; ++c)
            for (Index d = 0; d < channels_; ++d)
                power_[ring * square + static_cast<std::size_t>(c * channels_ + d)] +=
                    std::real(std::complex<double>(spectra(c, k, l)) *
                              std::conj(std::complex<double>(spectra(d, k, l)))) /
                    energy;
    });
    for (std::size_t ring = 0; ring < rings; ++ring) {
        frequency_[ring] /= count_[ring];
        for (std::size_t n = 0; n < square; ++n) power_[ring * square + n] /= count_[ring];
        spectrum.at(frequency_[ring], prior_.data() + ring * square);
    }
}

double BlurLikelihood::minus_likelihood(std::span<const double> blur, std::span<const double> family) const {
    const auto channels = static_cast<std::size_t>(channels_), square = channels * channels;
    const double slope = family[channels], shared = 1 / (1 + std::exp(-family[channels + 1]));
    double gain[ChannelSpectrum::most_channels];
    for (std::size_t c = 0; c < channels; ++c) gain[c] = std::exp(family[c]);
    double sum = 0, frequencies = 0;
    Matrix expected(channels_, channels_), seen(channels_, channels_);
    for (std::size_t ring = 0; ring < count_.size(); ++ring) {
        // Relative to the middle, so that strength and slope are found apart.
        const double tilt = std::pow(frequency_[ring] / 0.05, -slope);
        for (std::size_t c = 0; c < channels; ++c)
            for (std::size_t d = 0; d < channels; ++d) {
                const std::size_t n = ring * square + c * channels + d;
                const auto i = static_cast<Index>(c), j = static_cast<Index>(d);
                expected(i, j) = gain[c] * gain[d] * tilt * (c == d ? 1 : shared) * blur[n] * prior_[n] +
                                 (c == d ? noise_[c] : 0);
                seen(i, j) = power_[n];
            }
        const Eigen::LLT<Matrix> factor(expected);
        if (factor.info() != Eigen::Success) return HUGE_VAL;
        double log_determinant = 0;
        for (Index i = 0; i < channels_; ++i) log_determinant += 2 * std::log(factor.matrixLLT()(i, i));
        sum += count_[ring] * (log_determinant + factor.solve(seen).trace());
        frequencies += count_[ring];
    }
    return sum / frequencies;
}

double BlurLikelihood::of(View<const float> kernels) const {
    require(kernels.rank() == 3 && kernels.size(0) == channels_, Status::size_mismatch,
            "blur likelihood: kernels must be [", channels_, ", size, size], got ",
            to_string(kernels.shape()));
    SpectralBlur operation(channels_, channels_, rows_, columns_);
    operation.set_kernels(fold_kernels(kernels, rows_, columns_));
    const auto channels = static_cast<std::size_t>(channels_), square = channels * channels;
    std::vector<double> blur(power_.size(), 0);
    visit_rings(rows_, columns_, rings_, [&](Index r, Index k, Index l, double) {
        const auto ring = static_cast<std::size_t>(r);
        for (Index c = 0; c < channels_; ++c)
            for (Index d = 0; d < channels_; ++d)
                blur[ring * square + static_cast<std::size_t>(c * channels_ + d)] +=
                    std::real(std::complex<double>(operation.spectrum(0, c, c)(k, l)) *
                              std::conj(std::complex<double>(operation.spectrum(0, d, d)(k, l)))) /
                    count_[ring];
    });
    // One parameter after another, by steps that shrink where they do not help: few of them, and smooth.
    std::vector<double> family(channels + 2, 0.0);
    family.back() = 3;  // most of what they have in common
    std::vector<double> step(family.size(), 0.5);
    double best = minus_likelihood(blur, family);
    for (int round = 0; round < 200; ++round) {
        double largest = 0;
        for (std::size_t p = 0; p < step.size(); ++p) {
            double& parameter = family[p];
            const double from = parameter;
            bool better = false;
            for (const double sign : {1.0, -1.0}) {
                parameter = from + sign * step[p];
                const double value = std::abs(parameter) < 12 ? minus_likelihood(blur, family) : HUGE_VAL;
                if (value < best) {
                    best = value;
                    better = true;
                    break;
                }
            }
            if (!better) parameter = from;
            step[p] *= better ? 1.3 : 0.5;
            largest = std::max(largest, step[p]);
        }
        if (largest < 1e-4) break;
    }
    return -best;
}

}  // namespace sonolux
