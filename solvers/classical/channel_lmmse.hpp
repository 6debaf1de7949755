// sonolux/solvers/classical/channel_lmmse.hpp
//
// Channels that were blurred differently, recovered together: of all linear estimates the one of least mean
// squared error, for images whose channels have known cross-power spectra.
//
//     X(f) = S K* (K S K* + N)^-1 Y(f)
//
// at each frequency f, with the matrix K of the blur from channels to channels, S(f) the cross-power of the
// channels of sharp images and N the noise, both per pixel. Where one channel is blurred away,
// what the others have in common with it stands in. With S and K diagonal it is Wiener's filter of each
// channel by itself.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include <sonolux/core/operators/spectral_blur.hpp>

namespace sonolux {

/// S(f) of images with some channels: symmetric matrices at frequencies that rise by equal factors, the same
/// in all directions, linear in log f in between. (Images show no preference for a side, so that S is real.)
class ChannelSpectrum {
public:
    static constexpr Index bins = 40;
    static constexpr Index most_channels = 8;

    /// A spectrum of zero. Throws Error{invalid_argument} for channels outside 1 to 8.
    explicit ChannelSpectrum(Index channels);

    /// S(f) = diagonal A / f^2 (`power` A for each channel), or constant.
    [[nodiscard]] static ChannelSpectrum inverse_square(std::span<const double> power);
    [[nodiscard]] static ChannelSpectrum constant(std::span<const double> power);

    [[nodiscard]] Index channels() const noexcept { return channels_; }

    /// The same channels, as if they had nothing in common.
    [[nodiscard]] ChannelSpectrum diagonal() const;

    /// S(f) [channels * channels] at f cycles per pixel, above 0.
    void at(double frequency, double* power) const noexcept;

private:
    friend class ChannelSpectrumEstimate;

    Index channels_;
    std::vector<double> power_;  // [bins][channels][channels]
};

/// The mean cross-power spectrum of example images, taken as periodic, as a Fourier filter takes them.
class ChannelSpectrumEstimate {
public:
    explicit ChannelSpectrumEstimate(Index channels);

    /// An image [channels, rows, columns] of any size. Throws Error{size_mismatch} for another number of
    /// channels, Error{invalid_argument} for fewer than 8 rows or columns.
    void add(View<const float> image);

    /// Bins without frequencies take their neighbours'. Throws Error{invalid_argument} if nothing was added.
    [[nodiscard]] ChannelSpectrum spectrum() const;

private:
    ChannelSpectrum sum_;
    std::vector<double> count_;
};

/// Recovers images [inputs, rows, columns] from data [outputs, rows, columns] of a periodic blur.
class ChannelLmmse {
public:
    /// `noise` has the variance of each output channel. The blur is kept, not copied. The mean is kept: S(0)
    /// is infinite. Throws Error{invalid_argument} for a blur with several patches, noise that is not above
    /// 0, more than 8 channels, Error{size_mismatch} for a spectrum or noise of other channels.
    ChannelLmmse(const SpectralBlur& blur, const ChannelSpectrum& spectrum, std::span<const double> noise);

    [[nodiscard]] std::size_t workspace_bytes(const Context& context) const noexcept;

    /// Serves one caller at a time. On the context's threads; the same bits for any number of them. Returns
    /// size_mismatch, or out_of_memory where less than workspace_bytes was reserved.
    [[nodiscard]] Status run(View<const float> data, View<float> image, Context& context) noexcept;

private:
    const SpectralBlur& blur_;
    ChannelSpectrum spectrum_;
    std::vector<double> noise_;
    std::vector<std::unique_ptr<RealFft2>> ffts_;
};

}  // namespace sonolux
