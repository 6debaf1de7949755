// sonolux/solvers/classical/channel_lmmse.cpp
#include <algorithm>
#include <cmath>

#include <Eigen/Cholesky>
#include <Eigen/Dense>

#include <sonolux/core/parallel_rows.hpp>
#include <sonolux/solvers/classical/channel_lmmse.hpp>

namespace sonolux {

namespace {

// Nothing allocates up to this size.
using Matrix = Eigen::Matrix<std::complex<double>, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor,
                             ChannelSpectrum::most_channels, ChannelSpectrum::most_channels>;
using Vector = Eigen::Matrix<std::complex<double>, Eigen::Dynamic, 1, Eigen::ColMajor,
                             ChannelSpectrum::most_channels, 1>;

}  // namespace

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
                const double f = bin_frequency(row, column, blur_.domain()[1], blur_.domain()[2]);
                // The mean: a signal so strong that noise does not matter.
                const double strength = f > 0 ? 1 : 1e9;
                spectrum_.at(f > 0 ? f : 1e-9, power);
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
