// sonolux/simulation/optics/camera.hpp
//
// From light to camera channels: what a sensor with colour filters sees of a scene through a lens.
//
//     y_c = sum over wavelengths l of S_c(l) E(l) step(l) (h_l * r_l)
//
// with the sensitivity S (electrons per photon), the illumination E (photons), the point spread function h
// and the reflectance r of the scene. Scenes have few bands; between them reflectances are linear in
// wavelength, so that each band b has one kernel for each channel,
//
//     k_{c,b} = sum over l of S_c(l) E(l) step(l) hat_b(l) h_l
//
// White balance: each channel is divided by what it sees of white without a lens, so white is 1 in all.
#pragma once

#include <string>

#include <sonolux/core/random.hpp>
#include <sonolux/simulation/optics/psf_bank.hpp>

namespace sonolux {

/// Curves over wavelength: the sensitivity of each channel, or an illuminant.
struct SpectralTable {
    std::string name;                         ///< starts messages: the file, or what it is
    std::vector<double> wavelengths;          ///< m, rising
    std::vector<std::vector<double>> curves;  ///< as long as wavelengths

    /// One curve at other wavelengths, linear between those of the table. Throws Error{invalid_argument}
    /// where the table does not reach.
    [[nodiscard]] std::vector<double> at(std::size_t curve, std::span<const double> wavelengths) const;
};

/// Throws Error{invalid_argument} naming the table for wavelengths that do not rise, curves of another
/// length, negative or missing (NaN) values, and gaps: steps more than three times the usual one.
void check_table(const SpectralTable& table);

/// A sensor that stands for many: red, green and blue with Gaussian sensitivities about 600, 535 and 460 nm
/// of standard deviations 38, 42 and 32 nm. Nobody's data; for training sets that ship.
[[nodiscard]] SpectralTable gaussian_sensor();

/// The photons of a black body (Planck), relative to 560 nm: 6504 K is about daylight.
[[nodiscard]] SpectralTable black_body(double kelvin);

/// A sensor before a lens, under a light: S E step / white, [channel][wavelength], each of sum 1.
struct CameraResponse {
    std::vector<double> wavelengths;
    std::vector<std::vector<double>> weights;
    std::vector<double> white;  ///< S E summed up, relative to the largest channel: what balance divides by

    [[nodiscard]] Index channels() const noexcept { return static_cast<Index>(weights.size()); }
};

/// Throws Error{invalid_argument} as check_table does, for tables that do not reach as far as the wavelengths
/// ("do not overlap" where they have none in common), and for a channel that sees nothing.
[[nodiscard]] CameraResponse camera_response(const SpectralTable& sensor, const SpectralTable& light,
                                             std::span<const double> wavelengths);

/// k [channels, bands, size, size] above, for bands at rising wavelengths; beyond the outermost bands
/// reflectances are constant. Throws Error{size_mismatch} for a bank of other wavelengths.
[[nodiscard]] Array<float> camera_kernels(const PsfBank& bank, const CameraResponse& response,
                                          std::span<const double> bands);

/// [channels, size, size]: the kernels of a scene that is grey, all bands alike (the white-light PSF).
[[nodiscard]] Array<float> white_kernels(const PsfBank& bank, const CameraResponse& response);

/// [channels, bands]: what each channel sees of each band without a lens.
[[nodiscard]] Array<float> camera_matrix(const CameraResponse& response, std::span<const double> bands);

/// A scene [bands, rows, columns] without blur, in camera channels [channels, rows, columns].
/// Throws Error{size_mismatch} for another number of bands.
[[nodiscard]] Array<float> sharp_image(View<const float> scene, View<const float> camera_matrix);

/// How light becomes numbers. Images are 1 where white fills the wells of the most sensitive channel.
struct Sensor {
    double full_well = 10000;  ///< electrons at 1, the photon budget
    double read_noise = 10;    ///< electrons, standard deviation
    int bits = 0;              ///< of the converter; 0: none
    double vignetting = 0;     ///< how much less light the corners have, 0 to below 1; falls as the square of
                               ///< the distance from the middle
};

/// Throws Error{invalid_argument} naming the field that is outside its range.
void check_sensor(const Sensor& sensor);

/// 1 - vignetting (r / corner)^2 at each pixel.
[[nodiscard]] Array<float> vignette(const Sensor& sensor, Index rows, Index columns);

/// Takes the photograph of a clean image [channels, rows, columns] in white-balanced units: vignetting,
/// photon noise with each channel's own number of electrons (white), read noise, conversion, and balance
/// again. Photograph number `sample` draws from Philox(seed, streams::noise, channels sample + c). Throws
/// Error{size_mismatch} for another number of channels than `white`, and as check_sensor does.
void take_photograph(View<const float> clean, const Sensor& sensor, std::span<const double> white,
                     std::uint64_t seed, std::uint64_t sample, View<float> photograph, Context& context);

/// The variance of the noise of channel c at level v, in white-balanced units.
[[nodiscard]] double noise_variance(const Sensor& sensor, double white, double level) noexcept;

}  // namespace sonolux
