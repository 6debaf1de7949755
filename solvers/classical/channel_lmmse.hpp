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

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include <sonolux/core/operators/spectral_blur.hpp>
#include <sonolux/solvers/channel_spectrum.hpp>

namespace sonolux {

/// Recovers images [inputs, rows, columns] from data [outputs, rows, columns] of a periodic blur.
class ChannelLmmse {
public:
    /// `noise` has the variance of each output channel. The blur is kept, not copied. The mean is kept: S(0)
    /// is infinite. Throws Error{invalid_argument} for a blur with several patches, noise that is not above
    /// 0, more than 8 channels, Error{size_mismatch} for a spectrum or noise of other channels.
    ChannelLmmse(const SpectralBlur& blur, const ChannelSpectrum& spectrum, std::span<const double> noise);

    /// From now on for noise of these variances, as many as before and above 0.
    void set_noise(std::span<const double> noise) noexcept {
        std::copy(noise.begin(), noise.end(), noise_.begin());
    }

    [[nodiscard]] std::size_t workspace_bytes(const Context& context) const noexcept;

    /// What it holds itself in proportion to the image: the scratch of its transforms.
    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        std::size_t bytes = 0;
        for (const auto& fft : ffts_) bytes += fft->memory_bytes();
        return bytes;
    }

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
