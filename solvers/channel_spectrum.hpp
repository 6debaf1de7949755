// sonolux/solvers/channel_spectrum.hpp
//
// How much of each spatial frequency images have in their channels, and how much the channels have in common.
#pragma once

#include <span>
#include <vector>

#include <sonolux/core/view.hpp>

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

    /// From such a table. Throws Error{size_mismatch} for one of another length, Error{invalid_argument} for
    /// values that are not finite.
    ChannelSpectrum(Index channels, std::span<const float> table);

    [[nodiscard]] Index channels() const noexcept { return channels_; }

    /// The matrices, [bins, channels, channels].
    [[nodiscard]] std::span<const double> table() const noexcept { return power_; }

    /// The same channels, as if they had nothing in common.
    [[nodiscard]] ChannelSpectrum diagonal() const;

    /// S(f)^-1, bin by bin. Matrices that are not positive definite, as spectra of zero are not, become so
    /// by a millionth of their trace, or else of one.
    [[nodiscard]] ChannelSpectrum inverse() const;

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

/// The frequency of bin [k, l] of a real transform of [rows, columns], in cycles per pixel.
[[nodiscard]] double bin_frequency(Index k, Index l, Index rows, Index columns) noexcept;

}  // namespace sonolux
