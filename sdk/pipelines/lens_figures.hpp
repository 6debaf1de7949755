// sonolux/sdk/pipelines/lens_figures.hpp
//
// What a lens does, as pictures.
#pragma once

#include <string>
#include <vector>

#include <sonolux/sdk/files/canvas.hpp>
#include <sonolux/sdk/files/training_set.hpp>
#include <sonolux/sdk/pipelines/lens_recipe.hpp>

namespace sonolux {

/// Point spread functions at `count` wavelengths from the first to the last, in dB below the brightest pixel
/// of each, on axes in mm.
[[nodiscard]] Canvas draw_psf_strip(const PsfBank& bank, const std::string& title, Index count = 7);

/// How much of an ideal lens's brightness there is on the axis, over distance and wavelength: a colour for
/// each focus. From `near` to `far` (m).
[[nodiscard]] Canvas draw_through_focus(const RadialOptics& optics, const std::vector<double>& wavelengths,
                                        double near, double far, const std::string& title);

/// The efficiency of each order at its own focus against wavelength, as the sum over rings has it and as
/// sinc^2(a - k) says: an <svg> element.
[[nodiscard]] std::string efficiency_chart(const DiffractiveLens& lens,
                                           const std::vector<double>& wavelengths);

/// One method's picture of a scene, in linear sRGB [3, rows, columns].
struct RecoveredPicture {
    std::string name;
    View<const float> light;
};

/// The truth and what methods made of it, above maps of CIEDE2000 from 0 to 20, with linear PSNR and mean
/// difference in the captions. Throws Error{size_mismatch} for pictures of another size.
[[nodiscard]] Canvas draw_recoveries(View<const float> truth, const std::vector<RecoveredPicture>& pictures,
                                     const std::string& title);

/// The modulation across a slanted grey edge, as the lens takes it and as cross-channel LMMSE recovers it,
/// for each channel of 3; spectra are those of coloured dead leaves. An <svg> element.
[[nodiscard]] std::string mtf_chart(const LensSystem& system, Context& context);

/// A sample of a set of the lens domain: scene and photograph as pictures (white-balanced channels of the
/// sensor, in codes of sRGB). Throws Error{unsupported} for sensors of other than 3 channels.
[[nodiscard]] Canvas draw_lens_sample(const TrainingSet& set, Index sample);

/// Writes the figures of the lens that a recipe of the lens domain describes: NAME_psf.png,
/// NAME_through_focus.png, NAME_efficiency.svg, and for sensors of 3 channels NAME_mtf.svg. Returns their
/// paths. Throws as read_lens_system does.
std::vector<std::string> write_lens_figures(const std::string& recipe, const std::string& folder);

}  // namespace sonolux
